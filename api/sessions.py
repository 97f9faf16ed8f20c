"""Browser sessions, one-time links and bearer tokens in the register. Only hashes are kept; ends are decided purely."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from inventory.models import LoginLink, LoginSession, Token, User, utcnow
from inventory.users import hash_token, verify_token

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


def is_over(created: datetime, used: datetime, now: datetime, ends: Ends) -> bool:
    """Whether a session has ended."""
    return now - used > ends.idle or now - created > ends.absolute


def open_session(session: Session, user_id: int, address: str, ends: Ends) -> Opened:
    """A new session of a user; old ones that ended are cleared away. The caller commits."""
    now = utcnow()
    session.connection().execute(delete(LoginSession).where(col(LoginSession.created_at) < now - ends.absolute))
    opened = Opened(secrets.token_urlsafe(32), secrets.token_urlsafe(24))
    row = LoginSession(
        token_hash=hash_token(opened.cookie), user_id=user_id, csrf=opened.csrf, address=address[:45], created_at=now
    )
    session.add(row)
    return opened


def find_session(session: Session, cookie: str, ends: Ends) -> tuple[User, LoginSession] | None:
    """The user and session of a cookie; None where it is unknown, ended, or the user is disabled."""
    statement = select(User, LoginSession).join(LoginSession, col(LoginSession.user_id) == col(User.id))
    found = session.exec(statement.where(LoginSession.token_hash == hash_token(cookie))).first()
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
    session.connection().execute(delete(LoginSession).where(col(LoginSession.token_hash) == hash_token(cookie)))


def find_token(session: Session, secret: str) -> tuple[User, Token] | None:
    """The user and row of a bearer token; None where it is unknown, expired, or the user is disabled."""
    found = verify_token(session, secret)
    if found is None:
        return None
    token, now = found[1], utcnow()
    if token.used_at is None or now - token.used_at > TOUCH_EVERY:
        session.connection().execute(update(Token).where(col(Token.id) == token.id).values(used_at=now))
        session.commit()
    return found


def peek_link(session: Session, secret: str) -> LoginLink | None:
    """The one-time link of this secret, unless it was used or has expired; using is `inventory.users.redeem_login_link`'s."""
    row = session.exec(select(LoginLink).where(LoginLink.token_hash == hash_token(secret))).first()
    if row is None or row.used_at is not None or row.expires_at <= utcnow():
        return None
    return row
