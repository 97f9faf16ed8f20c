"""What stands in where no profile and no wide table speaks: sysDescr's words, the chassis, 32-bit counters."""

from collections.abc import Sequence
from typing import ClassVar

import pytest

from probes.device import read_device
from probes.device.recording import Recording
from probes.snmp.ber import COUNTER32, COUNTER64, INTEGER, OCTET_STRING, Oid, Value
from probes.snmp.oids import SYS_DESCR


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
    said = {
        (*entity, 5, 1): Value(INTEGER, 3),
        (*entity, 7, 1): Value(OCTET_STRING, b"school-17-router"),
        (*entity, 11, 1): Value(OCTET_STRING, b"AB12CD34"),
    }
    device = read_device(Recording(said))["device"]
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
