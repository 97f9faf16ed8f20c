"""Rounds of SNMP reads over batches: thousands of devices, a handful of packets each, chosen columns only.

All are asked by the batch engine: v3 wrapped on its way (`secure_channel`), v1 and agents that know no GETBULK by GETNEXT.
"""

import secrets
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from probes import engine as engines
from probes.engine.channel import Channel, pack_addresses
from probes.snmp.credential import Credential
from probes.snmp.oids import IF_COLUMNS
from probes.snmp.pace import Asking, Pace
from probes.snmp.poll_loop import Lane, Limits, RoundLoop
from probes.snmp.poll_state import (
    ANSWERS,
    ARENA,
    BROKEN,
    COUNTER32,
    ERRORS,
    FOREIGN,
    LATE,
    LOOPS,
    NARROW_COLUMNS,
    NARROW_ONLY,
    NEXT_V1,
    NOTHING,
    SPENT,
    USUAL_PORTS,
    VALUES,
    WIDE_ONLY,
    RoundArrays,
    SnmpReadings,
)
from probes.snmp.secure import Agent
from probes.snmp.secure_channel import Sealing, SecureChannel
from probes.snmp.timers import Clock, WallClock

__all__ = ["COUNTER32", "IF_COLUMNS", "Asking", "SnmpPoller", "SnmpReadings", "SnmpTargets"]

IP_MTU_DISCOVER, IP_PMTUDISC_PROBE = 10, 3
FELL_SILENT = "the agent made its engine known, then fell silent: wrong privacy password or protocol?"

Progress = Callable[[int], None]


