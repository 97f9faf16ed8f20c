"""The metrics page: what is rendered is what prometheus_client's own parsers read back; promtool finds nothing but the field's names."""

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from collector.catalogue import CATALOGUE, LINTS, SELF, Metric, page
from collector.exposition import BY_NAME, CHUNK, Family, Form, negotiate, render_families
from collector.labels import block, column

ROOT = Path(__file__).resolve().parents[2]


def rendered(families: list[Family], openmetrics: bool) -> str:
    text = b"".join(render_families(families, openmetrics)).decode()
    return text + "# EOF\n" if openmetrics else text


def read(text: str, openmetrics: bool) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in (read_openmetrics if openmetrics else read_text)(text):
        for sample in family.samples:
            yield sample.name.removesuffix("_total"), sample.labels, sample.value  # the old parser adds it


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters='\n"\\'), max_size=12)


@pytest.mark.parametrize("openmetrics", [False, True])
@given(
    labels=st.lists(WORDS, min_size=1, max_size=30, unique=True),
    numbers=st.lists(st.integers(0, 2**64 - 1), min_size=30, max_size=30),
)
def test_integers_and_labels_are_read_back_equal(openmetrics: bool, labels: list[str], numbers: list[int]) -> None:
    values = np.array(numbers[: len(labels)], np.uint64)
    family = Family(BY_NAME["ifHCInOctets"], column([block(("name",), (label,)) for label in labels]), values)
    found = [(name, of, float(value)) for name, of, value in read(rendered([family], openmetrics), openmetrics)]
    expected = [("ifHCInOctets", {"name": label}, float(n)) for label, n in zip(labels, numbers, strict=False)]
    assert found == expected


@pytest.mark.parametrize("openmetrics", [False, True])
@given(values=st.lists(st.floats(allow_nan=False, min_value=0), max_size=40))
def test_floats_are_read_back_equal(openmetrics: bool, values: list[float]) -> None:
    labels = column([block(("i",), (i,)) for i in range(len(values))])
    family = Family(BY_NAME["edunet_device_up_seconds_total"], labels, np.array(values, np.float64))
    found = [value for _, _, value in read(rendered([family], openmetrics), openmetrics)]
    assert len(found) == len(values)
    assert all(math.isclose(a, b, rel_tol=0) for a, b in zip(found, values, strict=True))


def test_more_series_than_one_piece_holds() -> None:
    n = 50_001
    family = Family(BY_NAME["ifInErrors"], column([f'i="{i}"' for i in range(n)]), np.arange(n))
    assert [value for *_, value in read(rendered([family], False), False)] == list(range(n))


def test_counters_with_the_fields_names_are_unknown_in_openmetrics() -> None:
    assert "# TYPE ifHCInOctets unknown\n" in rendered([Family(BY_NAME["ifHCInOctets"], column([]), np.zeros(0))], True)
    assert "# TYPE ifHCInOctets counter\n" in rendered(
        [Family(BY_NAME["ifHCInOctets"], column([]), np.zeros(0))], False
    )


@pytest.mark.parametrize(
    ("accept", "encoding", "form"),
    [
        ("", "", Form()),
        ("text/plain;version=0.0.4;q=0.5", "gzip", Form(False, True)),
        ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5", "deflate", Form(True, False)),
        ("*/*", "gzip;q=0", Form(False, False)),
        ("*/*", "br, gzip;q=0.5", Form(False, True)),
    ],
)
def test_the_form_is_negotiated(accept: str, encoding: str, form: Form) -> None:
    assert negotiate(accept, encoding) == form


@pytest.mark.parametrize("metric", [*CATALOGUE, *SELF], ids=lambda metric: metric.name)
def test_every_metric_has_its_unit_in_its_name_and_a_help(metric: Metric) -> None:
    assert metric.help.endswith(".")
    if metric.own:
        assert metric.name.startswith("edunet_")
        assert not metric.unit or metric.unit in metric.name.split("_")
        assert (metric.kind == "counter") == metric.name.endswith("_total")


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page(), "run `python -m collector.catalogue`"


def test_promtool_complains_of_nothing_but_the_fields_names() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    families = [
        Family(m, column([block(m.labels, tuple("x" for _ in m.labels))]), np.ones(1, np.int64))
        for m in (*CATALOGUE, *SELF)
        if m.kind != "histogram"  # by prometheus_client alone
    ]
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=rendered(families, False), capture_output=True, text=True
    )
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if line.split(" ")[0] not in LINTS]
    assert complaints == []


def test_no_piece_of_the_page_holds_the_interpreter_longer_than_its_share() -> None:
    n = 3 * CHUNK + 7
    labels = column([b'{device="%d"} ' % i for i in range(n)])
    pieces = list(render_families([Family(BY_NAME["ifHCInOctets"], labels, np.arange(n, dtype=np.uint64))], False))
    series = [
        piece.count(b"\nifHCInOctets") + piece.startswith(b"ifHCInOctets") for piece in pieces if b"# HELP" not in piece
    ]
    assert sum(series) == n
    assert max(series) <= CHUNK


def test_the_process_that_polls_knows_nothing_of_the_page() -> None:
    code = "import sys, collector.rounds.process; print(*[m for m in sys.modules if 'exposition' in m or 'prometheus' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
