"""School calendars: what kind of time it is for a school, and what follows from that. No sockets, no clocks."""

from inventory.calendars.calendars import Calendars, Day
from inventory.calendars.reading import calendar_mark, read_calendars
from inventory.calendars.values import Place, place_of_region, place_of_school

__all__ = ["Calendars", "Day", "Place", "calendar_mark", "place_of_region", "place_of_school", "read_calendars"]
