"""Nothing is lost, whatever fails and whenever it is killed: properties of random histories."""

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from telling_world import POLICY, WAYS, World, busiest_minute, subject

from collector.telling.messages import Frame, Limit, size_of, stories_of, write
from collector.telling.teller import MOST_BEFORE_END
from collector.telling.values import Item, Subject

DAY = 86_400.0
CHAIN = {**WAYS, 1: replace(WAYS[1], fallback=3)}


@dataclass
class History:
    """What happens, in steps: (seconds since the step before, what, which)."""

    steps: list[tuple[float, str, int]]
    lost: dict[int, list[tuple[float, float]]]

    def works(self, outlet: int, t: float) -> bool:
        """Whether an outlet takes messages."""
        return not any(start <= t < end for start, end in self.lost.get(outlet, ()))


STEP = st.tuples(
    st.sampled_from([0.0, 1.0, 30.0, 100.0, 400.0, 2000.0]),
    st.sampled_from(["open", "open", "open", "update", "resolve", "resolve", "ack", "kill", "crash"]),
    st.integers(1, 6),
)
SPAN = st.tuples(st.floats(0, 8000), st.floats(10, 4000)).map(lambda pair: (pair[0], pair[0] + pair[1]))
HISTORIES = st.builds(
    History, st.lists(STEP, min_size=3, max_size=40), st.dictionaries(st.integers(1, 3), st.lists(SPAN, max_size=2))
)


@dataclass
class Run:
    """A history that was lived through. outlived: {(incident, opening)} that were open for longer than their delay, unacknowledged."""

    world: World
    openings: dict[tuple[int, int], tuple[float, float]]
    crashes: int
    acked: set[tuple[int, int]]


def live(history: History) -> Run:
    """Live through a history, mend everything at its end, and wait till all is said."""
    world = World(replace(POLICY, ways=CHAIN), works=history.works)
    t, affected, crashes = 0.0, dict.fromkeys(range(1, 7), 1), 0
    begun: dict[int, tuple[int, float]] = {}
    openings: dict[tuple[int, int], tuple[float, float]] = {}
    acked: set[tuple[int, int]] = set()

    def end(number: int) -> None:
        opening, since = begun.pop(number)
        world.say("resolved", make(number, since), t)
        openings[number, opening] = (since, t)

    def make(number: int, since: float) -> Subject:
        return subject(number, "county" if number % 2 else "school", from_t=since, affected=affected[number])

    for wait, what, number in history.steps:
        t += wait
        world.run(t)
        if what == "open" and number not in begun:
            affected[number] = 1
            world.say("opened", make(number, t), t)
            begun[number] = (len(world.notices), t)
        elif what == "update" and number in begun:
            affected[number] *= 3
            world.say("updated", make(number, begun[number][1]), t)
        elif what == "resolve" and number in begun:
            end(number)
        elif what == "ack" and number in begun:
            world.acknowledge(number, t, until=t + 500.0)
            acked.add((number, begun[number][0]))
        elif what == "kill":
            world.kill()
        elif what == "crash":
            crashes += 1
            world.kill(in_flight=True)
    t += 20_000.0
    world.run(t)
    for number in list(begun):
        end(number)
    world.run(t + 2 * DAY)
    return Run(world, openings, crashes, acked)


@given(HISTORIES)
@settings(max_examples=150, deadline=None)
def test_every_opening_that_outlives_its_delay_is_said_and_all_that_is_said_is_resolved(history: History) -> None:
    run = live(history)
    said = Counter((outlet, item) for outlet in CHAIN for item in _items(run.world, outlet))
    for (number, opening), (since, until) in run.openings.items():
        delay = 0.0 if number % 2 else 180.0
        begun = [n for (_, item), n in said.items() if item[:2] == (number, opening) and item[2] in BEGINNINGS]
        if until - since > delay and (number, opening) not in run.acked:
            assert begun, f"{number}/{opening} was open from {since} to {until}, and nobody was told"
        if until - since < delay:
            assert not begun, f"{number}/{opening} was over before its delay, and was told"
        for outlet in CHAIN:
            told = [said[outlet, (number, opening, event)] for event in BEGINNINGS]
            ended = said[outlet, (number, opening, "resolved")]
            assert bool(sum(told)) == bool(ended), f"outlet {outlet}, {number}/{opening}: told {told}, ended {ended}"
            assert sum(told) <= 1 + run.crashes
            assert ended <= 1 + run.crashes


@given(HISTORIES)
@settings(max_examples=100, deadline=None)
def test_no_cause_costs_more_than_five_messages_and_no_rate_is_exceeded(history: History) -> None:
    run = live(history)
    for audience, number, opening in {(row.audience, row.subject.id, row.opening) for row in run.world.rows}:
        rows = [r for r in run.world.rows if (r.audience, r.subject.id, r.opening) == (audience, number, opening)]
        assert len([row for row in rows if row.status != "dropped"]) <= MOST_BEFORE_END + 1
        assert len([row for row in rows if row.event == "resolved"]) == 1
    for outlet, way in CHAIN.items():
        assert busiest_minute(t for t, sent in run.world.attempts if sent == outlet) <= way.per_minute
    assert all(row.status in ("sent", "dropped") for row in run.world.rows)


