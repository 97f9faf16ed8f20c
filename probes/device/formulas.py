"""The few computations that a scale cannot express. Kept minimal: a vendor that needs more is to be understood better first."""

import math
from collections.abc import Callable


def _milliwatt_to_dbm(milliwatt: float) -> float | None:
    return 10 * math.log10(milliwatt) if milliwatt > 0 else None


def _huawei_optical_power(raw: float) -> float | None:
    """HUAWEI-ENTITY-EXTENT-MIB says 0.01 dBm; older firmware gives µW, which are positive."""
    return raw / 100 if raw < 0 else _milliwatt_to_dbm(raw / 1000)


FORMULAS: dict[str, Callable[[float], float | None]] = {
    "mw_to_dbm": _milliwatt_to_dbm,
    "uw_to_dbm": lambda raw: _milliwatt_to_dbm(raw / 1000),
    "huawei_optical_power": _huawei_optical_power,
    "hundred_minus": lambda raw: 100 - raw,
    "fahrenheit": lambda raw: (raw - 32) / 1.8,
}
"""Name → function of the raw number; None where it gives no reading."""
