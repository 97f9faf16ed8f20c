"""Diagnose now: ping, SNMP and the way to one device, asked by the collector while somebody waits. For administrators, at a bounded pace."""

import math
import threading
import time
from collections import deque
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from api.collector_link import CollectorGone, CollectorRefused
from api.errors import Problem
from api.pages.frame import Frame, PageFrame
from api.pages.queries import device as queries
from api.security import page_admin

router = APIRouter(include_in_schema=False, dependencies=[Depends(page_admin)])

MODULES = ("icmp", "snmp", "path")
"""What is asked, in this order on the page."""

MOST, WITHIN_S = 18, 60.0
"""Probes that one person may start in so many seconds: six times all three."""


class Pace:
    """How often a person may ask: `most` times in any `within` seconds. In memory, for each user."""

    def __init__(self, most: int = MOST, within: float = WITHIN_S) -> None:
        self._most = most
        self._within = within
        self._lock = threading.Lock()
        self._times: dict[int, deque[float]] = {}

    def wait(self, user: int, now: float) -> float:
        """Seconds to wait; 0 where it may go on, which is then counted. now: monotonic seconds."""
        with self._lock:
            times = self._times.setdefault(user, deque())
            while times and now - times[0] >= self._within:
                times.popleft()
            if len(times) >= self._most:
                return self._within - (now - times[0])
            times.append(now)
            return 0.0


pace = Pace()


@router.get("/devices/{number}/diagnose")
def show_diagnosis(frame: PageFrame, number: int) -> Response:
    """The three questions; with script they ask themselves at once."""
    rows = _device(frame, number)
    return frame.page("diagnose_all.html" if frame.partial else "diagnose_page.html", rows=rows, modules=MODULES)


@router.post("/devices/{number}/diagnose")
async def diagnose(frame: PageFrame, number: int, module: Annotated[str, Form()] = "icmp") -> Response:
    """Ask one question now, and show the answer. It has threads of its own, for a silent device takes a while to be given up."""
    return await anyio.to_thread.run_sync(_ask, frame, number, module, limiter=frame.request.app.state.slow)


def _ask(frame: Frame, number: int, module: str) -> Response:
    rows = _device(frame, number)
    if module not in MODULES:
        raise Problem("not-found")
    frame.session.rollback()  # no snapshot of the register is held while the device is waited for
    seconds = math.ceil(pace.wait(frame.caller.user.id or 0, time.monotonic()))
    result: dict[str, Any] | None = None
    refused = ""
    if seconds:
        refused = "pace"
    else:
        try:
            result = frame.request.app.state.link.probe(number, module)
        except CollectorGone:
            refused = "gone"
        except CollectorRefused:
            refused = "unasked"
    template = "diagnose_result.html" if frame.partial else "diagnose_page.html"
    context = {"rows": rows, "module": module, "result": result, "refused": refused, "seconds": seconds}
    return frame.page(template, 429 if seconds and not frame.partial else 200, modules=MODULES, **context)


def _device(frame: Frame, number: int) -> queries.DeviceRows:
    rows = queries.read_device(frame.session, frame.scope, number)
    if rows is None:
        raise Problem("not-found")
    return rows
