"""Rounds of pings over thousands of targets: raw ICMP where it is allowed, else datagram ICMP, fping, TCP connects.

pinger = open_pinger()
readings = pinger.round(PingTargets(["127.0.0.1", "::1"]), count=3)
"""

from collections.abc import Sequence

from probes.icmp import fping, sockets
from probes.icmp.fping import FpingPinger
from probes.icmp.pinger import HINT, Pinger, SocketPinger
from probes.icmp.readings import PingReadings, PingTargets, merge
from probes.icmp.tcp import TcpPinger

__all__ = ["HINT", "METHODS", "PingReadings", "PingTargets", "Pinger", "merge", "open_pinger"]

METHODS = ("raw", "dgram", "fping", "tcp")
"""Ways to ping, the best first."""


def open_pinger(
    method: str | None = None,
    tcp_ports: Sequence[int] = (443, 80, 22, 23),
    *,
    engine: str = "",
    resets_are_life: bool = False,
) -> Pinger:
    """The best way of pinging that works here, or the one that is named; PermissionError where that one does not work.

    `resets_are_life`: by TCP, whether a refused connection counts as an answer.
    """
    if method is not None and method not in METHODS:
        raise ValueError(f"method {method!r}: one of {', '.join(METHODS)}")
    for name in METHODS if method is None else (method,):
        if name in ("raw", "dgram") and sockets.is_allowed(name):
            return SocketPinger(name, engine=engine)
        if name == "fping" and fping.is_usable():
            return FpingPinger()
        if name == "tcp":
            return TcpPinger(tcp_ports, resets_are_life=resets_are_life)
    raise PermissionError(f"pinging by {method} is not allowed or not installed here; {HINT}")
