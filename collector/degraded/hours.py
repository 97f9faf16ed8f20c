"""Which schools have lessons now, for rules that hold in class hours alone."""

import numpy as np
from numpy.typing import NDArray

from collector.plan import Plan
from inventory.calendars.calendars import Calendars
from inventory.calendars.values import Place, place_of_school


class ClassHours:
    """Asked with (plan, time); schools with one timetable are worked out once."""

    def __init__(self) -> None:
        self._calendars: Calendars | None = None
        self._plan: Plan | None = None
        self._of_school = np.zeros(0, np.int64)
        self._places: list[Place] = []

    def set(self, calendars: Calendars) -> None:
        """Other calendars."""
        self._calendars, self._plan = calendars, None

    def __call__(self, plan: Plan, now: float) -> NDArray[np.bool_] | None:
        """By school of the plan, whether it has lessons at `now`; None before there are calendars."""
        if self._calendars is None:
            return None
        if plan is not self._plan:
            self._follow(plan, self._calendars)
        teaching = np.array([self._calendars.day(place, now).in_class for place in self._places], np.bool_)
        return teaching[self._of_school] if len(teaching) else np.zeros(0, np.bool_)

    def _follow(self, plan: Plan, calendars: Calendars) -> None:
        numbers: dict[int, int] = {}
        self._places, of_school = [], []
        for school in plan.schools:
            paths = [plan.regions[r].path if r in plan.regions else "" for r in (school.place_id, school.duty_id or 0)]
            place = place_of_school(school.id, str(school.level), paths[0], paths[1])
            table = id(calendars.timetable(place))
            if table not in numbers:
                numbers[table] = len(self._places)
                self._places.append(place)
            of_school.append(numbers[table])
        self._of_school, self._plan = np.array(of_school, np.int64), plan
