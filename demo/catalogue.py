"""What stands in the demonstration's schools: models by kind, how many by level, and how their ports are named."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model of device. `ports`: how many rows of IF-MIB; `port_name`: ifName of port n (from 1), by `format`'s rules.

    `object_id`: sysObjectID; `descr`: sysDescr; `speed_mbps`: ifHighSpeed of its ports, `uplink_mbps` of the last four.
    """

    kind: str
    vendor: str
    name: str
    ports: int
    port_name: str
    object_id: str
    descr: str
    version: str
    speed_mbps: int = 1000
    uplink_mbps: int = 1000
    first: int = 1

    def port(self, number: int) -> str:
        """ifName of port `number`, counted from 1."""
        return self.port_name.format(number - 1 + self.first)


_VRP = "Huawei Versatile Routing Platform Software\r\nVRP (R) software, Version {v}\r\nCopyright (C) Huawei Technologies Co., Ltd.\r\n{m}"
_COMWARE = "H3C Comware Platform Software, Software Version {v}\r\n{m}\r\nCopyright (c) New H3C Technologies Co., Ltd."
_RGOS = "Ruijie {m} by Ruijie Networks Co., Ltd. RGOS {v}"


def _huawei(kind: str, name: str, ports: int, oid: str, port: str, first: int = 0, up: int = 1000) -> Model:
    version = "5.170 (V200R021C00SPC100)"
    return Model(kind, "Huawei", name, ports, port, oid, _VRP.format(v=version, m=name), version, 1000, up, first)


def _h3c(kind: str, name: str, ports: int, oid: str, port: str, first: int = 0, up: int = 1000) -> Model:
    version = "7.1.070, Release 6312"
    return Model(kind, "H3C", name, ports, port, oid, _COMWARE.format(v=version, m=name), version, 1000, up, first)


def _ruijie(kind: str, name: str, ports: int, oid: str, port: str, first: int = 0, up: int = 1000) -> Model:
    version = "11.4(1)B12P7"
    return Model(kind, "Ruijie", name, ports, port, oid, _RGOS.format(v=version, m=name), version, 1000, up, first)


MODELS: dict[str, tuple[Model, ...]] = {
    "core": (
        Model(
            "core",
            "Huawei",
            "NetEngine 8000 M8",
            52,
            "25GE0/2/{}",
            "1.3.6.1.4.1.2011.2.88.14",
            _VRP.format(v="8.210", m="NE8000 M8"),
            "8.210 (V800R021C00)",
            25000,
            25000,
            0,
        ),
    ),
    "aggregation": (
        _huawei("aggregation", "S6730-H48X6C", 54, "1.3.6.1.4.1.2011.2.23.699", "XGigabitEthernet0/0/{}", 1, 10000),
        _h3c("aggregation", "S6520X-54QC-EI", 54, "1.3.6.1.4.1.25506.1.1826", "Ten-GigabitEthernet1/0/{}", 1, 10000),
        _ruijie("aggregation", "RG-S6510-48VS8CQ", 54, "1.3.6.1.4.1.4881.1.1.10.1.277", "TFGigabitEthernet 0/{}", 1),
    ),
    "gateway": (
        _huawei("gateway", "AR651", 8, "1.3.6.1.4.1.2011.2.224.281", "GigabitEthernet0/0/{}"),
        _huawei("gateway", "AR169", 6, "1.3.6.1.4.1.2011.2.224.160", "GigabitEthernet0/0/{}"),
        _h3c("gateway", "MSR830-10BEI-WiNet", 10, "1.3.6.1.4.1.25506.1.2080", "GigabitEthernet0/{}"),
        _ruijie("gateway", "RG-EG2100-P", 8, "1.3.6.1.4.1.4881.1.3.1.1.158", "GigabitEthernet 0/{}"),
    ),
    "switch": (
        _huawei("switch", "S5735-L24T4S-A1", 28, "1.3.6.1.4.1.2011.2.23.635", "GigabitEthernet0/0/{}", 1),
        _h3c("switch", "S5130S-28P-EI", 28, "1.3.6.1.4.1.25506.1.2047", "GigabitEthernet1/0/{}", 1),
        _ruijie("switch", "RG-S2910-24GT4XS-E", 28, "1.3.6.1.4.1.4881.1.1.10.1.160", "GigabitEthernet 0/{}", 1),
    ),
    "ap": (
        _huawei("ap", "AP4050DN", 2, "1.3.6.1.4.1.2011.2.240.17", "GigabitEthernet0/0/{}"),
        _h3c("ap", "WA6320", 2, "1.3.6.1.4.1.25506.1.2152", "GigabitEthernet1/0/{}", 1),
        _ruijie("ap", "RG-AP820-L(V2)", 2, "1.3.6.1.4.1.4881.1.1.10.1.380", "GigabitEthernet 0/{}", 1),
    ),
    "camera": (
        Model(
            "camera",
            "Hikvision",
            "DS-2CD2T47EWD-L",
            1,
            "eth{}",
            "1.3.6.1.4.1.39165.1",
            "IP CAMERA",
            "V5.7.3",
            100,
            100,
            0,
        ),
        Model(
            "camera",
            "Dahua",
            "DH-IPC-HFW2433F-ZSA",
            1,
            "eth{}",
            "1.3.6.1.4.1.1004849.3",
            "Linux IPC",
            "2.820",
            100,
            100,
            0,
        ),
    ),
    "recorder": (
        Model("recorder", "Hikvision", "DS-7732N-K4", 2, "eth{}", "1.3.6.1.4.1.50001", "NVR", "V4.61.025", first=0),
        Model("recorder", "Dahua", "DH-NVR5432-4KS2", 2, "eth{}", "1.3.6.1.4.1.1004849.3", "NVR", "4.003", first=0),
    ),
    "ups": (
        Model(
            "ups",
            "APC",
            "Smart-UPS SMT1500RM2UI",
            1,
            "eth{}",
            "1.3.6.1.4.1.318.1.3.27",
            "APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.8.8)",
            "6.8.8",
            100,
            100,
            0,
        ),
        Model(
            "ups",
            "Huawei",
            "UPS2000-G-3kVA",
            1,
            "eth{}",
            "1.3.6.1.4.1.2011.6.174",
            "UPS2000 SNMP card",
            "V100R002",
            100,
            100,
            0,
        ),
    ),
    "sensor": (
        Model(
            "sensor",
            "APC",
            "NetBotz 250",
            1,
            "eth{}",
            "1.3.6.1.4.1.318.1.3.32",
            "NetBotz temperature and humidity",
            "4.6.2",
            100,
            100,
            0,
        ),
    ),
    "server": (
        Model(
            "server",
            "Inspur",
            "NF5280M5",
            2,
            "eth{}",
            "1.3.6.1.4.1.8072.3.2.10",
            "Linux edu-server 6.1.0-18-amd64",
            "Debian 12",
            first=0,
        ),
    ),
}
"""The models of each kind; a school takes one vendor for its network gear."""

