"""The metrics page: columns to text, some hundred nanoseconds a series (docs/decisions/0070).

Labels are rendered once for each plan (`collector/labels.py`); values are formatted in bulk. Rendering goes by chunks, so that no
other thread waits for it longer than a few milliseconds.
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from collector.catalogue import CATALOGUE, Metric
from collector.curves import monitored_rows
from collector.labels import PortLabels, labels_of, port_labels_of
from collector.loss import count_pings
from collector.schools import DEGRADED, NOT_SEEN, NOT_WATCHED, UNKNOWN, UP, WORDS
from collector.selfmetrics import render_self
from collector.shared import Columns

if TYPE_CHECKING:
    from collector.service import Service

CHUNK = 20_000
"""Series that are formatted in one go: about 5 ms."""

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

BY_NAME = {metric.name: metric for metric in CATALOGUE}

Labels = NDArray[np.object_]
"""One bytes for each series: `{device="7",...} ` with the blank behind it."""


@dataclass(frozen=True)
class Form:
    """How a scraper wants it."""

    openmetrics: bool = False
    gzip: bool = False

    @property
    def content_type(self) -> str:
        """The Content-Type."""
        return OPENMETRICS if self.openmetrics else TEXT

    @property
    def headers(self) -> dict[str, str]:
        """Further headers."""
        return {"Content-Encoding": "gzip"} if self.gzip else {}


@dataclass(frozen=True)
class Family:
    """One metric with its series: integers or floats, NaN left out by the caller."""

    metric: Metric
    labels: Labels
    values: NDArray[Any]
    extra: list[bytes] = field(default_factory=list)


def negotiate(accept: str, encoding: str) -> Form:
    """From the headers Accept and Accept-Encoding; what is not said is 0.0.4 without compression."""
    kinds = {
        part.split(";")[0].strip().lower() for part in encoding.split(",") if "q=0" not in part.replace("q=0.", "")
    }
    return Form("application/openmetrics-text" in accept, "gzip" in kinds)


def render(service: "Service", form: Form) -> bytes | bytearray:
    """The whole page."""
    body = bytearray()  # grown in place: 100,000 devices make 150 MB, and a list of pieces would double them
    for part in render_families(families(service), form.openmetrics):
        body += part
    body += render_self(service, form.openmetrics)
    return gzip.compress(body, 1) if form.gzip else body


def render_families(found: Iterable[Family], openmetrics: bool) -> Iterator[bytes]:
    """Text of families, in pieces."""
    for family in found:
        metric = family.metric
        yield head(metric, openmetrics)
        name = metric.name.encode()
        for start in range(0, len(family.values), CHUNK):
            labels = family.labels[start : start + CHUNK].tolist()
            yield lines(name, labels, family.values[start : start + CHUNK])


def head(metric: Metric, openmetrics: bool) -> bytes:
    """HELP and TYPE. OpenMetrics: a counter's family is named without `_total`; one whose name has none is `unknown`."""
    name, kind = metric.name, str(metric.kind)
    if openmetrics and kind == "counter":
        name, kind = (name.removesuffix("_total"), kind) if name.endswith("_total") else (name, "unknown")
    text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n".encode()


def lines(name: bytes, labels: list[bytes], values: NDArray[Any]) -> bytes:
    """`name{labels} value` lines. The name goes with the line before, so that two pieces make a line."""
    if not labels:
        return b""
    after = b"\n" + name
    pieces: list[bytes] = labels * 2
    pieces[0::2] = labels
    if values.dtype.kind in "iub":
        shape = b"%d" + after
        pieces[1::2] = [shape % value for value in values.tolist()]
    else:
        pieces[1::2] = [repr(value).encode() + after for value in values.tolist()]
    return name + b"".join(pieces)[: -len(name)]


def families(service: "Service") -> Iterator[Family]:
    """All that is known of the network now."""
    found = service.live.matched()
    bench = service.bench
    plan = bench.plan
    if plan is None:
        return
    labels = labels_of(plan)
    now = service.clock.now()
    code, school_code = bench.shown_codes()
    totals = bench.nodes.totals(now)
    if len(code) != len(plan.nodes):
        return  # a new plan came this very moment; the next scrape has it
    devices = plan.target_node
    yield Family(BY_NAME["edunet_device_state"], labels.device_states(code[devices]), np.ones(len(devices), np.int64))
    for column, word in ((1, "up"), (2, "down"), (0, "unknown")):
        yield Family(BY_NAME[f"edunet_device_{word}_seconds_total"], labels.devices, totals[devices, column].round(3))
    if found is not None and found[0] is plan:
        yield from _rounds(labels.devices, found[1])
    yield from _lines(plan, labels, code, totals)
    yield from _schools(bench, plan, labels, now, school_code)
    if found is not None and found[0] is plan and service.settings.metrics_ports != "none":
        every = service.settings.metrics_ports == "all"
        yield from _line_rates(plan, labels, monitored_rows(plan, found[1], service.live, set()), found[1])
        yield from _ports(port_labels_of(service, plan, found[1], every), found[1])


