"""How well `probes.device` reads recordings of real devices: right, missing, wrong, by device and by kind of fact.

    .venv/bin/python benchmarks/accuracy.py [--captures ../shared/captures] [--udp] [--details] [--only NAME] [--json]

`devices/` is compared with its expectations, each recording weighing the same; `nasty/` and `no_oracle/` must neither crash nor hang.
Exit code 1 where a target is missed (ports 99 %, the rest 95 %), a device crashed, or took more than 60 s.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from probes.device import read_device
from probes.device.recording import Recording
from probes.snmp.client import SnmpClient
from probes.snmp.credential import Credential

ROOT = Path(__file__).resolve().parent.parent
PORT_FIELDS = (
    "ifAdminStatus", "ifOperStatus", "ifName", "ifAlias", "ifSpeed", "ifMtu", "ifPhysAddress", "ifInErrors", "ifOutErrors",
    "ifHCInOctets", "ifHCOutOctets", "ifHCInUcastPkts", "ifHCOutUcastPkts", "ifHCInMulticastPkts", "ifHCInBroadcastPkts",
    "ifHCOutMulticastPkts", "ifHCOutBroadcastPkts",
)  # fmt: skip
OTHER_PORT_FIELDS = (
    "ifDescr", "ifType", "ifInDiscards", "ifOutDiscards", "ifInOctets", "ifOutOctets", "ifInUcastPkts", "ifOutUcastPkts",
    "ifLastChange", "ifDuplex", "ifVlan", "ifInUnknownProtos",
)  # fmt: skip
TARGETS = {
    "ports": 99.0,
    "serial": 95.0,
    "version": 95.0,
    "hardware": 95.0,
    "cpu": 95.0,
    "memory": 95.0,
    "temperature": 95.0,
    "poe": 95.0,
}
LIMIT_S = 60.0


class Verdict(NamedTuple):
    """One fact, judged: `kind` of fact, right, missing or wrong, and what stood where."""

    kind: str
    verdict: str
    where: str
    expected: Any
    got: Any


def judge(expected: dict[str, Any], got: dict[str, Any]) -> Iterator[Verdict]:
    """All facts of an expectation."""
    for field in ("serial", "version", "hardware", "sysObjectID", "os", "vendor"):
        if field in expected["device"]:
            yield _judge_text(field, expected["device"][field], got["device"].get(field))
    yield from _judge_ports(expected.get("ports", []), got["ports"])
    yield from _judge_cpu(expected.get("cpu", []), got.get("cpu", []))
    yield from _judge_memory(expected.get("memory", []), got.get("memory", []))
    yield from _judge_sensors(expected.get("sensors", []), got.get("sensors", []))
    yield from _judge_neighbours(expected.get("neighbours", []), got.get("neighbours", []))
    yield from _judge_wireless(expected.get("wireless", []), got.get("wireless", []))


def _judge_text(field: str, expected: str, got: str | None) -> Verdict:
    if got is None:
        return Verdict(field, "missing", field, expected, None)
    loose = field in ("version", "hardware")
    right = _plain(expected) == _plain(got) or (
        loose and (_plain(got) in _plain(expected) or _plain(expected) in _plain(got))
    )
    return Verdict(field, "right" if right else "wrong", field, expected, got)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\[.*?\]$", "", text.lower()))


def _judge_ports(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    ours = {port["ifIndex"]: port for port in got}
    for port in expected:
        mine = ours.get(port["ifIndex"], {})
        truth = port | port.get("differs_from_capture", {})
        for field in (*PORT_FIELDS, *OTHER_PORT_FIELDS):
            if field in truth:
                kind = "ports" if field in PORT_FIELDS else "ports, other"
                yield _judge_value(kind, f"{port['ifIndex']}.{field}", truth[field], mine.get(field))


def _judge_value(kind: str, where: str, expected: Any, got: Any) -> Verdict:
    if got is None:
        return Verdict(kind, "missing", where, expected, None)
    same = got == expected
    if isinstance(expected, str) and isinstance(got, str):
        same = got.strip() == expected.strip()
    elif isinstance(expected, int | float) and isinstance(got, int | float):
        same = abs(got - expected) <= max(1e-6, abs(expected) * 1e-6)
    return Verdict(kind, "right" if same else "wrong", where, expected, got)


def _judge_cpu(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    ours = {item["oid"]: item["usage_percent"] for item in got}
    for item in expected:
        yield _judge_value("cpu", item["oid"], item["usage_percent"], ours.get(item["oid"]))


def _judge_memory(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    ours = {item[key]: item for item in got for key in ("perc_oid", "used_oid", "free_oid") if key in item}
    for item in expected:
        names = [item[key] for key in ("perc_oid", "used_oid", "free_oid") if key in item]
        mine = next((ours[name] for name in names if name in ours), {})
        yield _judge_value("memory", f"{names} used_percent", item["used_percent"], mine.get("used_percent"))
        for field in ("total_bytes", "used_bytes"):
            if field in item:
                yield _judge_value("memory bytes", f"{names} {field}", item[field], mine.get(field))


def _judge_sensors(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    ours = {item["oid"]: item for item in got}
    for item in expected:
        mine = ours.get(item["oid"], {})
        descr = item.get("descr") or ""
        kind = item["class"]
        if "poe" in (descr + item.get("group", "") + item.get("state_name", "")).lower():
            kind = "poe"
        value = mine.get("value") if mine.get("class") in (item["class"], None) else f"{mine['class']} {mine['value']}"
        yield _judge_value(kind, f"{item['oid']} {descr}", item["value"], value)


def _judge_neighbours(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    for item in expected:
        same = [
            mine for mine in got
            if mine["protocol"] == item["protocol"] and mine.get("remote_name", "") == (item.get("remote_name") or "").strip()
            and mine.get("local_ifName") == item.get("local_ifName")
        ]  # fmt: skip
        yield Verdict(
            "neighbours",
            "right" if same else "missing",
            f"{item.get('local_ifName')} {item.get('remote_name')}",
            item.get("remote_name"),
            None,
        )


def _judge_wireless(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> Iterator[Verdict]:
    ours = {tuple(sorted(item["oids"])): item["value"] for item in got}
    for item in expected:
        if "oids" in item:
            yield _judge_value(
                "wireless",
                f"{item['class']} {item['descr']} {item['oids'][:1]}",
                item["value"],
                ours.get(tuple(sorted(item["oids"]))),
            )


class Outcome(NamedTuple):
    """One device: its vendor by the oracle, its verdicts, seconds, and what went wrong."""

    name: str
    vendor: str
    verdicts: list[Verdict]
    seconds: float
    error: str


def try_device(path: Path, port: int | None) -> Outcome:
    """Read one recording, in this process or over UDP, and judge it."""
    name = path.name.removesuffix(".snmprec")
    began = time.monotonic()
    try:
        if port is None:
            got = read_device(Recording.load(path))
        else:
            with SnmpClient("127.0.0.1", port, Credential(community=name.encode()), timeout_s=2) as client:
                got = read_device(client)
    except Exception as error:  # noqa: BLE001 - a crash is a result here, whatever it is
        return Outcome(name, "", [], time.monotonic() - began, f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - began
    json.dumps(got)
    oracle = path.with_name(name + ".expected.json")
    expected = json.loads(oracle.read_text()) if oracle.exists() else None
    verdicts = list(judge(expected, got)) if expected else []
    vendor = expected["device"].get("vendor", "") if expected else ""
    return Outcome(name, vendor, verdicts, seconds, "" if seconds <= LIMIT_S else f"took {seconds:.0f} s")


def share(verdicts: Iterable[Verdict]) -> float | None:
    """Percent right; None where there is nothing to judge."""
    found = [verdict.verdict == "right" for verdict in verdicts]
    return 100 * sum(found) / len(found) if found else None


def summarise(outcomes: list[Outcome]) -> dict[str, dict[str, Any]]:
    """kind → right, missing, wrong, recordings, and the mean of the recordings' shares."""
    kinds: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        for verdict in outcome.verdicts:
            kinds[verdict.kind][outcome.name].append(verdict)
    rows = {}
    for kind, by_name in kinds.items():
        everything = [verdict.verdict for verdicts in by_name.values() for verdict in verdicts]
        counts = {word: everything.count(word) for word in ("right", "missing", "wrong")}
        shares = [found for verdicts in by_name.values() if (found := share(verdicts)) is not None]
        rows[kind] = {**counts, "recordings": len(shares), "mean_percent": round(sum(shares) / len(shares), 2)}
    return rows


