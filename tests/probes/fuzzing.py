"""Every decoder of bytes from the network, with true messages to begin from: for hypothesis, for atheris, for the sanitizer, and for the memory that they keep.

python tests/probes/fuzzing.py NAME --packets 100000 [--seed 1]     mutate at random, and say by how many KiB the process has grown
python tests/probes/fuzzing.py --list
"""

import argparse
import gc
import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from toy_agent import message, tlv

from probes import engine as engines
from probes.engine.channel import pack_addresses
from probes.icmp.loop import PingColumns
from probes.icmp.readings import PingTargets
from probes.snmp.ber import BerError
from probes.snmp.credential import Credential
from probes.snmp.message import (
    INFORM,
    TRAP,
    SecurityParameters,
    decode_message,
    decode_scoped_pdu,
    decode_v3,
    encode_message,
    encode_pdu,
    encode_scoped_pdu,
    encode_v3,
)
from probes.snmp.oids import IF_COLUMNS, parse_oid
from probes.snmp.poll_state import NARROW_COLUMNS, RoundArrays, oid_bytes
from probes.snmp.secure import Agent
from probes.snmp.text import decode_text
from probes.snmp.trap import open_envelope, read_envelope
from probes.snmp.trap_usm import TrapSecurity

KEY = 0x15A5A5A5
COLUMNS = IF_COLUMNS + NARROW_COLUMNS
SIZE = 2048
ENGINE, V3_ID = b"\x80\x00\x7e\xd9\x05fuzz", b"\x41\x02\x03\x04"
V3_PDU = encode_pdu(0xA2, int.from_bytes(V3_ID, "big"), 0, 0, [parse_oid("1.3.6.1.2.1.1.3.0")])

Decoder = Callable[[bytes], object]
"""Raises BerError for what is broken, and nothing else ever."""


def _response() -> bytes:
    prefixes = [oid_bytes(text) for _, text in COLUMNS]
    cells = [(prefixes[c] + bytes([1 + r]), 0x46, bytes([1, 2, 3, c])) for r in range(3) for c in range(9)]
    # The first request of device 0 of one: sequence 1, one bit for the device's number.
    return message(
        0x40000000 | ((1 << 1) ^ KEY) & 0x3FFFFFFF, [(b"\x2b\x06\x01\x02\x01\x01\x03\x00", 0x43, b"\x07"), *cells]
    )


def _trap() -> bytes:
    trap_oid = parse_oid("1.3.6.1.6.3.1.1.4.1.0")
    bindings = [
        (b"\x2b\x06\x01\x02\x01\x01\x03\x00", 0x43, b"\x07"),
        (oid_bytes(".".join(map(str, trap_oid))), 6, oid_bytes("1.3.6.1.6.3.1.1.5.3")),
        (oid_bytes("1.3.6.1.2.1.2.2.1.1.7"), 2, b"\x07"),
    ]
    return message(7, bindings, pdu=TRAP)


def _trap_v1() -> bytes:
    """linkDown of port 7, agent-addr 10.1.2.3."""
    bindings = tlv(0x30, tlv(0x30, tlv(6, oid_bytes("1.3.6.1.2.1.2.2.1.1.7")) + tlv(2, b"\x07")))
    head = tlv(6, oid_bytes("1.3.6.1.4.1.2011.2.23")) + tlv(0x40, bytes((10, 1, 2, 3)))
    pdu = tlv(0xA4, head + tlv(2, b"\x02") + tlv(2, b"\x00") + tlv(0x43, b"\x07") + bindings)
    return tlv(0x30, tlv(2, b"\x00") + tlv(4, b"public") + pdu)


def _v3() -> bytes:
    engine = b"\x80\x00\x7e\xd9\x05fuzz"
    body = encode_scoped_pdu(engine, b"", encode_pdu(INFORM, 7, 0, 0, [parse_oid("1.3.6.1.2.1.1.3.0")]))
    return encode_v3(7, 4, SecurityParameters(engine, 3, 700, b"user", b"", b""), body)[0]


