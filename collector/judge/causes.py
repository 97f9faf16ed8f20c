"""What is remembered of a root and of an incident."""

from dataclasses import dataclass, field

from collector.judge.values import GroupKey, Rules

NEVER = float("-inf")


@dataclass(slots=True)
class Incident:
    """What was said of one cause. root: node number, -1 of a cluster's. said: affected, schools, pupils, as last said.

    opened_t: of the last `opened` or `reopened`; spoke_t: of the last notice; updated_t: of the last `updated`; differs_t: since when `affected`
    has differed by more than half of what was said; shrinks: how often it was said to be less, since `opened_t`.
    """

    id: str
    root: int
    cluster: GroupKey | None = None
    said: tuple[int, int, int] = (0, 0, 0)
    possible: tuple[str, ...] = ()
    opened_t: float = NEVER
    spoke_t: float = NEVER
    updated_t: float = NEVER
    resolved_t: float = NEVER
    differs_t: float | None = None
    shrinks: int = 0

    def differs(self, affected: int, most_shrinks: int) -> bool:
        """By more than half of what was last said; that it has become less is said `most_shrinks` times after each `opened`."""
        if affected < self.said[0] and self.shrinks >= most_shrinks:
            return False
        return 2 * abs(affected - self.said[0]) > self.said[0]


@dataclass(slots=True)
class Cause:
    """One node that is or was a root. Times in seconds.

    open: its incident while open; last: the one last resolved, which may be reopened. cluster: number of the open cluster that it belongs to.
    cause_t: what made it a root; unseen: spans, in order, in which nobody saw it; floor_t: end of the maintenance that kept it quiet, blocked_until:
    when that is to be looked at. again_t: it became a root again while its incident was open, and may have failed with others.
    changed_t: it last fell silent or answered. silences: those that count for flapping; undo: as it was before the silence that may yet be taken back.
    flap_t: the third silence, till flapping has begun; flapping; flap_said; quiet_s ends it; flapped: when its flappings began.
    """

    node: int
    key: str = ""
    open: Incident | None = None
    last: Incident | None = None
    cluster: int = -1
    joined_t: float = NEVER
    cause_t: float = NEVER
    unseen: list[tuple[float, float]] = field(default_factory=list)
    floor_t: float = NEVER
    blocked_until: float | None = None
    suspended: bool = False
    again_t: float | None = None
    explained_t: float = NEVER
    changed_t: float = NEVER
    silences: list[float] = field(default_factory=list)
    undo: tuple[float, list[float], float | None] | None = None
    flap_t: float | None = None
    flapping: bool = False
    flap_said: bool = False
    quiet_s: float = 0.0
    flapped: list[float] = field(default_factory=list)

    def fall_silent(self, t: float, rules: Rules) -> None:
        """A silence that nothing explains, at t."""
        self.undo = (self.changed_t, list(self.silences), self.flap_t)
        self.changed_t = t
        if self.cluster >= 0:
            return
        self.silences = [s for s in self.silences if t - s <= rules.flap_within_s] + [t]
        if not self.flapping and self.flap_t is None and len(self.silences) >= rules.flap_silences:
            self.flap_t = t

    def take_back(self) -> None:
        """The last silence never was."""
        if self.undo is not None:
            self.changed_t, self.silences, flap_t = self.undo
            if not self.flapping:
                self.flap_t = flap_t
            self.undo = None

    def amend(self, silent_since: float, since: float | None, rules: Rules) -> None:
        """A silence of `silent_since` never was; the next word on the node was a silence at `since`, or an answer (None)."""
        was = [silence for silence in self.silences if silence != silent_since]
        self.silences = sorted([*was, since]) if since is not None and len(was) < len(self.silences) else was
        if since is not None:
            self.changed_t = since if self.changed_t == silent_since else self.changed_t
            self.cause_t = since if self.cause_t == silent_since else self.cause_t
            self.flap_t = since if self.flap_t == silent_since else self.flap_t
        if self.flap_t is not None and len(self.silences) < rules.flap_silences:
            self.flap_t = None

    def become_root(self, t: float) -> None:
        """What made it a root happened at t."""
        self.cause_t, self.blocked_until, self.suspended = t, None, False
        self.floor_t = NEVER
        if self.flap_t is None:
            self.unseen = []
        self.again_t = t if self.open is not None else None

    def be_explained(self, t: float, within_s: float) -> None:
        """Something above it is out. A silence that is explained as soon as others have reported does not count for flapping."""
        self.explained_t = t
        if self.silences and t - self.silences[-1] <= within_s and self.silences[-1] == self.changed_t:
            silence = self.silences.pop()
            if self.flap_t == silence:
                self.flap_t = None

    def begin_flapping(self, t: float, rules: Rules) -> None:
        """The third silence stands."""
        before = sum(t - began <= rules.flap_memory_s for began in self.flapped)
        self.quiet_s = min(rules.flap_quiet_s * 2**before, rules.flap_quiet_most_s)
        self.flapped = [began for began in self.flapped if t - began <= rules.flap_memory_s] + [t]
        self.flapping, self.flap_said, self.flap_t = True, False, None

    def end_flapping(self) -> None:
        """Quiet at last: the counting begins anew."""
        self.flapping = self.flap_said = False
        self.flap_t = None
        self.silences = []

    def see_again(self, t: float, unknown_from: float) -> None:
        """Somebody sees it again at t, after time that does not count."""
        if unknown_from < t:
            self.unseen.append((unknown_from, t))
        self.suspended = False

    def unseen_s(self, start: float) -> float:
        """Seconds since `start` in which nobody saw it, without those that go on."""
        return sum(max(0.0, end - max(begin, start)) for begin, end in self.unseen)


@dataclass(slots=True)
class Cluster:
    """Asked roots that failed together. members: node number → when it fell silent."""

    number: int
    incident: Incident
    members: dict[int, float]