GROUPS = ("ports", "facts", "cpu", "memory", "temperature", "poe", "other")


def print_tables(outcomes: list[Outcome], rows: dict[str, dict[str, Any]], details: bool) -> None:
    """By recording, by vendor (right/missing/wrong), by kind."""
    print(f"{'recording':28} " + " ".join(f"{group[:6]:>6}" for group in GROUPS) + "      s")
    for outcome in outcomes:
        cells = ["" if (found := share(_of(outcome, group))) is None else f"{found:.0f}" for group in GROUPS]
        line = " ".join(f"{cell:>6}" for cell in cells)
        print(f"{outcome.name:28} {line} {outcome.seconds:6.2f} {outcome.error}")
        for verdict in outcome.verdicts if details else ():
            if verdict.verdict != "right":
                said = f"{str(verdict.expected)[:60]!r}, we: {str(verdict.got)[:60]!r}"
                print(f"      {verdict.verdict:8} {verdict.kind:12} {verdict.where[:80]}: {said}")
    print(f"\n{'vendor':12} " + " ".join(f"{group:>14}" for group in GROUPS) + "   right/missing/wrong")
    for vendor in sorted({outcome.vendor for outcome in outcomes if outcome.vendor}):
        same = [outcome for outcome in outcomes if outcome.vendor == vendor]
        cells = [_counts([verdict for outcome in same for verdict in _of(outcome, group)]) for group in GROUPS]
        print(f"{vendor:12} " + " ".join(f"{cell:>14}" for cell in cells))
    print(f"\n{'kind':14} {'right':>7} {'missing':>8} {'wrong':>7} {'recordings':>11} {'mean %':>7} {'target':>7}")
    for kind, row in sorted(rows.items(), key=lambda item: (item[0] not in TARGETS, item[0])):
        numbers = (
            f"{row['right']:7} {row['missing']:8} {row['wrong']:7} {row['recordings']:11} {row['mean_percent']:7.2f}"
        )
        print(f"{kind:14} {numbers} {TARGETS.get(kind, ''):>7}")


