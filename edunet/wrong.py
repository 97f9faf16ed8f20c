"""Which line of the configuration is wrong, and why."""

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from edunet.settings import Settings, config_file


@dataclass(frozen=True, slots=True)
class WrongSetting:
    """A setting that is refused. where: file:line, or the environment variable."""

    where: str
    name: str
    why: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.name, self.why) if part)


def wrong_settings() -> list[WrongSetting]:
    """What is wrong with the configuration in force; empty: nothing."""
    try:
        path = config_file()
    except FileNotFoundError as error:
        return [WrongSetting("EDUNET_CONFIG", "", str(error))]
    if path is not None:
        try:
            with path.open("rb") as file:
                given = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            return [WrongSetting(str(path), "", str(error))]
        except OSError as error:
            return [WrongSetting(str(path), "", error.strerror or str(error))]
        unknown = _unknown(given, Settings, ())
        if unknown:
            return [WrongSetting(_where(path, keys), ".".join(keys), "no such setting") for keys in unknown]
    try:
        Settings()
    except ValidationError as error:
        return [
            WrongSetting(_where(path, [str(part) for part in one["loc"]]), ".".join(map(str, one["loc"])), one["msg"])
            for one in error.errors()
        ]
    except ValueError as error:  # pydantic-settings: a variable that is no JSON where a group is expected
        return [WrongSetting("", "", str(error))]
    return []


def _unknown(given: dict[str, Any], model: type[BaseModel], above: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Keys that no setting has, at any depth: a group of settings would pass over them in silence."""
    found: list[tuple[str, ...]] = []
    for key, value in given.items():
        field = model.model_fields.get(key)
        if field is None:
            found.append((*above, key))
        elif isinstance(value, dict) and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _unknown(value, field.annotation, (*above, key))
    return found


def _where(path: Path | None, keys: Sequence[str]) -> str:
    for length in range(len(keys), 0, -1):
        variable = "EDUNET_" + "__".join(keys[:length]).upper()
        if any(name.upper() == variable for name in os.environ):
            return variable
    if path is None:
        return ""
    line = line_of(path.read_text(encoding="utf-8"), keys)
    return f"{path}:{line}" if line else str(path)


def line_of(text: str, keys: Sequence[str]) -> int | None:
    """The line (from 1) of a TOML text on which the key, or the nearest table above it, stands."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            table = _parts(bare.strip("[] ").split("]")[0])
            found = table
        elif "=" in bare and not bare.startswith("#"):
            found = table + _parts(bare.split("=", 1)[0])
        else:
            continue
        depth = len(found) if list(keys[: len(found)]) == found else 0
        if depth and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]
