"""Who is told what, when: tables on virtual time."""

from dataclasses import replace

import pytest
from telling_world import COUNTY, POLICY, STEPS, WAYS, World, busiest_minute, subject, with_ways

from collector.telling.roster import is_on, on_duty
from collector.telling.rules import level_delays, ruling_of, told_at
from collector.telling.values import Hush, Moment, Policy, Rule, Step, Subject, Turn, Way

HOUR, DAY = 3600.0, 86_400.0


# -- severity and delay -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "moment", "found"),
    [
        ([], Moment(), ("minor", 0, False)),
        ([Rule(delay_s=60), Rule(delay_s=5)], Moment(), ("minor", 60, False)),
        ([Rule(severity="major"), Rule(delay_s=5, severity="critical")], Moment(), ("major", 5, False)),
        ([Rule(classes=frozenset({"core"}), delay_s=9), Rule(delay_s=5)], Moment(), ("minor", 5, False)),
        ([Rule(times="exam", raise_by=1, delay_s=0), Rule(delay_s=60)], Moment(exam=True), ("major", 0, False)),
        ([Rule(times="exam", raise_by=1, delay_s=0), Rule(delay_s=60)], Moment(), ("minor", 60, False)),
        ([Rule(raise_by=2), Rule(raise_by=2)], Moment(), ("critical", 0, False)),
        ([Rule(raise_by=-3)], Moment(), ("warning", 0, False)),
        ([Rule(times="class", least_pupils=801, raise_by=1)], Moment(in_class=True), ("minor", 0, False)),
        ([Rule(times="class", least_pupils=800, raise_by=1)], Moment(in_class=True), ("major", 0, False)),
        ([Rule(night="morning")], Moment(night=True), ("minor", 0, True)),
        ([Rule(path="/14/1402/", delay_s=9)], Moment(), ("minor", 0, False)),
        ([Rule(path="/14/1401/", delay_s=9)], Moment(), ("minor", 9, False)),
        ([Rule(kinds=frozenset({"degraded"}), delay_s=9)], Moment(), ("minor", 0, False)),
    ],
)
def test_each_effect_comes_from_the_first_rule_that_names_it(
    rules: list[Rule], moment: Moment, found: tuple[str, float, bool]
) -> None:
    ruling = ruling_of(subject(), rules, moment)
    assert (ruling.severity, ruling.delay_s, ruling.morning) == found


def test_of_a_level_the_steps_of_the_nearest_region_count() -> None:
    steps = (*STEPS, Step("city", "warning", 60, path=COUNTY), Step("city", "warning", 5, path="/14/1402/"))
    assert level_delays(subject(), "minor", steps) == {"county": 0, "city": 60, "province": 7200}
    assert level_delays(subject(), "warning", STEPS) == {"county": 0}
    assert level_delays(subject(), "critical", STEPS) == {"county": 0, "city": 0, "province": 7200}
    assert level_delays(subject(), "minor", ()) == {"county": 0}


def test_what_waits_for_the_morning_is_told_when_the_night_is_over() -> None:
    night = lambda _s, t: Moment(night=t % DAY < 6 * HOUR or t % DAY >= 22 * HOUR)  # noqa: E731
    assert told_at(23 * HOUR, subject(), True, night) == DAY + 6 * HOUR
    assert told_at(23 * HOUR, subject(), False, night) == 23 * HOUR
    assert told_at(7 * HOUR, subject(), True, night) == 7 * HOUR
    assert told_at(0.0, subject(), True, lambda _s, _t: Moment(night=True)) >= DAY


# -- the roster ---------------------------------------------------------------------------------------------------------

TURN = Turn(7, "甲", "county", 100.0, 200.0, path=COUNTY, phone="138")


@pytest.mark.parametrize(
    ("turn", "t", "on"),
    [
        (TURN, 99.0, False),
        (TURN, 100.0, True),
        (TURN, 200.0, False),
        (TURN, 100.0 + 7 * DAY, False),
        (replace(TURN, weekly=True), 150.0 + 14 * DAY, True),
        (replace(TURN, weekly=True), 201.0 + 14 * DAY, False),
        (replace(TURN, weekly=True), 50.0, False),
        (replace(TURN, weekly=True, last_t=8 * DAY), 150.0 + 7 * DAY, True),
        (replace(TURN, weekly=True, last_t=8 * DAY), 150.0 + 14 * DAY, False),
    ],
)
def test_a_turn_comes_again_every_week_until_its_last(turn: Turn, t: float, on: bool) -> None:
    assert is_on(turn, t) is on


