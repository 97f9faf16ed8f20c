"""The command `edunet`: a row for each group of subcommands.

A command's module imports what is heavy inside its functions, so that `edunet --help` answers at once.
"""

import importlib

import typer

from edunet.mishaps import Explained

COMMANDS: tuple[str, ...] = (
    "up",
    "api",
    "collector",
    "vantage",
    "imports",
    "check",
    "zone",
    "credential",
    "user",
    "demo",
    "probe",
    "outages",
    "outlet",
    "replay",
    "version",
)
"""Modules of `edunet/commands/`, in the order of the help; each has `register(app)`."""

app = typer.Typer(
    cls=Explained,
    name="edunet",
    help="The monitor of an education network: which schools are cut off, why, since when, whom to call.\n\n"
    "Exit codes: 0 done, 1 it failed, 2 wrong use (an unknown option, a wrong file).",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
)


@app.callback(help=app.info.help)
def edunet() -> None:
    """Keep subcommands subcommands, however few there are."""


for _name in COMMANDS:
    importlib.import_module(f"edunet.commands.{_name}").register(app)


if __name__ == "__main__":
    app(prog_name="edunet")
