"""Every metric: a row each. `python -m collector.catalogue` writes docs/metrics.md; a test finds what is missing in either.

`own`: named by us, `edunet_` with a unit. Others have the names of snmp_exporter and blackbox_exporter, which public dashboards use.
"""

from typing import Literal, NamedTuple

Kind = Literal["gauge", "counter", "histogram"]


class Metric(NamedTuple):
    """One metric family. unit: empty for counts and states. labels: in the order in which they are printed."""

    name: str
    kind: Kind
    help: str
    unit: str
    labels: tuple[str, ...]
    own: bool = True


DEVICE = ("device", "name", "kind", "zone", "address", "region", "school")
LINE = ("line", "name", "operator", "role", "region")
SCHOOL = ("school", "name", "level", "kind", "region")
COVERAGE = ("region", "level", "kind")
PORT = ("device", "name", "zone", "address", "region", "ifIndex", "ifName")

CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "edunet_device_state",
        "gauge",
        "1 for the state that a device is in (up, degraded, down, maintenance, planned_off, unknown, not_seen).",
        "",
        (*DEVICE, "state"),
    ),
    Metric(
        "edunet_device_up_seconds_total",
        "counter",
        "Seconds for which a device answered, from the outage log.",
        "seconds",
        DEVICE,
    ),
    Metric(
        "edunet_device_down_seconds_total",
        "counter",
        "Seconds for which a device did not answer, whatever explains it.",
        "seconds",
        DEVICE,
    ),
    Metric(
        "edunet_device_unknown_seconds_total", "counter", "Seconds for which nobody saw a device.", "seconds", DEVICE
    ),
    Metric("edunet_rtt_seconds", "gauge", "Median round-trip time of the last minute's pings.", "seconds", DEVICE),
    Metric("edunet_loss_ratio", "gauge", "Share of the last minute's pings without an answer.", "ratio", DEVICE),
    Metric("edunet_line_state", "gauge", "1 for the state that a line is in.", "", (*LINE, "state")),
    Metric("edunet_line_bandwidth_bps", "gauge", "Contracted bandwidth of a line, downstream.", "bps", LINE),
    Metric(
        "edunet_line_in_bps", "gauge", "Bits received a second from a line, at the port that it ends on.", "bps", LINE
    ),
    Metric("edunet_line_out_bps", "gauge", "Bits sent a second into a line, at the port that it ends on.", "bps", LINE),
    Metric(
        "edunet_line_down_seconds_total", "counter", "Seconds for which a line was known to be down.", "seconds", LINE
    ),
    Metric(
        "edunet_line_unknown_seconds_total",
        "counter",
        "Seconds for which nothing was known of a line.",
        "seconds",
        LINE,
    ),
    Metric(
        "edunet_school_state",
        "gauge",
        "1 for the state that a school is in (up, degraded, down, maintenance, planned_off, unknown, not_seen, not_watched).",
        "",
        (*SCHOOL, "state"),
    ),
    Metric(
        "edunet_school_up_seconds_total",
        "counter",
        "Seconds for which a school was reachable, degraded included.",
        "seconds",
        SCHOOL,
    ),
    Metric(
        "edunet_school_down_seconds_total",
        "counter",
        "Seconds for which a school was cut off, whatever the cause.",
        "seconds",
        SCHOOL,
    ),
    Metric(
        "edunet_school_unknown_seconds_total", "counter", "Seconds for which nobody saw a school.", "seconds", SCHOOL
    ),
    Metric("edunet_school_devices", "gauge", "Watched devices of a school.", "", SCHOOL),
    Metric("edunet_school_devices_up", "gauge", "Watched devices of a school that answer.", "", SCHOOL),
    Metric("edunet_schools_registered", "gauge", "Schools in the register.", "", COVERAGE),
    Metric(
        "edunet_schools_with_gateway",
        "gauge",
        "Schools with a watched gateway, or a watched device that their line ends on.",
        "",
        COVERAGE,
    ),
    Metric("edunet_schools_seen", "gauge", "Schools of which such a device has ever answered.", "", COVERAGE),
    Metric("edunet_schools_reachable", "gauge", "Schools that are reachable now, degraded included.", "", COVERAGE),
    Metric(
        "edunet_schools_unknown",
        "gauge",
        "Schools of which nothing is known now, though they were seen before.",
        "",
        COVERAGE,
    ),
    Metric("probe_success", "gauge", "Whether a device answered in the last liveness round.", "", DEVICE, own=False),
    Metric("ifAdminStatus", "gauge", "Desired state of a port (IF-MIB): 1 up, 2 down, 3 testing.", "", PORT, own=False),
    Metric(
        "ifOperStatus",
        "gauge",
        "State of a port (IF-MIB): 1 up, 2 down, 3 testing, 4 unknown, 5 dormant, 6 notPresent, 7 lowerLayerDown.",
        "",
        PORT,
        own=False,
    ),
    Metric("ifHCInOctets", "counter", "Octets received by a port (IF-MIB).", "", PORT, own=False),
    Metric("ifHCOutOctets", "counter", "Octets sent by a port (IF-MIB).", "", PORT, own=False),
    Metric("ifInErrors", "counter", "Received packets with errors (IF-MIB).", "", PORT, own=False),
    Metric("ifOutErrors", "counter", "Packets that could not be sent because of errors (IF-MIB).", "", PORT, own=False),
    Metric("ifInDiscards", "counter", "Received packets that were discarded (IF-MIB).", "", PORT, own=False),
    Metric("ifOutDiscards", "counter", "Packets to be sent that were discarded (IF-MIB).", "", PORT, own=False),
    Metric("ifHighSpeed", "gauge", "Speed of a port in Mbit/s (IF-MIB); 0 is left out.", "", PORT, own=False),
)

