"""A line is really cut, in a network of namespaces with a router, two lines and a dozen hosts (lab.py)."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab_register import fill
from sqlmodel import select

from collector.judge import Judge
from collector.stretch import BEFORE_S
from collector.trace import replay
from inventory.database import Register, raise_version
from inventory.models import CauseRule, Incident, NodeKind, NodeState, Outage, State

HERE = Path(__file__).parent
DEADLINE_S = 120.0


class Lab:
    """The lab's process, the collector inside it, and the register outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.register = Register(f"sqlite:///{folder / 'edunet.db'}", folder / "secret.key")
        self.register.migrate()
        self.ids = fill(self.register)
        self.process = subprocess.Popen(
            ["unshare", "-Urnpf", "--mount-proc", "--kill-child", sys.executable, str(HERE / "lab.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "EDUNET_STATE_DIR": str(folder),
                "EDUNET_COLLECTOR__READING_EVERY_S": "10",
                "EDUNET_COLLECTOR__LIVENESS_EVERY_S": "2",
                "SNMP_PERSISTENT_DIR": str(folder / "snmpd"),
            },
        )
        assert self.process.stdout
        if self.process.stdout.readline().strip() != "ready":
            pytest.skip("this machine gives no network namespace (unshare -Urn)")

    def say(self, line: str) -> None:
        """One command to lab.py."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        while answer and answer != "ok" and not answer.startswith("error"):
            answer = self.process.stdout.readline().strip()
        assert answer == "ok", answer

    def state(self, kind: NodeKind, name: str) -> State | None:
        """The state that stands in the register."""
        with self.register.session() as session:
            row = session.get(NodeState, (kind, self.ids[name]))
            return row.state if row else None

    def incidents(self) -> list[Incident]:
        """Outages that are not resolved."""
        with self.register.session() as session:
            unresolved = Incident.status.in_(("pending", "open"))  # type: ignore[attr-defined]  # a column
            return list(session.exec(select(Incident).where(unresolved, Incident.kind == "outage")).all())

    def close(self) -> None:
        """End it all."""
        self.process.kill()  # the pid namespace goes with it, and all that runs there
        self.process.communicate(timeout=10)
        self.register.close()


def wait(true: Callable[[], Any], what: str) -> None:
    """Poll until it is so, or fail with `what`."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    for tool in ("unshare", "ip", "nsenter", "snmpd"):
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("lab")
    (folder / "snmpd").mkdir()
    (folder / "snmpd.conf").write_text("agentaddress udp:10.0.0.2:161\nrocommunity public\n")
    running = Lab(folder)
    try:
        running.say(
            f"router /usr/sbin/snmpd -f -Lf {folder / 'snmpd.log'} -C -c {folder / 'snmpd.conf'} -p {folder / 'pid'}"
        )
        (folder / "gwD.conf").write_text("agentaddress udp:10.4.0.1:161\nrocommunity public\n")
        running.say(
            f"in gwD /usr/sbin/snmpd -f -Lf {folder / 'gwD.log'} -C -c {folder / 'gwD.conf'} -p {folder / 'pidD'}"
        )
        running.say(
            f"run {Path(sys.executable).with_name('edunet')} collector --register {running.register.url} --record {folder / 'trace.jsonl'}"
        )
        for name in ("A", "B", "C", "D"):
            wait(
                lambda name=name: running.state(NodeKind.school, f"school {name}") == State.up,
                f"school {name} comes up",
            )
        yield running
    finally:
        running.close()


def roots(lab: Lab) -> set[tuple[NodeKind | None, int | None]]:
    """Of the incidents that are not resolved."""
    return {(incident.root_kind, incident.root_id) for incident in lab.incidents()}


def verdict(lab: Lab, line: str) -> tuple[str, str, str] | None:
    """(cause, rule, accountable) of a line's open incident."""
    found = [incident for incident in lab.incidents() if incident.root_id == lab.ids[line]]
    return (found[0].cause, found[0].cause_rule, found[0].accountable) if found else None


def approve(lab: Lab, name: str) -> None:
    """As the administrator of the province does."""
    with lab.register.write() as session:
        rule = session.exec(select(CauseRule).where(CauseRule.name == name)).one()
        rule.approved = True
        session.add(rule)
        raise_version(session)


@pytest.mark.root
def test_a_cut_line_is_the_root_and_cuts_off_only_the_school_without_another(lab: Lab) -> None:
    lines = {name: (NodeKind.line, lab.ids[name]) for name in ("lineA", "lineB1", "lineB2")}
    lab.say("cut lineA")
    lab.say("cut lineB1")
    wait(lambda: lab.state(NodeKind.school, "school A") == State.down, "school A is cut off")
    # The router's ports tell that the lines themselves are the roots: the gateway behind lineA is explained by it.
    wait(lambda: roots(lab) == {lines["lineA"], lines["lineB1"]}, "both lines are roots, and nothing else is")
    cut = {incident.root_id: incident for incident in lab.incidents()}
    assert cut[lab.ids["lineA"]].cut == [lab.ids["school A"]]
    assert (cut[lab.ids["lineA"]].schools, cut[lab.ids["lineA"]].pupils) == (1, 100)
    assert cut[lab.ids["lineB1"]].cut == []
    assert lab.state(NodeKind.device, "gwB") == State.up
    assert lab.state(NodeKind.school, "school B") in (State.up, State.degraded)
    assert lab.state(NodeKind.school, "school C") == State.up
    # Why: school B answers by its other line, so lineB1 itself is cut; a silent school behind a dead port may as well have no power.
    wait(lambda: verdict(lab, "lineB1") == ("line", "line_other_way", ""), "lineB1 is known to be cut")
    assert verdict(lab, "lineA") == ("undetermined", "", "")
    with lab.register.session() as session:
        outage = session.exec(
            select(Outage).where(Outage.kind == NodeKind.line, Outage.node_id == lab.ids["lineB1"])
        ).one()
        assert (outage.cause, outage.accountable) == ("line", "")
    approve(lab, "line_other_way")
    wait(lambda: verdict(lab, "lineB1") == ("line", "line_other_way", "carrier"), "the approved rule counts")

    wait(
        lambda: {row.status for row in lab.incidents() if row.root_id == lab.ids["lineA"]} == {"open"}, "lineA was said"
    )
    lab.say("cut lineB2")
    wait(lambda: lab.state(NodeKind.school, "school B") == State.down, "without any line school B is cut off, too")
    for line in lines:
        lab.say(f"mend {line}")
    for school in ("school A", "school B"):
        wait(lambda school=school: lab.state(NodeKind.school, school) == State.up, f"{school} is back")
    wait(lambda: not lab.incidents(), "all is resolved")
    replays_the_same(lab, cut[lab.ids["lineA"]])


def replays_the_same(lab: Lab, incident: Incident) -> None:
    """The incident's own stretch of trace, from the collector, gives the same notices."""
    with lab.register.session() as session:
        row = session.get_one(Incident, incident.id)
    assert row.resolved_at is not None
    assert row.opened_at is not None
    since = row.from_at.timestamp()
    body = {"root": f"line:{row.root_id}", "cluster": None, "since": since, "until": row.resolved_at.timestamp()}
    transport = httpx.HTTPTransport(uds=str(lab.folder / "run" / "collector.sock"))
    with httpx.Client(transport=transport, base_url="http://collector", timeout=30) as client:
        # The last seconds are on their way to the disk.
        def resolved() -> list[Any]:
            lines = client.post("/trace", json=body).text.splitlines()
            output = list(replay(lines, Judge(follow=False)))
            mine = [line for line in output if line["kind"] == "notice" and line["root"] == body["root"]]
            return mine if mine and mine[-1]["event"] == "resolved" else []

        wait(resolved, "the trace is written")
        notices = resolved()
    opened = notices[0]
    assert [notice["event"] for notice in notices if notice["event"] != "updated"] == ["opened", "resolved"]
    assert (opened["schools"], opened["pupils"]) == (row.said_schools, row.said_pupils) == (1, 100)
    assert opened["t"] == pytest.approx(row.opened_at.timestamp() - since + BEFORE_S, abs=0.5)


def ways(lab: Lab) -> list[str]:
    """The lines that gateway D has said it sends by, in order, without repetition."""
    gateway, found = f"device:{lab.ids['gwD']}", []
    for line in (lab.folder / "trace.jsonl").read_text(encoding="utf-8").splitlines():
        way = json.loads(line).get("facts", {}).get(gateway, {}).get("way") if line.endswith("}") else None
        if way is not None and found[-1:] != [way]:
            found.append(way)
    return found


@pytest.mark.root
def test_a_line_without_a_port_is_judged_by_its_address_and_the_schools_way(lab: Lab) -> None:
    first = f"line:{lab.ids['lineD1']}"
    wait(lambda: lab.state(NodeKind.line, "lineD1") == State.up, "lineD1's address answers")
    wait(lambda: ways(lab) == [first], "the gateway tells that it sends by its first line")
    lab.say("cut lineD1")
    wait(lambda: lab.state(NodeKind.line, "lineD1") == State.down, "lineD1 is down by its address")
    wait(lambda: roots(lab) == {(NodeKind.line, lab.ids["lineD1"])}, "it alone is the root")
    assert lab.state(NodeKind.device, "gwD") == State.up
    assert lab.state(NodeKind.line, "lineD2") == State.up
    wait(lambda: (verdict(lab, "lineD1") or ("",))[0] == "line", "the school answers by its other line")
    lab.say("mend lineD1")
    wait(lambda: lab.state(NodeKind.line, "lineD1") == State.up, "lineD1 is up again")
