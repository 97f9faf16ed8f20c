"""The demonstration's own process: the responder and the control socket in one loop, in a namespace where that is allowed.

    python -m demo.host --database URL --run DIR --port N --faults FILE [--fresh] [--no-namespace]

When it serves, it answers `status` on DIR/demo.sock. It ends with its supervisor.
"""

import argparse
import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

from demo import faults, namespace, traps
from demo.agents import Clock, Fleet
from demo.control import Control
from demo.network import Network
from demo.responder import Responder

log = logging.getLogger("edunet.demo")

LOSS_PERIOD_S, LOSS_S = 1.9, 0.5
"""The slow line's gateway says nothing for 0.5 of every 1.9 s: a ping in four is lost, and one asked again is answered."""

WATCH_S = 2.0
"""How often the register's version is looked at."""


class Host:
    """Wires network, responder, routes and control; `run()` serves until it is told to stop."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        refusal = "not wanted" if arguments.no_namespace else namespace.enter_new()
        namespace.die_with_parent(signal.SIGTERM)
        self.mode = "snmp" if refusal else "namespace"
        if refusal:
            log.warning("no network namespace (%s): devices are watched by SNMP alone", refusal)
        # After the unshare: it is refused to a process with threads, and database drivers may start some.
        from demo.register import open_register, read_network, set_watch

        self.register = open_register(arguments.database)
        self._read_network = read_network
        set_watch(self.register, snmp_only=self.mode == "snmp", port=arguments.port)
        self.version = self.register.version()
        self.faults_file: Path = arguments.faults
        network = read_network(self.register)
        self.silencer = None if refusal else namespace.Silencer()
        self.responder = Responder(Fleet(network, Clock()), arguments.port)
        kept = None if arguments.fresh else faults.load(self.faults_file, network)
        keys = faults.standing(network, mute=self.mode == "namespace") if kept is None else kept
        self._lossy: frozenset[int] = frozenset()
        self.control = Control(network, keys, self.mode, self._apply)
        self.run_directory: Path = arguments.run
        self.listener = _listen(arguments.run / "demo.sock")
        self.stopping = False

    def _apply(self, control: Control) -> None:
        network = control.network
        if self.responder.fleet.slow != control.slow or self.responder.fleet.network is not network:
            self.responder.refill(Fleet(network, self.responder.fleet.clock, control.slow))
        self.responder.fleet.set_dead_ports(control.dead_ports)
        self.responder.fleet.set_battery(control.battery)
        ends = (network.circuits[line].end for line in control.slow)
        self._lossy = frozenset(network.units[end[0]].address for end in ends if end) - control.addresses
        self._silence(control.addresses)
        faults.save(self.faults_file, control.keys)

    def _silence(self, addresses: frozenset[int]) -> None:
        control_mute = self.control.mute if hasattr(self, "control") else frozenset()
        self.responder.silent = addresses | control_mute
        if self.silencer:
            self.silencer.set(addresses)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self._silence(self.control.addresses)
        selector = selectors.DefaultSelector()
        selector.register(self.responder.socket, selectors.EVENT_READ)
        selector.register(self.listener, selectors.EVENT_READ)
        looked = time.monotonic()
        while not self.stopping:
            for key, _ in selector.select(0.1 if self._lossy else 1.0):
                if key.fileobj is self.listener:
                    self._serve_control()
                else:
                    self.responder.serve()
            self._lose()
            if time.monotonic() - looked > WATCH_S:
                looked = time.monotonic()
                self._follow_register()

    def _lose(self) -> None:
        if self._lossy:
            quiet = time.monotonic() % LOSS_PERIOD_S < LOSS_S
            wanted = self.control.addresses | (self._lossy if quiet else frozenset())
            if self.responder.silent != wanted | self.control.mute:
                self._silence(wanted)

    def _follow_register(self) -> None:
        """Devices that were added or taken away in the demonstration's register get or lose their agents."""
        version = self.register.version()
        if version == self.version:
            return
        self.version = version
        network: Network = self._read_network(self.register)
        self.control.network = network
        self.control.keys = [key for key in self.control.keys if faults.exists(network, key)]
        self.control.apply()
        self._silence(self.control.addresses)

    def _serve_control(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(2.0)
                request = json.loads(lines.readline(65536))
                before = traps.Faults.of(self.control)
                answer = self.control.answer(request if isinstance(request, dict) else {})
                self._trap(before)
                self._silence(self.control.addresses)
                answer.setdefault("pid", os.getpid())
                connection.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    def _trap(self, before: traps.Faults) -> None:
        """Devices tell what was cut or mended. Where there is no namespace, port 162 may be another's: there the collector is asked to look itself."""
        now, silent = traps.Faults.of(self.control), self.control.addresses
        if self.mode == "namespace":
            traps.send(traps.traps(before, now, self.responder.fleet, silent))
        units = self.control.network.units
        devices = sorted({unit for unit, _ in before.ports ^ now.ports if units[unit].address not in silent})
        if devices:
            ask_to_read(self.run_directory / "collector.sock", devices)

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True


def ask_to_read(path: Path, devices: list[int]) -> None:
    """Have the collector read these devices now; where it does not listen, they are read in the next round all the same."""
    body = json.dumps({"devices": devices}).encode()
    head = f"POST /read HTTP/1.1\r\nHost: collector\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1.0)
        asking.connect(str(path))
        asking.sendall(head.encode() + body)
        asking.recv(1024)


def _listen(path: Path) -> socket.socket:
    """A unix socket for this user alone; one left by a process that died is replaced."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(16)
    return listener


def main() -> None:
    """Entry of `python -m demo.host`."""
    parser = argparse.ArgumentParser(prog="demo.host")
    parser.add_argument("--database", required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--faults", type=Path, required=True)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--no-namespace", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    Host(arguments).run()


if __name__ == "__main__":
    main()
