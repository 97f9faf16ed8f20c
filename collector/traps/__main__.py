"""`python -m collector.traps --channel FD`: started by `collector/child.py` alone."""

import sys

from collector.child_main import run_child
from collector.wire import Channel


def run(channel: Channel) -> None:
    """Hear traps."""
    from collector.traps.process import TrapProcess

    TrapProcess(channel).run()


if __name__ == "__main__":
    sys.exit(run_child(__doc__, run))
