"""Style and scripts: read once, compressed once, kept in memory; addresses carry a checksum, so that browsers may keep them for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.security import public

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "static", _HERE / "vendor")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, the same compressed, its media type and the first digits of its SHA-256."""

    plain: bytes
    packed: bytes
    media_type: str
    digest: str


@lru_cache(maxsize=64)
def load_asset(name: str) -> Asset | None:
    """The file `name` of `static/` or `vendor/`, or None where it is not one that is served."""
    kind = Path(name).suffix
    if kind not in _TYPES or "/" in name or "\\" in name:
        return None
    for folder in _FOLDERS:
        path = folder / name
        if path.is_file():
            plain = path.read_bytes()
            return Asset(plain, gzip.compress(plain, 9, mtime=0), _TYPES[kind], hashlib.sha256(plain).hexdigest()[:12])
    return None


@lru_cache(maxsize=64)
def asset_url(name: str) -> str:
    """The address of a file, with its checksum. KeyError where there is no such file."""
    asset = load_asset(name)
    if asset is None:
        raise KeyError(name)
    return f"/assets/{name}?v={asset.digest}"


@router.get("/assets/{name}")
def serve_asset(name: str, request: Request, v: str = "") -> Response:
    """One file; with the right `v` it may be kept for a year."""
    asset = load_asset(name)
    if asset is None:
        raise HTTPException(404)
    etag = f'"{asset.digest}"'
    headers = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": "public, max-age=31536000, immutable" if v == asset.digest else "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.plain, media_type=asset.media_type, headers=headers)


@router.get("/favicon.ico")
def serve_icon() -> Response:
    """The icon, for browsers that ask for it by its old name."""
    asset = load_asset("icon.svg")
    assert asset is not None, "static/icon.svg is shipped"
    return Response(asset.plain, media_type=asset.media_type, headers={"Cache-Control": "public, max-age=86400"})
