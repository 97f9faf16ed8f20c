"""What is kept for a time only: the built-in curves, and sessions that have ended."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from inventory import history
from inventory.database import Register
from inventory.models import LoginLink, LoginSession, table, utcnow

SESSION_DAYS = 30
"""A browser's session that was not used for so long is taken away."""


def forget_old(register: Register, history_days: int) -> None:
    """Take away what is older."""
    now = utcnow()
    session_row: Any = table(LoginSession)
    link: Any = table(LoginLink)
    with register.write() as session:
        history.forget(session, history.retention_start(now, history_days))
        connection = session.connection()
        connection.execute(delete(session_row).where(session_row.c.used_at < now - timedelta(days=SESSION_DAYS)))
        connection.execute(delete(link).where(link.c.expires_at < now - timedelta(days=1)))
