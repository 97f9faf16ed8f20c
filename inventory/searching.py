"""The words that a school and a device are found by, in lower case, in one column each."""

from functools import lru_cache

from inventory.models import Device, School

MAX_LENGTH = 400


def school_search(school: School) -> str:
    """Name, English name, code, and the name in pinyin, whole and by initials: 迎泽小学 is found by `yingze` and by `yzxx`."""
    return school_words(school.name, school.name_en, school.code)


def school_words(name: str, name_en: str, code: str | None) -> str:
    """As `school_search`, from the fields alone."""
    return _joined(name, name_en, code, *pinyin_of(name))


def device_search(device: Device) -> str:
    """Name, vendor, model, serial, asset tag, sysName, MAC."""
    return device_words(
        device.name,
        device.vendor,
        device.model,
        device.serial,
        device.asset_tag,
        device.sys_name,
        device.chassis_mac,
    )


def device_words(name: str, *others: str | None) -> str:
    """As `device_search`, from the fields alone: the name, and whatever else it is found by."""
    return _joined(name, *others, *pinyin_of(name))


@lru_cache(maxsize=4096)
def pinyin_of(text: str) -> tuple[str, str]:
    """(whole, initials) in pinyin without tones; ("", "") where the text has no Chinese character."""
    if text.isascii():
        return "", ""
    from pypinyin import Style, lazy_pinyin

    whole = "".join(lazy_pinyin(text))
    initials = "".join(lazy_pinyin(text, style=Style.FIRST_LETTER))
    return whole, initials


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part).lower()[:MAX_LENGTH]