BEGINNINGS = ("opened", "reopened", "escalated")


def _items(world: World, outlet: int) -> list[tuple[int, int, str]]:
    """What was said on the outlet's own account, whichever way it went."""
    own = {(row.subject.id, row.opening, row.event) for row in world.rows if row.audience[0] == outlet}
    heard = []
    for one in world.heard:
        if one.outlet == outlet or one.detour:
            heard += [item for item in one.items if item in own and (one.outlet == outlet or outlet == 1)]
    return heard


# -- messages -----------------------------------------------------------------------------------------------------------

SUBJECTS = st.builds(
    Subject,
    id=st.integers(1, 10**6),
    kind=st.sampled_from(["outage", "agent_silent", "degraded"]),
    name=st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=160),
    severity=st.sampled_from(["warning", "minor", "major", "critical"]),
    schools=st.integers(0, 20_000),
    pupils=st.integers(0, 9_000_000),
    affected=st.integers(0, 100_000),
    flapping=st.booleans(),
    cause=st.sampled_from(["undetermined", "line", "power"]),
    possible=st.lists(st.text(max_size=80), max_size=4).map(tuple),
    from_t=st.floats(0, 2e9),
)
ITEMS = st.lists(
    st.builds(
        Item,
        audience=st.just((1, 0)),
        subject=SUBJECTS,
        event=st.sampled_from(["opened", "updated", "escalated", "reopened", "resolved", "lapsed"]),
        due=st.just(0.0),
        queued=st.just(0.0),
    ),
    min_size=1,
    max_size=60,
)
LIMITS = [Limit(2048, "bytes"), Limit(70, "characters", 1, terse=True), Limit(300, "bytes"), Limit(40, "characters")]


@given(ITEMS, st.sampled_from(LIMITS), st.sampled_from(["zh", "en"]), st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_message_is_longer_than_its_outlet_takes(items: list[Item], limit: Limit, language: str, way: str) -> None:
    frame = Frame(language, page_url="https://edunet.example", way=way, lost_since=5.0)  # type: ignore[arg-type]
    text = write(items, frame, limit, 2e9)
    assert text
    assert size_of(text, limit.unit) <= limit.most
    text.encode()


def _item(number: int, event: str, pupils: int, **more: object) -> Item:
    return Item((1, 0), subject(number, pupils=pupils, severity="minor", **more), event, 0.0, 0.0)


def test_a_merged_message_has_counts_the_five_largest_and_a_link() -> None:
    items = [_item(number, "opened", number * 100) for number in range(1, 41)]
    items += [_item(number, "resolved", 50) for number in range(41, 44)]
    text = write(items, Frame("zh", page_url="https://edunet.example/"), Limit(2048, "bytes"), 600.0)
    lines = text.splitlines()
    assert lines[0] == f"【汇总】新增 40 起、恢复 3 起；共影响学校 40 所、学生 {sum(range(1, 41)) * 100} 人"
    assert [line.split("#")[1].split("，")[0] for line in lines[1:6]] == ["40", "39", "38", "37", "36"]
    assert lines[6:] == ["另有 38 起", "https://edunet.example/incidents"]


def test_a_single_message_suffices_without_its_link() -> None:
    item = _item(7, "opened", 800, from_t=0.0)
    text = write([item], Frame("zh", calls={7: "中国电信 10000"}, duty="张三 138"), Limit(), 600.0)
    assert text.splitlines() == [
        "【断网·一般】n7 #7",
        "自 00:00 起（10 分钟）",
        "影响学校 1 所、学生 800 人、设备 1 台",
        "请联系：中国电信 10000",
        "值班：张三 138",
    ]
    english = write([item], Frame("en", calls={7: "China Telecom 10000"}), Limit(), 600.0)
    assert english.splitlines() == [
        "[down, minor] n7 #7",
        "since 00:00 (10 min)",
        "Cut off: 1 schools, 800 pupils, 1 devices",
        "Call: China Telecom 10000",
    ]


def test_an_update_names_its_incident_and_that_it_corrects() -> None:
    text = write([_item(7, "updated", 800)], Frame("zh"), Limit(), 600.0)
    assert text.startswith("【更正·断网】n7 #7\n")
    assert write([_item(7, "updated", 800)], Frame("en"), Limit(), 600.0).startswith("[Correction: down] n7 #7\n")


def test_what_came_and_went_unsaid_is_one_story() -> None:
    items = [_item(7, "opened", 800), _item(7, "resolved", 800), _item(8, "opened", 900)]
    assert [(one.subject.id, one.event, one.came_and_went) for one in stories_of(items)] == [
        (8, "opened", False),
        (7, "resolved", True),
    ]
    text = write(items, Frame("zh", way="群", lost_since=0.0), Limit(2048, "bytes"), 3000.0)
    assert "新增 1 起、其间发生并已恢复 1 起" in text
    assert text.startswith("（通道“群”自 00:00 中断后已恢复")
