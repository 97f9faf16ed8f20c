"""Storms through the whole program: a province in a network namespace, a real collector, a real Alertmanager and a robot, addresses that really fall silent."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from collector_world import UnixConnection, until
from province import REFERENCE, Province, Size, build
from storm_network import ROBOT

from inventory.database import Register
from inventory.models import NoticeRule, Outlet, Watch
from inventory.outlets import seal_config

MOST_NOTICES = 5
"""Notices for a single cause."""

FIRST_NOTICE_S = 30.0
"""From the report of its silence to the first notice."""


@dataclass(frozen=True)
class Said:
    """A notice of the judge with its incident."""

    id: int
    event: str
    at: float
    key: str
    root: str
    since: float
    merged: bool
    affected: int


class StormNetwork:
    """The namespace, and what runs in it."""

    def __init__(self) -> None:
        program = Path(__file__).parent / "storm_network.py"
        self._process = subprocess.Popen(
            [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        hello = json.loads(self._process.stdout.readline())
        if "refused" in hello:
            self.close()
            pytest.skip(f"no network namespace of its own here: {hello['refused']}")
        self.pid, self.port = int(hello["pid"]), int(hello["port"])
        self.silent: set[str] = set()

    @property
    def prefix(self) -> list[str]:
        """Run a command in it."""
        return [sys.executable, "-m", "demo.namespace", str(self.pid)]

    def ask(self, **command: Any) -> Any:
        """One command, its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def silence(self, addresses: Iterable[str]) -> float:
        """Exactly these are silent from now on; when."""
        self.silent = set(addresses)
        return float(self.ask(silence=[int(IPv4Address(address)) for address in self.silent]))

    def cut(self, addresses: Iterable[str]) -> float:
        """These too."""
        return self.silence(self.silent | set(addresses))

    def mend(self, addresses: Iterable[str]) -> float:
        """These answer again."""
        return self.silence(self.silent - set(addresses))

    def close(self) -> None:
        """End it, and with it all that it holds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class StormWorld:
    """A province, its network, an Alertmanager and a robot that deliver to the network's server, and one collector that can be killed."""

    def __init__(self, state: Path, size: Size, every_s: int) -> None:
        self.state, self.size, self.every_s = state, size, every_s
        self.network = StormNetwork()
        (state / "run").mkdir(mode=0o700)
        self.register = Register(f"sqlite:///{state / 'edunet.db'}", state / "secret.key")
        self.register.migrate()
        self.province: Province = build(self.register, size, watch=Watch.icmp, references=[REFERENCE])
        self._add_robot()
        self._log = (state / "collector.log").open("ab")
        self._alertmanager, self.alert_port = self._start_alertmanager()
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    # -- what runs ------------------------------------------------------------------------------------------------

    def _start_alertmanager(self) -> tuple[subprocess.Popen[bytes], int]:
        program = shutil.which("prometheus-alertmanager")
        if program is None:
            self.network.close()
            pytest.skip("Debian's package prometheus-alertmanager is not installed")
        receiver = f"http://127.0.0.1:{self.network.port}/alerts"
        (self.state / "am.yml").write_text(
            "route: {receiver: us, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}\n"
            f"receivers: [{{name: us, webhook_configs: [{{url: '{receiver}', send_resolved: true}}]}}]\n"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        command = [
            *self.network.prefix,
            program,
            f"--config.file={self.state}/am.yml",
            f"--storage.path={self.state}/am",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        out = (self.state / "am.log").open("ab")
        process = subprocess.Popen(command, stdout=out, stderr=out)
        out.close()
        until(lambda: self.network.ask(get=f"http://127.0.0.1:{port}/-/ready") == "OK", what="Alertmanager")
        return process, port

    def _add_robot(self) -> None:
        """A robot that is told of everything, at once."""
        assert self.register.sealer is not None
        config = {"url": f"http://127.0.0.1:{self.network.port}{ROBOT}?key=0"}
        with self.register.write() as session:
            session.add(
                Outlet(name="群", kind="wecom", secret=seal_config("wecom", config, self.register.sealer), alive_at="")
            )
            session.add(NoticeRule(name="at once", position=1, delay_s=0, night="at_once"))

    def start(self) -> None:
        """Start the collector."""
        environment = {
            **os.environ,
            "EDUNET_STATE_DIR": str(self.state),
            "EDUNET_COLLECTOR__LIVENESS_EVERY_S": str(self.every_s),
            "EDUNET_COLLECTOR__ALERTMANAGER_URL": f"http://127.0.0.1:{self.alert_port}",
            "EDUNET_COLLECTOR__ALERTMANAGER_RESEND_S": "30",
        }
        environment.pop("EDUNET_CONFIG", None)
        command = [*self.network.prefix, sys.executable, "-m", "edunet.main", "collector"]
        self.process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log, cwd=self.state)

    def kill(self) -> None:
        """kill -9 from outside, and start it again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        self.start()

    def close(self) -> None:
        """End everything."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._alertmanager.kill()
        self._alertmanager.wait()
        self.network.close()
        self._log.close()
        self.register.close()

    # -- what it says ---------------------------------------------------------------------------------------------

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A plain SELECT."""
        with self.register.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def feed(self) -> dict[str, Any]:
        """GET /feed, {} while it is not up."""
        connection = UnixConnection(self.state / "run" / "collector.sock")
        try:
            connection.request("GET", "/feed")
            return dict(json.loads(connection.getresponse().read()))
        except OSError:
            return {}
        finally:
            connection.close()

    def rounds(self, more: int) -> None:
        """Wait for so many rounds that were judged."""
        start = self._ended()
        until(lambda: self._ended() >= start + more, seconds=60 + 5 * more * self.every_s, what=f"{more} rounds")

    def _ended(self) -> int:
        return int((self.feed().get("rounds") or {}).get("tick") or 0)

    def down(self) -> set[int]:
        """Ids of the devices that are down."""
        return {row[0] for row in self.rows("SELECT node_id FROM node_state WHERE kind='device' AND state='down'")}

    def all_up(self) -> None:
        """Wait until every device is up."""
        wanted = [(self.size.devices,)]
        count = "SELECT count(*) FROM node_state WHERE kind = 'device' AND state = 'up'"
        until(lambda: self.rows(count) == wanted, seconds=240, what="all up")

    def said(self, after: int = 0) -> list[Said]:
        """The judge's notices with an id above `after`, in order."""
        query = (
            "SELECT n.id, n.event, n.at, i.key, i.root_kind, i.root_id, i.cluster_by, i.cluster_value, i.from_at, n.merged_into, n.affected"
            f" FROM notice n JOIN incident i ON i.id = n.incident_id WHERE n.outlet = '' AND n.id > {after} ORDER BY n.id"
        )
        return [
            Said(
                number,
                event,
                seconds(at),
                key,
                f"{kind}:{root}" if root is not None else f"{by}={value}",
                seconds(since),
                merged is not None,
                affected,
            )
            for number, event, at, key, kind, root, by, value, since, merged, affected in self.rows(query)
        ]

    def last_notice(self) -> int:
        """The id of the last one."""
        return int(self.rows("SELECT coalesce(max(id), 0) FROM notice")[0][0])

    def open_incidents(self) -> int:
        """Incidents that are not over."""
        return int(self.rows("SELECT count(*) FROM incident WHERE status IN ('open', 'pending')")[0][0])

    def open_roots(self) -> set[str]:
        """Names of the roots that were told and are not over."""
        return {row[0] for row in self.rows("SELECT root_name FROM incident WHERE status = 'open'")}

    def delivered(self) -> Counter[tuple[str, str]]:
        """What Alertmanager delivered: (incident's id, firing or resolved) -> how often."""
        found: Counter[tuple[str, str]] = Counter()
        for post in self.network.ask(posts=0):
            if post["path"] == "/alerts":
                for alert in post["body"]["alerts"]:
                    found[alert["labels"]["incident"], alert["status"]] += 1
        return found

    def messages(self, after: int = 0) -> list[str]:
        """What the robot took, from the n-th on."""
        posts = (post for post in self.network.ask(posts=0) if post["path"].startswith(ROBOT))
        return [post["body"]["text"]["content"] for post in posts][after:]

    # -- storms ---------------------------------------------------------------------------------------------------

    def storm(self, addresses: list[str], root: str) -> list[Said]:
        """Cut for as long as it takes to be told, mend, wait until all is resolved. The notices."""
        before, heard = self.last_notice(), len(self.messages())
        self.network.cut(addresses)
        until(
            lambda: any(said.event == "opened" for said in self.said(before)),
            seconds=240,
            what=f"a notice of {root}",
        )
        self.rounds(2)
        self.network.mend(addresses)
        self.all_up()
        until(lambda: self.open_incidents() == 0, seconds=400, what="everything resolved")
        until(lambda: len(self.messages()) >= heard + 2, what="both told by the robot")
        return self.said(before)

    def check_one_cause(self, said: list[Said], root: str, affected: int) -> None:
        """One incident with this root, told in time, told little, and resolved."""
        opened = [notice for notice in said if notice.event == "opened"]
        assert [(notice.root, notice.affected) for notice in opened] == [(root, affected)], said
        assert opened[0].at - opened[0].since <= FIRST_NOTICE_S
        assert len(said) <= MOST_NOTICES, said
        assert [notice.event for notice in said][-1] == "resolved", said

    def check_messages(self, said: list[Said]) -> None:
        """Of the one cause of these notices the robot told little, first that it began and last that it is over."""
        ((number,),) = self.rows(f"SELECT id FROM incident WHERE key = '{said[0].key}'")
        mine = [text for text in self.messages() if f"#{number}\n" in text]
        assert 2 <= len(mine) <= MOST_NOTICES, mine
        assert "【断网" in mine[0], mine
        assert "【恢复】" in mine[-1], mine

    def check_told(self) -> None:
        """The robot was told of each life of each incident once, and once of its end; in messages twice at most once for each kill."""
        wanted = {
            (number, opening)
            for number, opening in self.rows(
                "SELECT incident_id, id FROM notice WHERE outlet = '' AND event IN ('opened', 'reopened')"
            )
        }
        query = "SELECT incident_id, opening, event IN ('opened', 'reopened'), count(*) FROM delivery WHERE status = 'sent' AND event != 'updated' GROUP BY 1, 2, 3"
        waiting = "SELECT count(*) FROM delivery WHERE status IN ('waiting', 'claimed')"
        until(lambda: self.rows(waiting) == [(0,)], seconds=240, what="all of it told by the robot")
        until(lambda: len(self.rows(query)) >= 2 * len(wanted), what="both ends of each told by the robot")
        told = {(number, opening, bool(began)): count for number, opening, began, count in self.rows(query)}
        assert told == {(*life, began): 1 for life in wanted for began in (True, False)}
        said = {row[0] for row in self.rows("SELECT message FROM delivery WHERE message != ''")}
        assert len(said) <= len(self.messages()) <= len(said) + self.kills

    def check_log(self, cuts: dict[int, list[tuple[float, float]]], slack: float) -> None:
        """Every cut that a device really had is one outage of the log, neither lost nor doubled; there are no others.

        cuts: device id -> (from, until) of each, in order. slack: seconds by which the log may differ where somebody saw; where nobody did
        the bounds must hold the truth.
        """
        log: dict[int, list[tuple[float, float, float, float]]] = defaultdict(list)
        for device, start, earliest, end, latest in self.rows(
            "SELECT node_id, from_at, from_earliest, until_at, until_latest FROM outage WHERE kind = 'device' ORDER BY from_at"
        ):
            begin, stop = seconds(start), seconds(end) if end else time.time()
            log[device].append(
                (seconds(earliest) if earliest else begin, begin, stop, seconds(latest) if latest else stop)
            )
        wrong = []
        for device in cuts.keys() | log.keys():
            for earliest, begin, stop, latest in log[device]:
                mine = [cut for cut in cuts.get(device, ()) if cut[0] < latest and cut[1] > earliest]
                if not mine:
                    wrong.append(f"device {device}: an outage {begin:.1f} to {stop:.1f} that never was")
                elif earliest > mine[0][0] + slack or latest < mine[-1][1] - slack:
                    wrong.append(f"device {device}: {mine} logged as {(earliest, begin, stop, latest)}")
            for cut in cuts.get(device, ()):
                of = [o for o in log[device] if o[0] < cut[1] and o[3] > cut[0]]
                if len(of) != 1 and cut[1] - cut[0] > slack:
                    wrong.append(f"device {device}: cut {cut} logged {len(of)} times: {of}")
        assert not wrong, wrong[:10]

    def check_notices(self) -> None:
        """Every incident was opened once, its notices follow each other as they must, and all are resolved."""
        of: dict[str, list[str]] = defaultdict(list)
        for notice in self.said():
            of[notice.key].append(notice.event)
        for key, events in of.items():
            assert events[0] == "opened", (key, events)
            assert events.count("opened") == 1, (key, events)
            assert events[-1] == "resolved", (key, events)
            for one, two in pairwise(events):
                assert (two == "reopened") == (one == "resolved"), (key, events)

    def check_delivered(self) -> None:
        """Alertmanager told of every incident that was opened, and of its end; twice at most once for each kill, then under the same number."""
        wanted = {str(row[0]) for row in self.rows("SELECT id FROM incident WHERE opened_at IS NOT NULL")}
        reopened = {str(row[0]) for row in self.rows("SELECT incident_id FROM notice WHERE event = 'reopened'")}
        whole = {(number, status) for number in wanted for status in ("firing", "resolved")}
        until(lambda: self.delivered().keys() >= whole, seconds=240, what="all of it delivered by Alertmanager")
        found = self.delivered()
        assert found.keys() == whole
        twice = sum(count - 1 for (number, _), count in found.items() if number not in reopened)
        assert twice <= self.kills, found


def seconds(text: str) -> float:
    """A moment of the database since the epoch."""
    moment = datetime.fromisoformat(text)
    return moment.timestamp() if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00").timestamp()
