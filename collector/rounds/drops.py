"""Answers that the pollers did not believe, summed up over all rounds of this process: each reason has a count from the start."""

import threading

from probes.icmp.readings import PingReadings
from probes.snmp.poll import SnmpReadings

SNMP = ("foreign", "broken", "late", "unauthentic", "stale", "by_kernel")
"""From another address or with another request id; no message; too late; v3 with a wrong digest; v3 out of time; no room in the receive buffer."""

ICMP = ("foreign", "broken", "duplicates")


class Drops:
    """Taken from any thread."""

    def __init__(self) -> None:
        self._snmp = dict.fromkeys(SNMP, 0)
        self._icmp = dict.fromkeys(ICMP, 0)
        self._lock = threading.Lock()

    def take_snmp(self, readings: SnmpReadings) -> None:
        """Those of one round."""
        with self._lock:
            for reason in SNMP:
                self._snmp[reason] += getattr(readings, f"dropped_{reason}")

    def take_pings(self, readings: PingReadings) -> None:
        """Those of one round."""
        with self._lock:
            for reason in ICMP:
                self._icmp[reason] += getattr(readings, reason)

    def as_value(self) -> dict[str, dict[str, int]]:
        """{protocol: {reason: count}}."""
        with self._lock:
            return {"snmp": dict(self._snmp), "icmp": dict(self._icmp)}
