"""Static files with an address that names their content, so that browsers keep them for ever."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_DIR = Path(__file__).parent / "pages" / "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


def static_url(path: str) -> str:
    """The address of a file below `api/pages/static`, with the hash of its content: `/static/app.css?v=1f2e3d4c5b6a`."""
    return f"/static/{path}?v={content_hash(path)}"


def content_hash(path: str) -> str:
    """12 hex digits of the file's SHA-256; read again when the file changes."""
    file = STATIC_DIR / path
    return _hash(file, os.stat(file).st_mtime_ns)


@lru_cache(maxsize=512)
def _hash(file: Path, _mtime: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


class HashedFiles(StaticFiles):
    """Kept for ever where the address carries the content's hash; else asked about again by ETag."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        version = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v", [""])[0]
        fresh = response.status_code in (200, 304) and version and version == content_hash(path)
        response.headers["cache-control"] = FOR_EVER if fresh else ASK_AGAIN
        return response
