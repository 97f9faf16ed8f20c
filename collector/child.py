"""A child process (rounds, traps) as the judge's process sees it: started, spoken to, started again when it dies."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from collector.rounds.messages import Hello, NewPlan
from collector.targets import Targets
from collector.wire import Channel, ChannelClosedError

log = logging.getLogger(__name__)

PAUSE_S = (0.2, 1.0, 5.0)
"""Before it is started again: quickly at first, then not to fill the log."""


class Child:
    """Keeps one process running: `python -m collector.NAME`. `run` blocks; `on_message(value, descriptors)` is called in that thread."""

    def __init__(
        self,
        name: str,
        hello: Any,
        on_message: Callable[[Any, list[int]], None],
        environment: dict[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        """hello: its first word. pass_fds: descriptors that it inherits under the same numbers."""
        self.name, self.hello, self.on_message = name, hello, on_message
        self.starts = 0
        self.pid: int | None = None
        self._environment, self._pass_fds = environment, pass_fds
        self._plan: Any = None
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False

    def give(self, plan: Any) -> None:
        """Give it another plan, in its own words; a process that starts later gets it too."""
        self._plan = plan
        self.tell(plan)

    def tell(self, message: Any) -> bool:
        """Send it a word. Whether it was there to hear it."""
        channel = self._channel
        try:
            if channel is not None:
                channel.send(message)
                return True
        except ChannelClosedError:
            pass
        return False

    def run(self) -> None:
        """Until `stop`."""
        while not self._over:
            begun = time.monotonic()
            try:
                self._start()
                self._listen()
            except ChannelClosedError:
                pass
            code = self._end()
            if self._over:
                return
            quick = time.monotonic() - begun < 10
            pause = PAUSE_S[min(self.starts, len(PAUSE_S)) - 1] if quick else PAUSE_S[0]
            log.error("the %s process ended (%s), started again in %s s", self.name, code, pause)
            time.sleep(pause)

    def stop(self) -> None:
        """End it."""
        self._over = True
        if self._channel is not None:
            self._channel.close()

    def _start(self) -> None:
        mine, its = socket.socketpair()
        command = [
            sys.executable,
            "-P",
            "-m",
            f"collector.{self.name}",
            "--channel",
            str(its.fileno()),
            "--parent",
            str(os.getpid()),
        ]
        self._process = subprocess.Popen(
            command, pass_fds=(its.fileno(), *self._pass_fds), stdin=subprocess.DEVNULL, env=self._environment
        )
        its.close()
        self.starts += 1
        self.pid = self._process.pid
        channel = Channel(mine)
        channel.send(self.hello)
        self._channel = channel
        if self._plan is not None:
            self._channel.send(self._plan)

    def _listen(self) -> None:
        assert self._channel is not None
        while True:
            self.on_message(*self._channel.receive())

    def _end(self) -> int | None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if self._process is None:
            return None
        try:
            return self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


class RoundsChild(Child):
    """The rounds process."""

    def __init__(
        self, hello: Hello, on_message: Callable[[Any, list[int]], None], environment: dict[str, str] | None = None
    ) -> None:
        super().__init__("rounds", hello, on_message, environment)

    def follow(self, targets: Targets) -> None:
        """Give it another plan."""
        self.give(NewPlan(targets))
