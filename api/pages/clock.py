"""Time on the pages: absolute in the installation's zone, with the age beside it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

Gettext = Callable[[str], str]


class Clock:
    """Writes times for one answer, which was made at `now` (aware), in the zone `zone`, with the texts of `gettext`."""

    def __init__(self, now: datetime, zone: ZoneInfo, gettext: Gettext) -> None:
        self.now = now
        self.zone = zone
        self._ = gettext

    def local(self, at: datetime) -> datetime:
        """`at` in the installation's zone."""
        return at.astimezone(self.zone)

    def short(self, at: datetime) -> str:
        """`08:12` today, `11-23 08:12` this year, else `2025-11-23 08:12`."""
        here, today = self.local(at), self.local(self.now)
        if here.date() == today.date():
            return here.strftime("%H:%M")
        return here.strftime("%m-%d %H:%M" if here.year == today.year else "%Y-%m-%d %H:%M")

    def full(self, at: datetime) -> str:
        """`2026-11-24 08:12:05`."""
        return self.local(at).strftime("%Y-%m-%d %H:%M:%S")

    def seconds(self, at: datetime) -> str:
        """`08:12:05`."""
        return self.local(at).strftime("%H:%M:%S")

    def duration(self, seconds: float) -> str:
        """The two largest units that matter: `45 秒`, `2 小时 14 分`, `3 天 4 小时`."""
        return write_duration(seconds, self._)

    def ago(self, at: datetime) -> str:
        """`2 小时 14 分前`."""
        return self._("%(age)s ago") % {"age": self.duration((self.now - at).total_seconds())}

    def since(self, at: datetime | None) -> Markup:
        """`08:12 2 小时 14 分前` as a <time> whose age ticks in the browser."""
        if at is None:
            return Markup('<span class="none">–</span>')
        age = self.ago(at)
        return Markup(
            '<time datetime="{}" title="{}"><span class="at">{}</span> <span class="age" data-age="ago">{}</span></time>'
        ).format(at.isoformat(), self.full(at), self.short(at), age)

    def age(self, at: datetime) -> Markup:
        """The age alone, ticking; the absolute time is its title."""
        text = self.duration((self.now - at).total_seconds())
        return Markup('<time datetime="{}" title="{}"><span data-age>{}</span></time>').format(
            at.isoformat(), self.full(at), text
        )

    def stamp(self, at: datetime) -> Markup:
        """The absolute time alone, as a <time>."""
        return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), self.full(at), self.short(at))

    def read(self, text: str) -> str:
        """An ISO 8601 moment as `short` writes it; as it is where it is none."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        return self.short(at) if at.tzinfo is not None else text

    def stamp_s(self, seconds: float) -> Markup:
        """Seconds since the epoch as a <time>."""
        return self.stamp(datetime.fromtimestamp(seconds, self.zone))

    def midnight(self, at: datetime) -> datetime:
        """The start of the local day of `at`."""
        return self.local(at).replace(hour=0, minute=0, second=0, microsecond=0)

    def days(self, count: int) -> list[datetime]:
        """Starts of the last `count` local days, the last is today."""
        today = self.midnight(self.now)
        return [self.midnight(today - timedelta(days=back) + timedelta(hours=2)) for back in reversed(range(count))]


def write_duration(seconds: float, gettext: Gettext) -> str:
    """A length of time in words. Negative ones (clocks differ by a little) count as 0."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    parts = [(days, "unit.d"), (hours, "unit.h"), (minutes, "unit.min"), (whole % 60, "unit.s")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{value} {gettext(unit)}" for value, unit in parts[:2] if value or len(parts) == 1)
