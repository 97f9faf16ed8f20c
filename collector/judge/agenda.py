"""What falls due when: one time for each subject; a later word on a subject replaces the earlier one."""

import heapq

Subject = tuple[int, int]
"""(phase, number): at equal times lower phases come first, then lower numbers, whatever was said first."""

HOLD, CLUSTER, CAUSE = 0, 1, 2
"""Phases: holds end before anything is said; clusters speak before the causes that are merged into them."""


class Agenda:
    """A heap of (due, phase, number); entries that were replaced are passed over."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, int]] = []
        self.due: dict[Subject, float] = {}

    def put(self, phase: int, number: int, due: float | None) -> None:
        """The subject is due then; None or infinity: not at all."""
        subject = (phase, number)
        if due is None or due == float("inf"):
            self.due.pop(subject, None)
        elif self.due.get(subject) != due:
            self.due[subject] = due
            heapq.heappush(self.heap, (due, phase, number))

    def first(self) -> float | None:
        """When the next subject is due."""
        while self.heap:
            due, phase, number = self.heap[0]
            if self.due.get((phase, number)) == due:
                return due
            heapq.heappop(self.heap)
        return None

    def take(self) -> tuple[float, int, int]:
        """The next subject, off the agenda. To be called after `first` has said that there is one."""
        due, phase, number = heapq.heappop(self.heap)
        del self.due[(phase, number)]
        return due, phase, number
