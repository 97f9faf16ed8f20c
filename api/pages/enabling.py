"""The commands to paste that turn SNMP on, for a device's vendor: from the profiles of `probes.device`."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import probes

_FOLDER = Path(probes.__file__).parent / "device" / "profiles"


@dataclass(frozen=True, slots=True)
class Commands:
    """What to paste. vendor: whose commands they are, "" for the general advice; secrets stand as UPPER_CASE words to replace."""

    vendor: str
    text: str


@lru_cache(maxsize=1)
def _profiles() -> list[dict[str, Any]]:
    found = []
    for path in sorted(_FOLDER.glob("*.toml")):
        with path.open("rb") as file:
            found.append({"name": path.stem, **tomllib.load(file)})
    return found


def commands_for(vendor: str, sys_object_id: str) -> Commands | None:
    """The commands of the profile that fits best: by sysObjectID, else by the vendor's name. None where no profile has any."""
    best: Commands | None = None
    length = -1
    for profile in _profiles():
        text = profile.get("enable_commands")
        if isinstance(text, list):
            text = "\n".join(str(line) for line in text)
        if not text:
            continue
        fit = _fit(profile, vendor, sys_object_id)
        if fit > length:
            best, length = Commands(str(profile.get("vendor", profile["name"])), str(text).strip()), fit
    return best if length > 0 else None


def _fit(profile: dict[str, Any], vendor: str, sys_object_id: str) -> int:
    prefixes = (
        profile.get("sys_object_ids") or profile.get("sysObjectID") or profile.get("match", {}).get("sysObjectID") or []
    )
    for prefix in [prefixes] if isinstance(prefixes, str) else prefixes:
        plain = str(prefix).strip(".")
        if plain and (sys_object_id.strip(".") + ".").startswith(plain + "."):
            return 100 + len(plain)
    names = {str(profile.get("vendor", "")).lower(), profile["name"].lower()}
    return 50 if vendor and vendor.lower() in names else 0