def _of(outcome: Outcome, group: str) -> list[Verdict]:
    return [verdict for verdict in outcome.verdicts if _group(verdict.kind) == group]


def _counts(verdicts: list[Verdict]) -> str:
    words = [verdict.verdict for verdict in verdicts]
    return "/".join(str(words.count(word)) for word in ("right", "missing", "wrong")) if words else ""


def _group(kind: str) -> str:
    if kind in ("serial", "version", "hardware"):
        return "facts"
    return kind if kind in ("ports", "cpu", "memory", "temperature", "poe") else "other"


def free_udp_port() -> int:
    """A port on loopback that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=Path, default=ROOT.parent / "shared" / "captures")
    parser.add_argument("--udp", action="store_true", help="over UDP, served by miniagent")
    parser.add_argument("--details", action="store_true", help="each fact that is missing or wrong")
    parser.add_argument("--only", default="", help="recordings whose name holds this")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not arguments.captures.is_dir():
        print(f"no recordings at {arguments.captures}", file=sys.stderr)
        return 2
    folders = [arguments.captures / name for name in ("devices", "nasty", "no_oracle")]
    paths = [path for folder in folders for path in sorted(folder.glob("*.snmprec")) if arguments.only in path.name]
    if arguments.udp:
        port = free_udp_port()
        agent = subprocess.Popen(
            [sys.executable, str(arguments.captures / "miniagent.py"), *map(str, folders), "--port", str(port)],
            stdout=subprocess.PIPE,
        )
        assert agent.stdout is not None
        agent.stdout.readline()
        try:
            outcomes = [try_device(path, port) for path in paths]
        finally:
            agent.terminate()
            agent.wait()
    else:
        outcomes = [try_device(path, None) for path in paths]
    with_oracle = [outcome for outcome, path in zip(outcomes, paths, strict=True) if path.parent.name == "devices"]
    rows = summarise(with_oracle)
    if arguments.json:
        print(
            json.dumps(
                {"kinds": rows, "errors": {outcome.name: outcome.error for outcome in outcomes if outcome.error}}
            )
        )
    else:
        print_tables(outcomes, rows, arguments.details)
    missed = [kind for kind, target in TARGETS.items() if kind in rows and rows[kind]["mean_percent"] < target]
    errors = [outcome.name for outcome in outcomes if outcome.error]
    return 1 if missed or errors else 0


if __name__ == "__main__":
    sys.exit(main())
