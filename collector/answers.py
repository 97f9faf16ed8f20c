"""What the collector's socket answers: a row for each way, each a function of the service. Every answer has `as_of`."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from collector.diagnosis import MODULES, probe
from collector.exposition import negotiate, render
from collector.ring import read_lines
from collector.rounds.messages import AskNow
from collector.stretch import AFTER_S, BEFORE_S, About, stretch
from collector.telling.trial import try_outlet
from collector.vantage.words import WrongBundleError

if TYPE_CHECKING:
    from collector.service import Service

MOST_TRACE = 100_000_000
"""Bytes of one incident's trace."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    content_type: str
    body: bytes | bytearray
    headers: dict[str, str] = field(default_factory=dict)


def answer(service: "Service", method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
    """Find the way and go it; 404 where there is none, 405 where it is another method's."""
    where = path.split("?")[0]
    for of, pattern, function in WAYS:
        match = re.fullmatch(pattern, where)
        if match and of == method:
            return function(service, match, headers, body)
        if match:
            return _json(service, 405, {"error": f"{where} takes {of}"})
    return _json(service, 404, {"error": f"{where} is not known here"})


def _feed(service: "Service", _match: Any, _headers: Any, _body: Any) -> Answer:
    health = service.live.health
    rounds = None if health is None else {"at": health.at, **health.detail, "starts": service.child.starts}
    return _json(
        service,
        200,
        {
            "judge": service.judge_detail(),
            "rounds": rounds,
            "outlets": service.outlets.detail(),
            "traps": service.traps.detail(),
            "vantages": service.vantages.detail(),
            "warnings": _warnings(service),
            "snmp_not_yet_seen": list(service.bench.snmp_unseen[:1000]),
        },
    )


def _warnings(service: "Service") -> list[str]:
    plan = service.live.plan
    return list(plan.warnings[:100]) if plan is not None else []


def _device(service: "Service", match: "re.Match[str]", _headers: Any, _body: Any) -> Answer:
    found = service.live.device(int(match[1]))
    if found is None:
        return _json(service, 404, {"error": "this device is not asked"})
    facts = service.jobs.facts(int(match[1]))
    traps = [trap.as_value() for trap in service.traps.book.of(int(match[1]))]
    return _json(service, 200, {**found, "facts": facts, "sensors": (facts or {}).get("sensors", []), "traps": traps})


def _board(service: "Service", _match: Any, _headers: Any, _body: Any) -> Answer:
    rows = [
        {**asdict(view), "affected_ids": list(view.affected_ids)} for view in list(service.bench.incidents.values())
    ]
    return _json(service, 200, {"incidents": rows})


def _metrics(service: "Service", _match: Any, headers: dict[str, str], _body: Any) -> Answer:
    form = negotiate(headers.get("accept", ""), headers.get("accept-encoding", ""))
    return Answer(200, form.content_type, render(service, form), form.headers)


def _probe(service: "Service", _match: Any, _headers: Any, body: dict[str, Any]) -> Answer:
    module, device = body.get("module"), body.get("device")
    if module not in MODULES or not isinstance(device, int):
        return _json(service, 400, {"error": f"give a device's id and a module: {', '.join(MODULES)}"})
    plan = service.live.plan
    node = plan.node_index.get(f"device:{device}", -1) if plan is not None else -1
    if plan is None or node < 0 or plan.node_target[node] < 0:
        return _json(service, 404, {"error": "this device is not asked"})
    return _json(service, 200, probe(plan, int(plan.node_target[node]), module))


def _read(service: "Service", _match: Any, _headers: Any, body: dict[str, Any]) -> Answer:
    """Have devices read before the next reading round, as after a linkDown trap; what they say goes to the judge."""
    devices = body.get("devices")
    if not isinstance(devices, list) or not all(isinstance(device, int) for device in devices):
        return _json(service, 400, {"error": 'give the devices\' ids: {"devices": [12, 13]}'})
    plan = service.live.plan
    nodes = [plan.node_index.get(f"device:{device}", -1) for device in devices] if plan is not None else []
    targets = [int(plan.node_target[node]) for node in nodes if node >= 0] if plan is not None else []
    wanted = np.array([target for target in targets if target >= 0], np.int64)
    heard = plan is not None and len(wanted) > 0 and service.child.tell(AskNow(plan.version, wanted))
    return _json(service, 202 if heard else 404, {"devices": len(wanted)})


def _vantage_part(service: "Service", match: "re.Match[str]", _headers: Any, body: dict[str, Any]) -> Answer:
    """What a vantage point is to ask: {"have": the name of the part that it has}."""
    found = service.vantages.answer_part(int(match[1]), str(body.get("have") or ""))
    return _json(service, 404 if found is None else 200, found or {"error": "there is no such vantage point"})


def _vantage_reports(service: "Service", match: "re.Match[str]", _headers: Any, body: dict[str, Any]) -> Answer:
    """What a vantage point saw (collector/vantage/words.py)."""
    try:
        found = service.vantages.answer_reports(int(match[1]), body)
    except WrongBundleError as error:
        return _json(service, 400, {"error": str(error)})
    return _json(service, 404 if found is None else 200, found or {"error": "there is no such vantage point"})


def _test_outlet(service: "Service", match: "re.Match[str]", _headers: Any, body: dict[str, Any]) -> Answer:
    """One plain message through an outlet now, and what the far side said."""
    by = str(body.get("by") or "")[:80]
    found = try_outlet(service.register, int(match[1]), by, service.telling.may_notify)
    if found is None:
        return _json(service, 404, {"error": "there is no such outlet"})
    return _json(service, 200, found)


def _trace(service: "Service", _match: Any, _headers: Any, body: dict[str, Any]) -> Answer:
    """The stretch of trace of one incident: {"root": node or null, "cluster": [by, value] or null, "since": s, "until": s or null}."""
    since, until, cluster = body.get("since"), body.get("until"), body.get("cluster")
    if not isinstance(since, int | float) or not isinstance(until, int | float | None):
        return _json(service, 400, {"error": "give since and until, in seconds since the epoch"})
    if service.ring is None:
        return _json(service, 404, {"error": "no traces are kept (collector.trace_hours)"})
    about = About(body.get("root"), tuple(cluster) if cluster else None, float(since), until)  # type: ignore[arg-type]  # a pair
    lines = read_lines(service.ring.directory, since - BEFORE_S, (until or service.clock.now()) + AFTER_S)
    told = bytearray()
    for line in stretch(lines, about):
        told += json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(told) > MOST_TRACE:
            return _json(
                service, 413, {"error": f"its trace is larger than {MOST_TRACE // 1_000_000} MB: use --record"}
            )
    if not told:
        return _json(service, 404, {"error": "its trace is not kept any more, or not yet written"})
    return Answer(200, "application/x-ndjson", told)


def _json(service: "Service", status: int, value: dict[str, Any]) -> Answer:
    body = {"as_of": service.clock.now(), **value}
    return Answer(status, "application/json", json.dumps(body, ensure_ascii=False, default=str).encode())


WAYS: tuple[tuple[str, str, Callable[["Service", Any, dict[str, str], dict[str, Any]], Answer]], ...] = (
    ("GET", "/feed", _feed),
    ("GET", r"/devices/(\d+)", _device),
    ("GET", "/board", _board),
    ("GET", "/metrics", _metrics),
    ("POST", "/probe", _probe),
    ("POST", "/read", _read),
    ("POST", r"/outlets/(\d+)/test", _test_outlet),
    ("POST", "/trace", _trace),
    ("POST", r"/vantages/(\d+)/part", _vantage_part),
    ("POST", r"/vantages/(\d+)/reports", _vantage_reports),
)
