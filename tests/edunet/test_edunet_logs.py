"""Logs: text or JSON on stderr, from a level on, no flood, no secrets."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from edunet.logs import MOST_A_MINUTE, Limiter, set_up_logs
from edunet.settings import LogSettings
from inventory.credentials import Secret

log = logging.getLogger("collector.of_this_test")


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was logged since it was last asked; the root logger is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_of_json_is_one_object_even_with_a_traceback(stderr: Callable[[], str]) -> None:
    set_up_logs(LogSettings(format="json"))
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        log.exception("县 %s", "小店区")
    line = json.loads(stderr())
    assert (line["level"], line["part"], line["message"]) == ("error", "collector.of_this_test", "县 小店区")
    assert "broken" in line["traceback"]


def test_text_has_time_level_part_and_message(stderr: Callable[[], str]) -> None:
    set_up_logs(LogSettings())
    log.warning("%d devices", 3)
    assert stderr().split(" ", 2)[2] == "warning collector.of_this_test: 3 devices\n"


@pytest.mark.parametrize(("level", "printed"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_what_is_below_the_level_is_not_printed(stderr: Callable[[], str], level: str, printed: int) -> None:
    set_up_logs(LogSettings.model_validate({"level": level}))
    log.debug("one")
    log.info("two")
    log.warning("three")
    assert len(stderr().splitlines()) == printed


def test_one_place_cannot_flood_and_the_rest_is_counted(stderr: Callable[[], str]) -> None:
    set_up_logs(LogSettings())
    for number in range(MOST_A_MINUTE * 5):
        log.warning("device %d is silent", number)
    log.warning("another place")
    assert len(stderr().splitlines()) == MOST_A_MINUTE + 1

    limiter = Limiter(most=1)
    records = [logging.LogRecord("x", logging.INFO, "file", 7, "again", None, None) for _ in range(4)]
    for record, created in zip(records, (0.0, 1.0, 2.0, 61.0), strict=True):
        record.created = created
    assert [limiter.filter(record) for record in records] == [True, False, False, True]
    assert records[-1].getMessage() == "again (2 more like this were left out)"


def test_a_secret_that_is_logged_by_mistake_does_not_show(stderr: Callable[[], str]) -> None:
    set_up_logs(LogSettings(level="debug"))
    log.info("credential %r %s", Secret(community="hunter2secret"), Secret(auth_key="hunter3secret"))
    assert "hunter" not in stderr()
