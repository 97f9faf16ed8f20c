"""People: passwords (argon2), one-time sign-in links, tokens for scripts.

Secrets are shown once, to the caller; the register keeps hashes alone.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from inventory.models import LoginLink, LoginSession, Role, Token, User, table, utcnow

MIN_PASSWORD = 10
"""Characters (NIST SP 800-63B asks for 8; a county's console stands open more often than a mailbox)."""

LINK_LIFE = timedelta(hours=1)


class WeakPasswordError(ValueError):
    """Too short, or the user's own name."""


def create_user(
    session: Session,
    name: str,
    password: str | None = None,
    role: Role = Role.viewer,
    region_id: int | None = None,
    must_change: bool = False,
) -> User:
    """Add a user; without a password nobody can sign in until `set_password` or a link. ValueError where the name is taken or empty."""
    name = name.strip()
    if not name:
        raise ValueError("a user needs a name")
    if find_user(session, name):
        raise ValueError(f"there is a user {name!r} already")
    user = User(name=name, role=role, region_id=region_id, must_change=must_change)
    if password is not None:
        check_password(name, password)
        user.password_hash = _hasher().hash(password)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, name: str) -> User | None:
    """By name, whatever its case."""
    row = table(User)
    number = (
        session.connection().execute(select(row.c.id).where(func.lower(row.c.name) == name.strip().lower())).scalar()
    )
    return session.get(User, number) if number is not None else None


def check_password(name: str, password: str) -> None:
    """WeakPasswordError where it is too weak."""
    if len(password) < MIN_PASSWORD:
        raise WeakPasswordError(f"a password needs at least {MIN_PASSWORD} characters")
    if name.lower() in password.lower() and len(password) < len(name) + MIN_PASSWORD:
        raise WeakPasswordError("a password must not be the user's name")


def set_password(session: Session, user: User, password: str, must_change: bool = False) -> None:
    """Give a new password, and end the user's sessions and unused links."""
    check_password(user.name, password)
    user.password_hash = _hasher().hash(password)
    user.must_change = must_change
    user.row_version += 1
    session.add(user)
    session.flush()
    end_sessions(session, user)


def reset_password(session: Session, user: User) -> str:
    """Give a generated password, which must be changed at the first sign-in, and return it."""
    password = generate_password()
    set_password(session, user, password, must_change=True)
    return password


def disable_user(session: Session, user: User, disabled: bool = True) -> None:
    """Shut a user out now, or let in again. ValueError where it is the last administrator."""
    if disabled and user.role is Role.administrator and _administrators(session) <= 1 and not user.disabled:
        raise ValueError("this is the last administrator")
    user.disabled = disabled
    user.row_version += 1
    session.add(user)
    session.flush()
    if disabled:
        end_sessions(session, user)


def end_sessions(session: Session, user: User) -> None:
    """Sign the user out everywhere, and void the links not yet used."""
    for model in (LoginSession, LoginLink):
        row = table(model)
        session.connection().execute(delete(row).where(row.c.user_id == user.id))


def verify_password(session: Session, name: str, password: str) -> User | None:
    """The user whose name and password these are, or None; takes as long for a name that is unknown. Old hashes are renewed."""
    user = find_user(session, name)
    if user is None or user.disabled or not user.password_hash:
        _hasher().verify(password, _dummy())
        return None
    right, renewed = _hasher().verify_and_update(password, user.password_hash)
    if not right:
        return None
    if renewed:
        user.password_hash = renewed
        session.add(user)
    return user


def make_login_link(session: Session, user: User, life: timedelta = LINK_LIFE) -> str:
    """A token for one sign-in, for `/login/link?token=...` or the like."""
    token = secrets.token_urlsafe(32)
    session.add(LoginLink(token_hash=hash_token(token), user_id=user.id or 0, expires_at=utcnow() + life))
    session.flush()
    return token


def redeem_login_link(session: Session, token: str) -> User | None:
    """The user of a link, once; None where it is unknown, used, expired, or the user disabled."""
    row = table(LoginLink)
    fresh = (row.c.token_hash == hash_token(token), row.c.used_at.is_(None), row.c.expires_at > utcnow())
    done = (
        session.connection()
        .execute(update(row).where(*fresh).values(used_at=utcnow()).returning(row.c.user_id))
        .first()
    )
    user = session.get(User, done[0]) if done else None
    return user if user and not user.disabled else None


def make_token(session: Session, user: User, name: str, scope: str = "read", expires_at: datetime | None = None) -> str:
    """A bearer token. scope: metrics, read or write."""
    if scope not in ("metrics", "read", "write"):
        raise ValueError(f"scope {scope!r}: metrics, read or write")
    token = "edu_" + secrets.token_urlsafe(32)
    session.add(
        Token(name=name, token_hash=hash_token(token), user_id=user.id or 0, scope=scope, expires_at=expires_at)
    )
    session.flush()
    return token


def verify_token(session: Session, token: str) -> tuple[User, Token] | None:
    """The user and the row of a bearer token; None where it is unknown, expired, or the user disabled."""
    row = table(Token)
    number = session.connection().execute(select(row.c.id).where(row.c.token_hash == hash_token(token))).scalar()
    found = session.get(Token, number) if number is not None else None
    if found is None or (found.expires_at and found.expires_at <= utcnow()):
        return None
    user = session.get(User, found.user_id)
    return (user, found) if user and not user.disabled else None


def ensure_administrator(session: Session) -> tuple[str, str] | None:
    """Where there is no administrator who can sign in: make `admin` (or revive it), and return its name and generated password."""
    if _administrators(session):
        return None
    user = find_user(session, "admin")
    password = generate_password()
    if user is None:
        create_user(session, "admin", password, Role.administrator)
    else:
        user.role, user.disabled, user.region_id = Role.administrator, False, None
        set_password(session, user, password)
    return "admin", password


def generate_password() -> str:
    """Four groups of four letters and digits that are not mistaken for each other: 79 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def hash_token(token: str) -> str:
    """SHA-256 in hex, as the tables keep cookies, links and tokens (they have 256 bits: no salt is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def _administrators(session: Session) -> int:
    row = table(User)
    statement = (
        select(func.count())
        .select_from(row)
        .where(row.c.role == Role.administrator, row.c.disabled.is_(False), row.c.region_id.is_(None))
    )
    return int(session.connection().execute(statement).scalar() or 0)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
