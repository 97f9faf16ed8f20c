"""Words of lines in the judge's process: what is heard of ports, addresses and ways goes in, facts for reports come out."""

from collections.abc import Iterable, Mapping
from typing import Any

from collector.causes.gather import State
from collector.linewords import WORD, LineBook, Word
from collector.plan import Plan
from collector.rounds.messages import LineRound
from collector.ways import WayNews

Facts = dict[str, dict[str, Any]]
"""By node, as `RoundReport.facts`."""


class LineJudge:
    """One plan's lines with a word of their own. A word is given out once, and again when it has changed."""

    def __init__(self) -> None:
        self.book = LineBook()
        self._plan: Plan | None = None
        self._said: dict[int, Word] = {}

    def follow(self, plan: Plan) -> None:
        """Another plan."""
        self._plan = plan
        self.book.follow(plan.lineways.backups)
        self._said = {}

    def hear_ports(self, facts: Mapping[str, Mapping[str, Any]], state: State) -> Facts:
        """`facts` of a report, with the words of the lines that end on the ports it tells of."""
        assert self._plan is not None
        ports, touched = self._plan.lineways.ports, set()
        for node, told in facts.items():
            for port, word in (told.get("ports") or {}).items():
                line = ports.get((node, port))
                if line is not None:
                    self.book.lines[line].ports[node, port] = word == "up"
                    touched.add(line)
        return {node: dict(told) for node, told in facts.items()} | self._words(touched, state)

    def hear_addresses(self, message: LineRound, state: State) -> Facts:
        """One liveness round's pings; of a zone that could not be seen nothing is heard."""
        assert self._plan is not None
        touched = set()
        for end, answered in zip(self._plan.targets.line_ends, message.answered, strict=True):
            if message.self_ok[end.zone]:
                self.book.lines[end.line].hear_address(end.near, answered)
                touched.add(end.line)
        return self._words(touched, state)

    def hear_ways(self, news: WayNews, state: State) -> Facts:
        """By which line gateways send; of gateways that have come to have other lines nothing is heard."""
        assert self._plan is not None
        facts: Facts = {}
        touched: set[int] = set()
        for gateway, way in news.ways.items():
            lines = self._plan.lineways.ways.get(gateway, ())
            if way not in lines:
                continue
            facts[f"device:{gateway}"] = {"way": f"line:{way}"}
            for line in lines:
                self.book.lines[line].hear_way(line == way)
            touched |= set(lines)
        return facts | self._words(touched, state)

    def _words(self, lines: Iterable[int], state: State) -> Facts:
        assert self._plan is not None
        facts: Facts = {}
        for line in lines:
            gateway = self._plan.lineways.worded[line]
            node = f"device:{gateway}"
            known = state(node).state if gateway is not None and node in self._plan.node_index else "unknown"
            word = self.book.lines[line].word({"up": True, "out": False}.get(known))
            if word is not None and self._said.get(line) != word:
                self._said[line] = word
                facts[f"line:{line}"] = {"ports": {WORD: word}}
        return facts
