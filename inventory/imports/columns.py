"""Columns of a kind of file: their names in both languages, what they mean, and how a cell is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from inventory.imports.problems import CellError, Words

Parser = Callable[[str], Any]

CLEAR = frozenset({"-", "—", "无"})
"""Cells that empty what the register has; an empty cell leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. name: English header and field; zh: Chinese header; parse: text → value, CellError; choices: for drop-downs, value → words."""

    name: str
    zh: str
    help_en: str
    help_zh: str
    parse: Parser
    required: bool = False
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] | None = None
    example: str = ""


def normal(header: str) -> str:
    """A header as it is compared: no case, blanks, underscores, stars, nor what stands in brackets: `县区 *(必填)` is `县区`."""
    bare = re.sub("[(\uff08\\[\u3010].*?[)\uff09\\]\u3011]", "", header)
    return re.sub("[\\s_*\u00b7/-]+", "", bare).lower()


def text(limit: int) -> Parser:
    """Plain text of at most `limit` characters."""

    def parse(cell: str) -> str:
        if len(cell) > limit:
            raise CellError("too_many_characters", length=len(cell), limit=limit)
        if any(ord(character) < 32 for character in cell):
            if any(ord(character) < 32 and character not in "\r\n\t" for character in cell):
                raise CellError("control_character")
            return " ".join(cell.split())
        return cell

    return parse


def number(least: int, most: int) -> Parser:
    """A whole number, with or without thousands separators."""

    def parse(cell: str) -> int:
        bare = cell.replace(",", "").replace("\uff0c", "").replace(" ", "").removesuffix(".0")
        if not (bare.isascii() and bare.isdigit()) or not least <= int(bare) <= most:
            raise CellError("not_a_number", least=least, most=most)
        return int(bare)

    return parse


def choice(choices: Mapping[str, tuple[str, ...]]) -> Parser:
    """One of `choices` by its value or any of its words, whatever the case."""
    known = {normal(word): value for value, words in choices.items() for word in (value, *words)}
    shown = ", ".join(f"{value} ({words[0]})" if words else value for value, words in choices.items())

    def parse(cell: str) -> str:
        found = known.get(normal(cell))
        if found is None:
            raise CellError("not_a_choice", choices=shown)
        return found

    return parse


_CODE = re.compile(r"(11|2[12]|3[1-7]|4[12]|51|9[123])14\d{6}")


def school_code(cell: str) -> str:
    """A 10-digit 学校(机构)标识码 of Shanxi (MOE 2010-07-26; FIELD.md 2.1); it has no check digit."""
    if not _CODE.fullmatch(cell):
        raise CellError("not_a_code")
    return cell


def bandwidth(cell: str) -> int:
    """Mbit/s from 100, 100M, 100 Mbps, 1G, 1000兆, 0.5G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(m|mb|mbps|mbit/s|兆|g|gb|gbps|gbit/s|)", cell.lower().replace(",", ""))
    if not match:
        raise CellError("not_a_bandwidth")
    value = float(match[1]) * (1000 if match[2].startswith("g") else 1)
    if not value.is_integer() or not 0 < value <= 1_000_000:
        raise CellError("not_a_bandwidth")
    return int(value)


def mac(cell: str) -> str:
    """12 hex digits, lower case, from any usual notation."""
    bare = re.sub(r"[-:.\s]", "", cell).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", bare):
        raise CellError("not_a_mac")
    return bare


def day(cell: str) -> date:
    """A date: 2026-09-01, 2026/9/1, 20260901 or 2026年9月1日."""
    match = re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", cell)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise CellError("required", expected=Words("a date, such as 2026-09-01"))


def names(cell: str) -> tuple[str, ...]:
    """Several names or codes, separated by ; ; or 、."""
    return tuple(dict.fromkeys(part.strip() for part in re.split("[;\uff1b\u3001\n]", cell) if part.strip()))
