"""edunet probe device (to be written by its owner)."""

import typer


def register(group: typer.Typer) -> None:
    """Add the command to `group`."""
