"""What is wrong with a file, as values: where, what was found, what is expected; rendered in a language at the end.

A new problem is a row in `MESSAGES` and its translation in `locales/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.words import Language, language, say

MESSAGES: dict[str, str] = {
    # of the file
    "empty_file": "the file is empty; expected a header and a row for each item (edunet import ... --template makes one)",
    "too_large": "the file is larger than {limit} MB",
    "not_text": "the file is neither a workbook (.xlsx) nor text in UTF-8 or GBK",
    "old_workbook": "this is an old workbook (.xls) or one with a password; save it as .xlsx without a password, or as CSV",
    "broken_workbook": "the workbook cannot be read: {why}",
    "zip_bomb": "the workbook is refused: unpacked it would take {size} MB (at most {limit} MB), or {ratio} times its size (at most {max_ratio})",
    "too_wide": "the sheet has cells beyond column {limit}; delete the columns that are not used",
    "too_long": "the sheet has more than {limit} rows; split the file",
    "no_header": "no row with the names of the columns was found in the first {rows} rows; expected columns such as {columns}",
    "no_rows": "there is no row below the header",
    # of the header
    "unknown_column": "no such column; known are {columns}",
    "double_column": "the column “{name}” stands here twice",
    "missing_column": "the column “{name}” is missing",
    # of a cell
    "required": "empty; expected {expected}",
    "formula": "a formula; expected its value",
    "too_many_characters": "{length} characters; expected at most {limit}",
    "control_character": "a control character; expected plain text",
    "digits_lost": "a number with more than 15 digits, of which the spreadsheet has lost the last ones; format the column as text and type it again",
    "not_a_number": "expected a whole number from {least} to {most}",
    "not_a_choice": "expected one of: {choices}",
    "not_a_bandwidth": "expected a bandwidth in Mbit/s, such as 100, 100M or 1G",
    "not_a_code": "not the shape of a 学校标识码 of Shanxi; expected 10 digits: category (11, 21, 22, 31 to 37, 41, 42, 51, 91 to 93), 14, six digits",
    "double_in_file": "already in row {row} of this file; expected only once",
    "unknown_county": "no county of Shanxi; expected its name, such as 小店区 or 太原市小店区, or its GB/T 2260 code, such as 140105",
    "ambiguous_county": "there are several of this name ({names}); put the city before it, or give the code",
    "unknown_bureau": "no such bureau; expected its name, such as 小店区教育局, or the code of its county or city",
    "voided_code": "this code was voided on {day} (it was that of {name}); a voided code is never given out again",
    "unknown_site": "neither a school's code or name, nor a site's name; import the school first, or write county:140105 or city:140100 for a county's or city's access site",
    "ambiguous_site": "several schools or sites have this name; give the school's code",
    "unknown_device": "no such device in the file or the register; expected a serial number, or the name of a device at the same site",
    "ambiguous_device": "several devices have this name; give the serial number",
    "own_upstream": "a device cannot hang under itself",
    "upstream_loop": "these upstreams make a loop: {loop}",
    "edge_upstream": "a device of kind {kind} cannot carry others",
    "unknown_zone": "no such zone; known are: {zones}",
    "no_zone": "the address lies in no zone: none is named and there is no default zone (edunet zone add NAME --default)",
    "not_an_address": "not an IPv4 or IPv6 address of one device, such as 10.1.2.3 or 2001:db8::1",
    "address_double": "the address {address} in zone {zone} is already in row {row} of this file",
    "address_taken": "the address {address} in zone {zone} is already that of {device} (serial number {serial})",
    "serial_double": "this serial number is already in row {row} of this file",
    "serial_taken": "this serial number is that of {device}, but the address {address} is that of {other}",
    "not_a_mac": "not a MAC address; expected 12 hexadecimal digits, such as 00:1a:2b:3c:4d:5e",
    "no_key": "nothing tells this device from others: expected a serial number, an address or a name",
    "unknown_credential": "no such credential; known are: {credentials}",
    "no_port_device": "a port without its device",
    "nothing_served": "this line serves nothing",
    # of a file of somebody who sees a part: nothing is said of what lies outside but that it does
    "outside_county": "this is not in your part; expected a county in {part}",
    "outside_bureau": "this is not in your part; expected a bureau of {part}",
    "outside_site": "no school or site of your part; expected the code or name of one in {part}, or county:CODE of a county there",
    "outside_device": "no such device in the file or in your part ({part}); expected a serial number, or the name of a device at the same site",
    "outside_campus": "the campus of this school does not lie in your part ({part}); leave its name, county and address as they are",
    "code_elsewhere": "this code is taken by a school outside of your part; expected that of a school of yours, or a new one",
    "name_elsewhere": "this name is taken by a school outside of your part; expected the name of a school of yours, or a new one",
    "serial_elsewhere": "this serial number is taken by a device outside of your part; expected that of a device of yours, or a new one",
    "address_elsewhere": "the address {address} in zone {zone} is taken by a device outside of your part; expected a free one",
    "circuit_elsewhere": "this circuit number is taken by a line outside of your part; expected that of a line of yours, or a new one",
    "changed_since": "{resource} {name} has been changed or is in use since the import",
}


NARROWED = {"unknown_site": "outside_site", "unknown_device": "outside_device"}
"""For somebody who sees a part: what is not there and what is not in the part are one to him."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong cell, or what is wrong with a sheet or file. row counts from 1, as a spreadsheet shows it; column is its header; cell is `C5`."""

    code: str
    sheet: str = ""
    row: int | None = None
    column: str = ""
    cell: str = ""
    found: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: with the message in both languages."""
        return {
            "code": self.code,
            "sheet": self.sheet,
            "row": self.row,
            "column": self.column,
            "cell": self.cell,
            "found": self.found,
            "expected": render_expected(self, "en"),
            "message": {"zh": render(self, "zh"), "en": render(self, "en")},
        }


class FileError(Exception):
    """The file as a whole cannot be used."""

    def __init__(self, code: str, sheet: str = "", **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem(code, sheet=sheet, params=params)


class CellError(Exception):
    """A cell that a parser refuses; the plan adds where it stands."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def render_expected(problem: Problem, lang: Language | None = None) -> str:
    """What is wrong and what is expected, without the place."""
    params = {
        key: say(value.text, lang) if isinstance(value, Words) else value for key, value in problem.params.items()
    }
    return say(MESSAGES[problem.code], lang, **params) if params else say(MESSAGES[problem.code], lang)


def render(problem: Problem, lang: Language | None = None) -> str:
    """One sentence: the place, what was found there, what is expected. lang None: that of the command."""
    place = []
    if problem.sheet:
        place.append(say("sheet {sheet}", lang, sheet=problem.sheet))
    if problem.row is not None:
        place.append(say("row {row}", lang, row=problem.row))
    if problem.column:
        place.append(say("column {column}", lang, column=problem.column))
    comma, colon = ("\uff0c", "\uff1a") if (lang or language()) == "zh" else (", ", ": ")
    parts = [comma.join(place)] if place else []
    if problem.found:
        parts.append(say("“{found}”", lang, found=problem.found))
    parts.append(render_expected(problem, lang))
    return colon.join(parts)


@dataclass(frozen=True, slots=True)
class Words:
    """A parameter that is itself a text to be translated."""

    text: str
