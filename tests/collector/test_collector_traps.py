"""What becomes of one datagram: real ones of Debian's snmptrap, put to the receiver with a clock of the test's own."""

import numpy as np
import pytest
from trap_senders import (  # fmt: skip
    AUTH,
    AUTH_FAILURE,
    COLD_START,
    LINK_DOWN,
    LINK_UP,
    PRIV,
    WARM_START,
    capture,
    port_of,
    v1_trap,
    v2c_trap,
    v3_trap,
)

from collector.traps.book import MOST_DEVICES, MOST_OF_A_DEVICE, TrapBook
from collector.traps.bounds import Buckets, Readings
from collector.traps.engine_file import open_security, save_security
from collector.traps.listeners import parse_places
from collector.traps.messages import Senders, Trap
from collector.traps.receiver import READ_AFTER, RESULTS, Receiver
from probes.snmp.credential import Credential
from probes.snmp.message import decode_v3
from probes.snmp.trap_usm import DRIFT, MOST_ENGINES, MOST_SEEN, REORDER_S, TrapSecurity

V2C, OTHER = Credential("2c", b"public"), Credential("2c", b"of-traps")
V3 = Credential("3", b"", "edu", "sha256", AUTH, "aes128", PRIV)
PLAIN = Credential("3", b"", "edu")
ENGINE, ENGINE_B = "8000000001020304", "80000000010203ff"
SWITCH, ROUTER, CAMERA, TWIN, SECOND = 7, 8, 9, 10, 11
OURS = bytes.fromhex("80007ed905") + b"tests-engine"


def at(last: int) -> bytes:
    return bytes((10, 1, 0, last))


def senders(version: int = 1, credentials=(V2C, V3, OTHER), of_zone=((), ())) -> Senders:
    """A switch (v2c) with two addresses, a router (v3), a camera without credential, twins of one address in two zones."""
    rows = [(SWITCH, 0, at(1), 0), (SWITCH, 0, at(2), 0), (ROUTER, 1, at(3), 0), (CAMERA, -1, at(4), 0)]
    rows += [(TWIN, 0, at(5), 0), (SECOND, 2, at(5), 1)]
    ids = list(dict.fromkeys(row[0] for row in rows))
    return Senders(
        version=version,
        device_id=np.array(ids, np.int64),
        own=np.array([next(row[1] for row in rows if row[0] == one) for one in ids], np.int32),
        packed=[row[2] for row in rows],
        zone=np.array([row[3] for row in rows], np.int32),
        device=np.array([ids.index(row[0]) for row in rows], np.int32),
        zones=("main", "dorms"),
        of_zone=of_zone,
        credentials=credentials,
    )


def receiver(burst: int = 20, per_second: float = 0.0, **more) -> Receiver:
    made = Receiver(TrapSecurity(OURS, 1, 0.0), Buckets(burst, per_second), Readings(10.0), lambda now: 1e9 + now)
    made.follow(senders(**more))
    return made


def result(hears: Receiver, data: bytes, source: bytes, now: float = 100.0, zone: str = "") -> str:
    """What became of it."""
    before = dict(hears.counts)
    hears.take(data, source, zone, now)
    return next(name for name, count in hears.counts.items() if count != before[name])


@pytest.fixture(scope="module")
def link_down() -> bytes:
    return v2c_trap(LINK_DOWN, port_of(5, "GE0/0/5"))


# -- what it says ------------------------------------------------------------------------------------------------------


def test_a_trap_of_a_known_device_is_taken_and_leads_to_one_reading(link_down):
    hears = receiver()
    assert result(hears, link_down, at(1)) == "taken"
    assert hears.traps == [
        Trap(1e9 + 100, SWITCH, "linkDown", "main", "10.1.0.1", "v2c", if_index=5, if_name="GE0/0/5", uptime=100)
    ]
    assert hears.readings.take(100.0, 10) == [SWITCH]


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        (COLD_START, "coldStart"),
        (WARM_START, "warmStart"),
        (LINK_UP, "linkUp"),
        (AUTH_FAILURE, "authenticationFailure"),
        ("1.3.6.1.2.1.33.2.1", "upsTrapOnBattery"),
        ("1.3.6.1.4.1.2011.5.25.41.1", "1.3.6.1.4.1.2011.5.25.41.1"),
    ],
)
def test_traps_have_their_names_and_those_of_the_standard_lead_to_a_reading(oid, name):
    hears = receiver()
    assert result(hears, v2c_trap(oid), at(1)) == "taken"
    assert hears.traps[0].name == name
    assert hears.readings.take(100.0, 10) == ([SWITCH] if name in READ_AFTER else [])


