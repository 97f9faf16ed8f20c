"""OCTET STRINGs as people read them: UTF-8 first, GBK only where it surely is, Latin-1 last; MACs as 12 hex digits.

RFC 2579 wants DisplayStrings in ASCII and SnmpAdminStrings in UTF-8. In the field, switches keep whatever the engineer's terminal
sent: GBK on Chinese Windows, Latin-1 elsewhere; many cut it in the middle of a character and pad it with NULs.
"""

import re

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MAC_TEXT = re.compile(
    rb"^\s*(?:[0-9A-Fa-f]{1,2}[:\- ]){5}[0-9A-Fa-f]{1,2}\s*$|^[0-9A-Fa-f]{4}(?:[.\-][0-9A-Fa-f]{4}){2}$"
)


def decode_text(data: bytes) -> str:
    """The text of an OCTET STRING. Ends at the first NUL; control characters but tab and line ends are left out."""
    data = data.split(b"\0", 1)[0]
    text = _decode_utf8(data)
    if text is None:
        text = _decode_gb18030(data)
    if text is None:
        text = data.decode("latin-1")
    return _UNPRINTABLE.sub("", text)


def _decode_utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut in the middle of its last character: what stands before is good, if it had any such characters.
        if error.reason == "unexpected end of data" and len(data) - error.start < 4:
            head = data[: error.start]
            if not head.isascii():
                return head.decode("utf-8")
        return None


def _decode_gb18030(data: bytes) -> str | None:
    """The text if the octets are surely GBK or GB18030, else None."""
    common, rare, others, cut = _count_gb18030(data)
    if common is None:
        return None
    if common + rare < 2:
        if common != 1 or others or not _is_unlikely_latin1_pair(data):
            return None
    elif common * 2 < common + rare + others or _is_plausible_latin1(data):
        return None
    try:
        return data[: len(data) - cut].decode("gb18030")
    except UnicodeDecodeError:
        return None


def _count_gb18030(data: bytes) -> tuple[int | None, int, int, int]:
    """(hanzi of GB 2312's first level, of its second, other double and four-octet characters, octets cut off at the end).

    The first is None where the octets are no GB18030 at all. The first level (rows B0 to D7) are the 3,755 hanzi that make up 99 % of
    written text: Latin-1 words read as GBK land there seldom, for é, è, ü ... lie above D7, and ASCII follows them.
    """
    common = rare = others = at = 0
    while at < len(data):
        first = data[at]
        if first < 0x80:
            at += 1
            continue
        rest = data[at + 1 : at + 4]
        if not rest or (len(rest) < 3 and 0x30 <= rest[0] <= 0x39):
            return (common, rare, others, len(data) - at) if first not in (0x80, 0xFF) else (None, 0, 0, 0)
        if 0x30 <= rest[0] <= 0x39:
            others += 1
            at += 4
            continue
        if first in (0x80, 0xFF) or not 0x40 <= rest[0] <= 0xFE or rest[0] == 0x7F:
            return None, 0, 0, 0
        if rest[0] >= 0xA1 and 0xB0 <= first <= 0xD7:
            common += 1
        elif rest[0] >= 0xA1 and (0xD8 <= first <= 0xF7 or 0xA1 <= first <= 0xA3):
            rare += 1
        else:
            others += 1
        at += 2
    return common, rare, others, 0


def _is_unlikely_latin1_pair(data: bytes) -> bool:
    """Whether the only two high octets stand together and make no sense as Latin-1: a letter and a symbol side by side."""
    high = [at for at, octet in enumerate(data) if octet >= 0x80]
    if len(high) != 2 or high[1] != high[0] + 1:
        return False
    first, second = data[high[0]], data[high[1]]
    return (
        (first >= 0xC0) != (second >= 0xC0) and second not in b"\xbb\xb0\xba\xb2\xb3\xb4" and first not in b"\xab\xbf"
    )


def _is_plausible_latin1(data: bytes) -> bool:
    """Whether every run of high octets is short: words of Western languages have two accented letters in a row, hardly three."""
    runs = re.findall(rb"[\x80-\xff]+", data)
    return all(len(run) <= 2 and (len(run) == 1 or not _is_unlikely_latin1_pair(run)) for run in runs)


def decode_mac(data: bytes) -> str | None:
    """A hardware address as 12 lower-case hex digits; None for what is none. Octets that look like text stay octets."""
    if len(data) == 6:
        return data.hex()
    if _MAC_TEXT.match(data):
        text = data.decode("ascii").strip()
        parts = re.split(r"[:\- ]", text)
        digits = "".join(part.zfill(2) for part in parts) if len(parts) == 6 else re.sub(r"[.\-]", "", text)
        return digits.lower()
    return None


def is_printable(data: bytes) -> bool:
    """Whether the octets are ASCII text without control characters (a trailing NUL is allowed)."""
    stripped = data.rstrip(b"\0")
    return bool(stripped) and all(0x20 <= octet < 0x7F or octet in b"\t\r\n" for octet in stripped)
