"""What stands in where no profile and no wide table speaks: sysDescr's words, the chassis, 32-bit counters."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from probes.device import read_device
from probes.device.recording import Recording, parse_value
from probes.snmp.ber import COUNTER32, COUNTER64, INTEGER, OCTET_STRING, Oid, Value
from probes.snmp.oids import SYS_DESCR, parse_oid


@pytest.mark.parametrize(
    ("sys_descr", "facts"),
    [
        ("Acme Switch, Software Version 3.1.4(a), Model: AX-24", {"version": "3.1.4(a)", "hardware": "AX-24"}),
        ("Acme AP firmware: v2.0b7 S/N: AB12CD34", {"version": "v2.0b7", "serial": "AB12CD34"}),
        ("Acme 24 port switch", {}),
    ],
)
def test_what_no_profile_and_no_entity_says_stands_in_sys_descr(sys_descr: str, facts: dict[str, str]) -> None:
    device = read_device(Recording({SYS_DESCR: Value(OCTET_STRING, sys_descr.encode())}))["device"]
    assert {key: device[key] for key in ("version", "hardware", "serial") if key in device} == facts


def test_the_name_of_a_chassis_is_no_hardware() -> None:
    entity = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
    rows = {
        (*entity, 5, 1): Value(INTEGER, 3),
        (*entity, 7, 1): Value(OCTET_STRING, b"school-17-router"),
        (*entity, 11, 1): Value(OCTET_STRING, b"AB12CD34"),
    }
    device = read_device(Recording(rows))["device"]
    assert device["serial"] == "AB12CD34"
    assert "hardware" not in device


def test_narrow_counters_are_asked_for_only_where_wide_ones_lack_a_port() -> None:
    class Listening(Recording):
        asked: ClassVar[set[Oid]] = set()

        def walk(self, columns: Sequence[Oid], budget_s: float | None = None) -> dict[Oid, dict[Oid, Value]]:
            self.asked.update(columns)
            return super().walk(columns)

    wide, narrow = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6), (1, 3, 6, 1, 2, 1, 2, 2, 1, 10)
    names = {(1, 3, 6, 1, 2, 1, 2, 2, 1, 2, index): Value(OCTET_STRING, b"p") for index in (1, 2)}
    full = Listening(names | {(*wide, index): Value(COUNTER64, 7) for index in (1, 2)})
    assert [port["ifHCInOctets"] for port in read_device(full)["ports"]] == [7, 7]
    assert narrow not in full.asked
    half = Listening(names | {(*wide, 1): Value(COUNTER64, 7), (*narrow, 2): Value(COUNTER32, 5)})
    assert read_device(half)["ports"][1]["ifInOctets"] == 5


def said(*rows: str) -> Recording:
    """A recording of lines `OID|tag|value`."""
    parts = [row.split("|", 2) for row in rows]
    return Recording({parse_oid(name): parse_value(tag, text.encode()) for name, tag, text in parts})


def values(device: Recording) -> dict[str, float]:
    """The sensors' values, by OID."""
    return {sensor["oid"]: sensor["value"] for sensor in read_device(device).get("sensors", [])}


UPS = "1.3.6.1.2.1.33.1"


@pytest.mark.parametrize(
    ("raw", "hertz"),
    [(499, 49.9), (0, 0), (50, 50), (5001, 50.01), (65535, None)],
    ids=["RFC", "off", "Hz", "cHz", "none"],
)
def test_a_frequency_of_the_mains_is_read_in_the_unit_that_makes_sense(raw: int, hertz: float | None) -> None:
    found = values(said(f"{UPS}.3.3.1.2.1|2|{raw}", f"{UPS}.4.2.0|2|{raw}"))
    wanted = {} if hertz is None else {f"{UPS}.3.3.1.2.1": hertz, f"{UPS}.4.2.0": hertz}
    assert found == wanted


def test_a_ups_that_counts_volts_in_tenths_and_adds_a_zero_to_the_phase() -> None:
    found = read_device(said(f"{UPS}.4.4.1.2.2.0|66|2306", f"{UPS}.3.3.1.3.1|66|229", f"{UPS}.2.7.0|2|32767"))[
        "sensors"
    ]
    assert {(sensor["descr"], sensor["value"]) for sensor in found} == {
        ("Output Phase 2", 230.6),
        ("Input Phase 1", 229),
    }


SYSTEM = "1.3.6.1.2.1.1"
NET_SNMP = f"{SYSTEM}.2.0|6|1.3.6.1.4.1.8072.3.2.10"