@pytest.mark.parametrize("generic", range(6))
def test_generic_traps_of_v1_are_those_of_v2(generic):
    hears = receiver()
    assert result(hears, v1_trap(generic, more=port_of(3)), at(1)) == "taken"
    names = ["coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss"]
    trap = hears.traps[0]
    assert (trap.name, trap.if_index, trap.security, trap.uptime) == (names[generic], 3, "v1", 100)


def test_a_specific_trap_of_v1_is_translated_by_rfc_3584():
    hears = receiver()
    result(hears, v1_trap(6, 1, enterprise="1.3.6.1.2.1.33.2"), at(1))
    result(hears, v1_trap(6, 77, enterprise="1.3.6.1.4.1.2011.2.23"), at(1))
    assert [trap.name for trap in hears.traps] == ["upsTrapOnBattery", "1.3.6.1.4.1.2011.2.23.0.77"]


# -- whose it is -------------------------------------------------------------------------------------------------------


def test_every_address_of_a_device_is_its_own(link_down):
    hears = receiver()
    assert [result(hears, link_down, at(last)) for last in (1, 2)] == ["taken", "taken"]
    assert {trap.device for trap in hears.traps} == {SWITCH}


def test_strangers_wrong_communities_and_devices_without_credential_are_counted_and_leave_nothing(link_down):
    hears = receiver()
    assert result(hears, link_down, at(99)) == "unknown_sender"
    assert result(hears, v2c_trap(community="private"), at(1)) == "wrong_community"
    assert result(hears, link_down, at(3)) == "wrong_community", "the router speaks v3"
    assert result(hears, link_down, at(4)) == "no_credential"
    assert (hears.traps, len(hears.readings), len(hears.buckets)) == ([], 0, 0)


def test_an_address_of_two_zones_is_told_apart_by_the_community_or_by_the_socket(link_down):
    hears = receiver()
    assert result(hears, link_down, at(5)) == "taken"
    assert result(hears, v2c_trap(community="of-traps"), at(5)) == "taken"
    assert [trap.device for trap in hears.traps] == [TWIN, SECOND]
    assert result(hears, link_down, at(5), zone="dorms") == "wrong_community"
    assert result(hears, link_down, at(1), zone="dorms") == "unknown_sender"
    alike = receiver(credentials=(V2C, V3, V2C))
    assert result(alike, link_down, at(5)) == "ambiguous_sender"
    assert result(alike, link_down, at(5), zone="dorms") == "taken"


def test_a_further_credential_of_the_zone_is_believed_of_its_devices_alone():
    hears = receiver(of_zone=((2,), ()))
    told = v2c_trap(community="of-traps")
    assert [result(hears, told, at(last)) for last in (1, 3, 4)] == ["taken", "taken", "taken"]


def test_what_v1_says_of_its_agent_names_another_device_of_the_same_community_alone():
    hears = receiver()
    relayed = v1_trap(2, agent="10.1.0.5", more=port_of(3))
    assert result(hears, relayed, at(1)) == "taken"
    assert (hears.traps[0].device, hears.traps[0].via, hears.traps[0].source) == (TWIN, SWITCH, "10.1.0.1")
    for agent in (
        "0.0.0.0",
        "10.1.0.1",
        "10.1.0.2",
        "10.1.0.3",
        "192.168.1.1",
    ):  # nothing, itself, the router, a NAT's inside
        assert result(hears, v1_trap(2, agent=agent), at(1)) == "taken"
        assert (hears.traps[-1].device, hears.traps[-1].via) == (SWITCH, None), agent
    assert result(hears, v1_trap(2, agent="10.1.0.1"), at(99)) == "unknown_sender", "agent-addr is no sender"


