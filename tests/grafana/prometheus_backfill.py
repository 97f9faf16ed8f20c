"""A real Prometheus over back-filled data: 26 hours of every metric of the catalogue, for a few made-up schools."""

import math
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.catalogue import CATALOGUE, SELF, Metric

HOURS = 26
STEP_S = 150
REGIONS = ("小店区", "迎泽区")
LEVELS = ("primary", "junior")
STATES = ("up", "down", "degraded", "unknown", "not_seen", "not_watched")


def label_sets(metric: Metric) -> list[dict[str, str]]:
    """A few label sets for a metric: two regions, two levels, every state."""
    if not metric.labels:
        return [{}]
    sets: list[dict[str, str]] = []
    for number, region in enumerate(REGIONS):
        for level in LEVELS:
            base = {
                "region": region,
                "level": level,
                "kind": "public" if "level" in metric.labels else "gateway",
                "device": f"{number}{level[0]}",
                "name": f"gw-{number}-{level}",
                "ifName": "GE0/0/1",
                "ifIndex": "1",
                "method": "raw",
            }
            for state in STATES if "state" in metric.labels else ("",):
                sets.append(
                    {name: state if name == "state" else base.get(name, f"{number}{level}") for name in metric.labels}
                )
    if metric.name == "edunet_incidents":
        return [{"kind": "outage"}, {"kind": "agent_silent"}]
    return [dict(pairs) for pairs in dict.fromkeys(tuple(s.items()) for s in sets)]


def open_metrics(until: float) -> Iterator[str]:
    """OpenMetrics lines of all metrics up to `until`, counters as `unknown` where their names are not OpenMetrics'."""
    for metric in (one for one in (*CATALOGUE, *SELF) if one.kind != "histogram"):
        counter = metric.kind == "counter"
        plain = counter and not metric.name.endswith("_total")
        yield f"# TYPE {metric.name.removesuffix('_total') if counter else metric.name} {'unknown' if plain else metric.kind}\n"
        for place, labels in enumerate(label_sets(metric)):
            inner = ",".join(f'{name}="{value}"' for name, value in labels.items())
            for tick in range(HOURS * 3600 // STEP_S + 1):
                at = until - HOURS * 3600 + tick * STEP_S
                value = tick * STEP_S * (place + 1) if counter else 1 + place + math.sin(tick / 40) / 2
                if metric.name == "edunet_loss_ratio":
                    value = 0.01
                yield f"{metric.name}{{{inner}}} {value} {at:.0f}\n"
    yield "# EOF\n"


@contextmanager
def prometheus(folder: Path) -> Iterator[tuple[str, float]]:
    """A server on a free port of loopback: (its address, the time of the last sample)."""
    until = float(int(time.time()) - 60)
    source = folder / "data.om"
    with source.open("w") as out:
        out.writelines(open_metrics(until))
    data = folder / "data"
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)],
        check=True,
        capture_output=True,
    )
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1h}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binary = shutil.which("prometheus")
    assert binary
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [
                binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--storage.tsdb.retention.time=90d",
            ],
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"{address}/-/ready", timeout=1):
                    break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()[-2000:]) from None
                time.sleep(0.05)
        yield address, until
    finally:
        server.terminate()
        server.wait(10)