@pytest.mark.parametrize(
    ("rows", "os"),
    [
        ((f"{SYSTEM}.1.0|4|Linux GSE200M", f"{UPS}.1.1.0|4|HUAWEI"), "huaweiups"),
        ((f"{SYSTEM}.1.0|4|Linux GSE200M 2.6", NET_SNMP, "1.3.6.1.4.1.2011.6.164.1.3.1.4.0|2|2"), "huawei-smu"),
        ((f"{SYSTEM}.1.0|4|Linux ups 5.1", NET_SNMP, f"{UPS}.1.1.0|4|Acme"), "linux"),
        ((f"{SYSTEM}.1.0|4|Linux nas", NET_SNMP, "1.3.6.1.2.1.25.1.4.0|4|root=/dev/md0 syno_hw_version=DS9"), "dsm"),
        ((f"{SYSTEM}.1.0|4|Linux nas", NET_SNMP, "1.3.6.1.2.1.47.1.1.1.1.12.1|4|QNAP Systems"), "qnap"),
        (
            (f"{SYSTEM}.1.0|4|Linux 3.3", f"{SYSTEM}.2.0|6|1.3.6.1.4.1.10002.1", "1.2.840.10036.3.1.2.1.3.6|4|UAP-LR"),
            "unifi",
        ),
        (
            (
                f"{SYSTEM}.1.0|4|Linux 2.6",
                f"{SYSTEM}.2.0|6|1.3.6.1.4.1.10002.1",
                "1.2.840.10036.3.1.2.1.3.6|4|NanoBeam",
            ),
            "airos",
        ),
    ],
)
def test_what_claims_to_be_something_else_is_known_by_what_it_says(rows: tuple[str, ...], os: str) -> None:
    assert read_device(said(*rows))["device"]["os"] == os


LINUX, DELL, EXTEND = "Linux h 5.10.1 #1 SMP", "1.3.6.1.4.1.674.10892.1.300.10.1", "1.3.6.1.4.1.8072.1.3.2.3.1.1"


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        ((f"{SYSTEM}.1.0|4|{LINUX} aarch64",), {"hardware": "Generic ARMv8 64-bit", "version": "5.10.1"}),
        ((f"{SYSTEM}.1.0|4|{LINUX} armv7l",), {"hardware": "Generic ARMv7"}),
        ((f"{SYSTEM}.1.0|4|{LINUX} x86_64 GNU",), {"hardware": "Generic x86 64-bit"}),
        ((f"{SYSTEM}.1.0|4|{LINUX} x86_64", f"{DELL}.9.1|4|Rack 1", f"{DELL}.11.1|4|TAG1"), {"hardware": "Rack 1", "serial": "TAG1"}),
        ((f"{SYSTEM}.1.0|4|{LINUX} x86_64", f"{EXTEND}.6.100.105.115.116.114.111|4|Demo Linux 9"), {"features": "Demo Linux 9"}),
    ],
)  # fmt: skip
def test_what_a_server_is_stands_in_its_makers_agent_else_in_sys_descr(
    rows: tuple[str, ...], facts: dict[str, str]
) -> None:
    device = read_device(said(NET_SNMP, *rows))["device"]
    assert facts.items() <= device.items()


APC = f"{SYSTEM}.2.0|6|1.3.6.1.4.1.318.1.3.27"
PROBE = "1.3.6.1.4.1.318.1.1.10.4.2"


@pytest.mark.parametrize(("unit", "celsius"), [(1, 77), (2, 25)])
def test_the_unit_of_a_probe_is_asked_of_the_device(unit: int, celsius: float) -> None:
    assert values(said(APC, f"{PROBE}.1.0|2|{unit}", f"{PROBE}.3.1.5.0.1|2|77"))[f"{PROBE}.3.1.5.0.1"] == celsius


def test_tenths_of_a_degree_fahrenheit() -> None:
    sensor = "1.3.6.1.4.1.3808.1.1.4.2.1.0"
    assert values(said(f"{SYSTEM}.2.0|6|1.3.6.1.4.1.3808.1.1.3", f"{sensor}|2|680")) == {sensor: 20}


@pytest.mark.parametrize(
    ("place", "raw"),
    [("26.10.2.2.1.8.1", -1), ("26.10.2.2.1.10.1", -1), ("12.1.15.0", -1), ("10.3.13.1.1.3.1", -1),
     ("10.3.13.1.1.3.1", 0), ("10.3.13.1.1.3.1", 2147483647)],
)  # fmt: skip
def test_what_marks_an_absent_probe_is_no_reading(place: str, raw: int) -> None:
    assert values(said(APC, f"1.3.6.1.4.1.318.1.1.{place}|2|{raw}")) == {}


def test_a_supply_counted_in_percent_needs_no_capacity() -> None:
    supply = "1.3.6.1.2.1.43.11.1.1"
    rows = (f"{supply}.{column}.1.{index}|2|{number}" for column, numbers in ((7, (19, 7)), (8, (-2, -2)), (9, (30, 30)))
            for index, number in enumerate(numbers, 1))  # fmt: skip
    supplies = read_device(said(*rows))["printer_supplies"]
    assert [item.get("percent") for item in supplies] == [30, None]


def test_a_table_with_holes_texts_and_markers_gives_only_what_is_sure() -> None:
    table = "1.3.6.1.4.1.21796.3.3.3.1"
    rows = [f"{SYSTEM}.2.0|6|1.3.6.1.4.1.21796.3.3"]
    for index, (number, unit) in {
        1: ("4|23.5 C", 0), 2: ("4|240", 0), 3: ("2|-9999", 0), 5: ("4|245", 0), 7: ("5|", 0), 9: ("2|2147483647", 3), 11: ("4|error", 0), 12: ("2|455", 3), 14: ("4|45.5 %RH", 3),
    }.items():  # fmt: skip
        rows += [f"{table}.6.{index}|{number}", f"{table}.9.{index}|2|{unit}"]
    found = values(said(*rows, f"{table}.6.13|2|215"))
    assert found == {
        f"{table}.6.{index}": value for index, value in {1: 23.5, 2: 24, 5: 24.5, 12: 45.5, 14: 45.5}.items()
    }
