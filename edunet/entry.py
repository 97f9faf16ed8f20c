"""The console script: the language first, for click and typer ask for their words when they are imported."""

from edunet.language import speak


def run() -> None:
    """Run the command `edunet`."""
    speak()
    from edunet.main import app

    app(prog_name="edunet")
