"""`python -m collector.rounds --channel FD`: started by `collector/child.py` alone."""

import sys

from collector.child_main import run_child
from collector.wire import Channel


def run(channel: Channel) -> None:
    """Ask in rounds."""
    from collector.rounds.process import RoundsProcess

    RoundsProcess(channel).run()


if __name__ == "__main__":
    sys.exit(run_child(__doc__, run))