def _v3_agents() -> list[Agent]:
    """One without keys, one with all, that wait for the answer to `V3_ID`."""
    agents = [Agent(Credential("3", user="a")), Agent(Credential("3", b"", "a", "sha256", "a" * 8, "aes128", "b" * 8))]
    for agent in agents:
        agent.meet(ENGINE, 3, 700, 0.0)
        agent.request_id, agent.pdu = V3_ID, V3_PDU
    return agents


def _v3_answers() -> list[bytes]:
    return [engines.load("seal", "python").Seal(1).wrap(agent, SIZE, 0.0) for agent in _v3_agents()]


def _walk(engine: str) -> Decoder:
    """Answers of a round, all of one device that was just asked; what it keeps is emptied before each."""
    packed, _ = pack_addresses([("127.0.0.1", 161)])
    arrays = RoundArrays(packed, [b"public"], np.zeros(1, np.int32))
    walk = engines.load("walk", engine).Walk(arrays.views(COLUMNS), KEY)  # type: ignore[arg-type]
    walk.lend(*arrays.widen(8192))
    into, out = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    lengths, answered, device = np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int32)

    def absorb(data: bytes) -> object:
        data = data[:SIZE]
        for name in (
            "cursors",
            "ended",
            "count",
            "base",
            "room",
            "wide",
            "tally",
            "octets",
            "sends",
            "tries",
            "dialect",
        ):
            getattr(arrays, name)[...] = 0
        arrays.ended[:], arrays.wanted[:], arrays.sequence[:], arrays.expected[:] = 0xE00, 3, 0, -1
        arrays.repetitions[:], arrays.width[:], arrays.state[:] = 8, 9, 0
        walk.compose(device.data, 1, out.data, SIZE, lengths.data, 1)
        into[: len(data)] = np.frombuffer(data, np.uint8)
        lengths[0] = len(data)
        found = walk.absorb(into.data, SIZE, lengths.data, packed.data, 0, 1, answered.data, 5)
        return found, arrays.count[0]

    return absorb


def _echo(engine: str) -> Decoder:
    targets = PingTargets(["127.0.0.1"])
    columns = PingColumns(targets, 3)
    echo = engines.load("echo", engine).Echo(columns.views(), 0x0102030405060708, 65_535)  # type: ignore[arg-type]
    into, lengths, stamps = np.zeros(SIZE, np.uint8), np.zeros(1, np.int32), np.zeros(1, np.int64)
    packed, _ = pack_addresses([("127.0.0.1", 0)])

    def absorb(data: bytes) -> object:
        data = data[:SIZE]
        columns.sent[:], columns.seen[:], columns.received[:] = 1, 0, 0
        into[: len(data)] = np.frombuffer(data, np.uint8)
        lengths[0] = len(data)
        return echo.absorb(into.data, SIZE, lengths.data, packed.data, stamps.data, 1, 0, 0x1234, True, 7)

    return absorb


def _traps_v3() -> Decoder:
    security = TrapSecurity(b"\x80\x00\x7e\xd9\x05ours", 3, 0.0)
    users = [Credential(version="3", user="user", auth_protocol="sha256", auth_key="long enough 1")]
    return lambda data: security.open(data, 1, users, 5.0)


def _v3_whole(data: bytes) -> object:
    return decode_scoped_pdu(decode_v3(data).body)


