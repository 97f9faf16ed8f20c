"""Profiles: each has a small recording of its own, and reads from it what its author says; rows that are wrong are refused."""

import json
from pathlib import Path

import pytest

from probes.device import match_profile, read_device, read_sensors
from probes.device.profile import UNITS, ProfileError, load_profile, load_profiles
from probes.device.recording import Recording
from probes.snmp.oids import format_oid, parse_oid

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = sorted(load_profiles())


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_has_a_recording_of_its_own(name):
    missing = [suffix for suffix in (".snmprec", ".expected.json") if not (RECORDINGS / f"{name}{suffix}").exists()]
    assert not missing, f"write tests/probes/recordings/{name}{missing[0]}: docs/vendors.md says how"


@pytest.mark.parametrize("name", [name for name in NAMES if (RECORDINGS / f"{name}.expected.json").exists()])
def test_a_profile_reads_from_its_recording_what_its_author_expects(name):
    got = read_device(Recording.load(RECORDINGS / f"{name}.snmprec"))
    expected = json.loads((RECORDINGS / f"{name}.expected.json").read_text())
    for field, value in expected.pop("device").items():
        assert got["device"].get(field) == value, field
    assert {part: len(items) for part, items in expected.items()} == {part: len(got[part]) for part in expected}
    for part, items in expected.items():
        for wanted, item in zip(items, got[part], strict=True):
            assert wanted.items() <= item.items(), f"{part}: {wanted}"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "standard"])
def test_every_row_of_a_profile_speaks_from_its_recording(name):
    profile = load_profiles()[name]
    recording = Recording.load(RECORDINGS / f"{name}.snmprec")
    names = set(recording.values)
    mute = [
        format_oid(row.reading.oid)
        for row in (*profile.cpu, *profile.sensors, *profile.wireless)
        if not row.fallback and not any(oid[: len(row.reading.oid)] == row.reading.oid for oid in names)
    ]
    assert not mute, "rows that the recording says nothing about"


@pytest.mark.parametrize("name", NAMES)
def test_a_sensor_says_what_the_device_said_at_its_oid(name):
    recording = Recording.load(RECORDINGS / f"{name}.snmprec")
    for sensor in read_device(recording).get("sensors", []):
        said = recording.values[parse_oid(sensor["oid"])].data
        assert sensor["raw"] == (said.decode() if isinstance(said, bytes) else str(said))
        assert sensor["class"] in UNITS


@pytest.mark.parametrize("name", [name for name in NAMES if name != "standard"])
def test_every_profile_says_how_to_turn_snmp_on_safely(name):
    text = load_profiles()[name].enable_commands
    assert "{collector}" in text, "an access list to the collectors"
    without_v3 = name in ("hw_group", "mikrotik_swos") or name.startswith("windows")
    assert without_v3 or ("{user}" in text and "{auth_key}" in text), "SNMPv3"
    filled = text.format(collector="192.0.2.7", user="edu", auth_key="AUTH", priv_key="PRIV")
    assert "192.0.2.7" in filled


def test_sensors_alone_are_read_with_cpu_and_memory_as_classes():
    sensors = read_sensors(Recording.load(RECORDINGS / "huawei_vrp.snmprec"), load_profiles()["huawei_vrp"])
    assert {"cpu", "memory", "temperature", "power"} <= {sensor["class"] for sensor in sensors}
    assert all(sensor["oid"] and "raw" in sensor for sensor in sensors)


@pytest.mark.parametrize(
    ("sys_object_id", "sys_descr", "name"),
    [
        ("1.3.6.1.4.1.2011.2.23.291", "Versatile Routing Platform", "huawei_vrp"),
        ("1.3.6.1.4.1.2011.2.23.1247", "Huawei YunShan OS\nVersion 1.24", "huawei_yunshan"),
        ("1.3.6.1.4.1.2011.6.174.5", "UPS", "huawei_ups"),
        ("1.3.6.1.4.1.9.6.1.1005.24.5", "CBS250", "cisco_small_business"),
        ("1.3.6.1.4.1.9.1.1208", "Cisco IOS Software", "cisco_ios"),
        ("1.3.6.1.4.1.52642.1.1.10.1.797", "FS", "fs_ruijie"),
        ("1.3.6.1.4.1.52642.1.504.0", "FS", "fs_bdcom"),
        ("1.3.6.1.4.1.8072.3.2.10", "UAP-nanoHD 5.43.36.12724", "ubiquiti_unifi"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux nas0 3.2.101", "linux"),
        ("1.3.6.1.4.1.99999.1", "", "generic"),
        ("", "", "generic"),
    ],
)
def test_the_most_demanding_match_wins(sys_object_id, sys_descr, name):
    assert match_profile(sys_object_id, sys_descr).name == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 1", "colour"),
        ('sensor = [{ class = "temperature" }]', "oid"),
        ('sensor = [{ class = "temperature", oid = "1.3", column = "1.3" }]', "oid"),
        ('sensor = [{ class = "warmth", oid = "1.3.0" }]', "warmth"),
        ('sensor = [{ class = "dbm", oid = "1.3.0", formula = "eval" }]', "eval"),
        ('sensor = [{ class = "dbm", oid = "1.3.x" }]', "x"),
        ('match = [{ sys_descr = "(" }]', "unterminated"),
        ("facts.serial = [{ guess = true }]", "source"),
        ("= 1", "Invalid"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(tmp_path, text, says):
    (tmp_path / "acme.toml").write_text(text)
    with pytest.raises(ProfileError, match=f"acme.toml.*{says}"):
        load_profile(tmp_path / "acme.toml")
