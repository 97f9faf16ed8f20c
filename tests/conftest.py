"""The order of the suite: long files, most of which wait in real time, are spread among those that compute, and none is left for the end."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent

LONG = (
    "api/test_api_schema.py",
    "real/test_real_router.py",
    "edunet/test_edunet_up.py",
    "real/test_real_devices.py",
    "collector/test_collector_storms.py",
    "collector/test_collector_province.py",
    "deploy/test_deploy_wheel.py",
    "browser/test_demo_in_a_browser.py",
    "collector/test_collector_agents.py",
    "collector/test_degraded_end_to_end.py",
    "collector/test_collector_schedule.py",
    "collector/test_vantage_end_to_end.py",
    "collector/test_collector_end_to_end.py",
    "probes/test_probes_engine_build.py",
    "collector/test_collector_trap_service.py",
    "collector/test_collector_snmp.py",
    "demo/test_demo_agents.py",
    "edunet/test_edunet_replay_speed.py",
    "probes/test_probes_whole_farm.py",
    "collector/test_planned_off_end_to_end.py",
    "collector/test_telling_end_to_end.py",
    "collector/test_collector_import.py",
)
"""As measured with `pytest --durations=70`, the longest first."""

FIRST = 2
"""Long files that are begun at once."""

EVERY = 6
"""After so many others another long one. The Makefile's `--no-loadscope-reorder` keeps it so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the long files; the tests of a file stay together, in their order."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    long = [HERE / name for name in LONG if HERE / name in files]
    others = [path for path in files if path not in long]
    order, left = long[:FIRST], long[FIRST:]
    for start in range(0, len(others), EVERY):
        order += [*others[start : start + EVERY], *left[:1]]
        left = left[1:]
    items[:] = [item for path in [*order, *left] for item in files[path]]
