"""When a turn on duty goes on. Pure; seconds since the epoch."""

WEEK_S = 7 * 86_400.0


def goes_on(t: float, from_t: float, until_t: float, weekly: bool = False, last_t: float | None = None) -> bool:
    """Whether a turn goes on at `t`. A weekly one comes again every 7 days; one that would begin after `last_t` does not."""
    if not weekly:
        return from_t <= t < until_t
    if t < from_t:
        return False
    begun = from_t + (t - from_t) // WEEK_S * WEEK_S
    return t < begun + (until_t - from_t) and (last_t is None or begun <= last_t)
