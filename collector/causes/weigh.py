"""From evidence to a verdict. Undetermined is the default: one cause must be likely, and clearly likelier than any other."""

from collections import defaultdict
from collections.abc import Iterable

from collector.causes.values import Evidence, Verdict
from collector.causes.weights import DECIDE, MARGIN, WEIGHTS


def weigh(evidence: Iterable[Evidence]) -> Verdict:
    """The verdict on all that is known. The order of the pieces does not matter."""
    pieces = sorted(evidence, key=lambda piece: (piece.kind, piece.node, piece.at))
    scores = sorted(((score, cause) for cause, score in _scores(pieces).items()), reverse=True)
    if not scores:
        return Verdict()
    best, cause = scores[0]
    second = scores[1][0] if len(scores) > 1 else 0.0
    if best < DECIDE or best - second < MARGIN:
        return Verdict(confidence=round(best, 3))
    return Verdict(cause, round(best, 3), _rule(cause, pieces))


def _scores(pieces: list[Evidence]) -> dict[str, float]:
    """cause: 0 to 1. Several pieces of one kind (of several devices) count once."""
    doubt: dict[str, float] = defaultdict(lambda: 1.0)
    left: dict[str, float] = defaultdict(lambda: 1.0)
    for kind in dict.fromkeys(piece.kind for piece in pieces):
        weight = WEIGHTS[kind]
        for cause, share in weight.supports.items():
            doubt[cause] *= 1 - share
        for cause, share in weight.opposes.items():
            left[cause] *= 1 - share
    return {cause: (1 - product) * left[cause] for cause, product in doubt.items()}


def _rule(cause: str, pieces: list[Evidence]) -> str:
    """The rule by which the cause is concluded: of the weightiest piece for it; causes other than lines have one each."""
    best = max(
        (piece for piece in pieces if cause in WEIGHTS[piece.kind].supports),
        key=lambda piece: (WEIGHTS[piece.kind].supports[cause], bool(WEIGHTS[piece.kind].rule)),
    )
    return WEIGHTS[best.kind].rule or ("line_end" if cause == "line" else cause) if cause == "line" else cause
