"""Who is on duty, and who listens at which level: pure functions of (subject, turns, ways, time)."""

from collections.abc import Sequence

from collector.telling.values import LEVELS, Audience, Policy, Subject, Turn, Way, covers, rank
from inventory.duties import goes_on


def is_on(turn: Turn, t: float) -> bool:
    """Whether a turn goes on at `t`. A weekly one comes again every 7 days; one that begins after `last_t` does not."""
    return goes_on(t, turn.from_t, turn.until_t, turn.weekly, turn.last_t)


def on_duty(turns: Sequence[Turn], subject: Subject, level: str, t: float) -> list[Turn]:
    """Those on duty at a level for a subject: of the nearest region, those of the first position that somebody has. Each person once."""
    found = [turn for turn in turns if turn.level == level and _serves(turn, subject) and is_on(turn, t)]
    if not found:
        return []
    nearest = max(len(turn.path) for turn in found)
    found = [turn for turn in found if len(turn.path) == nearest]
    first = min(turn.position for turn in found)
    return list({turn.contact: turn for turn in found if turn.position == first}.values())


def _serves(turn: Turn, subject: Subject) -> bool:
    if turn.school or turn.level == "school":
        return turn.school == subject.school and turn.school != 0
    return covers(turn.path, subject)


def listeners(policy: Policy, subject: Subject, severity: str, level: str, t: float) -> list[tuple[Audience, str]]:
    """(audience, the person's name) of a level: groups at that level, and persons on duty by each way that reaches them."""
    found: list[tuple[Audience, str]] = []
    persons: list[Turn] | None = None
    for way in policy.ways.values():
        if not wants(way, subject, severity):
            continue
        if way.group and way.level == level:
            found.append(((way.id, 0), ""))
        if way.personal:
            persons = on_duty(policy.turns, subject, level, t) if persons is None else persons
            found += [((way.id, one.contact), one.name) for one in persons if address_of(way, one)]
    return found


def wants(way: Way, subject: Subject, severity: str) -> bool:
    """Whether an outlet is for such a subject."""
    return (
        covers(way.path, subject)
        and rank(severity) >= rank(way.least_severity)
        and (not way.kinds or subject.kind in way.kinds)
    )


def address_of(way: Way, turn: Turn) -> str:
    """Where a way reaches a person: a telephone number, a mail address; "" where it does not."""
    return turn.phone if way.kind == "sms" else turn.mail if way.kind == "mail" else ""


def duty_of(policy: Policy, subject: Subject, t: float) -> list[Turn]:
    """Those to be named in a message: on duty at the lowest level that has somebody."""
    for level in LEVELS:
        found = on_duty(policy.turns, subject, level, t)
        if found:
            return found
    return []
