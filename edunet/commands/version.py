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
        from probes import engine

        v3_plain = bool(engine.plain_beside())
        if as_json:
            said = {"edunet": __version__, "python": platform.python_version(), "engine": engine.NAME}
            print(json.dumps({**said, "engine_plain_because": engine.WHY_PLAIN or None, "snmpv3_plain": v3_plain}))
            return
        print(f"edunet {__version__} (Python {platform.python_version()}, engine {engine.NAME})")
        from inventory.words import say

        if engine.WHY_PLAIN:
            print(say("The engine runs as plain Python, slower: {why}", why=engine.WHY_PLAIN))
        if v3_plain:
            print(say("SNMPv3 runs as plain Python, slower: install libssl-dev, then `make install`"))
