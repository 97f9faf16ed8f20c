"""Rules that hold beyond the recordings at hand: boards that are none, pools that are gone, markers that are no readings, and what a device without
a sysObjectID is. Each device here is of our own invention."""

import pytest

from probes.device import match_profile, read_device
from probes.device.recording import Recording, parse_value
from probes.snmp.oids import parse_oid

VRP, CISCO, JUNIPER = "1.3.6.1.4.1.2011.2.23.999", "1.3.6.1.4.1.9.1.9999", "1.3.6.1.4.1.2636.1.1.1.999"


def device_that_says(sys_object_id: str, sys_descr: str, lines: str = "") -> Recording:
    """A recording of a system group and of lines `oid|tag|text`."""
    said = [f"1.3.6.1.2.1.1.1.0|4|{sys_descr}", f"1.3.6.1.2.1.1.2.0|6|{sys_object_id}", *lines.split()]
    parts = [line.split("|", 2) for line in said]
    return Recording({parse_oid(oid): parse_value(tag, text.encode()) for oid, tag, text in parts})


def columns(entry: str, rows: dict[int, dict[int, int]]) -> str:
    """INTEGER cells below a table's entry: index → column → number."""
    return " ".join(f"{entry}.{column}.{index}|2|{cell}" for index, row in rows.items() for column, cell in row.items())


def test_a_board_of_a_huawei_chassis_counts_where_it_works_and_has_a_processor():
    state = (
        "1.3.6.1.4.1.2011.5.25.31.1.1.1.1"  # 2 operational, 5 CPU, 6 its threshold, 7 memory %, 9 its bytes, 19 its MiB
    )
    boards = {
        1: {2: 3, 5: 30, 6: 95, 7: 40, 9: 0, 19: 8192},  # 8 GiB wrap to 0 bytes
        2: {2: 3, 5: 0, 6: 95, 7: 20, 9: 1073741824, 19: 0},  # idle, and too old to speak of MiB
        3: {2: 4, 5: 0, 6: 95, 7: 0, 9: 0, 19: 0},  # pulled out
        4: {2: 3, 5: 0, 6: 0, 7: 0, 9: 0, 19: 0},  # a fan
    }
    got = read_device(device_that_says(VRP, "VRP (R) software, Version 8.180", columns(state, boards)))
    assert {item["oid"][-1]: item["usage_percent"] for item in got["cpu"]} == {"1": 30, "2": 0}
    assert {item["perc_oid"][-1]: item["total_bytes"] for item in got["memory"]} == {"1": 8 << 30, "2": 1 << 30}


@pytest.mark.parametrize(
    ("sys_descr", "product", "hardware"),
    [
        ("Huawei AR9999 Huawei Versatile Routing Platform Software VRP, Version 5.170 (AR9000 V200R010C00)", "", "AR9999 / AR9000"),
        ("Huawei AC9999-PWR Huawei Versatile Routing Platform Software, Version 5.1 (AC V200R010C00)", "AC9999", "AC9999-PWR"),
        ("Huawei AR9999 Huawei Versatile Routing Platform Software VRP, Version 5.1 (AR9000 V200R010C00)", "AR9000", "AR9999 / AR9000"),
        ("VRP (R) software, Version 8.190 (NetEngine 9999 V800R012C00)", "NetEngine-9999", "NetEngine-9999"),
        ("Quidway S9909 Huawei Versatile Routing Platform Software, Version 5.1 (S9900 V200R007C00)", "", "S9909 / S9900"),
        ("VRP (R) software, Version 8.180 (CE9800 V200R005C10)\r\nCopyright (C)\r\nHUAWEI CE9870-48S", "", "CE9870-48S / CE9800"),
    ],
)  # fmt: skip
def test_a_huawei_device_is_called_by_its_model_and_by_its_family(sys_descr, product, hardware):
    lines = f"1.3.6.1.4.1.2011.5.25.188.1.4.0|4|{product}" if product else ""
    assert read_device(device_that_says(VRP, sys_descr, lines))["device"]["hardware"] == hardware


def test_a_cisco_device_has_cores_and_forwarding_processors_and_no_pool_that_is_gone():
    process, pool, forwarding = (
        "1.3.6.1.4.1.9.9.109.1.1",
        "1.3.6.1.4.1.9.9.221.1.1.1.1",
        "1.3.6.1.4.1.9.9.715.1.1.6.1.14",
    )
    lines = (
        f"{process}.1.1.8.1|66|20 {process}.2.1.5.1.0|66|10 {process}.2.1.5.1.1|66|30 "
        f"{forwarding}.9000.1|66|1 {forwarding}.9000.3|66|3 "
        f"{pool}.6.1|2|1 {pool}.18.1|70|100 {pool}.20.1|70|300 {pool}.6.2|2|2 {pool}.18.2|70|0 {pool}.20.2|70|7"
    )
    got = read_device(device_that_says(CISCO, "Cisco IOS Software [Demo], Version 17.9.9", lines))
    assert [item["usage_percent"] for item in got["cpu"]] == [20, 10, 30, 3]
    assert [(item["used_percent"], item["total_bytes"]) for item in got["memory"]] == [(25, 400)]