SELF: tuple[Metric, ...] = (
    Metric("edunet_rounds_total", "counter", "Liveness rounds since the rounds process started.", "", ()),
    Metric(
        "edunet_rounds_late_total",
        "counter",
        "Liveness rounds that were passed over because the one before took too long.",
        "",
        (),
    ),
    Metric("edunet_round_duration_seconds", "gauge", "How long the last liveness round took.", "seconds", ()),
    Metric("edunet_readings_total", "counter", "Reading rounds (SNMP) since the rounds process started.", "", ()),
    Metric("edunet_readings_late_total", "counter", "Reading rounds that were passed over.", "", ()),
    Metric("edunet_reading_duration_seconds", "gauge", "How long the last reading round took.", "seconds", ()),
    Metric("edunet_targets", "gauge", "Devices that are asked.", "", ()),
    Metric(
        "edunet_snmp_devices",
        "gauge",
        "Devices read by SNMP, by model and by how they are asked: usual, backed_off, small_answers, getnext, over_budget.",
        "",
        ("vendor", "model", "asked"),
    ),
    Metric("edunet_targets_answering", "gauge", "Devices that answered in the last liveness round.", "", ()),
    Metric(
        "edunet_vantage_up", "gauge", "1 where a vantage point has handed reports in within 30 s.", "", ("vantage",)
    ),
    Metric(
        "edunet_vantage_blind",
        "gauge",
        "Zones that a vantage point cannot see, by its own reference targets.",
        "",
        ("vantage",),
    ),
    Metric("edunet_vantage_reports_total", "counter", "Round reports taken from a vantage point.", "", ("vantage",)),
    Metric(
        "edunet_vantage_refused_total",
        "counter",
        "Round reports of a vantage point that were refused, by why (form, part, zone, target, clock, late).",
        "",
        ("vantage", "reason"),
    ),
    Metric(
        "edunet_vantage_age_seconds",
        "gauge",
        "Age of the last reports that a vantage point handed in.",
        "seconds",
        ("vantage",),
    ),
    Metric(
        "edunet_vantage_clock_offset_seconds",
        "gauge",
        "The judge's clock minus a vantage point's own; its rounds keep the judge's.",
        "seconds",
        ("vantage",),
    ),
    Metric("edunet_blind_zones", "gauge", "Zones whose reference targets the collector cannot see.", "", ()),
    Metric("edunet_ping_method_info", "gauge", "How the collector pings.", "", ("method",)),
    Metric("edunet_rounds_process_starts_total", "counter", "Starts of the rounds process.", "", ()),
    Metric(
        "edunet_snmp_answers_dropped_total",
        "counter",
        "Answers that pollers did not believe (foreign: from another address, or with another request id than asked; late; broken; unauthentic; stale) "
        "or that the kernel had no room for.",
        "",
        ("reason",),
    ),
    Metric(
        "edunet_icmp_answers_dropped_total",
        "counter",
        "Echo replies that were not believed (foreign: another address, id, sequence or cookie than sent; broken) or came twice.",
        "",
        ("reason",),
    ),
    Metric(
        "edunet_traps_total",
        "counter",
        "Traps and informs by what became of them (taken, storm: more of one device than are kept, or why they were dropped).",
        "",
        ("result",),
    ),
    Metric(
        "edunet_traps_taken_total", "counter", "Traps and informs that were taken, by what they say.", "", ("trap",)
    ),
    Metric("edunet_trap_answers_total", "counter", "Responses and reports sent to senders of informs.", "", ()),
    Metric("edunet_trap_readings_total", "counter", "Devices read at once because of a trap.", "", ()),
    Metric(
        "edunet_trap_datagrams_lost_total", "counter", "Datagrams that the kernel's buffer had no room for.", "", ()
    ),
    Metric("edunet_trap_sockets", "gauge", "UDP sockets on which traps are heard.", "", ()),
    Metric("edunet_traps_process_starts_total", "counter", "Starts of the process that hears traps.", "", ()),
    Metric("edunet_reports_total", "counter", "Reports that the judge took.", "", ()),
    Metric("edunet_reports_stale_total", "counter", "Reports that spoke of another plan.", "", ()),
    Metric("edunet_incidents", "gauge", "Incidents that are pending or open.", "", ("kind",)),
    Metric(
        "edunet_incidents_planned_off",
        "gauge",
        "Outages of which nobody is told before their schools, which switched off as usual, should be on again.",
        "",
        (),
    ),
    Metric(
        "edunet_degraded",
        "gauge",
        "Devices, ports, lines or schools for which a rule of degradation is raised.",
        "",
        ("rule", "measure", "severity"),
    ),
    Metric(
        "edunet_degraded_watched",
        "gauge",
        "Devices, ports, lines or schools that a rule of degradation is of.",
        "",
        ("rule", "measure", "severity"),
    ),
    Metric("edunet_degraded_looks_total", "counter", "How often all rules of degradation were evaluated.", "", ()),
    Metric("edunet_degraded_look_seconds", "gauge", "How long the last evaluation of all rules took.", "seconds", ()),
    Metric("edunet_sensor_readings_total", "counter", "Readings of the sensors that rules wait for.", "", ()),
    Metric("edunet_sensor_failures_total", "counter", "Such readings that got no answer.", "", ()),
    Metric(
        "edunet_notice_delay_seconds", "gauge", "From when the last notice was due until it was made.", "seconds", ()
    ),
    Metric(
        "edunet_outlet_delay_seconds",
        "gauge",
        "From when the last notice was due until an outlet took it.",
        "seconds",
        (),
    ),
    Metric("edunet_outlet_sent_total", "counter", "Incidents sent to outlets.", "", ()),
    Metric("edunet_outlet_failures_total", "counter", "Sendings that failed, and were tried again.", "", ()),
    Metric("edunet_messages_total", "counter", "Messages that an outlet took.", "", ("outlet",)),
    Metric(
        "edunet_message_failures_total",
        "counter",
        "Messages that an outlet did not take, and that were tried again.",
        "",
        ("outlet",),
    ),
    Metric(
        "edunet_message_detours_total",
        "counter",
        "Messages for an outlet that another one sent, since it failed.",
        "",
        ("outlet",),
    ),
    Metric("edunet_messages_waiting", "gauge", "Things to say that wait for an outlet.", "", ("outlet",)),
    Metric(
        "edunet_message_delay_seconds",
        "histogram",
        "From when a thing was due by the rules until it was sent.",
        "seconds",
        ("outlet",),
    ),
    Metric("edunet_outlet_up", "gauge", "0 while an outlet fails, and another one has to take over.", "", ("outlet",)),
    Metric("edunet_pending_rows", "gauge", "Rows that wait to be written to the register.", "", ()),
    Metric("edunet_write_duration_seconds", "gauge", "How long the last writing to the register took.", "seconds", ()),
    Metric("edunet_write_failures_total", "counter", "Writings that failed, and were tried again.", "", ()),
    Metric("edunet_plan_version", "gauge", "The register's version that is followed.", "", ()),
    Metric(
        "edunet_plan_warnings",
        "gauge",
        "What is wrong with the register, as `edunet collector --check` says it.",
        "",
        (),
    ),
    Metric(
        "edunet_clock_step_seconds",
        "gauge",
        "By how much the wall clock has been moved since the start.",
        "seconds",
        (),
    ),
)

