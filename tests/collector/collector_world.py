"""A small register on loopback addresses, and collectors that are really started."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from inventory.credentials import Secret, new_credential
from inventory.database import Register, raise_version
from inventory.models import Address, Device, DeviceKind, Line, LineSite, School, Site, Watch
from inventory.sealing import Sealer


def until(truth: Callable[[], Any], seconds: float = 90.0, what: str = "") -> Any:
    """Poll until it is true; AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = truth()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what or truth}")


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("collector", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def packed(ip: str) -> bytes:
    """16 bytes, IPv4 mapped."""
    return bytes(10) + b"\xff\xff" + socket.inet_aton(ip)


@dataclass
class World:
    """One register: province > city > county, a core, an aggregation device, and schools as they are added."""

    register: Register
    state: Path
    net: str
    ids: dict[str, int] = field(default_factory=dict)

    def ip(self, last: str) -> str:
        """An address of this world, `1.2` -> 127.N.1.2."""
        return f"127.{self.net}.{last}"

    def add(self, row: Any) -> int:
        """Insert one row, raise the version."""
        with self.register.write() as session:
            session.add(row)
            raise_version(session)
            session.flush()
            return int(row.id)

    def device(self, name: str, kind: DeviceKind, site: int, last: str, **more: Any) -> int:
        """A device with its address."""
        with self.register.write() as session:
            row = Device(name=name, kind=kind, site_id=site, **more)
            session.add(row)
            session.flush()
            ip = self.ip(last)
            session.add(Address(zone_id=self.ids["zone"], ip=ip, packed=packed(ip), device_id=row.id))
            raise_version(session)
            self.ids[name] = int(row.id or 0)
            return self.ids[name]

    def school(self, number: int, gateway: str | None = None, watch: Watch = Watch.icmp, pupils: int = 100) -> int:
        """A school with a campus, a line under the county, and a gateway at 127.N.2.number."""
        school = self.add(
            School(name=f"第{number}小学", place_id=self.ids["county"], duty_id=self.ids["county"], pupils=pupils)
        )
        site = self.add(Site(name=f"campus {number}", school_id=school, place_id=self.ids["county"]))
        name = gateway or f"gw{number}"
        device = self.device(name, DeviceKind.gateway, site, f"2.{number}", watch=watch)
        line = self.add(
            Line(
                name=f"line {number}",
                operator="unicom",
                upstream_site_id=self.ids["pop"],
                end_device_id=device,
                end_port="GE0/0/1",
            )
        )
        with self.register.write() as session:
            session.add(LineSite(line_id=line, site_id=site))
            raise_version(session)
        self.ids |= {f"school{number}": school, f"site{number}": site, f"line{number}": line}
        return school

    def credential(self, community: str) -> int:
        """A community for the zone."""
        assert self.register.key_file is not None
        row = new_credential(
            "c", "2c", Secret(community=community), Sealer(self.register.key_file), zone_id=self.ids["zone"]
        )
        return self.add(row)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A plain SELECT."""
        with self.register.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def states(self) -> dict[str, str]:
        """Kind and id of every node with its state."""
        return {
            f"{kind}:{number}": state
            for kind, number, state in self.rows("SELECT kind, node_id, state FROM node_state")
        }

    def state_of(self, kind: str, name: str) -> str | None:
        """The state of one thing by its name here."""
        return self.states().get(f"{kind}:{self.ids[name]}")


class Collector:
    """`edunet collector` as a process, in a network namespace of its own where addresses are to be cut."""

    def __init__(self, world: World, prefix: list[str] | None = None, **settings: str) -> None:
        self.world = world
        self.socket = world.state / "run" / "collector.sock"
        self.log = (world.state / "collector.log").open("ab")
        self.environment = {
            **os.environ,
            "EDUNET_STATE_DIR": str(world.state),
            "EDUNET_COLLECTOR__LIVENESS_EVERY_S": "1",
            "EDUNET_COLLECTOR__READING_EVERY_S": "10",
            **{f"EDUNET_COLLECTOR__{name.upper()}": value for name, value in settings.items()},
        }
        self.environment.pop("EDUNET_CONFIG", None)
        self.prefix = prefix or []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> "Collector":
        """Start it."""
        command = [*self.prefix, sys.executable, "-m", "edunet.main", "collector", *arguments]
        self.process = subprocess.Popen(
            command, env=self.environment, stderr=self.log, stdout=self.log, cwd=self.world.state
        )
        return self

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """GET over its socket."""
        connection = UnixConnection(self.socket)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST JSON over its socket."""
        connection = UnixConnection(self.socket)
        try:
            connection.request("POST", path, json.dumps(body))
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def feed(self) -> dict[str, Any]:
        """GET /feed, {} while it is not up."""
        try:
            return dict(json.loads(self.get("/feed")[1]))
        except OSError:
            return {}

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        if self.process is None or self.process.poll() is not None:
            return -1 if self.process is None else int(self.process.returncode)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def text(self) -> str:
        """Its log."""
        return (self.world.state / "collector.log").read_text()


class Namespace:
    """A network namespace with loopback alone, in which addresses can be silenced by blackhole routes."""

    def __init__(self) -> None:
        command = ["unshare", "-Urn", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "up":
            pytest.skip("no user namespaces here (unshare -Urn)")

    @property
    def prefix(self) -> list[str]:
        """Run a command in it."""
        return ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(self.process.pid)]

    def cut(self, *addresses: str) -> None:
        """Silence addresses."""
        for address in addresses:
            subprocess.run(
                [*self.prefix, "ip", "route", "add", "blackhole", f"{address}/32", "table", "local"], check=True
            )

    def mend(self, *addresses: str) -> None:
        """Let them answer again."""
        for address in addresses:
            subprocess.run(
                [*self.prefix, "ip", "route", "del", "blackhole", f"{address}/32", "table", "local"], check=True
            )

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
