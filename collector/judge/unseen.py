"""Time that nobody saw does not count for a root that has something to say (REPLAY.md, "Notices").

It is counted as it passes, by the latest words. A good report that comes late may tell that somebody did see some of it: then it is counted anew.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from collector.judge.desk import Desk
from collector.judge.record import Record, Word
from collector.judge.words import BLIND, EPSILON, Numbers


def recount(desk: Desk, record: Record, late: Numbers) -> None:
    """Good words on the nodes `late` have come that are older than others."""
    behind = set(late.tolist())
    watched = {
        n: watchers
        for n in sorted(desk.waiting)
        if (desk.causes[n].unknown_s > 0.0 or desk.causes[n].flap_unknown_s > 0.0)
        and not behind.isdisjoint(watchers := desk.watchers(n))
    }
    if not watched:
        return
    starts = {n: _starts(desk, n) for n in watched}
    nodes = np.array(sorted(set().union(*watched.values())), np.int64)
    reach = record.gap_rounds * float(desk.words.every[nodes].max()) + EPSILON
    kinds, which = record.words_of(nodes, min(start for pair in starts.values() for start in pair) - reach)
    words = {n: kinds[k] for n, k in zip(nodes.tolist(), which.tolist(), strict=True)}
    for n, watchers in watched.items():
        cause, (from_, flap_from) = desk.causes[n], starts[n]
        end = min(desk.now, desk.unknown_since(n, desk.now))  # what is unknown now is counted when it ends
        said = [words[watcher] for watcher in watchers]
        cause.unknown_s = unseen_s(said, from_, end, record.gap_rounds)
        if cause.flap_t is not None:
            cause.flap_unknown_s = unseen_s(said, flap_from, end, record.gap_rounds)
        desk.touch(n)


def _starts(desk: Desk, n: int) -> tuple[float, float]:
    """Since when time counts for what is opened of it, and for what is said of its flapping."""
    cause = desk.causes[n]
    from_ = max(cause.cause_t, cause.floor_t)
    flap_from = cause.flap_t if cause.flap_t is not None else from_
    return (from_ if from_ > -np.inf else flap_from), flap_from


def unseen_s(said: Iterable[Sequence[Word]], start: float, end: float, gap_rounds: float) -> float:
    """Seconds between `start` and `end` in which none of the watchers saw; said: the words of each, in order."""
    seen, at = 0.0, start
    for begin, stop in sorted(span for words in said for span in _seen(words, end, gap_rounds)):
        begin, stop = max(begin, at), min(stop, end)
        if stop > begin:
            seen += stop - begin
            at = stop
    return max(0.0, end - start - seen)


def _seen(words: Sequence[Word], end: float, gap_rounds: float) -> Iterator[tuple[float, float]]:
    """The spans in which somebody saw, by one watcher's words."""
    for i, (t, every, word) in enumerate(words):
        until = words[i + 1][0] if i + 1 < len(words) else max(t, end)
        if word != BLIND:
            yield t, (t + every if until > t + gap_rounds * every + EPSILON else until)
