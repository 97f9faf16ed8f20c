"""All pages, a row each."""

from fastapi import APIRouter

from api.pages import (
    account,
    board,
    deliveries,
    device,
    diagnosis,
    handling,
    importing,
    incidents,
    lists,
    outages,
    region,
    school,
    silences,
    start,
    static_files,
    unwatched,
    walls,
    why,
    windows,
)
from api.pages.settings import index as settings

router = APIRouter()

PAGES = (
    static_files,
    board,
    incidents,
    handling,
    outages,
    diagnosis,
    lists,
    school,
    device,
    region,
    start,
    importing,
    deliveries,
    why,
    windows,
    silences,
    unwatched,
    settings,
    walls,
    account,
)
"""Modules of pages; each has `router`. Lists come before single things: `/schools` before `/schools/{number}`."""

for _page in PAGES:
    router.include_router(_page.router)
