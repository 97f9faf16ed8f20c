"""What people look at: routes, templates, static files and message catalogues (docs/pages.md)."""

from api.pages.account import PageRenderer
from api.pages.routes import router

renderer = PageRenderer()
"""The pages that sign-in and errors show."""

__all__ = ["renderer", "router"]