def test_the_nearest_region_and_the_first_position_are_called() -> None:
    stands_by, above = replace(TURN, contact=8, position=2), replace(TURN, contact=9, path="/14/")
    assert [one.contact for one in on_duty([above, stands_by, TURN], subject(), "county", 150.0)] == [7]
    assert [one.contact for one in on_duty([above, stands_by], subject(), "county", 150.0)] == [8]
    assert [one.contact for one in on_duty([above], subject(), "county", 150.0)] == [9]
    assert on_duty([TURN], subject(path="/14/1402/"), "county", 150.0) == []
    school = Turn(3, "校长", "school", 0.0, 999.0, school=12)
    assert on_duty([school], subject(school=12), "school", 5.0) == [school]
    assert on_duty([school], subject(school=13), "school", 5.0) == []


# -- opening, updating, resolving ---------------------------------------------------------------------------------------


def test_a_county_is_told_at_once_and_a_school_after_its_minutes() -> None:
    world = World()
    world.say("opened", subject(1, "county", from_t=0.0), 30.0)
    world.say("opened", subject(2, from_t=0.0), 30.0)
    world.run(600.0)
    assert world.events() == [(30.0, 1, "opened"), (30.0, 2, "opened"), (180.0, 1, "opened")]


def test_what_resolves_before_its_delay_is_never_said() -> None:
    world = World()
    world.say("opened", subject(from_t=0.0), 30.0)
    world.say("resolved", subject(from_t=0.0), 179.0)
    world.run(HOUR)
    assert world.heard == []


def test_whoever_was_told_hears_of_the_end_exactly_once_and_nobody_else() -> None:
    world = World()
    world.say("opened", subject(from_t=0.0), 30.0)
    world.say("resolved", subject(from_t=0.0), 1000.0)
    world.run(DAY)
    assert world.events() == [(180.0, 1, "opened"), (1000.0, 1, "resolved")]


def test_one_cause_costs_nobody_more_than_five_messages() -> None:
    world = World()
    world.say("opened", subject(cls="county"), 30.0)
    for n in range(1, 60):
        world.say("updated", subject(cls="county", affected=2**n), 30.0 + 61 * n)
    world.say("resolved", subject(cls="county", affected=2**60), 8000.0)
    world.run(DAY)
    for outlet in (1, 2):
        events = [event for _, _, event in world.events(outlet)]
        assert events == ["opened", "updated", "updated", "updated", "resolved"]


def test_an_update_that_waits_says_the_last_state_and_is_not_said_after_the_end() -> None:
    world = World()
    world.say("opened", subject(cls="county", affected=10), 30.0)
    world.say("updated", subject(cls="county", affected=20), 40.0)
    world.say("updated", subject(cls="county", affected=40), 50.0)
    world.run(100.0)
    assert world.events(1) == [(30.0, 1, "opened"), (90.0, 1, "updated")]
    assert [item.subject.affected for item in world.rows if item.event == "updated"] == [40, 40]
    world.say("updated", subject(cls="county", affected=80), 110.0)
    world.say("resolved", subject(cls="county", affected=80), 120.0)
    world.run(DAY)
    assert [event for _, _, event in world.events(1)] == ["opened", "updated", "resolved"]
    assert [item.status for item in world.rows if item.audience == (1, 0)] == ["sent", "sent", "dropped", "sent"]


def test_a_school_that_grows_into_a_major_outage_is_told_at_once() -> None:
    policy = replace(POLICY, rules=(Rule(least_schools=5, delay_s=0, severity="major"), *POLICY.rules))
    world = World(policy)
    world.say("opened", subject(from_t=0.0), 30.0)
    world.say("updated", subject(from_t=0.0, schools=9, affected=9), 90.0)
    world.run(100.0)
    assert world.events() == [(90.0, 1, "opened"), (90.0, 2, "opened")]


def test_where_nobody_listens_at_a_level_the_next_above_is_told() -> None:
    world = World(with_ways(only=WAYS[3]))
    world.say("opened", subject(from_t=0.0), 30.0)
    world.run(DAY)
    assert world.events() == [(180.0, 3, "opened")]


