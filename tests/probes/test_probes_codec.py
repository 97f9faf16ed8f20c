"""The codec: what it writes others read, what others write it reads, and hostile bytes raise BerError and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1905
from pysnmp.proto.api import v2c

from probes.snmp.ber import (
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OPAQUE,
    TIME_TICKS,
    BerError,
    Value,
    decode_oid,
    decode_value,
    encode_oid,
    encode_value,
    read_element,
)
from probes.snmp.message import (
    GET_BULK,
    RESPONSE,
    Pdu,
    SecurityParameters,
    decode_message,
    decode_scoped_pdu,
    decode_v3,
    encode_full_pdu,
    encode_message,
    encode_pdu,
    encode_scoped_pdu,
    encode_v3,
)

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")

oids = st.tuples(st.integers(0, 1), st.integers(0, 39), *[st.integers(0, 2**32 - 1)] * 4) | st.tuples(
    st.just(2), st.integers(0, 999), st.integers(0, 2**32 - 1)
)
values = st.one_of(
    st.builds(Value, st.just(INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.builds(Value, st.sampled_from([COUNTER32, GAUGE32, TIME_TICKS]), st.integers(0, 2**32 - 1)),
    st.builds(Value, st.just(COUNTER64), st.integers(0, 2**64 - 1)),
    st.builds(Value, st.sampled_from([OCTET_STRING, OPAQUE]), st.binary(max_size=300)),
    st.builds(Value, st.just(IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.builds(Value, st.just(OBJECT_IDENTIFIER), oids),
    st.builds(Value, st.sampled_from([NULL, NO_SUCH_INSTANCE, END_OF_MIB_VIEW]), st.none()),
)
pdus = st.builds(
    Pdu,
    st.just(RESPONSE),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 18),
    st.integers(0, 100),
    st.lists(st.tuples(oids, values), max_size=6).map(tuple),
)


@given(oids)
def test_an_oid_survives_the_wire(oid):
    encoded = encode_oid(oid)
    assert decode_oid(encoded[2:]) == oid


@given(oids)
def test_oids_are_written_as_pyasn1_writes_them(oid):
    assert encode_oid(oid) == encoder.encode(v2c.ObjectIdentifier(oid))


@given(values)
def test_a_value_survives_the_wire(value):
    encoded = encode_value(value)
    tag, start, stop = read_element(encoded, 0, len(encoded))
    assert decode_value(tag, encoded[start:stop]) == value


@given(pdus)
def test_a_response_survives_the_wire(pdu):
    decoded = decode_message(encode_message("2c", b"public", encode_full_pdu(pdu)))
    assert decoded == (1, b"public", pdu)


@given(st.lists(oids, max_size=5), st.integers(0, 2**31 - 1), st.integers(0, 25))
def test_pysnmp_reads_our_requests(names, request_id, repetitions):
    message, rest = decoder.decode(
        encode_message("2c", b"secret", encode_pdu(GET_BULK, request_id, 0, repetitions, names)), asn1Spec=v2c.Message()
    )
    pdu = v2c.apiMessage.get_pdu(message)
    assert not rest
    assert bytes(v2c.apiMessage.get_community(message)) == b"secret"
    assert isinstance(pdu, rfc1905.GetBulkRequestPDU)
    assert (int(v2c.apiBulkPDU.get_request_id(pdu)), int(v2c.apiBulkPDU.get_max_repetitions(pdu))) == (
        request_id,
        repetitions,
    )
    assert [tuple(name) for name, _ in v2c.apiBulkPDU.get_varbinds(pdu)] == names


@given(
    st.lists(
        st.tuples(
            oids,
            st.one_of(
                st.integers(-(2**31), 2**31 - 1).map(v2c.Integer32),
                st.integers(0, 2**32 - 1).map(v2c.Counter32),
                st.integers(0, 2**64 - 1).map(v2c.Counter64),
                st.integers(0, 2**32 - 1).map(v2c.TimeTicks),
                st.binary(max_size=80).map(v2c.OctetString),
                oids.map(v2c.ObjectIdentifier),
            ),
        ),
        max_size=5,
    )
)
def test_we_read_what_pysnmp_writes(bindings):
    pdu = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(v2c.ObjectIdentifier(oid), value) for oid, value in bindings])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, b"public")
    v2c.apiMessage.set_pdu(message, pdu)
    decoded = decode_message(encoder.encode(message))
    for (name, value), (oid, theirs) in zip(decoded.pdu.bindings, bindings, strict=True):
        assert name == oid
        expected = bytes(theirs) if isinstance(theirs, v2c.OctetString) else None
        if isinstance(theirs, v2c.ObjectIdentifier):
            assert value.data == tuple(theirs)
        else:
            assert value.data == (int(theirs) if expected is None else expected)


@given(st.binary(max_size=200))
def test_hostile_bytes_raise_one_kind_of_error(data):
    for decode in (decode_message, decode_v3, decode_scoped_pdu):
        with pytest.raises(BerError):
            decode(data)


@settings(max_examples=300)
@given(pdus, st.data())
def test_a_damaged_message_is_read_or_refused(pdu, data):
    message = bytearray(encode_message("2c", b"public", encode_full_pdu(pdu)))
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(message[: data.draw(st.integers(0, len(message)))])
    for damaged in (bytes(message), cut):
        try:
            decoded = decode_message(damaged)
        except BerError:
            continue
        assert decoded.version in (0, 1)


@pytest.mark.parametrize(
    "hexes",
    [
        "30840fffffff",  # claims 268 MB
        "3080020101",  # indefinite length
        "308500000000010a",  # five octets of length
        "301002010104067075626c6963a203020101ff",  # octets after the message
        "3f010203",  # a tag of several octets
        "",
        "30",
    ],
)
def test_lengths_that_lie_are_refused(hexes):
    with pytest.raises(BerError):
        decode_message(bytes.fromhex(hexes))


@pytest.mark.parametrize(
    "content", [b"\x80\x01", b"\x2b\x80", b"\x2b\x90\x80\x80\x80\x80\x00", b"\x2b" + b"\x01" * 200]
)
def test_object_identifiers_that_are_none_are_refused(content):
    with pytest.raises(BerError):
        decode_oid(content)


def test_an_unsigned_without_its_leading_zero_is_taken_as_meant():
    assert decode_value(COUNTER32, b"\xff\xff\xff\xff").data == 4294967295
    assert decode_value(COUNTER64, b"\xff" * 8).data == 2**64 - 1
    with pytest.raises(BerError):
        decode_value(COUNTER32, b"\x01\x00\x00\x00\x00")


@given(st.binary(max_size=32), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.binary(max_size=32))
def test_a_v3_message_survives_the_wire_and_knows_where_its_digest_stands(engine_id, boots, time, user):
    body = encode_scoped_pdu(engine_id, b"context", encode_pdu(GET_BULK, 7, 0, 5, [(1, 3, 6)]))
    security = SecurityParameters(engine_id, boots, time, user, b"D" * 24, b"")
    message, at = encode_v3(77, 5, security, body)
    decoded = decode_v3(message)
    assert message[at : at + 24] == b"D" * 24
    assert decoded.security == security._replace(auth_at=at)
    assert (decoded.message_id, decoded.flags) == (77, 5)
    assert decode_scoped_pdu(decoded.body).context == b"context"


def test_pysnmp_reads_our_v3_messages():
    body = encode_scoped_pdu(b"engine", b"", encode_pdu(GET_BULK, 7, 0, 5, [(1, 3, 6)]))
    message, _ = encode_v3(77, 4, SecurityParameters(b"engine", 1, 2, b"edu", b"", b""), body)
    from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

    decoded, rest = decoder.decode(message, asn1Spec=SNMPv3Message())
    assert not rest
    assert int(decoded[0]) == 3
    assert int(decoded[1][0]) == 77
