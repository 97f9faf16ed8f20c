"""Maintenance: windows by node, and what they cover (REPLAY.md, "Maintenance")."""

from collector.judge.topology import Layout


class Windows:
    """Windows (from, to) in seconds by node number; `from` <= t < `to`."""

    def __init__(self) -> None:
        self.by_node: dict[int, list[tuple[float, float]]] = {}

    def add(self, n: int, start: float, end: float) -> None:
        """Work on node n."""
        if end > start:
            self.by_node.setdefault(n, []).append((start, end))

    def covers(self, layout: Layout, n: int, t: float) -> bool:
        """Whether node n is in maintenance: its own, or that of all its upstreams, or of all of theirs, and so on up."""
        if not self.by_node:
            return False
        answers: dict[int, bool] = {}
        todo = [n]
        while todo:
            here = todo[-1]
            ups = layout.ups[here]
            if any(start <= t < end for start, end in self.by_node.get(here, ())):
                answers[here] = True
            elif not ups or any(answers.get(up) is False for up in ups):
                answers[here] = False
            else:
                open_ups = [up for up in ups if up not in answers]
                if open_ups:
                    todo.append(open_ups[0])
                    continue
                answers[here] = True
            todo.pop()
        return answers[n]

    def next_end(self, layout: Layout, n: int, t: float) -> float:
        """The first end after t of a window on node n or on anything above it; infinity where there is none."""
        ends, passed, todo = [float("inf")], {n}, [n]
        while todo:
            here = todo.pop()
            ends += [end for _, end in self.by_node.get(here, ()) if end > t]
            for up in layout.ups[here] or ():
                if up not in passed:
                    passed.add(up)
                    todo.append(up)
        return min(ends)
