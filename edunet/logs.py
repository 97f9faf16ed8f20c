"""Logs on stderr: a line of text or of JSON each, rate-limited, without secrets (what is secret never reaches a log call: `repr` hides it)."""

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edunet.settings import LogSettings

MOST_A_MINUTE = 20
"""Lines of one place in the code that are printed in a minute; how many were left out is said with the next."""

QUIET = ("httpx", "httpcore", "apscheduler", "alembic", "asyncio")
"""Libraries that are heard from `warning` on."""


class Limiter(logging.Filter):
    """Lets MOST_A_MINUTE lines a minute pass from one place in the code, and counts the others."""

    def __init__(self, most: int = MOST_A_MINUTE) -> None:
        super().__init__()
        self.most = most
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to print it."""
        place = (record.pathname, record.lineno)
        since, count = self._seen.get(place, (record.created, 0))
        if record.created - since >= 60:
            left_out = count - self.most
            if left_out > 0:
                record.msg, record.args = f"{record.getMessage()} ({left_out} more like this were left out)", ()
            since, count = record.created, 0
        self._seen[place] = (since, count + 1)
        return count < self.most


class TextLines(logging.Formatter):
    """`2026-11-25 08:00:00 warning collector.service: message`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, a traceback below it."""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        text = f"{at} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """at (seconds since the epoch), level, part, message, and a traceback where there is one."""
        line = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "part": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(settings: "LogSettings") -> None:
    """All logs of this process to stderr, as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    handler.addFilter(Limiter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
