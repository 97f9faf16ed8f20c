"""Links of wall screens, as they are opened."""

from datetime import timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from inventory.models import Region, WallLink, utcnow
from inventory.scope import Scope
from inventory.users import hash_token

TOUCH_EVERY = timedelta(seconds=60)
"""The last use is written at most so often: a wall asks every few seconds."""


def open_link(session: Session, secret: str) -> tuple[WallLink, Scope] | None:
    """The link and what it shows; None where it is unknown, revoked or has ended, or its region is gone."""
    link = session.exec(select(WallLink).where(WallLink.token_hash == hash_token(secret))).first()
    now = utcnow()
    if link is None or (link.expires_at is not None and link.expires_at <= now):
        return None
    region = session.get(Region, link.region_id) if link.region_id is not None else None
    if link.region_id is not None and region is None:
        return None
    scope = Scope.under(region) if region is not None else Scope()
    session.expunge(link)
    if link.used_at is None or now - link.used_at > TOUCH_EVERY:
        session.connection().execute(update(WallLink).where(col(WallLink.id) == link.id).values(used_at=now))
        session.commit()
    return link, scope
