"""Keep child processes running, pass on what they say, and leave nobody behind.

Each child has a process group of its own: Ctrl-C reaches the supervisor alone, which then ends the groups in order. A guardian
process holds the other end of a pipe: when the supervisor dies in any way (kill -9), the pipe closes and the guardian ends the groups.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds to wait before a restart, by how often a child has died early."""

WELL_AFTER_S = 60.0
"""A child that lived so long is no longer counted as failing."""

TERM_S, KILL_S = 3.0, 1.0
"""Seconds that a group has after SIGTERM, and after SIGKILL to be gone."""

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(slots=True)
class Child:
    """A program to keep running. `command` is asked at every start; `after`: names of children whose restart restarts this one."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    after: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    buffer: bytes = b""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Starts, watches and ends children; `say` takes its own lines and `tell` (name, line) those of the children."""

    def __init__(self, say: Callable[[str], None], tell: Callable[[str, str], None]) -> None:
        self.say, self.tell = say, tell
        self.children: dict[str, Child] = {}
        self.selector = selectors.DefaultSelector()
        self._guardian = Guardian()

    def start(self, child: Child) -> None:
        """Start a child and keep it running from now on."""
        self.children[child.name] = child
        self._spawn(child)

    def stop(self, names: Sequence[str]) -> None:
        """End these children, all at once, in at most `TERM_S + KILL_S` seconds."""
        chosen = [self.children.pop(name) for name in names if name in self.children]
        groups = [child.process.pid for child in chosen if child.process is not None]
        end_groups(groups, TERM_S, KILL_S, reap=[c.process for c in chosen if c.process is not None])
        for child in chosen:
            self._drain(child)
            self._forget(child)

    def close(self) -> None:
        """End every child, and the guardian."""
        self.stop(list(self.children))
        self._guardian.close()
        self.selector.close()

    def step(self, timeout: float) -> list[object]:
        """Wait up to `timeout` seconds for news, pass on what children say, restart those that died; other file objects that are ready."""
        due = [child.restart_at - time.monotonic() for child in self.children.values() if child.restart_at is not None]
        others: list[object] = []
        for key, _ in self.selector.select(max(0.0, min([timeout, *due]))):
            if isinstance(key.data, Child):
                self._read(key.data)
            else:
                others.append(key.fileobj)
        for child in list(self.children.values()):
            self._look_after(child)
        return others

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                self._spawn(child)
            return
        if child.process is None or child.process.poll() is None:
            return
        self._drain(child)
        end_groups([child.process.pid], 0.5, KILL_S)  # what it may have left behind
        child.deaths = 1 if now - child.started > WELL_AFTER_S else child.deaths + 1
        wait = BACKOFF_S[min(child.deaths, len(BACKOFF_S)) - 1]
        self.say(f"{child.name} ended ({_reason(child.process.returncode)}), starting it again in {wait:g} s")
        self._forget(child)
        child.restart_at = now + wait
        for other in self.children.values():
            if child.name in other.after and other.process is not None:
                end_groups([other.process.pid], TERM_S, KILL_S, reap=[other.process])
                self._forget(other)
                other.restart_at = now + wait + 0.1

    def _spawn(self, child: Child) -> None:
        child.restart_at = None
        try:
            command = list(child.command())
        except OSError as error:
            self._put_off(child, error)
            return
        parent = os.getpid()
        child.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **child.environment},
            pass_fds=child.pass_fds,
            start_new_session=True,
            preexec_fn=lambda: _die_with(parent),
        )
        self._guardian.add(child.process.pid)
        child.started, child.buffer = time.monotonic(), b""
        if child.process.stdout is not None:
            os.set_blocking(child.process.stdout.fileno(), False)
            self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _put_off(self, child: Child, error: OSError) -> None:
        child.deaths += 1
        wait = BACKOFF_S[min(child.deaths, len(BACKOFF_S)) - 1]
        self.say(f"{child.name} cannot be started yet ({error}), again in {wait:g} s")
        child.restart_at = time.monotonic() + wait

    def _read(self, child: Child) -> bool:
        """Pass on what a child has said; False at the end of its output."""
        output = child.process.stdout if child.process else None
        try:
            data = os.read(output.fileno(), 65536) if output else b""
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            if output is not None:
                with contextlib.suppress(KeyError, ValueError):
                    self.selector.unregister(output)
            return False
        *lines, child.buffer = (child.buffer + data).split(b"\n")
        for line in lines:
            self.tell(child.name, line.decode(errors="replace").rstrip("\r"))
        return True

    def _drain(self, child: Child) -> None:
        output = child.process.stdout if child.process else None
        while output is not None and _readable(output) and self._read(child):
            pass
        if child.buffer:
            self.tell(child.name, child.buffer.decode(errors="replace"))
            child.buffer = b""

    def _forget(self, child: Child) -> None:
        if child.process is None:
            return
        if child.process.stdout is not None:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(child.process.stdout)
            child.process.stdout.close()
        self._guardian.remove(child.process.pid)
        child.process = None


class Guardian:
    """A process that ends the groups it was told of when this process is gone."""

    def __init__(self) -> None:
        read, write = os.pipe()
        command = [sys.executable, "-S", "-E", __file__, str(read)]
        self._process = subprocess.Popen(command, pass_fds=(read,), stdin=subprocess.DEVNULL, start_new_session=True)
        os.close(read)
        self._write = write

    def add(self, group: int) -> None:
        """End this group too."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """This group has ended."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let it go, and wait for its end."""
        os.close(self._write)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(TERM_S + KILL_S)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a guardian that was killed guards no more; the work goes on
            os.write(self._write, line.encode())


def end_groups(
    groups: Sequence[int], term_s: float, kill_s: float, reap: Sequence[subprocess.Popen[bytes]] = ()
) -> None:
    """SIGTERM to process groups, and SIGKILL to those that are still there after `term_s` seconds; returns as soon as all are gone."""
    for number, patience in ((signal.SIGTERM, term_s), (signal.SIGKILL, kill_s)):
        left = [group for group in groups if _signal(group, number)]
        deadline = time.monotonic() + patience
        while left and time.monotonic() < deadline:
            for process in reap:
                process.poll()
            left = [group for group in left if _signal(group, 0)]
            time.sleep(0.02)
        if not left:
            return


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _die_with(parent: int) -> None:
    """In the child, before its program: die when the supervisor does (prctl(2)); the guardian sees to the rest."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _readable(output: IO[bytes]) -> bool:
    return not output.closed


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _guard(read: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with os.fdopen(read, "r") as lines:
        for line in lines:
            group = int(line[1:])
            groups.add(group) if line[0] == "+" else groups.discard(group)
    end_groups(sorted(groups), TERM_S, KILL_S)


if __name__ == "__main__":
    _guard(int(sys.argv[1]))