def test_memory_of_old_cisco_processes_is_read_in_kilobytes_and_its_wide_counters_first():
    process = "1.3.6.1.4.1.9.9.109.1.1.1.1"
    narrow = f"{process}.12.1|66|4000000 {process}.13.1|66|1"
    wide = f"{process}.17.1|70|6000000 {process}.19.1|70|2000000"
    for lines, percent in ((narrow, 100), (f"{narrow} {wide}", 75)):
        got = read_device(device_that_says(CISCO, "Cisco IOS Software, Version 15.9", lines))
        assert [item["used_percent"] for item in got["memory"]] == [percent]


def test_a_junos_fan_is_no_processor_whatever_memory_it_shows():
    table = "1.3.6.1.4.1.2636.3.1.13.1"
    lines = " ".join(
        f"{table}.5.{row}|4|{name} {table}.8.{row}|2|7 {table}.11.{row}|2|50 {table}.15.{row}|2|512"
        for row, name in (("9.1.0.0", "Routing-Engine"), ("4.1.1.0", "Fan-Tray"), ("4.2.1.0", "FPC-0-sensor"))
    )
    got = read_device(device_that_says(JUNIPER, "Juniper Networks, Inc. demo, kernel JUNOS 21.4R3", lines))
    assert [item["descr"] for item in got["cpu"]] == ["Routing-Engine"]
    assert [item["descr"] for item in got["memory"]] == ["Routing-Engine"]


@pytest.mark.parametrize(
    ("raw", "scale", "value"),
    [(36, 9, 36), (36500, 8, 36.5), (-127, 9, None), (2147483647, 9, None), (255, 9, None), (-5, 9, -5)],
)
def test_a_thermometer_that_is_not_there_is_no_temperature(raw, scale, value):
    table = "1.3.6.1.2.1.99.1.1.1"
    lines = f"{table}.1.7|2|8 {table}.2.7|2|{scale} {table}.3.7|2|0 {table}.4.7|2|{raw} {table}.5.7|2|1"
    found = read_device(device_that_says("1.3.6.1.4.1.99999.1", "Acme", lines)).get("sensors", [])
    assert [item["value"] for item in found if item["class"] == "temperature"] == ([] if value is None else [value])


def test_a_ruijie_power_supply_speaks_in_milliwatts_and_an_absent_one_not_at_all():
    table = "1.3.6.1.4.1.4881.1.1.10.2.1.1.41.1"
    lines = columns(
        table,
        {1: {3: 4, 11: 230, 12: 300, 13: 12000, 14: 5000, 15: 60000}, 2: {3: 1, 11: 0, 12: 0, 13: 0, 14: 0, 15: 0}},
    )
    found = read_device(device_that_says("1.3.6.1.4.1.4881.1.1.10.1.999", "Ruijie demo", lines))["sensors"]
    said = [(item["class"], item["value"]) for item in found if item["class"] != "state"]
    assert said == [("voltage", 230), ("current", 0.3), ("voltage", 12), ("current", 5), ("power", 60)]


@pytest.mark.parametrize(
    ("sys_object_id", "sys_descr", "name"),
    [
        ("", "ZTE Ethernet Switch  ZXR10 9999-28T, Version: V2.05", "zte_zxr10"),
        ("", "S9999-28P Huawei Versatile Routing Platform Software", "huawei_vrp"),
        ("", "H3C Comware Platform Software, Software Version 7.1", "h3c_comware"),
        ("", "Ruijie Gigabit Switch (RG-S9999) By Ruijie Networks", "ruijie_rgos"),
        ("", "Cisco IOS Software, Demo Software (DEMO-M), Version 15.2", "cisco_ios"),
        ("", "Cisco Adaptive Security Appliance Version 9.99(1)", "cisco_asa"),
        (CISCO, "Cisco Adaptive Security Appliance Version 9.99(1)", "cisco_asa"),
        ("1.3.6.1.4.1.1916.2.999", "Extreme SLX9999 Switch, SLX Operating System Version 20", "extreme_slx"),
        ("1.3.6.1.4.1.1916.2.999", "ExtremeXOS (X999) version 31.7.1.4", "extreme_xos"),
        ("1.3.6.1.4.1.1916.2.999", "Another product of the house", "generic"),
    ],
)
def test_a_device_without_an_object_id_is_known_by_its_words(sys_object_id, sys_descr, name):
    assert match_profile(sys_object_id, sys_descr).name == name


def test_what_runs_on_an_asa_is_told_by_entity_mib_and_not_by_a_text_of_the_operator():
    entity = "1.3.6.1.2.1.47.1.1.1.1"
    lines = f"{entity}.5.4|2|3 {entity}.10.4|4|9.99(1) {entity}.11.4|4|DEMO4 {entity}.13.4|4|ASA-SM9"
    device = read_device(device_that_says(CISCO, "Cisco Adaptive Security Appliance Version 8.2(5)", lines))["device"]
    assert (device["version"], device["serial"], device["hardware"], device["type"]) == (
        "9.99(1)",
        "DEMO4",
        "ASA-SM9",
        "firewall",
    )