def _rounds(labels: Labels, columns: Columns) -> Iterator[Family]:
    order = np.argsort(columns.ring_at)
    last = order[columns.ring_at[order] > 0][-12:]
    recent = columns.ring[last]
    yield Family(BY_NAME["probe_success"], labels, (columns.answered > 0).astype(np.int64))
    if not len(recent):
        return
    rtt = np.where(recent >= 0, recent, np.nan)
    rtt.sort(axis=0)
    answers = np.isfinite(rtt).sum(0)
    median = rtt[np.maximum(answers - 1, 0) // 2, np.arange(rtt.shape[1])]
    here = (answers > 0) & (columns.answered > 0)
    yield Family(BY_NAME["edunet_rtt_seconds"], labels[here], median[here].astype(np.float64).round(7))
    lost, sent = count_pings(recent, columns.ring_lost[last])
    some = sent > 0
    loss = lost[some] / sent[some]
    yield Family(BY_NAME["edunet_loss_ratio"], labels[some], loss.round(4))


def _lines(plan: Any, labels: Any, code: NDArray[np.uint8], totals: NDArray[np.float64]) -> Iterator[Family]:
    where = labels.line_nodes
    yield Family(BY_NAME["edunet_line_state"], labels.line_states(code[where]), np.ones(len(where), np.int64))
    contracted = labels.line_bps > 0
    yield Family(BY_NAME["edunet_line_bandwidth_bps"], labels.lines[contracted], labels.line_bps[contracted])
    for column, word in ((2, "down"), (0, "unknown")):
        yield Family(BY_NAME[f"edunet_line_{word}_seconds_total"], labels.lines, totals[where, column].round(3))


def _line_rates(plan: Any, labels: Any, rows: dict[tuple[int, str], int], columns: Columns) -> Iterator[Family]:
    """By the port at the school's end; where only the far end is known by that, the other way round."""
    where = np.full(len(labels.line_nodes), -1, np.int64)
    turned = np.zeros(len(where), np.bool_)
    for k, i in enumerate(labels.line_nodes.tolist()):
        line = plan.lines[int(plan.nodes[i].id[5:])]
        row = rows.get((line.end_device_id or 0, line.end_port or ""), -1)
        if row < 0:
            row = rows.get((line.far_device_id or 0, line.far_port or ""), -1)
            turned[k] = row >= 0
        where[k] = row
    known = where >= 0
    one, other = columns.in_bps[where[known]], columns.out_bps[where[known]]
    turned = turned[known]
    for name, rates in (("in", np.where(turned, other, one)), ("out", np.where(turned, one, other))):
        there = ~np.isnan(rates)
        yield Family(BY_NAME[f"edunet_line_{name}_bps"], labels.lines[known][there], rates[there].astype(np.int64))


def _schools(bench: Any, plan: Any, labels: Any, now: float, code: NDArray[np.uint8]) -> Iterator[Family]:
    totals, counts = bench.schools.totals(now), bench.school_counts
    if counts is None or len(code) != len(plan.schools) or counts.shape[1] != len(code):
        return
    yield Family(BY_NAME["edunet_school_state"], labels.school_states(code), np.ones(len(code), np.int64))
    for column, word in ((1, "up"), (2, "down"), (0, "unknown")):
        yield Family(BY_NAME[f"edunet_school_{word}_seconds_total"], labels.schools, totals[:, column].round(3))
    yield Family(BY_NAME["edunet_school_devices"], labels.schools, counts[0])
    yield Family(BY_NAME["edunet_school_devices_up"], labels.schools, counts[1])
    for name, which in (
        ("registered", np.ones(len(code), np.bool_)),
        ("with_gateway", code != NOT_WATCHED),
        ("seen", ~np.isin(code, (NOT_WATCHED, NOT_SEEN))),
        ("reachable", np.isin(code, (UP, DEGRADED))),
        ("unknown", code == UNKNOWN),
    ):
        figures = np.bincount(labels.school_group, which, len(labels.coverage)).astype(np.int64)
        yield Family(BY_NAME[f"edunet_schools_{name}"], labels.coverage, figures)


def _ports(ports: PortLabels, columns: Columns) -> Iterator[Family]:
    fresh = (columns.snmp_misses == 0) & (columns.reading_at > 0) & (columns.answered > 0)
    here = fresh[ports.targets] & (columns.present[ports.rows] != 0)
    labels, rows = ports.labels[here], ports.rows[here]
    counters, present = columns.counters[rows], columns.present[rows]
    for column, name in enumerate(_COLUMNS):
        there = (present & (1 << column)) != 0
        if name == "ifHighSpeed":
            there &= counters[:, column] > 0
        yield Family(BY_NAME[name], labels[there], counters[there, column])


_COLUMNS = (
    "ifAdminStatus",
    "ifOperStatus",
    "ifHCInOctets",
    "ifHCOutOctets",
    "ifInErrors",
    "ifOutErrors",
    "ifInDiscards",
    "ifOutDiscards",
    "ifHighSpeed",
)

__all__ = ["WORDS", "Family", "Form", "families", "lines", "negotiate", "render", "render_families"]
