"""Time that nobody saw does not count for a root that has something to say (REPLAY.md, "Notices").

Its spans are noted as they pass, by the latest words. A good report that comes late may tell that somebody did see some of them: then they are
worked out anew.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from collector.judge.causes import Cause
from collector.judge.desk import Desk
from collector.judge.record import Record, Word
from collector.judge.words import BLIND, EPSILON, Numbers

Span = tuple[float, float]


def recount(desk: Desk, record: Record, late: Numbers) -> None:
    """Good words on the nodes `late` have come that are older than others."""
    behind, oldest = set(late.tolist()), record.entries[0].t
    starts = {n: _start(cause) for n in sorted(desk.waiting) if (cause := desk.causes[n]).unseen}
    watched = {
        n: watchers
        for n, start in starts.items()
        # what is older than the record stays as it was noted
        if start >= oldest and not behind.isdisjoint(watchers := desk.watchers(n))
    }
    if not watched:
        return
    nodes = np.array(sorted(set().union(*watched.values())), np.int64)
    reach = record.gap_rounds * float(desk.words.every[nodes].max()) + EPSILON
    kinds, which = record.words_of(nodes, min(starts[n] for n in watched) - reach)
    words = {n: kinds[k] for n, k in zip(nodes.tolist(), which.tolist(), strict=True)}
    for n, watchers in watched.items():
        end = min(desk.now, desk.unknown_since(n, desk.now))  # what is unknown now is noted when it ends
        said = [words[watcher] for watcher in watchers]
        desk.causes[n].unseen = unseen_spans(said, starts[n], end, record.gap_rounds)
        desk.touch(n)


def _start(cause: Cause) -> float:
    """Since when time counts for what is opened of it, or said of its flapping, whichever is earlier."""
    return cause.cause_t if cause.flap_t is None else min(cause.cause_t, cause.flap_t)


def unseen_spans(said: Iterable[Sequence[Word]], start: float, end: float, gap_rounds: float) -> list[Span]:
    """The spans between `start` and `end` in which none of the watchers saw; said: the words of each, in order."""
    unseen: list[Span] = []
    at = start
    for begin, stop in sorted(span for words in said for span in _seen(words, end, gap_rounds)):
        if begin > at:
            unseen.append((at, min(begin, end)))
        at = max(at, stop)
        if at >= end:
            return unseen
    return [*unseen, (at, end)]


def _seen(words: Sequence[Word], end: float, gap_rounds: float) -> Iterator[Span]:
    """The spans in which somebody saw, by one watcher's words."""
    for i, (t, every, word) in enumerate(words):
        until = words[i + 1][0] if i + 1 < len(words) else max(t, end)
        if word != BLIND and t < end:
            yield t, (t + every if until > t + gap_rounds * every + EPSILON else until)