@pytest.mark.parametrize(
    ("sys_descr", "hardware", "version"),
    [
        ("WS6-DGS-9999-52/F1 6.10.007", "DGS-9999-52/F1", "6.10.007"),
        ("D-Link DES-9999 Fast Ethernet Switch", "DES-9999", None),
    ],
)
def test_a_d_link_switch_may_tell_its_version_in_sys_descr_alone(sys_descr, hardware, version):
    device = read_device(device_that_says("1.3.6.1.4.1.171.10.999.1", sys_descr))["device"]
    assert (device["hardware"], device.get("version")) == (hardware, version)


@pytest.mark.parametrize(
    ("sys_descr", "model", "named", "hardware"),
    [
        ("Cisco IOS XR Software (Cisco DEMO9K Series),  Version 7.9.9[Default]", "DEMO-9001", "", "DEMO-9001 / DEMO9K Series"),
        ("Cisco IOS XR Software (NCS-999), Version 7.9.9 LNT", "", "", "NCS-999"),
        ("Cisco NX-OS(tm) n9000, Software (n9000-dk9), Version 9.9(9)", "N9K-C9999", "Nexus9000-C9999-Chassis", "N9K-C9999 / Nexus9000-C9999-Chassis"),
        ("Cisco NX-OS(tm) n3000, Software, Version 9.9(9)", "N3K-C9999", "N3K-C9999", "N3K-C9999"),
        ("Cisco IOS Software, Demo Software, Version 15.9", "WS-C9999", "GigabitEthernet2/0/5", "WS-C9999"),
    ],
)  # fmt: skip
def test_a_cisco_device_is_called_by_its_model_and_its_series(sys_descr, model, named, hardware):
    entity = "1.3.6.1.2.1.47.1.1.1.1"
    lines = (
        f"{entity}.5.1|2|3 {entity}.11.1|4|DEMO1"
        + (f" {entity}.13.1|4|{model}" if model else "")
        + (f" {entity}.7.149|4|{named}" if named else "")
    )
    assert read_device(device_that_says(CISCO, sys_descr, lines))["device"]["hardware"] == hardware


def test_poe_is_read_in_the_units_of_each_table():
    lines = (
        "1.3.6.1.2.1.105.1.3.1.1.2.1|66|370 1.3.6.1.2.1.105.1.3.1.1.3.1|2|3 1.3.6.1.2.1.105.1.3.1.1.4.1|66|115 "  # W
        "1.3.6.1.4.1.9.9.402.1.3.1.4.1|66|115300 1.3.6.1.4.1.9.9.402.1.3.1.5.1|66|254700 1.3.6.1.4.1.9.9.402.1.2.1.9.1.5|66|15400"  # mW
    )
    found = read_device(device_that_says(CISCO, "Cisco IOS Software [Demo], Version 17.9.9", lines))["sensors"]
    assert sorted(item["value"] for item in found if item["class"] == "power") == [15.4, 115, 115.3, 254.7, 370]
    assert [item["state"] for item in found if item["class"] == "state"] == ["faulty"]


def test_ucd_memory_is_told_in_all_its_parts_and_used_leaves_buffers_and_cache_out():
    lines = " ".join(
        f"1.3.6.1.4.1.2021.4.{number}.0|2|{kilobytes}"
        for number, kilobytes in ((3, 1000), (4, 750), (5, 4000), (6, 1000), (14, 400), (15, 1600), (27, 2800))
    )
    got = read_device(device_that_says("1.3.6.1.4.1.99999.1", "Acme appliance", lines))["memory"]
    assert {item["class"]: item["used_percent"] for item in got} == {
        "system": 25,
        "swap": 25,
        "buffers": 10,
        "cached": 40,
        "available": 30,
    }
    assert all("free_oid" in item or "used_oid" in item for item in got)


@pytest.mark.parametrize("raw", [255, 32767, 65535, 2147483646, 2147483647, -127, -255, -32768])
def test_a_marker_in_a_vendors_table_is_no_temperature(raw):
    lines = f"1.3.6.1.4.1.171.12.11.1.8.1.2.1|2|41 1.3.6.1.4.1.171.12.11.1.8.1.2.2|2|{raw}"
    found = read_device(device_that_says("1.3.6.1.4.1.171.10.999.1", "D-Link DES-9999", lines))["sensors"]
    assert [item["value"] for item in found] == [41]


@pytest.mark.parametrize(
    ("sys_descr", "hardware"),
    [
        ("H3C Comware Platform Software, Software Version 7.1.070, Release 6312\r\nH3C S9130S-28P\r\nCopyright", "S9130S-28P"),
        ("H3C Switch S9600-28TP-SI Software Version 3.10, Release 1702P20", "S9600-28TP-SI"),
        ("HPE V9910-24G Switch Software Version 5.20 Release 1519P06", "V9910-24G Switch"),
    ],
)  # fmt: skip
def test_a_comware_device_is_called_by_its_model(sys_descr, hardware):
    assert read_device(device_that_says("1.3.6.1.4.1.25506.1.999", sys_descr))["device"]["hardware"] == hardware
