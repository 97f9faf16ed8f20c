"""The calendars of the schools (`inventory/calendars`) as the teller asks them."""

from collector.telling.values import Calendar, Moment, Subject
from inventory.calendars.calendars import Calendars
from inventory.calendars.values import place_of_region

SLOT_S = 60
"""Nothing in a calendar is finer than a minute."""

MOST_KEPT = 20_000


def calendar_of(calendars: Calendars, zero: float = 0.0) -> Calendar:
    """What kind of time it is for an incident: of its school, else of the region that it lies in. zero: the epoch's seconds of t = 0."""
    kept: dict[tuple[int, str, str, int], Moment] = {}

    def moment(subject: Subject, at: float) -> Moment:
        key = (subject.school, subject.path, subject.duty_path, int((at + zero) // SLOT_S))
        found = kept.get(key)
        if found is None:
            if len(kept) > MOST_KEPT:
                kept.clear()
            place = (
                calendars.school(subject.school)
                if subject.school in calendars.places
                else place_of_region(subject.path, subject.duty_path)
            )
            day = calendars.day(place, at + zero)
            found = kept[key] = Moment(day.in_class, day.night, day.exam, day.holiday)
        return found

    return moment