LINTS = tuple(metric.name for metric in (*CATALOGUE, *SELF) if not metric.own)
"""Names that `promtool check metrics` complains of; they are the field's and stay."""


def page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Generated from `collector/catalogue.py` by `python -m collector.catalogue`; do not edit.",
        "",
        "`GET /metrics` in Prometheus' text format 0.0.4, or OpenMetrics 1.0 where the scraper asks for it; gzip by negotiation.",
        "Values come from state at the time of the scrape: the series of a device that was removed vanish, and so do the counters of one that",
        "does not answer. Port series are those of uplinks and of ports on which lines end, unless `collector.metrics_ports` says otherwise.",
        "In OpenMetrics a counter must end in `_total`: there counters with the field's names go out as `unknown`.",
        "",
    ]
    for title, metrics in (("The network", CATALOGUE), ("The collector itself", SELF)):
        lines += [f"## {title}", "", "| metric | type | unit | labels | what |", "|---|---|---|---|---|"]
        lines += [
            f"| `{m.name}` | {m.kind} | {m.unit or '–'} | {', '.join(f'`{x}`' for x in m.labels) or '–'} | {m.help} |"
            for m in metrics
        ]
        lines.append("")
    lines += [
        "Besides, `process_*` and `python_info` of prometheus_client for the collector's process.",
        "",
        "## Names that promtool's lint complains of",
        "",
        "These are snmp_exporter's and blackbox_exporter's own names, which public dashboards use: "
        + ", ".join(f"`{n}`" for n in LINTS)
        + ".",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    from pathlib import Path

    (Path(__file__).resolve().parent.parent / "docs" / "metrics.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