def test_an_outlet_that_comes_later_is_told_of_what_nobody_was_told() -> None:
    world = World(with_ways())
    world.say("opened", subject(from_t=0.0), 30.0)
    world.run(HOUR)
    world.policy = POLICY
    world.teller.set_policy(POLICY, HOUR)
    world.post.set_ways(POLICY.ways)
    world.run(HOUR)
    assert {event for _, _, event in world.events()} == {"opened", "escalated"}
    assert {t for t, _, _ in world.events()} == {HOUR}


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (Way(1, "a", least_severity="major"), False),
        (Way(1, "a", kinds=frozenset({"degraded"})), False),
        (Way(1, "a", path="/14/1402/"), False),
        (Way(1, "a", kinds=frozenset({"outage"}), least_severity="minor", path="/14/"), True),
    ],
)
def test_an_outlet_hears_what_it_is_for(way: Way, told: bool) -> None:
    world = World(with_ways(only=way))
    world.say("opened", subject(), 30.0)
    world.run(HOUR)
    assert bool(world.heard) is told


def test_persons_on_duty_are_told_by_name_and_hear_of_the_end_after_their_turn() -> None:
    sms = Way(4, "gateway", "sms", personal=True, group=False)
    turns = (replace(TURN, from_t=0.0, until_t=500.0), replace(TURN, contact=8, name="乙", from_t=500.0, until_t=DAY))
    world = World(replace(with_ways(sms=sms), turns=turns))
    world.say("opened", subject(from_t=0.0), 30.0)
    world.say("resolved", subject(from_t=0.0), 900.0)
    world.run(HOUR)
    assert [(one.contact, one.items[0][2]) for one in world.heard] == [("甲", "opened"), ("甲", "resolved")]


# -- night, silence -----------------------------------------------------------------------------------------------------


def test_at_night_only_what_was_asked_for_is_told_and_the_rest_in_one_message_in_the_morning() -> None:
    night = lambda _s, t: Moment(night=t % DAY < 6 * HOUR)  # noqa: E731
    world = World(replace(POLICY, calendar=night, steps=(Step("county"),)))
    for number in range(10, 30):
        world.say("opened", subject(number, from_t=number * 60.0), number * 60.0)
    world.say("resolved", subject(10, from_t=600.0), 2 * HOUR)
    world.say("opened", subject(1, "county", from_t=3 * HOUR), 3 * HOUR)
    world.run(12 * HOUR)
    assert world.events(incident=1) == [(3 * HOUR, 1, "opened")]
    assert world.events(incident=10) == []
    assert [(one.t, len(one.items)) for one in world.heard] == [(3 * HOUR, 1), (6 * HOUR, 19)]


def test_a_silence_holds_back_what_begins_and_not_what_ends() -> None:
    hush = Hush(100.0, 1000.0, node="device:2")
    world = World(replace(POLICY, hushes=(hush,), steps=(Step("county"),)))
    world.say("opened", subject(2, "county"), 30.0)
    world.say("updated", subject(2, "county", affected=99), 200.0)
    world.say("resolved", subject(2, "county"), 300.0)
    world.say("opened", subject(2, "county", from_t=400.0), 400.0)
    world.say("opened", subject(3, "county", from_t=400.0), 400.0)
    world.run(HOUR)
    assert world.events(incident=2) == [(30.0, 1, "opened"), (300.0, 1, "resolved"), (1000.0, 1, "opened")]
    assert world.events(incident=3) == [(400.0, 1, "opened")]


def test_what_is_switched_off_as_usual_is_told_when_it_should_be_on_again() -> None:
    world = World(replace(POLICY, steps=(Step("county"),)))
    world.say("opened", subject(1, "county", planned_t=5000.0), 30.0)
    world.say("opened", subject(2, "county", planned_t=5000.0), 30.0)
    world.say("opened", subject(3, "county", planned_t=9000.0), 30.0)
    world.run(100.0)
    assert world.heard == []
    world.teller.refresh(subject(3, "county"), 100.0)  # the far port went down: it is not of the school's making
    world.say("resolved", subject(2, "county", planned_t=5000.0), 4000.0)
    world.run(8000.0)
    assert world.events(incident=3) == [(100.0, 1, "opened")]
    assert world.events(incident=2) == []
    assert world.events(incident=1) == [(5000.0, 1, "opened")]


# -- escalation, acknowledgement ----------------------------------------------------------------------------------------


def test_what_nobody_acknowledges_goes_up_level_by_level() -> None:
    world = World()
    world.say("opened", subject(from_t=0.0), 30.0)
    world.run(DAY)
    assert world.events() == [(180.0, 1, "opened"), (1980.0, 2, "escalated"), (7380.0, 3, "escalated")]
    assert world.remarks == [(1980.0, 1, "escalated"), (7380.0, 1, "escalated")]


