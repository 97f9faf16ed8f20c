"""Browser sessions, one-time links and bearer tokens in the register. Only hashes are kept; ends are decided purely."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from inventory.models import LoginLink, LoginSession, Token, User, utcnow

TOUCH_EVERY = timedelta(seconds=60)
"""A session's and a token's last use is written at most so often: reading must not write."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How long a session lasts: without use, and in any case."""

    idle: timedelta
    absolute: timedelta


class Opened(NamedTuple):
    """A new session: the cookie's value, and the CSRF token."""

    cookie: str
    csrf: str


def hash_of(secret: str) -> str:
    """SHA-256 in hex of a random secret (256 bits: no salt or stretching needed)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_over(created: datetime, used: datetime, now: datetime, ends: Ends) -> bool:
    """Whether a session has ended."""
    return now - used > ends.idle or now - created > ends.absolute


def open_session(session: Session, user_id: int, address: str, ends: Ends) -> Opened:
    """A new session of a user; old ones that ended are cleared away. The caller commits."""
    now = utcnow()
    session.connection().execute(delete(LoginSession).where(col(LoginSession.created_at) < now - ends.absolute))
    opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(24))
    row = LoginSession(
        token_hash=hash_of(opened.cookie), user_id=user_id, csrf=opened.csrf, address=address[:45], created_at=now
    )
    session.add(row)
    return opened


def find_session(session: Session, cookie: str, ends: Ends) -> tuple[User, LoginSession] | None:
    """The user and session of a cookie; None where it is unknown, ended, or the user is disabled."""
    statement = select(User, LoginSession).join(LoginSession, col(LoginSession.user_id) == col(User.id))
    found = session.exec(statement.where(LoginSession.token_hash == hash_of(cookie))).first()
    if found is None:
        return None
    user, row = found
    if user.disabled or is_over(row.created_at, row.used_at, utcnow(), ends):
        return None
    return user, row


def touch_session(session: Session, row: LoginSession) -> None:
    """Note the use of a session, at most once a minute. Commits where it wrote."""
    now = utcnow()
    if now - row.used_at > TOUCH_EVERY:
        statement = update(LoginSession).where(col(LoginSession.id) == row.id).values(used_at=now)
        session.connection().execute(statement)
        session.commit()


def end_session(session: Session, cookie: str) -> None:
    """Forget a session. The caller commits."""
    session.connection().execute(delete(LoginSession).where(col(LoginSession.token_hash) == hash_of(cookie)))


def end_sessions_of(session: Session, user_id: int, but: str = "") -> None:
    """Forget all sessions of a user, but the one with this cookie. The caller commits."""
    statement = delete(LoginSession).where(col(LoginSession.user_id) == user_id)
    session.connection().execute(statement.where(col(LoginSession.token_hash) != (hash_of(but) if but else "")))


def find_token(session: Session, secret: str) -> tuple[User, Token] | None:
    """The user and row of a bearer token; None where it is unknown, expired, or the user is disabled."""
    statement = select(User, Token).join(Token, col(Token.user_id) == col(User.id))
    found = session.exec(statement.where(Token.token_hash == hash_of(secret))).first()
    if found is None:
        return None
    user, token = found
    now = utcnow()
    if user.disabled or (token.expires_at is not None and token.expires_at <= now):
        return None
    if token.used_at is None or now - token.used_at > TOUCH_EVERY:
        session.connection().execute(update(Token).where(col(Token.id) == token.id).values(used_at=now))
        session.commit()
    return user, token


def peek_link(session: Session, secret: str) -> LoginLink | None:
    """The one-time link of this secret, unless it was used or has expired; using is `take_link`'s."""
    row = session.exec(select(LoginLink).where(LoginLink.token_hash == hash_of(secret))).first()
    if row is None or row.used_at is not None or row.expires_at <= utcnow():
        return None
    return row


def take_link(session: Session, secret: str) -> User | None:
    """Use a one-time link: its user, once. The caller commits."""
    row = peek_link(session, secret)
    if row is None:
        return None
    statement = update(LoginLink).where(col(LoginLink.id) == row.id, col(LoginLink.used_at).is_(None))
    taken = session.connection().execute(statement.values(used_at=utcnow()))
    if taken.rowcount != 1:  # another request was quicker
        return None
    user = session.get(User, row.user_id)
    return None if user is None or user.disabled else user