SWITCH_UPLINK = 25
"""The switch's port to the gateway."""

LEVELS: dict[str, dict[str, int]] = {
    "higher": {"switch": 5, "ap": 6, "camera": 5, "recorder": 1, "ups": 2, "server": 1, "sensor": 1},
    "senior": {"switch": 3, "ap": 2, "camera": 2, "recorder": 1, "ups": 1, "sensor": 1},
    "vocational": {"switch": 2, "ap": 1, "camera": 2, "ups": 1},
    "twelve_year": {"switch": 2, "ap": 1, "camera": 2, "recorder": 1},
    "nine_year": {"switch": 1, "ap": 1, "camera": 1, "ups": 1},
    "junior": {"switch": 1, "ap": 1, "camera": 1},
    "primary": {"switch": 1, "camera": 1},
    "special": {"switch": 1, "camera": 1},
    "kindergarten": {"camera": 1},
    "teaching_point": {},
    "adult": {"switch": 1},
    "bureau": {"switch": 1, "server": 1},
}
"""Devices beside the gateway, by level of school."""

CATEGORY: dict[str, str] = {
    "kindergarten": "11",
    "teaching_point": "21",
    "primary": "21",
    "junior": "31",
    "nine_year": "31",
    "senior": "34",
    "twelve_year": "34",
    "vocational": "36",
    "adult": "42",
    "higher": "41",
    "special": "51",
    "bureau": "91",
}
"""First two digits of the 学校标识码 (FIELD.md 2.1). A bureau has none of its own there: 91 stands for it here."""

PUPILS: dict[str, tuple[int, int]] = {
    "higher": (4000, 15000),
    "senior": (900, 3200),
    "vocational": (500, 2400),
    "twelve_year": (900, 2600),
    "nine_year": (300, 1200),
    "junior": (240, 1600),
    "primary": (120, 1900),
    "special": (30, 160),
    "kindergarten": (60, 420),
    "teaching_point": (6, 45),
    "adult": (80, 600),
    "bureau": (0, 0),
}
"""Least and most pupils."""

BANDWIDTH: dict[str, tuple[int, ...]] = {
    "higher": (1000, 2000),
    "senior": (300, 500),
    "vocational": (200, 300),
    "twelve_year": (300, 500),
    "nine_year": (100, 200),
    "junior": (100, 200),
    "primary": (100, 200),
    "special": (100,),
    "kindergarten": (50, 100),
    "teaching_point": (20, 50),
    "adult": (100,),
    "bureau": (300, 500),
}
"""Contracted Mbit/s that occur."""

OPERATORS: tuple[tuple[str, str, str, str], ...] = (
    ("telecom", "电信", "DX", "10000"),
    ("unicom", "联通", "LT", "10010"),
    ("mobile", "移动", "YD", "10086"),
)
"""Operators: key, Chinese name, letters in circuit numbers, hotline."""
