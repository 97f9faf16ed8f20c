"""The demonstration's devices send traps, as real ones do: linkDown and linkUp (RFC 2863) of the ports on which lines were cut or mended, and a UPS that it is on
battery (RFC 1628). They go out from the device's own address in the namespace, to UDP 162 there."""

import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

from demo.agents import Agent, Fleet
from demo.control import Control
from demo.responder import COMMUNITY
from probes.snmp.ber import Oid, Value
from probes.snmp.message import TRAP, Binding, Pdu, encode_full_pdu, encode_message

PLACE = ("127.0.0.1", 162)

LINK_DOWN, LINK_UP = (1, 3, 6, 1, 6, 3, 1, 1, 5, 3), (1, 3, 6, 1, 6, 3, 1, 1, 5, 4)
ON_BATTERY = (1, 3, 6, 1, 2, 1, 33, 2, 1)
IF_ENTRY, IF_NAME = (1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)


@dataclass(frozen=True)
class Faults:
    """What traps tell of: dead ports (device id, ifName), and UPS on battery."""

    ports: frozenset[tuple[int, str]]
    battery: frozenset[int]

    @classmethod
    def of(cls, control: Control) -> "Faults":
        """As they are now."""
        return cls(frozenset(control.dead_ports), frozenset(control.battery))


def traps(before: Faults, after: Faults, fleet: Fleet, silent: Iterable[int]) -> list[tuple[int, bytes]]:
    """(address of the sender, datagram) of each trap between two moments; whoever is cut off cannot send any."""
    cut, found = set(silent), []
    for unit, name in sorted(before.ports ^ after.ports):
        agent = fleet.agent(unit)
        index = next((i for i, port in enumerate(agent.ports, 1) if port.name == name), 0)
        if index and agent.unit.address not in cut:
            found.append((agent.unit.address, _link(agent, index, name, (unit, name) in after.ports)))
    for unit in sorted(after.battery - before.battery):
        agent = fleet.agent(unit)
        if agent.unit.address not in cut:
            found.append((agent.unit.address, _trap(agent, ON_BATTERY, ())))
    return found


def send(datagrams: Iterable[tuple[int, bytes]]) -> None:
    """Each from its sender's address; nobody need hear them."""
    for address, datagram in datagrams:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((str(IPv4Address(address)), 0))
            sock.sendto(datagram, PLACE)


def _link(agent: Agent, index: int, name: str, down: bool) -> bytes:
    rows: tuple[Binding, ...] = (
        ((*IF_ENTRY, 1, index), Value(2, index)),
        ((*IF_ENTRY, 7, index), Value(2, 1)),
        ((*IF_ENTRY, 8, index), Value(2, 2 if down else 1)),
        ((*IF_NAME, index), Value(4, name.encode())),
    )
    return _trap(agent, LINK_DOWN if down else LINK_UP, rows)


def _trap(agent: Agent, oid: Oid, rows: tuple[Binding, ...]) -> bytes:
    head: tuple[Binding, ...] = (
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), Value(0x43, agent.uptime)),
        ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), Value(6, oid)),
    )
    pdu = Pdu(TRAP, agent.unit.address & 0x7FFFFFFF, 0, 0, head + rows)
    return encode_message("2c", COMMUNITY, encode_full_pdu(pdu))
