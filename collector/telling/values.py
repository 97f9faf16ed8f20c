"""What the teller works with. Times are seconds since the epoch (of a trace: its own); nothing here knows the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

SEVERITIES = ("warning", "minor", "major", "critical")
LEVELS = ("school", "county", "city", "province")

Audience = tuple[int, int]
"""(outlet, contact): all who listen at an outlet (contact 0), or one person through it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What kind of time it is for a school or region."""

    in_class: bool = False
    night: bool = False
    exam: bool = False
    holiday: bool = False


@dataclass(slots=True)
class Subject:
    """An incident as people are told of it. path, duty_path: of the two trees, `/1/12/`. base: its severity before the rules.

    cls: of INCIDENT_CLASSES. root: `device:3`, or of a cluster what it is called. merged_into: the incident that it became part of.
    """

    id: int
    kind: str = "outage"
    cls: str = "device"
    base: str = "warning"
    name: str = ""
    root: str = ""
    nodes: tuple[str, ...] = ()
    """root and what it stands at, for silences: ("device:3", "site:7", "school:2")"""
    path: str = "/"
    duty_path: str = ""
    school: int = 0
    region: str = ""
    from_t: float = 0.0
    until_t: float | None = None
    affected: int = 0
    schools: int = 0
    pupils: int = 0
    flapping: bool = False
    merged_into: int | None = None
    cause: str = "undetermined"
    possible: tuple[str, ...] = ()
    planned_t: float | None = None
    """Switched off as usual until then (`inventory/calendars/planned.py`): nobody is told before."""
    severity: str = "warning"
    """After the rules."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of the judge. id: rises in the order in which they were made."""

    id: int
    t: float
    event: str


@dataclass(frozen=True, slots=True)
class Rule:
    """See `inventory.models.NoticeRule`. path: of its region, "" everywhere."""

    name: str = ""
    classes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    times: str = "any"
    least_schools: int = 0
    least_pupils: int = 0
    path: str = ""
    severity: str = ""
    raise_by: int = 0
    delay_s: float | None = None
    night: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """An escalation step. path: of its region, "" everywhere."""

    level: str
    severity: str = "warning"
    after_s: float = 0.0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """An outlet, without what it needs to send. level: of its region. personal: reaches persons on duty."""

    id: int
    name: str
    kind: str = "webhook"
    path: str = ""
    level: str = "province"
    language: str = "zh"
    least_severity: str = "warning"
    kinds: frozenset[str] = frozenset()
    personal: bool = False
    group: bool = True
    """Whether it has listeners of its own (a group, fixed addresses)."""
    fallback: int | None = None
    per_minute: int = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's turn on duty; see `inventory.models.Duty`. path: of the region, "" everywhere; school: of a school's own."""

    contact: int
    name: str
    level: str
    from_t: float
    until_t: float
    weekly: bool = False
    last_t: float | None = None
    path: str = ""
    school: int = 0
    position: int = 1
    phone: str = ""
    mail: str = ""


@dataclass(frozen=True, slots=True)
class Hush:
    """A silence: of a node, of a region's path, or of an incident."""

    from_t: float
    until_t: float
    node: str = ""
    path: str = ""
    incident: int = 0


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody sees to it. until: the promise. affected, root: when it was given."""

    t: float
    until: float | None
    affected: int
    root: str
    by: str = ""


Calendar = Callable[[Subject, float], Moment]


def no_calendar(_subject: Subject, _at: float) -> Moment:
    """Where nothing is known of the time of day: never night, never class."""
    return Moment()


@dataclass(frozen=True, slots=True)
class Policy:
    """All that an administrator sets. rules, steps: in their order. ways: enabled ones, without Alertmanagers."""

    rules: Sequence[Rule] = ()
    steps: Sequence[Step] = ()
    ways: Mapping[int, Way] = field(default_factory=dict)
    turns: Sequence[Turn] = ()
    hushes: Sequence[Hush] = ()
    calendar: Calendar = no_calendar


@dataclass(slots=True, eq=False)
class Item:
    """One thing to say to one audience: a row of `delivery`. id 0: not in the database yet. went: whether it may have been sent."""

    audience: Audience
    subject: Subject
    event: str
    due: float
    queued: float
    opening: int = 0
    level: str = ""
    notices: list[int] = field(default_factory=list)
    contact: str = ""
    id: int = 0
    status: str = "waiting"
    attempts: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What edunet itself did to an incident, for its timeline."""

    incident: int
    t: float
    kind: str
    text: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


def rank(severity: str) -> int:
    """0 for warning to 3 for critical; a word that is not known counts as warning."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def covers(path: str, subject: Subject) -> bool:
    """Whether a region's path ("" everywhere) holds the subject, in either tree."""
    return not path or subject.path.startswith(path) or subject.duty_path.startswith(path)
