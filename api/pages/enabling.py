"""The commands to paste that turn SNMP on, for a device's vendor: from the profiles of `probes.device`."""

import re
from dataclasses import dataclass

from inventory.models import DeviceKind
from probes.device.profile import Profile, load_profiles
from probes.snmp.oids import parse_oid

_TYPES: dict[DeviceKind, str] = {
    DeviceKind.camera: "appliance",
    DeviceKind.recorder: "appliance",
    DeviceKind.ups: "power",
    DeviceKind.ap: "wireless",
    DeviceKind.ac: "wireless",
    DeviceKind.printer: "printer",
    DeviceKind.server: "server",
    DeviceKind.sensor: "environment",
}
"""Types of profiles by kind; every other kind is `network`."""

_NAMES = {
    "华为": "huawei", "华三": "h3c", "新华三": "h3c", "锐捷": "ruijie", "海康威视": "hikvision", "海康": "hikvision", "大华": "dahua", "中兴": "zte",
    "迈普": "maipu", "神州数码": "dcn", "烽火": "fiberhome", "普联": "tplink", "思科": "cisco", "山石": "hillstone", "博达": "bdcom",
}  # fmt: skip
"""Chinese names that registers have for vendors."""

PLACEHOLDERS = {
    "{user}": "USER",
    "{auth_key}": "AUTH_PASSWORD",
    "{priv_key}": "PRIV_PASSWORD",
    "{collector}": "COLLECTOR_ADDRESS",
}
"""What of the commands is to be replaced, as the page writes it."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What to paste. vendor: whose commands they are; what is to be replaced stands in capitals."""

    vendor: str
    text: str


def commands_for(vendor: str, kind: DeviceKind, sys_object_id: str) -> Commands | None:
    """The commands of the profile that fits best: by sysObjectID, else by the vendor's name and the kind. None where none fits."""
    fits = [(_fit(profile, vendor, kind, sys_object_id), name) for name, profile in load_profiles().items()]
    best, name = max(fits, key=lambda fit: (fit[0], -len(fit[1])))
    if best <= 0:
        return None
    text = load_profiles()[name].enable_commands
    for placeholder, word in PLACEHOLDERS.items():
        text = text.replace(placeholder, word)
    return Commands(name.replace("_", " "), text)


def _fit(profile: Profile, vendor: str, kind: DeviceKind, sys_object_id: str) -> int:
    if not profile.enable_commands:
        return 0
    if re.fullmatch(r"\.?\d+(\.\d+)+", sys_object_id):
        said = parse_oid(sys_object_id)
        lengths = [
            len(match.sys_object_id)
            for match in profile.matches
            if match.sys_object_id == said[: len(match.sys_object_id)]
        ]
        if lengths and max(lengths) > 6:  # beyond 1.3.6.1.4.1
            return 100 + max(lengths)
    named = _NAMES.get(vendor.strip(), re.sub(r"[^a-z0-9]", "", vendor.lower()))
    if not named or named not in (profile.vendor, profile.name.split("_")[0]):
        return 0
    return 60 if profile.type == _TYPES.get(kind, "network") else 50
