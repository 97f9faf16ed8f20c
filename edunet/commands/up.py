"""edunet up: everything by one command."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def up(
        listen: Annotated[
            str,
            typer.Option(envvar="LISTEN", help="ADDRESS or ADDRESS:PORT instead of `api.listen`; TLS beyond loopback."),
        ] = "",
        demo: Annotated[
            bool | None,
            typer.Option("--demo/--no-demo", help="With or without the demonstration, whatever the register holds."),
        ] = None,
    ) -> None:
        """Start everything: pages, collector, and on an empty register the demonstration province. Ctrl-C ends it.

        Examples: `edunet up` - `edunet up --listen 0.0.0.0:8080` - `edunet up --no-demo`
        """
        from edunet.registry import load_settings
        from edunet.up import CannotStartError, Up

        settings = load_settings()
        try:
            code = Up(settings, listen, demo).run()
        except CannotStartError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        raise typer.Exit(code)