def test_another_plan_is_followed(link_down):
    hears = receiver()
    hears.follow(Senders(2, np.zeros(0, np.int64), *(np.zeros(0, np.int32),), [], *(np.zeros(0, np.int32),) * 2))
    assert (result(hears, link_down, at(1)), hears.version) == ("unknown_sender", 2)
    hears.follow(senders(3))
    assert (result(hears, link_down, at(1)), hears.version) == ("taken", 3)


# -- SNMPv3 ------------------------------------------------------------------------------------------------------------


def test_a_trap_of_v3_is_taken_once_and_refused_for_ever_after():
    hears = receiver()
    told = v3_trap(ENGINE, LINK_DOWN, port_of(5))
    assert result(hears, told, at(3)) == "taken"
    assert (hears.traps[0].device, hears.traps[0].security, hears.traps[0].if_index) == (ROUTER, "authPriv", 5)
    assert result(hears, told, at(3)) == "replayed"
    assert result(hears, told, at(3), now=100 + 200) == "replayed"
    newer = aged(hears, told, by=REORDER_S + 1)
    assert result(hears, newer, at(3), now=101) == "taken"
    assert result(hears, told, at(3), now=102) == "replayed"
    assert len(hears.traps) == 2


def aged(hears: Receiver, trap: bytes, by: int, boots: int = 0, user: Credential = V3) -> bytes:
    """The same trap, sent so many seconds (and boots) later: signed and enciphered anew."""
    from probes.snmp import usm
    from probes.snmp.ber import OCTET_STRING, encode_tlv
    from probes.snmp.message import SecurityParameters, encode_v3

    message = decode_v3(trap)
    old = message.security
    keys = usm.localise(V3, old.engine_id)
    clear = usm.decrypt("aes128", keys.priv, old.boots, old.time, old.salt, message.body)
    boots, time = old.boots + boots, old.time + by
    keys = usm.localise(user, old.engine_id)
    secret, salt = usm.encrypt("aes128", keys.priv, boots, time, clear, None)
    security = SecurityParameters(old.engine_id, boots, time, old.user, bytes(24), salt)
    whole, where = encode_v3(message.message_id, message.flags, security, encode_tlv(OCTET_STRING, secret))
    return usm.sign(whole, where, "sha256", keys.auth)


def test_traps_that_overtake_one_another_are_taken_and_older_ones_are_not():
    hears = receiver()
    told = v3_trap(ENGINE)
    assert result(hears, aged(hears, told, 20), at(3)) == "taken"
    assert result(hears, aged(hears, told, 20 - REORDER_S), at(3)) == "taken"
    assert result(hears, aged(hears, told, 20 - REORDER_S - 1), at(3)) == "not_in_time_window"


def test_a_trap_that_was_held_back_is_refused_and_a_slow_clock_is_not():
    hears = receiver()
    told = v3_trap(ENGINE)
    assert result(hears, told, at(3), now=0) == "taken"
    day = 86_400
    assert result(hears, aged(hears, told, int(day * DRIFT)), at(3), now=day) == "taken"
    assert result(hears, aged(hears, told, int(day * DRIFT) + 5), at(3), now=day + 400) == "not_in_time_window"


def test_a_boot_begins_anew_and_an_earlier_one_is_over():
    hears = receiver()
    told = v3_trap(ENGINE)
    assert result(hears, told, at(3)) == "taken"
    assert result(hears, aged(hears, told, -decode_v3(told).security.time, boots=1), at(3)) == "taken"
    assert result(hears, aged(hears, told, 5), at(3)) == "not_in_time_window"


def test_an_engine_belongs_to_the_device_that_proved_it_first():
    hears = receiver(of_zone=((1,), ()))
    told = v3_trap(ENGINE)
    assert result(hears, told, at(3)) == "taken"
    assert result(hears, aged(hears, told, 1), at(1)) == "foreign_engine", "the same bytes from another's address"
    assert result(hears, v3_trap(ENGINE_B), at(1)) == "taken"


