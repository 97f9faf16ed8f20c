"""edunet up (to be written by its owner)."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