def test_an_acknowledgement_stops_it_until_its_promise_lapses() -> None:
    world = World()
    world.say("opened", subject(from_t=0.0), 30.0)
    world.acknowledge(1, 600.0, until=4000.0)
    world.run(DAY)
    assert world.events() == [
        (180.0, 1, "opened"),
        (4000.0, 1, "lapsed"),
        (4000.0, 2, "escalated"),
        (7380.0, 3, "escalated"),
    ]
    assert world.remarks == [(4000.0, 1, "lapsed"), (4000.0, 1, "escalated"), (7380.0, 1, "escalated")]
    assert world.acks == {}


def test_a_promise_without_an_end_holds_until_it_is_taken_back() -> None:
    world = World()
    world.say("opened", subject(from_t=0.0), 30.0)
    world.acknowledge(1, 600.0)
    world.run(5000.0)
    assert world.events() == [(180.0, 1, "opened")]
    world.acks.clear()
    world.teller.set_acks({}, 5000.0)
    world.run(5000.0)
    assert world.events()[1:] == [(5000.0, 2, "escalated")]


@pytest.mark.parametrize(("affected", "root", "void"), [(15, "", False), (16, "", True), (10, "device:9", True)])
def test_an_acknowledgement_is_void_when_the_incident_grows_by_more_than_half_or_its_root_changes(
    affected: int, root: str, void: bool
) -> None:
    world = World()
    world.say("opened", subject(affected=10, from_t=0.0), 30.0)
    world.acknowledge(1, 600.0, until=DAY)
    more = {"root": root} if root else {}
    world.say("updated", subject(affected=affected, from_t=0.0, **more), 2500.0)
    world.run(2500.0)
    assert [kind for _, _, kind in world.remarks] == (["void", "escalated"] if void else [])
    assert ((2500.0, 2, "escalated") in world.events()) is void


# -- ways that fail -----------------------------------------------------------------------------------------------------


def test_a_way_that_is_lost_gives_one_summary_when_it_is_back() -> None:
    world = World(with_ways(one=WAYS[1]), works=lambda _o, t: not 100 <= t < 2000)
    world.say("opened", subject(1, "county"), 30.0)
    for number in range(2, 40):
        world.say("opened", subject(number, "county", from_t=100.0 + number), 100.0 + number)
    for number in range(2, 20):
        world.say("resolved", subject(number, "county", from_t=100.0 + number), 1000.0)
    world.run(HOUR)
    assert len(world.heard) == 2
    assert world.heard[1].t >= 2000
    assert {event for _, _, event in world.heard[1].items} == {"opened", "resolved"}
    assert len(world.heard[1].items) == 38 + 18


def test_the_second_path_takes_over_and_says_so_and_gives_back() -> None:
    first, second = replace(WAYS[1], fallback=5), Way(5, "gateway", "webhook", path="/15/")
    world = World(with_ways(a=first, b=second), works=lambda outlet, t: outlet != 1 or not 0 < t < 2000)
    world.say("opened", subject(1, "county"), 30.0)
    world.run(90.0)
    assert [(one.outlet, one.detour) for one in world.heard] == [(5, True)]
    assert world.heard[0].t <= 30.0 + 60.0
    world.say("resolved", subject(1, "county"), 4000.0)
    world.run(5000.0)
    assert [(one.outlet, one.detour) for one in world.heard] == [(5, True), (1, False)]


def test_a_detour_tells_nobody_twice() -> None:
    first, second = replace(WAYS[1], fallback=2), WAYS[2]
    world = World(with_ways(a=first, b=second), works=lambda outlet, _t: outlet != 1)
    world.say("opened", subject(1, "county"), 30.0)
    world.say("resolved", subject(1, "county"), 600.0)
    world.run(HOUR)
    assert [event for _, _, event in world.events(2)] == ["opened", "resolved"]
    assert len(world.post) == 0


def test_a_storm_is_kept_within_the_rate_by_merging() -> None:
    world = World(with_ways(one=WAYS[1]))
    for number in range(1, 2001):
        world.say("opened", subject(number, "county", from_t=30.0), 30.0 + number * 0.1)
    world.run(HOUR)
    assert len(world.events()) == 2000
    assert busiest_minute(one.t for one in world.heard) <= 20
    assert busiest_minute(one.t for one in world.heard) >= 15


def test_a_policy_without_anything_tells_everybody_at_once() -> None:
    world = World(Policy(ways={1: Way(1, "all")}))
    world.say("opened", Subject(id=1, base="warning"), 5.0)
    world.run(10.0)
    assert world.events() == [(5.0, 1, "opened")]