def test_wrong_keys_users_and_levels_are_told_apart():
    hears = receiver()
    told = v3_trap(ENGINE)
    changed = told[:-1] + bytes((told[-1] ^ 1,))
    assert result(hears, changed, at(3)) == "wrong_digest"
    wrong = Credential("3", b"", "edu", "sha256", AUTH, "aes128", "another-password")
    assert result(hears, aged(hears, told, 1, user=wrong), at(3)) == "decryption_error"
    nobody = receiver(credentials=(V2C, Credential("3", b"", "nobody"), OTHER))
    assert result(nobody, told, at(3)) == "unknown_user"
    plain = receiver(credentials=(V2C, PLAIN, OTHER))
    assert result(plain, told, at(3)) == "unsupported_security_level"
    assert result(hears, told, at(1)) == "unknown_user", "the switch speaks v2c"
    assert hears.traps == []


def test_a_storm_of_one_second_takes_no_more_memory_and_nothing_twice():
    security = TrapSecurity(OURS, 1, 0.0)
    hears = Receiver(security, Buckets(10, 1.0), Readings(10.0), lambda now: now)
    hears.follow(senders())
    told = v3_trap(ENGINE)
    storm = [aged(hears, told, 0) for _ in range(MOST_SEEN + 50)]
    for one in storm:
        hears.take(one, at(3), "", 100.0)
    engine = security.engines[bytes.fromhex(ENGINE)]
    assert len(engine.seen) <= MOST_SEEN
    before = hears.counts["taken"] + hears.counts["storm"]
    for one in storm:
        hears.take(one, at(3), "", 101.0)
    assert hears.counts["taken"] + hears.counts["storm"] == before, "nothing of the storm was taken again"
    assert result(hears, aged(hears, told, 1), at(3), now=110.0) == "taken"


def test_engines_of_one_sender_are_bounded():
    hears = receiver()
    for number in range(MOST_ENGINES + 3):
        assert result(hears, v3_trap(f"80000000010203{number:02x}"), at(3)) == "taken"
    assert len(hears.security.engines) == MOST_ENGINES
    hears.follow(Senders(2, np.zeros(0, np.int64), *(np.zeros(0, np.int32),), [], *(np.zeros(0, np.int32),) * 2))
    assert hears.security.engines == {}


def test_an_old_trap_is_refused_after_a_restart_too(tmp_path):
    hears = receiver()
    told = v3_trap(ENGINE)
    assert result(hears, told, at(3)) == "taken"
    save_security(tmp_path / "traps.json", hears.security)
    again = Receiver(open_security(tmp_path / "traps.json", 0.0), Buckets(9, 1), Readings(10.0), lambda now: now)
    again.follow(senders())
    assert (again.security.engine_id, again.security.boots) == (OURS, 2)
    assert result(again, told, at(3)) == "not_in_time_window"
    assert result(again, aged(again, told, 1), at(3)) == "taken"
    assert (tmp_path / "traps.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", '{"engine_id": "zz", "boots": 1}', '{"engine_id": "80", "boots": 1}', "[]"])
def test_a_file_that_cannot_be_read_gives_a_new_engine(tmp_path, text):
    path = tmp_path / "traps.json"
    path.write_text(text)
    first = open_security(path, 0.0)
    second = open_security(path, 0.0)
    assert (first.boots, second.boots) == (1, 2)
    assert first.engine_id == second.engine_id
    assert 5 <= len(first.engine_id) <= 32


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_storm_of_one_device_is_bounded_and_counted_and_another_is_heard_all_the_while(link_down):
    hears = receiver(burst=20, per_second=0.5)
    for number in range(10_000):
        hears.take(link_down, at(1), "", 100 + number / 10_000)
    assert (hears.counts["taken"], hears.counts["storm"]) == (20, 9_980)
    assert len(hears.traps) == 20
    assert result(hears, link_down, at(5), now=101) == "taken"
    assert hears.readings.take(101, 10) == [SWITCH, TWIN]
    assert result(hears, link_down, at(1), now=103.5) == "taken", "a token every two seconds"


def test_whoever_forges_an_address_without_the_community_uses_up_nothing(link_down):
    hears = receiver(burst=1)
    forged = v2c_trap(community="guess")
    for _ in range(1000):
        hears.take(forged, at(1), "", 100.0)
    assert result(hears, link_down, at(1)) == "taken"


