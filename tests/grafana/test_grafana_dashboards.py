"""Dashboards are code: every metric that they name exists, every query answers on a real Prometheus, every file fits Grafana's schema."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_backfill import prometheus

from collector.catalogue import CATALOGUE, SELF

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
NAMES = {metric.name for metric in (*CATALOGUE, *SELF)}
METRIC = re.compile(r"\b(edunet_[a-z_]+|if[A-Z]\w+|probe_\w+)\b(?!\s*[=!]=?~?\")")


def queries(path: Path) -> list[tuple[str, str, bool]]:
    """(panel title, expression, whether it may be empty on good days) of each target of a dashboard, without its variables."""
    found: list[tuple[str, str, bool]] = []

    def walk(panels: list[dict[str, Any]]) -> None:
        for panel in panels:
            for target in panel.get("targets", []):
                found.append((panel["title"], re.sub(r"\$\{?\w+\}?", ".*", target["expr"]), False))
            walk(panel.get("panels", []))

    walk(json.loads(path.read_text())["panels"])
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    if not shutil.which("prometheus"):
        pytest.skip("Debian's package prometheus is not installed")
    with prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.mark.parametrize("path", [*DASHBOARDS, *RULES], ids=lambda p: p.name)
def test_every_metric_named_exists(path: Path) -> None:
    text = path.read_text()
    if path.suffix == ".json":
        text = "\n".join(expression for _, expression, _ in queries(path))
    else:
        text = "\n".join(re.sub(r"^\s*- alert:.*|^\s*summary:.*", "", line) for line in text.splitlines())
    label_names = {label for metric in (*CATALOGUE, *SELF) for label in metric.labels}
    unknown = {name for name in METRIC.findall(text) if name not in NAMES and name not in label_names}
    assert not unknown


@pytest.mark.server
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_every_query_answers(path: Path, server: tuple[str, float]) -> None:
    address, until = server
    silent = []
    for title, expression, _ in queries(path):
        arguments = urllib.parse.urlencode({"query": expression, "time": until})
        with urllib.request.urlopen(f"{address}/api/v1/query?{arguments}", timeout=10) as answer:
            result = json.load(answer)
        assert result["status"] == "success", (title, expression)
        if not result["data"]["result"]:
            silent.append((title, expression))
    assert not silent


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_identifiers_are_single_and_sources_provisioned(path: Path) -> None:
    board = json.loads(path.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert board["schemaVersion"] == 42
    provisioned = (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text()
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            assert f"uid: {target['datasource']['uid']}" in provisioned


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_panels_do_not_overlap(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(path.read_text())["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} lies over {taken[cell]}"
            taken[cell] = panel["title"]


CHECK = """
import type { Dashboard } from "@grafana/schema/dist/types/raw/dashboard/x/types.gen";
// JSON holds an enum's value, not the enum.
type Loose<T> = T extends string ? `${T}` : T extends (infer U)[] ? Loose<U>[] : T extends object ? { [K in keyof T]: Loose<T[K]> } : T;
const board: Loose<Dashboard> = %s;
export default board;
"""


@pytest.fixture(scope="module")
def grafana_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with @grafana/schema and the TypeScript compiler, of the versions in package-lock.json."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: the dashboards are not checked against @grafana/schema")
    folder = tmp_path_factory.mktemp("grafana-types")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).with_name(name), folder)
    done = subprocess.run(
        ["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"npm cannot install @grafana/schema here: {done.stderr.strip()[:200]}")
    # Its package.json does not export the types' path.
    modules = folder / "node_modules" / "@grafana" / "schema"
    manifest = json.loads((modules / "package.json").read_text())
    manifest.pop("exports", None)
    (modules / "package.json").write_text(json.dumps(manifest))
    return folder


def compile_board(folder: Path, text: str) -> str:
    """What the TypeScript compiler says of a dashboard."""
    (folder / "board.ts").write_text(CHECK % text)
    words = [
        "npx",
        "tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--moduleResolution",
        "bundler",
        "--module",
        "esnext",
        "board.ts",
    ]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True).stdout


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.name)
def test_every_file_fits_grafanas_schema(path: Path, grafana_types: Path) -> None:
    assert not compile_board(grafana_types, path.read_text())


def test_the_schema_check_can_fail(grafana_types: Path) -> None:
    assert "tooltp" in compile_board(grafana_types, DASHBOARDS[0].read_text().replace('"graphTooltip"', '"tooltp"'))
