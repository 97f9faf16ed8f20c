"""The collector's own health, by prometheus_client: a registry of its own, values taken at the scrape."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from collector.asking import count_by_model
from collector.catalogue import SELF
from collector.telling.watch import BUCKETS

if TYPE_CHECKING:
    from collector.service import Service

Buckets = list[tuple[str, float]]
Values = dict[str, Any]
"""By name: a number, numbers by labels, or of a histogram (cumulative buckets, sum) by labels."""

FAMILIES: dict[str, Any] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


class SelfCollector:
    """Yields the catalogue's `SELF` rows from `self_values`."""

    def __init__(self, service: "Service") -> None:
        self.service = service

    def collect(self) -> Iterable[Metric]:
        """Families, in the catalogue's order; what is not known is left out."""
        values = self_values(self.service)
        for metric in SELF:
            value = values.get(metric.name)
            if value is None:
                continue
            family = FAMILIES[metric.kind](metric.name, metric.help, labels=metric.labels)
            for labels, number in value.items() if isinstance(value, dict) else [((), value)]:
                family.add_metric(labels, *(number if isinstance(number, tuple) else (number,)))
            yield family


def self_values(service: "Service") -> Values:
    """Values by name; of those with labels {label values: value}."""
    judge, outlets = service.judge_detail(), service.outlets.detail()
    plan = service.bench.plan
    degraded = service.degraded
    incidents: Counter[str] = Counter(
        outage=len(service.bench.incidents),
        agent_silent=len(service.bench.open_agents),
        degraded=len(degraded.desk.keys()),
    )
    rules = degraded.engine.figures()
    values: Values = {
        "edunet_rounds_process_starts_total": service.child.starts,
        "edunet_incidents_planned_off": len(service.bench.planned.until),
        "edunet_reports_total": judge["reports"],
        "edunet_reports_stale_total": judge["stale_reports"],
        "edunet_incidents": {(kind,): number for kind, number in incidents.items()},
        "edunet_degraded": {(r.key, r.measure, r.severity): float(raised) for r, _, raised in rules},
        "edunet_degraded_watched": {(r.key, r.measure, r.severity): float(of) for r, of, _ in rules},
        "edunet_degraded_looks_total": degraded.looks,
        "edunet_degraded_look_seconds": degraded.last_s,
        "edunet_sensor_readings_total": service.jobs.sensors.readings,
        "edunet_sensor_failures_total": service.jobs.sensors.failures,
        "edunet_notice_delay_seconds": judge["notice_delay_s"],
        "edunet_outlet_delay_seconds": outlets["delay_s"],
        "edunet_outlet_sent_total": outlets["sent"],
        "edunet_outlet_failures_total": outlets["failed"],
        "edunet_pending_rows": judge["pending_rows"],
        "edunet_write_duration_seconds": judge["write_s"],
        "edunet_write_failures_total": judge["write_failures"],
        "edunet_clock_step_seconds": judge["clock_step_s"],
    }
    if plan is not None:
        values |= {"edunet_plan_version": plan.version, "edunet_plan_warnings": len(plan.warnings)}
    found = service.live.matched()
    if found is not None:
        values["edunet_snmp_devices"] = count_by_model(*found)
    values |= _vantages(service.vantages.detail().values())
    values |= _traps(service)
    values |= _messages(service.telling.detail())
    health = service.live.health
    if health is not None:
        detail = health.detail
        values |= {
            "edunet_rounds_total": detail["rounds"],
            "edunet_rounds_late_total": detail["late"],
            "edunet_readings_total": detail["readings"],
            "edunet_readings_late_total": detail["reading_late"],
            "edunet_ping_method_info": {(detail["method"],): 1.0},
        }
        for name, key in (
            ("edunet_round_duration_seconds", "duration_s"),
            ("edunet_reading_duration_seconds", "reading_s"),
            ("edunet_targets", "targets"),
            ("edunet_targets_answering", "answered"),
        ):
            if key in detail:
                values[name] = float(detail[key])
        values["edunet_blind_zones"] = float(len(detail.get("blind", ())))
        for protocol, reasons in detail.get("dropped_answers", {}).items():
            values[f"edunet_{protocol}_answers_dropped_total"] = {(reason,): n for reason, n in reasons.items()}
    return values


def _vantages(fares: Iterable[dict[str, Any]]) -> Values:
    """How vantage points fare."""
    by_name = {fare["name"]: fare for fare in fares}
    if not by_name:
        return {}
    return {
        "edunet_vantage_up": {(name,): float(fare["up"]) for name, fare in by_name.items()},
        "edunet_vantage_blind": {(name,): float(len(fare["blind"])) for name, fare in by_name.items()},
        "edunet_vantage_reports_total": {(name,): float(fare["reports"]) for name, fare in by_name.items()},
        "edunet_vantage_refused_total": {
            (name, reason): float(count) for name, fare in by_name.items() for reason, count in fare["refused"].items()
        },
        "edunet_vantage_age_seconds": {
            (name,): fare["age_s"] for name, fare in by_name.items() if fare["age_s"] is not None
        },
        "edunet_vantage_clock_offset_seconds": {
            (name,): fare["offset_s"] for name, fare in by_name.items() if "offset_s" in fare
        },
    }


def _traps(service: "Service") -> Values:
    traps = service.traps
    health = traps.health
    if not traps.enabled or health is None:
        return {}
    return {
        "edunet_traps_total": {(result,): count for result, count in health.counts.items()},
        "edunet_traps_taken_total": {(kind,): count for kind, count in health.kinds.items()},
        "edunet_trap_answers_total": health.detail["answered"],
        "edunet_trap_readings_total": traps.reads,
        "edunet_trap_datagrams_lost_total": health.detail["dropped_by_kernel"],
        "edunet_trap_sockets": len(health.detail["listening"]),
        "edunet_traps_process_starts_total": traps.child.starts,
    }


def _messages(detail: dict[str, Any]) -> Values:
    """What people were told."""
    outlets = detail["outlets"]
    return {
        "edunet_messages_total": {(name,): float(detail["messages"].get(name, 0)) for name in outlets},
        "edunet_message_failures_total": {(name,): float(detail["failures"].get(name, 0)) for name in outlets},
        "edunet_message_detours_total": {(name,): float(detail["detours"].get(name, 0)) for name in outlets},
        "edunet_messages_waiting": {(name,): float(count) for name, count in detail["waiting"].items()},
        "edunet_message_delay_seconds": {
            (name,): (_cumulative(buckets), detail["delay_sums"][name]) for name, buckets in detail["delays"].items()
        },
        "edunet_outlet_up": {(name,): float(name not in detail["down"]) for name in outlets},
    }


def _cumulative(counts: list[int]) -> Buckets:
    total, found = 0.0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        found.append((bound, total))
    return found


def render_self(service: "Service", openmetrics: bool) -> bytes:
    """Text of the self-metrics; in OpenMetrics with the `# EOF` that ends the page."""
    registry = CollectorRegistry()
    registry.register(SelfCollector(service))  # type: ignore[arg-type]  # it has collect(), which is all that is asked of it
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    text: Any = generate_openmetrics if openmetrics else generate_latest
    return bytes(text(registry))
