"""The supervisor keeps its children running, and leaves nobody behind however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edunet.supervise import Child, Supervisor

PARENT_AND_CHILD = (
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True); time.sleep(1000)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(1000)"
)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(what: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


class Heard:
    """A supervisor and all that was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.supervisor = Supervisor(self.said.append, lambda name, line: self.told.append((name, line)))

    def until(self, what: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, (self.said, self.told)
            self.supervisor.step(0.05)


@pytest.fixture
def heard() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.supervisor.close()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_what_a_child_says_is_passed_on_by_lines(heard: Heard) -> None:
    heard.supervisor.start(
        Child("a", lambda: python("print('one'); print('two', end=''); import time; time.sleep(0.1)"))
    )
    heard.until(lambda: ("a", "two") in heard.told)
    assert heard.told[:2] == [("a", "one"), ("a", "two")]


def test_a_child_that_dies_is_started_again_and_it_is_said(heard: Heard) -> None:
    heard.supervisor.start(Child("a", lambda: python("print('here'); raise SystemExit(3)")))
    heard.until(lambda: heard.told.count(("a", "here")) >= 2)
    assert "exit code 3" in heard.said[0]


def test_the_wait_grows_with_every_early_death(heard: Heard) -> None:
    heard.supervisor.start(Child("a", lambda: python("raise SystemExit(1)")))
    heard.until(lambda: len(heard.said) >= 3)
    waits = [float(line.split(" in ")[1].removesuffix(" s")) for line in heard.said]
    assert waits == sorted(set(waits))


def test_a_command_that_cannot_be_made_yet_is_asked_again(heard: Heard) -> None:
    tries: list[int] = []

    def command() -> list[str]:
        tries.append(1)
        if len(tries) < 2:
            raise OSError("not there yet")
        return python("print('at last')")

    heard.supervisor.start(Child("a", command))
    heard.until(lambda: ("a", "at last") in heard.told)


def test_a_childs_death_restarts_what_depends_on_it(heard: Heard) -> None:
    stay = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    heard.supervisor.start(Child("host", lambda: python(stay)))
    heard.supervisor.start(Child("guest", lambda: python(stay), after=("host",)))
    heard.until(lambda: len(heard.told) == 2)
    first = {name: int(pid) for name, pid in heard.told}
    os.kill(first["host"], signal.SIGKILL)
    heard.until(lambda: len(heard.told) == 4)
    assert {name for name, _ in heard.told[2:]} == {"host", "guest"}
    assert not alive(first["guest"])


def test_stopping_ends_grandchildren_and_the_stubborn(heard: Heard) -> None:
    heard.supervisor.start(Child("family", lambda: python(PARENT_AND_CHILD)))
    heard.supervisor.start(Child("stubborn", lambda: python(STUBBORN)))
    heard.until(lambda: len(heard.told) == 2)
    grandchild = int(next(line for name, line in heard.told if name == "family"))
    pids = [child.process.pid for child in heard.supervisor.children.values() if child.process]
    heard.supervisor.stop(["family", "stubborn"])
    assert not [pid for pid in (*pids, grandchild) if alive(pid)]
    assert heard.supervisor.children == {}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_outlives_a_supervisor_that_was_killed(how: int, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "from edunet.supervise import Child, Supervisor\n"
        "s = Supervisor(print, lambda name, line: print(line, flush=True))\n"
        f"s.start(Child('a', lambda: [sys.executable, '-c', {PARENT_AND_CHILD!r}]))\n"
        "print(s.children['a'].process.pid, flush=True)\n"
        "while True:\n    s.step(1)\n"
    )
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(process.stdout.readline()) for _ in range(2)]
    assert all(alive(pid) for pid in pids)
    process.send_signal(how)
    process.wait()
    wait_until(lambda: not [pid for pid in pids if alive(pid)])
    process.stdout.close()
