"""Mishaps of the installation that a person can mend become one line and an exit code; what is our own fault keeps its traceback."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from edunet.language import in_language, translate

WRONG_USE = 2
FAILED = 1


def explain(error: BaseException) -> tuple[str, int] | None:
    """What to say of an error (one line) and the exit code, or None where it is a fault of the program.

    OSError (a directory that cannot be written, a socket that is gone, a full disk), the database that cannot be opened, a
    schema newer than the program, and a key file that is missing, broken or another one. Nothing heavy is imported: a library
    that was never loaded has not failed.
    """
    from inventory.words import say

    if isinstance(error, OSError):
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror or error}", FAILED
    if _is(error, "inventory.sealing", "UnsealError"):
        return say("A sealed credential cannot be read: {why}", why=str(error)), FAILED
    if _is(error, "sqlalchemy.exc", "ArgumentError") or _is(error, "sqlalchemy.exc", "NoSuchModuleError"):
        return say("inventory.database_url is no database address: {why}", why=_first_line(error)), WRONG_USE
    if _is(error, "sqlalchemy.exc", "OperationalError") or type(error).__name__ == "DatabaseError":
        return say(
            "The register cannot be opened: {why}", why=_first_line(getattr(error, "orig", None) or error)
        ), FAILED
    if _is(error, "alembic.util.exc", "CommandError"):
        return say("The register was written by a newer edunet: {why}", why=_first_line(error)), FAILED
    return None


def _is(error: BaseException, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(error, kind)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _translate_use(error: Any) -> None:
    """Let an error of wrong use (typer's, which has `format_message`) be said in the command's language."""
    said = getattr(error, "format_message", None)
    if said is not None:
        error.format_message = lambda: in_language(said())


class Explained(TyperGroup):
    """The command's group: speaks the command's language; a mishap is said on stderr and ends with its exit code
    (log level debug: with its traceback).
    """

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command."""
        translate(self)
        return super().main(*args, **options)

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the command line."""
        try:
            return super().make_context(*args, **options)
        except Exception as error:
            _translate_use(error)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand. ctx: the context; its class is typer's or click's own, by typer's version."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            _translate_use(error)
            explained = None if isinstance(error, BrokenPipeError) else explain(error)  # `| head`: click's own matter
            if explained is None or os.environ.get("EDUNET_LOG__LEVEL", "").lower() == "debug":
                raise
            message, code = explained
            typer.echo(f"edunet: {message}", err=True)
            raise typer.Exit(code) from None
