"""Optical modules: one row each, at their port, whatever MIB their values come from."""

import json
from pathlib import Path

import pytest

from probes.device import read_device
from probes.device.recording import Recording
from probes.device.transceivers import name_ports_of_sensors, read_transceivers

SHARED = Path(__file__).parents[3] / "shared" / "captures" / "devices"
PORTS = [
    {"ifIndex": 7, "ifName": "Te1/1/1", "ifDescr": "TenGigabitEthernet1/1/1"},
    {"ifIndex": 8, "ifName": "Te1/1/11"},
]


def sensor(kind: str, descr: str, value: float, index: str = "9", **more: object) -> dict:
    return {"class": kind, "descr": descr, "value": value, "index": index, "oid": f"1.2.{value}", "raw": "", **more}


def test_a_sensor_finds_its_port_by_name_and_no_shorter_one() -> None:
    sensors = [
        sensor("dbm", "Te1/1/1 Receive Power Sensor", -5.0),
        sensor("dbm", "Te1/1/11 Receive Power Sensor", -6.0),
        sensor("dbm", "Te1/1/12 Receive Power Sensor", -7.0),
        sensor("temperature", "Te1/1/1 Inlet", 30.0),
    ]
    name_ports_of_sensors(sensors, PORTS, [])
    assert [item.get("ifIndex") for item in sensors] == [7, 8, None, None]


def test_a_sensor_finds_its_port_by_the_entity_that_contains_it() -> None:
    inventory = [
        {"index": 9, "parent": 5, "class": "sensor"},
        {"index": 5, "parent": 3, "class": "module"},
        {"index": 3, "parent": 1, "class": "port", "ifIndex": 8},
        {"index": 2, "parent": 2, "class": "other"},
    ]
    sensors = [sensor("dbm", "Rx", -5.0), sensor("dbm", "Rx", -5.0, "2"), sensor("dbm", "Rx", -5.0, "77")]
    name_ports_of_sensors(sensors, PORTS, inventory)
    assert [item.get("ifIndex") for item in sensors] == [8, None, None]


def test_of_several_lanes_the_weakest_counts_and_its_name_is_kept() -> None:
    sensors = [
        sensor("dbm", "P Rx lane 1", -5.0, ifIndex=7),
        sensor("dbm", "P Rx lane 2", -19.5, ifIndex=7),
        sensor("dbm", "P Tx", -1.0, ifIndex=7),
        sensor("temperature", "P", 41.0, ifIndex=7, group="transceiver"),
        sensor("temperature", "Board", 80.0),
        sensor("power", "P PoE", 7.0, ifIndex=8),
    ]
    found = read_transceivers(sensors, PORTS)
    assert len(found) == 1
    assert found[0] | {"oids": 0} == {
        "descr": "Te1/1/1",
        "ifIndex": 7,
        "rx_dbm": -19.5,
        "tx_dbm": -1.0,
        "temperature_celsius": 41.0,
        "oids": 0,
    }
    assert found[0]["oids"]["rx_dbm"] == "1.2.-19.5"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/captures (recordings of devices) is not here")
@pytest.mark.parametrize("name", ["vrp_5720", "comware_a5500", "fs-bdcom_ies5100-16ts", "junos_qfx5100", "yunshan"])
def test_real_devices_say_at_which_port_their_modules_are(name: str) -> None:
    read = read_device(Recording.load(SHARED / f"{name}.snmprec"))
    modules, said = read["transceivers"], Recording.load(SHARED / f"{name}.snmprec").values
    indexes = {port["ifIndex"] for port in read["ports"]}
    assert modules
    assert all(module["ifIndex"] in indexes for module in modules), json.dumps(modules)
    names = {".".join(map(str, oid)) for oid in said}
    assert all(oid in names for module in modules for oid in module["oids"].values())
    assert all(-60 < module.get("rx_dbm", 0) < 15 for module in modules)
