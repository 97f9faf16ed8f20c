"""How a child process of the collector begins: on an inherited channel, never outliving its parent."""

import argparse
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

from collector.heap import keep_small
from collector.wire import Channel, ChannelClosedError

PR_SET_PDEATHSIG = 1

SWITCH_S = 0.0005
"""A thread that decodes names gives way to the clock loop after so long; Python's 5 ms, before each of a thousand batches of pings, make a round late."""


def run_child(description: str | None, run: Callable[[Channel], None], arguments: list[str] | None = None) -> int:
    """Call `run` with the channel that the command line names, until it closes. The exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--channel", type=int, required=True, help="descriptor of the socket to the judge's process")
    parser.add_argument("--parent", type=int, required=True, help="its process id: without it there is nothing to do")
    options = parser.parse_args(arguments)
    # The parent's death ends this process even while it hangs in a probe (prctl(2)).
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != options.parent:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent says when it is over
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    keep_small()
    sys.setswitchinterval(SWITCH_S)
    try:
        run(Channel(socket.socket(fileno=options.channel)))
    except ChannelClosedError:
        pass
    return 0