def _opened(engine: str) -> Decoder:
    """Answers as a round of v3 takes them, of an agent without keys and of one with all; what is within is read also where the digest is wrong."""
    seals, agents = engines.load("seal", engine), _v3_agents()  # type: ignore[arg-type]
    source, _ = pack_addresses([("127.0.0.1", 161)])
    seal, device = seals.Seal(1), np.zeros(1, np.int32)
    lengths, packet = np.zeros(1, np.int32), np.zeros(SIZE, np.uint8)

    def put(data: bytes) -> None:
        packet[: len(data)], lengths[0] = np.frombuffer(data, np.uint8), len(data)

    def read(data: bytes) -> object:
        data, found = data[:SIZE], 0
        for agent in agents:
            agent.meet(ENGINE, 3, 700, 0.0)
            seal.begin({0: agent}, source.tobytes())
            put(seals.as_v2c(V3_PDU))
            seal.wrap_all(device.data, 1, packet.data, SIZE, lengths.data, 0.0)
            put(data)
            found += seal.open_all(packet.data, SIZE, lengths.data, source.data, 1, 0.0)
        opened = seals.open_packet(data)
        return found, seals.take_pdu(seal.decrypt(agents[1], opened))

    return read


_GET = encode_message("2c", b"public", encode_pdu(0xA2, 7, 0, 0, [parse_oid("1.3.6.1.2.1.1.3.0")]))
_PING = bytes([0x45]) + bytes(19) + bytes([0, 0, 0, 0, 0x12, 0x34, 0xFF, 0xFF, 1, 2, 3, 4, 5, 6, 7, 8]) + bytes(8)

PURE: dict[str, tuple[Callable[[], Decoder], list[bytes]]] = {
    "message": (lambda: decode_message, [_GET, _response()]),
    "message v3": (lambda: _v3_whole, [_v3()]),
    "answer v3, plain": (lambda: _opened("python"), _v3_answers()),
    "trap": (lambda: lambda data: read_envelope(data, open_envelope(data)), [_trap(), _trap_v1()]),
    "trap v3": (_traps_v3, [_v3()]),
    "text": (lambda: decode_text, ["教学楼".encode("gbk"), "教学楼".encode()]),
    "walk, plain": (lambda: _walk("python"), [_response()]),
    "ping, plain": (lambda: _echo("python"), [_PING]),
}
COMPILED: dict[str, tuple[Callable[[], Decoder], list[bytes]]] = {
    "decode": (lambda: engines.load("walk", "compiled").decode, [_response()]),
    "walk": (lambda: _walk("compiled"), [_response()]),
    "ping": (lambda: _echo("compiled"), [_PING]),
    "answer v3": (lambda: _opened("compiled"), _v3_answers()),
}
DECODERS = PURE | COMPILED


def check(decoder: Decoder, data: bytes) -> None:
    """Decode: BerError is an answer, whatever else is raised is a bug."""
    try:
        decoder(data)
    except BerError:
        pass


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Some bytes changed, taken out, put in or doubled; seldom the whole cut or made up."""
    out = bytearray(data)
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind <= 2 and at < len(out):
            out[at] = chance.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF, chance.randrange(256)))
        elif kind == 3:
            del out[at : at + chance.randrange(1, 9)]
        elif kind == 4:
            out[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            out[at:at] = out[at : at + chance.randrange(1, 64)]
    if chance.randrange(50) == 0:
        return bytes(out[: chance.randrange(len(out) + 1)])
    return chance.randbytes(chance.randrange(64)) if chance.randrange(200) == 0 else bytes(out)


def resident_kib() -> int:
    """Memory of this process that is in use now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def main() -> None:
    """Mutate at random; print by how many KiB the second half of the packets has made the process grow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*DECODERS, []])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.list or not options.name:
        print("\n".join(DECODERS))
        return
    make, seeds = DECODERS[options.name]
    decoder, chance = make(), random.Random(options.seed)
    corpus = list(seeds)
    half = 0
    for number in range(options.packets):
        if number == options.packets // 2:
            half = resident_kib()
        data = mutate(chance, chance.choice(corpus))
        check(decoder, data)
        if number % 97 == 0 and len(corpus) < 200:
            corpus.append(data)
    print(f"{options.name}: {options.packets} packets, grown by {resident_kib() - half} KiB in the second half")


if __name__ == "__main__":
    main()
