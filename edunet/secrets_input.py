"""Secrets on their way in: by prompt, standard input, a file or the environment; never needed on the command line."""

import os
import sys
from pathlib import Path

import typer


def read_secret(given: str | None, variable: str, what: str) -> str:
    """The secret that `given` names: `-` standard input (a line), `@FILE` (its first line), None: the environment's `variable`, else a prompt.

    Anything else is the secret itself, as a test may pass it. Exit code 2 where there is none to be had.
    """
    from inventory.words import say

    if given == "-":
        value = sys.stdin.readline().rstrip("\r\n")
    elif given and given.startswith("@"):
        try:
            value = (Path(given[1:]).read_text(encoding="utf-8").splitlines() or [""])[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{given[1:]}: {error}") from None
    elif given:
        value = given
    elif os.environ.get(variable):
        value = os.environ[variable]
    elif sys.stdin.isatty():
        value = typer.prompt(say(what), hide_input=True, err=True)
    else:
        value = ""
    if not value:
        message = say(
            "No secret was given for {what}: answer the prompt, or give -, @FILE or the variable {variable}",
            what=say(what),
            variable=variable,
        )
        print(message, file=sys.stderr)
        raise typer.Exit(2)
    return value
