"""`python -m collector.rounds --channel FD`: started by `collector/service.py` alone."""

import argparse
import ctypes
import os
import signal
import socket
import sys

from collector.wire import Channel, ChannelClosedError

PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> int:
    """Run the rounds over an inherited socket until it closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channel", type=int, required=True, help="descriptor of the socket to the judge's process")
    parser.add_argument("--parent", type=int, required=True, help="its process id: without it there is nothing to do")
    options = parser.parse_args(arguments)
    # The parent's death ends this process even while it hangs in a probe (prctl(2)).
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != options.parent:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent says when it is over
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from collector.rounds.process import RoundsProcess

    try:
        RoundsProcess(Channel(socket.socket(fileno=options.channel))).run()
    except ChannelClosedError:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