class SnmpTargets:
    """Devices to read, prepared once for a plan, and what rounds have learnt of each.

    `pace` has what was learnt, in columns, and how the operator wants each to be asked; of v3 targets `agents` the engine, clock and keys, by
    the target's number.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        ports: Sequence[int] | int = 161,
        credentials: Sequence[Credential] | Credential | None = None,
        if_index: Sequence[Sequence[int] | None] | None = None,
        askings: Sequence[Asking] = (Asking(),),
        asking_of: np.ndarray | None = None,
    ) -> None:
        """Numeric IPv4 and IPv6 addresses, one port and credential for all or one each. ValueError names an address that is none.

        `asking_of`: int[n], which of `askings` holds for each; None: the first for all.
        """
        n = len(addresses)
        self.addresses = list(addresses)
        self.ports = [ports] * n if isinstance(ports, int) else list(ports)
        given = credentials if credentials is not None else Credential()
        self.credentials = [given] * n if isinstance(given, Credential) else list(given)
        if len(self.ports) != n or len(self.credentials) != n:
            raise ValueError(f"{n} addresses, {len(self.ports)} ports, {len(self.credentials)} credentials")
        self.packed, self.wide = pack_addresses(list(zip(self.addresses, self.ports, strict=True)))
        self.pace = Pace(n, askings, np.zeros(n, np.int32) if asking_of is None else asking_of)
        self.secure = np.zeros(n, np.bool_)
        if not isinstance(given, Credential) or given.version != "2c":
            self.pace.dialect[[credential.version == "1" for credential in self.credentials]] = NEXT_V1
            self.secure[:] = [credential.version == "3" for credential in self.credentials]
        self.agents = {number: Agent(self.credentials[number]) for number in np.flatnonzero(self.secure).tolist()}
        numbers: dict[bytes, int] = {}
        if isinstance(given, Credential):
            numbers[_community(given)] = 0
            self.community_of = np.zeros(n, np.int32)
        else:
            found = [numbers.setdefault(_community(credential), len(numbers)) for credential in self.credentials]
            self.community_of = np.array(found, np.int32)
        self.communities = list(numbers)
        if any(len(community) > 255 for community in self.communities):
            raise ValueError("a community of more than 255 bytes")
        if if_index is not None:
            self.pace.expected[:] = [-1 if known is None else len(known) for known in if_index]

    def __len__(self) -> int:
        return len(self.addresses)

    def inherit(self, old: "SnmpTargets", pairs: Sequence[tuple[int, int]]) -> None:
        """Take over what was learnt of devices that remain: (number here, number there). Another address or credential is another device."""
        same = [
            (mine, theirs)
            for mine, theirs in pairs
            if self.addresses[mine] == old.addresses[theirs]
            and self.ports[mine] == old.ports[theirs]
            and self.credentials[mine] == old.credentials[theirs]
        ]
        if not same:
            return
        self.pace.inherit(old.pace, *(np.array(numbers, np.int64) for numbers in zip(*same, strict=True)))
        for mine, theirs in same:
            if theirs in old.agents:
                self.agents[mine] = old.agents[theirs]

    def duplicates(self) -> dict[bytes, list[int]]:
        """snmpEngineIDs that more than one address and port claims: engineID → targets. A cloned configuration, or one device twice."""
        claimed: dict[bytes, dict[tuple[str, int], list[int]]] = {}
        for number, agent in self.agents.items():
            if agent.engine_id:
                where = self.addresses[number], self.ports[number]
                claimed.setdefault(agent.engine_id, {}).setdefault(where, []).append(number)
        return {
            engine_id: sorted(number for numbers in places.values() for number in numbers)
            for engine_id, places in claimed.items()
            if len(places) > 1
        }


class SnmpPoller:
    """Reads rounds. One for each thread; keeps its sockets from round to round, a new source port for each poller."""

    def __init__(
        self,
        *,
        engine: str = "",
        window: int = 1024,
        buffer_bytes: int = 32 << 20,
        clock: Callable[[Sequence[Channel]], Clock] = WallClock,
        channel: Callable[[bool], Channel] | None = None,
    ) -> None:
        """`engine`: compiled or python, empty for the running one. `window`: most answers awaited at once, if buffers allow.

        `clock`, `channel`: another time and network than the machine's, for all targets; `channel` is told whether it is for v3.
        """
        self.engine: str = engine or engines.NAME
        self.window = window
        self._walk = engines.load("walk", self.engine)  # type: ignore[arg-type]  # checked there
        self._buffer_bytes = buffer_bytes
        self._channels: dict[tuple[bool, bool], Channel] = {}
        self.clock, self._open = clock, channel

    def round(
        self,
        targets: SnmpTargets,
        *,
        select: np.ndarray | None = None,
        deadline_s: float = 12.0,
        attempts: int = 6,
        rate_pps: float = 100_000.0,
        progress: Progress | None = None,
    ) -> SnmpReadings:
        """Read sysUpTime and all ports of the targets (of those in `select`: int[k] or bool[n]).

        A device is given up after `deadline_s` in all or `attempts` unanswered requests in a row; one that has answered keeps what came.
        """
        return self._read(targets, select, Limits(deadline_s, attempts, rate_pps, self.window), progress, walk=True)

    def alive(
        self,
        targets: SnmpTargets,
        *,
        select: np.ndarray | None = None,
        attempts: int = 3,
        deadline_s: float = 4.0,
        rate_pps: float = 20_000.0,
        progress: Progress | None = None,
    ) -> SnmpReadings:
        """SNMP liveness: one GET of sysUpTime.0 each; `answered` and `uptime` alone have meaning."""
        return self._read(targets, select, Limits(deadline_s, attempts, rate_pps, self.window), progress, walk=False)

    def names(
        self,
        targets: SnmpTargets,
        select: np.ndarray | None = None,
        deadline_s: float = 12.0,
        attempts: int = 6,
        rate_pps: float = 20_000.0,
    ) -> list[dict[int, tuple[str, str, str]]]:
        """Of each target {ifIndex: (ifName, ifDescr, ifAlias)}; where a device has no ifName, its ifDescr stands there."""
        from probes.snmp.poll_names import read_names

        limits = Limits(deadline_s, attempts, rate_pps, self.window)
        members = self._members(targets, select)
        return read_names(self, targets, members, limits)

    def close(self) -> None:
        """Close the sockets."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def lanes(self, targets: SnmpTargets, members: np.ndarray, limits: Limits) -> list[Lane]:
        """The members by address family and v3 apart, each with its channel, with windows that the receive buffers can hold."""
        found = []
        for wide in (False, True):
            for secure in (False, True):
                devices = members[(targets.wide[members] == wide) & (targets.secure[members] == secure)]
                if not len(devices):
                    continue
                channel = self._channel(wide, secure)
                window = max(16, min(limits.window, channel.buffer_bytes // 4096))
                refused = reported = None
                if isinstance(channel, Sealing):
                    channel.begin(targets.agents, targets.packed)
                    refused, reported = channel.refused, channel.reported
                found.append(Lane(channel, devices, window, refused, reported))
        return found

    def arrays(self, targets: SnmpTargets) -> RoundArrays:
        """The engine's columns for a round over these targets, with what is known of their latency and dialect."""
        arrays = RoundArrays(targets.packed, targets.communities, targets.community_of)
        arrays.srtt[:] = targets.pace.srtt_us
        arrays.rttvar[:] = targets.pace.rttvar_us
        arrays.dialect[:] = targets.pace.dialect
        arrays.proven[:] = targets.pace.proven
        return arrays

    def walk(self, arrays: RoundArrays, columns: tuple[tuple[str, str], ...]) -> Any:
        """The engine's state machine, with request ids that nobody can guess."""
        return self._walk.Walk(arrays.views(columns), secrets.randbits(30))

    def _members(self, targets: SnmpTargets, select: np.ndarray | None) -> np.ndarray:
        chosen = np.arange(len(targets)) if select is None else np.asarray(select)
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        return chosen.astype(np.int32)

    def _channel(self, wide: bool, secure: bool) -> Channel:
        if (wide, secure) not in self._channels and self._open is not None:
            self._channels[wide, secure] = self._open(secure)
        if (wide, secure) not in self._channels:
            sock = socket.socket(socket.AF_INET6 if wide else socket.AF_INET, socket.SOCK_DGRAM)
            if (
                not wide
            ):  # requests are small: never fragmented, so they need no IP id, which the kernel would have to choose
                sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
            kind = SecureChannel if secure else Channel
            self._channels[wide, secure] = kind(sock, buffer_bytes=self._buffer_bytes, engine=self.engine)
        return self._channels[wide, secure]

    def _read(
        self,
        targets: SnmpTargets,
        select: np.ndarray | None,
        limits: Limits,
        progress: Progress | None,
        *,
        walk: bool,
    ) -> SnmpReadings:
        started = time.time()
        members = self._members(targets, select)
        arrays = self.arrays(targets)
        _prepare(arrays, targets.pace, members if walk else None)
        machine = self.walk(arrays, IF_COLUMNS + NARROW_COLUMNS)
        # Pages of the arena that nobody writes to cost nothing, so there is room for surprises: 8,192 rows before anything is copied.
        machine.lend(*arrays.widen(int(arrays.tally[ARENA]) + (1 << 13)))
        lanes = self.lanes(targets, members, limits)
        clock = self.clock([lane.channel for lane in lanes])
        loop = RoundLoop(machine, arrays, lanes, limits, clock, targets.pace.pauses_s() if walk else None)
        loop.run(progress)
        if walk:
            _learn(arrays, targets.pace, loop, members)
        readings = _collect(arrays, loop, started, machine.compact if self._walk.COMPILED else None)
        if targets.agents:
            _tell_of_v3(readings, targets, members, loop)
        readings.ended = time.time()
        return readings


def _community(credential: Credential) -> bytes:
    """What the engine composes with: nothing for v3, whose frame is put on later."""
    return b"" if credential.version == "3" else credential.community


def _prepare(arrays: RoundArrays, pace: Pace, walked: np.ndarray | None) -> None:
    arrays.wanted[:] = 1
    if walked is None:
        arrays.ended[:] = NOTHING
        return
    arrays.wanted[(pace.expected < 0) & ~pace.one_scalar] = 3
    arrays.off[:] = pace.columns_off()
    arrays.ended[:] = np.where(pace.narrow, NARROW_ONLY, WIDE_ONLY) | arrays.off
    arrays.wide[pace.narrow] = 2
    arrays.repetitions[:] = pace.rows()
    arrays.width[:] = np.minimum(pace.width, pace.most_width)
    arrays.expected[:] = pace.expected
    arrays.budget_requests[:] = pace.budget_requests
    arrays.budget_us[:] = pace.budget_us
    arrays.budget_octets[:] = pace.budget_octets
    known = pace.expected[walked]
    arrays.room[walked] = np.where(known < 0, USUAL_PORTS, known)
    arrays.base[1:] = np.cumsum(arrays.room[:-1])
    arrays.tally[ARENA] = int(arrays.room.sum())


def _learn(arrays: RoundArrays, pace: Pace, loop: RoundLoop, members: np.ndarray) -> None:
    """Keep what the devices have shown; one that was read without a miss may be asked for a row more next time."""
    done = loop.finished()
    asked = pace.rows()
    easy = done & ~loop.missed & (arrays.repetitions >= asked)
    shrunk = done & (arrays.repetitions < asked)
    pace.repetitions[shrunk] = arrays.repetitions[shrunk]
    pace.repetitions[easy] = np.minimum(pace.repetitions[easy] + 1, pace.most_repetitions[easy])
    pace.width[done] = arrays.width[done]
    pace.expected[done] = arrays.count[done]
    pace.narrow[done] = arrays.wide[done] == 2
    heard = members[arrays.heard[members] != 0]
    pace.dialect[heard] = arrays.dialect[heard]
    pace.proven[heard] = arrays.proven[heard]
    pace.try_bulk_again(heard)
    pace.srtt_us[members], pace.rttvar_us[members] = (
        arrays.srtt[members],
        arrays.rttvar[members],
    )  # also of who only said its engine
    pace.spent[members] = arrays.state[members] == SPENT
    pace.sends[members] = arrays.sends[members]
    pace.learn_rtt(members, _mean_rtt_s(arrays)[members])


def _mean_rtt_s(arrays: RoundArrays) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = (arrays.rtt_sum * 1e-6 / arrays.samples).astype(np.float32)
    return mean


def _collect(arrays: RoundArrays, loop: RoundLoop, started: float, compact: Callable[[], None] | None) -> SnmpReadings:
    offsets, if_index, columns, present = arrays.gather(compact)
    tally = arrays.tally
    return SnmpReadings(
        answered=arrays.heard != 0,
        complete=loop.finished(),
        uptime=arrays.uptime,
        offsets=offsets,
        if_index=if_index,
        columns=columns,
        present=present,
        started=started,
        ended=started,
        requests=loop.requests,
        answers=int(tally[ANSWERS]),
        values=int(tally[VALUES]),
        dropped_foreign=int(tally[FOREIGN]),
        dropped_broken=int(tally[BROKEN]),
        dropped_late=int(tally[LATE]),
        errors=int(tally[ERRORS]),
        loops=int(tally[LOOPS]),
        dropped_by_kernel=loop.dropped_by_kernel,
        spent=arrays.state == SPENT,
        rtt_s=_mean_rtt_s(arrays),
        sends=arrays.sends,
        octets=arrays.octets,
    )


def _tell_of_v3(readings: SnmpReadings, targets: SnmpTargets, asked: np.ndarray, loop: RoundLoop) -> None:
    """Add what the channels of v3 counted, why agents did not answer, and which of them share an engineID."""
    for lane in loop.lanes:
        if isinstance(lane.channel, Sealing):
            seal = lane.channel.seal
            readings.requests += lane.channel.extra
            readings.dropped_unauthentic += seal.unauthentic
            readings.dropped_stale += seal.stale
            readings.dropped_foreign += seal.foreign
            readings.dropped_broken += seal.broken
    for number in asked[targets.secure[asked] & ~readings.complete[asked]].tolist():
        agent = targets.agents[number]
        if agent.refusal:
            readings.failures[number] = agent.refusal
        elif not readings.answered[number]:
            silent = agent.engine_id and not agent.proven
            readings.failures[number] = FELL_SILENT if silent else "no answer"
    readings.duplicates = targets.duplicates()