def test_readings_are_at_most_one_in_so_many_seconds_and_the_last_word_is_looked_at():
    readings = Readings(10.0)
    for t in range(100):
        readings.want(7, 100 + t / 100)
    assert readings.take(101.0, 10) == [7]
    readings.want(7, 103.0)
    readings.want(7, 104.0)
    assert [readings.take(t, 10) for t in (103.0, 110.9, 111.0, 130.0)] == [[], [], [7], []]


def test_readings_are_taken_in_the_order_of_the_wishes_and_so_many_at_once():
    readings = Readings(10.0)
    for device in range(500):
        readings.want(device, 100 + device / 1000)
    assert readings.take(101.0, 200) == list(range(200))
    assert len(readings) == 300
    assert readings.take(101.0, 1000) == list(range(200, 500))


def test_buckets_of_a_whole_province_are_forgotten_when_they_are_full():
    buckets = Buckets(2, 1.0)
    for device in range(50_000):
        assert buckets.take(device, device / 1000)
    assert len(buckets) < 10_000


def test_the_book_is_bounded():
    book = TrapBook()
    for device in range(MOST_DEVICES + 10):
        book.add([Trap(device, device, "linkDown", "main", "10.0.0.1", "v2c")])
    book.add(Trap(t, 5_000, "linkUp", "main", "10.0.0.1", "v2c") for t in range(100))
    assert len(book.of(5_000)) == MOST_OF_A_DEVICE
    assert [trap.at for trap in book.of(5_000, since=98)] == [98, 99]
    assert book.of(0) == ()
    assert len(book.newest(10**9)) == MOST_DEVICES - 1 + MOST_OF_A_DEVICE


def test_every_result_has_a_count_from_the_start():
    assert set(receiver().counts) == set(RESULTS)


def test_where_to_listen_is_read():
    places = parse_places("*, 10.0.0.5:1162=dorms, [::1]:162, 10.0.0.6,::1")
    found = [(place.address, place.port, place.zone) for place in places]
    assert found == [
        ("", None, ""),
        ("10.0.0.5", 1162, "dorms"),
        ("::1", 162, ""),
        ("10.0.0.6", None, ""),
        ("::1", None, ""),
    ]
    for wrong in ("10.0.0.5:x", "somewhere", "10.0.0.5:99999"):
        with pytest.raises(ValueError, match=r".+"):
            parse_places(wrong)


@pytest.mark.parametrize(
    ("auth", "priv", "words"),
    [
        ("md5", "des", ["-l", "authPriv", "-a", "MD5", "-x", "DES"]),
        ("sha1", "aes128", ["-l", "authPriv", "-a", "SHA", "-x", "AES"]),
        ("sha512", "aes256", ["-l", "authPriv", "-a", "SHA-512", "-x", "AES-256"]),
        ("sha384", "", ["-l", "authNoPriv", "-a", "SHA-384"]),
        ("", "", ["-l", "noAuthNoPriv"]),
    ],
)
def test_every_protocol_of_a_sender_is_spoken(auth, priv, words):
    keys = (["-A", AUTH] if auth else []) + (["-X", PRIV] if priv else [])
    told = capture("snmptrap", ["-v3", "-e", f"0x{ENGINE}", "-u", "edu", *words, *keys], ["100", LINK_DOWN])
    user = Credential("3", b"", "edu", auth, AUTH if auth else "", priv, PRIV if priv else "")
    hears = receiver(credentials=(V2C, user, OTHER))
    assert result(hears, told, at(3)) == "taken"
    assert hears.traps[0].security == ("authPriv" if priv else "authNoPriv" if auth else "noAuthNoPriv")
    assert result(hears, told, at(3)) == ("replayed" if auth else "taken"), (
        "without a signature nothing tells them apart"
    )


def test_of_two_users_of_one_name_the_one_whose_key_fits_is_meant():
    other = Credential("3", b"", "edu", "sha256", "another-auth-password", "aes128", PRIV)
    hears = receiver(credentials=(V2C, other, V3), of_zone=((2,), ()))
    assert result(hears, v3_trap(ENGINE), at(3)) == "taken"
