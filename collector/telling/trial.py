"""The test button: one plain message through one outlet now, and what the far side said."""

import time
import uuid
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import insert, select

from collector.outlets.kinds import KINDS
from collector.outlets.sending import Message, scrub
from collector.telling.messages import test_text
from collector.telling.policy import Outfit, outfit_of
from collector.telling.post import Outcome
from collector.telling.texts import Language
from inventory.database import Register
from inventory.models import Contact, Delivery, Outlet, OutletKind, complete, table, utcnow

REFUSED = "edunet may not send outside: this is the demonstration, or outlets_enabled is off"


def try_outlet(register: Register, outlet: int, by: str, may_notify: bool) -> dict[str, Any] | None:
    """{ok, outlet, answer, wall_s}, logged as a delivery; None where there is no such outlet. Where nothing may be sent nothing is."""
    with register.engine.connect() as connection:
        row = connection.execute(select(table(Outlet)).where(table(Outlet).c.id == outlet)).mappings().first()
        if row is None:
            return None
        some = _somebody(connection, str(row["kind"])) if row["roster"] else []
    if not may_notify:
        return {"ok": False, "outlet": row["name"], "answer": REFUSED, "wall_s": 0.0}
    outfit = outfit_of(row, register.sealer)
    language: Language = "en" if outfit.language == "en" else "zh"
    to = [] if outfit.config.get("to") else some
    message = Message(test_text(outfit.name, by, language), uuid.uuid4().hex, to, language=language)
    begun = time.monotonic()
    outcome = _send(outfit, message)
    wall = time.monotonic() - begun
    now = utcnow()
    logged = {
        "outlet_id": outlet,
        "outlet": outfit.name,
        "event": "test",
        "queued_at": now - timedelta(seconds=wall),
        "due_at": now - timedelta(seconds=wall),
        "status": "sent" if outcome.ok else "dropped",
        "attempts": 1,
        "sent_at": now if outcome.ok else None,
        "via_id": outlet,
        "error": "" if outcome.ok else outcome.answer[:300],
        "delay_s": round(wall, 3),
        "message": message.key,
        "body": message.text,
    }
    with register.write() as session:
        session.connection().execute(insert(table(Delivery)), [complete(Delivery, logged)])
    return {"ok": outcome.ok, "outlet": outfit.name, "answer": outcome.answer, "wall_s": round(wall, 3)}


def _somebody(connection: Any, kind: str) -> list[str]:
    """The first contact that the outlet could reach: a test needs an address."""
    row = table(Contact)
    column = row.c.phone if kind == OutletKind.sms else row.c.mail
    return list(connection.execute(select(column).where(column != "").order_by(row.c.id).limit(1)).scalars())


def _send(outfit: Outfit, message: Message) -> Outcome:
    if outfit.fault:
        return Outcome(False, outfit.fault)
    if outfit.kind == OutletKind.alertmanager:
        outcome = _alert(outfit.config["url"], message)
    else:
        sender = KINDS[outfit.kind].make(outfit.config)
        try:
            outcome = sender.send(message)
        finally:
            sender.close()
    return Outcome(outcome.ok, scrub(outcome.answer, outfit.config))


def _alert(url: str, message: Message) -> Outcome:
    """An alert of one minute, by the name EdunetTest."""
    now = utcnow()
    alert = {
        "labels": {"alertname": "EdunetTest", "source": "edunet", "severity": "warning"},
        "annotations": {"summary": message.text},
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=1)).isoformat(),
    }
    try:
        with httpx.Client(timeout=5.0, trust_env=False) as client:
            answer = client.post(f"{url.rstrip('/')}/api/v2/alerts", json=[alert])
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome(False, f"{type(error).__name__}: {error}")
    return Outcome(answer.is_success, f"HTTP {answer.status_code}: {answer.text[:200]}")
