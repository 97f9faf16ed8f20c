"""edunet version."""

import json
import platform

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def version(as_json: bool = typer.Option(False, "--json", help="One JSON object.")) -> None:
        """Say which edunet this is. Example: `edunet version --json`"""
        from edunet import __version__

        if as_json:
            print(json.dumps({"edunet": __version__, "python": platform.python_version()}))
        else:
            print(f"edunet {__version__} (Python {platform.python_version()})")
