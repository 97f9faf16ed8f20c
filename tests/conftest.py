"""The order of the suite: files whose tests wait in real time come first, so that they wait beside those that compute, and none is left for the end."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent

WAITING_FIRST = (
    "collector/test_collector_storms.py",
    "collector/test_collector_province.py",
    "collector/test_collector_agents.py",
    "collector/test_collector_snmp.py",
    "collector/test_planned_off_end_to_end.py",
    "collector/test_degraded_end_to_end.py",
    "collector/test_telling_end_to_end.py",
    "collector/test_collector_end_to_end.py",
    "real/test_real_devices.py",
    "real/test_real_router.py",
    "edunet/test_edunet_up.py",
)
"""As measured with `pytest --durations=40`, the longest first; the Makefile's `--no-loadscope-reorder` keeps it so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put them first; all others stay as they are."""
    place = {HERE / name: number for number, name in enumerate(WAITING_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
