"""A probe now, of one registered device: ping, SNMP, all of it, or the way to it. In the caller's thread, with sockets of its own."""

import time
from collections.abc import Callable
from typing import Any

from collector.facts import read_target
from collector.path import trace_path
from collector.plan import Plan
from probes.icmp import PingTargets, open_pinger
from probes.snmp.client import SnmpClient, SnmpError
from probes.snmp.oids import SYS_DESCR, SYS_NAME, SYS_UPTIME


def probe(plan: Plan, target: int, module: str) -> dict[str, Any]:
    """{module, address, ok, duration_s, ...} as the module finds it."""
    begun = time.monotonic()
    found = MODULES[module](plan, target)
    return {
        "module": module,
        "device": int(plan.targets.device_id[target]),
        "address": plan.targets.address[target],
        "duration_s": round(time.monotonic() - begun, 4),
        **found,
    }


def _icmp(plan: Plan, target: int) -> dict[str, Any]:
    pinger = open_pinger()
    try:
        readings = pinger.round(
            PingTargets([plan.targets.address[target]]), count=5, attempts=1, timeout_s=1.0, deadline_s=4.0
        )
    finally:
        pinger.close()
    sent, received = int(readings.sent[0]), int(readings.received[0])
    ok = bool(readings.answered[0])
    return {
        "ok": ok,
        "method": pinger.method,
        "sent": sent,
        "received": received,
        "rtt_seconds": float(readings.rtt_seconds[0]) if ok else None,
        "jitter_seconds": float(readings.jitter_seconds[0]) if ok else None,
    }


def _snmp(plan: Plan, target: int) -> dict[str, Any]:
    targets = plan.targets
    number = int(targets.credential[target])
    if number < 0:
        return {"ok": False, "error": "no credential serves this device"}
    try:
        with SnmpClient(targets.address[target], int(targets.snmp_port[target]), targets.credentials[number]) as client:
            values = client.get([SYS_UPTIME, SYS_NAME, SYS_DESCR])
    except (SnmpError, OSError) as error:
        return {"ok": False, "error": str(error)}
    text = {oid: value.data for oid, value in values.items()}
    uptime, name, descr = text.get(SYS_UPTIME), text.get(SYS_NAME), text.get(SYS_DESCR)
    return {
        "ok": True,
        "sysUpTime": uptime if isinstance(uptime, int) else None,
        "sysName": name.decode("utf-8", "replace") if isinstance(name, bytes) else None,
        "sysDescr": descr.decode("utf-8", "replace") if isinstance(descr, bytes) else None,
    }


def _device(plan: Plan, target: int) -> dict[str, Any]:
    reading = read_target(plan, target, 60.0)
    return {"ok": reading is not None, "reading": reading}


def _path(plan: Plan, target: int) -> dict[str, Any]:
    hops = trace_path(plan.targets.address[target])
    return {"ok": bool(hops) and bool(hops[-1].get("reached")), "hops": hops}


MODULES: dict[str, Callable[[Plan, int], dict[str, Any]]] = {
    "icmp": _icmp,
    "snmp": _snmp,
    "device": _device,
    "path": _path,
}
