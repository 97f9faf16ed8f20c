"""Storms through the whole program, with a real Alertmanager and a robot's group: one cause is told once, blindness never, and kill -9 loses nothing."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collector_world import until
from province import REFERENCE, Size
from storm_world import FIRST_NOTICE_S, Said, StormWorld

SMALL, WHOLE = Size(600, counties=12, cities=3), Size(12_871, counties=117, cities=11)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[StormWorld]:
    """600 gateways in 12 counties under 3 cities, asked every second; everything is up."""
    yield from _world(tmp_path, SMALL, 1)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[StormWorld]:
    """13,000 nodes, asked every 5 s; everything is up."""
    yield from _world(tmp_path, WHOLE, 5)


def _world(path: Path, size: Size, every_s: int) -> Iterator[StormWorld]:
    world = StormWorld(path, size, every_s)
    try:
        world.start()
        world.all_up()
        world.rounds(2)
        yield world
    finally:
        world.close()


def blind(world: StormWorld, rounds: int) -> None:
    """The collector sees nothing any more, its reference targets neither; then it sees again."""
    before, heard = world.last_notice(), world.messages()
    world.network.silence([*world.province.under_core(), REFERENCE])
    until(lambda: (world.feed().get("rounds") or {}).get("blind"), what="blind")
    world.rounds(rounds)
    states = dict(world.rows("SELECT state, count(*) FROM node_state WHERE kind = 'device' GROUP BY state"))
    assert "down" not in states, "what a blind collector says is unknown"
    world.network.silence([])
    world.all_up()
    world.rounds(2)
    assert world.last_notice() == before
    assert world.messages() == heard
    assert world.rows("SELECT count(*) FROM outage") == world.rows(
        "SELECT count(*) FROM outage WHERE until_at IS NOT NULL"
    )


def test_a_cut_county_is_told_once_a_blind_collector_tells_nothing_and_two_kills_lose_nothing(
    small: StormWorld,
) -> None:
    world, province = small, small.province
    blind(world, rounds=3)
    assert world.rows("SELECT count(*) FROM outage") == [(0,)]
    county, rng = 5, random.Random()
    gone = province.under_county(county)
    ids = [province.counties[county], *province.gateways[county :: SMALL.counties]]
    cut_at = world.network.cut(gone)
    until(lambda: world.down() >= set(ids), what="all of it is down")
    time.sleep(rng.random() * 15)  # a random moment before the notice is due
    world.kill()
    until(lambda: [said.event for said in world.said()] == ["opened"], seconds=120, what="the notice")
    until(lambda: world.delivered()[incident(world), "firing"], what="Alertmanager tells of it")
    mended_at = world.network.mend(gone)
    world.all_up()
    time.sleep(rng.random() * 30)  # and one before it is over
    world.kill()
    until(lambda: world.open_incidents() == 0, seconds=300, what="resolved")
    said = world.said()
    assert [(notice.root, notice.affected) for notice in said] == [
        (f"device:{province.counties[county]}", len(gone))
    ] * 2
    world.check_notices()
    world.check_log({device: [(cut_at, mended_at)] for device in ids}, slack=5 + 3 * world.every_s)
    until(lambda: world.delivered()[incident(world), "resolved"], what="Alertmanager tells of the end")
    world.check_delivered()
    world.check_told()
    number = incident(world)
    first, *_, last = world.messages()
    assert all(part in first for part in ("【断网", f"#{number}\n", f"设备 {len(gone)} 台")), first
    assert all(part in last for part in ("【恢复】", f"#{number}\n", f"设备 {len(gone)} 台")), last


def incident(world: StormWorld) -> str:
    """The one that was opened."""
    ((number,),) = world.rows("SELECT id FROM incident WHERE opened_at IS NOT NULL")
    return str(number)


@pytest.mark.soak
def test_storms_of_13_000_gateways_are_told_by_their_cause(whole: StormWorld) -> None:
    world, province = whole, whole.province
    for name, root, gone in (
        ("county", province.counties[7], province.under_county(7)),
        ("city", province.cities[3], province.under_city(3)),
        ("core", province.core, province.under_core()),
    ):
        said = world.storm(gone, name)
        print(
            f"{name}: {len(said)} notices, the first {said[0].at - said[0].since:.1f} s after the first silent report"
        )
        world.check_one_cause(said, f"device:{root}", len(gone))
        world.check_messages(said)
    blind(world, rounds=6)
    said = _thousand(world)
    print(f"1,000 unrelated: {len(said)} notices")
    said = _flaps(world)
    print(f"500 flapping: {len(said)} notices")
    world.check_notices()
    world.check_delivered()
    world.check_told()
    print(f"{len(world.messages())} messages of the robot")


def _thousand(world: StormWorld) -> list[Said]:
    """1,000 gateways anywhere at once: nothing names one cause for them; each is told, alone or with its county's, and none costs more than five."""
    before, province = world.last_notice(), world.province
    chosen = random.Random(3).sample(range(WHOLE.schools), 1000)
    gone = [province.gateway_address(gateway) for gateway in chosen]
    world.network.cut(gone)
    until(lambda: len(world.down()) == 1000, seconds=240, what="1,000 down")
    until(
        lambda: world.rows("SELECT count(*) FROM incident WHERE status = 'pending'") == [(0,)], seconds=240, what="told"
    )
    opened = [said for said in world.said(before) if said.event == "opened"]
    assert sum(said.affected for said in opened) == 1000
    assert max(said.at - said.since for said in opened) <= FIRST_NOTICE_S + world.every_s
    world.network.mend(gone)
    world.all_up()
    until(lambda: world.open_incidents() == 0, seconds=400, what="everything resolved")
    said = world.said(before)
    assert len(said) == 2 * len(opened)
    return said


def _flaps(world: StormWorld) -> list[Said]:
    """500 gateways that come and go: at most six notices each, and an end."""
    before, province = world.last_notice(), world.province
    gone = [province.gateway_address(gateway) for gateway in range(500)]
    for _ in range(5):
        world.network.cut(gone)
        world.rounds(3)
        world.network.mend(gone)
        world.rounds(3)
    world.all_up()
    until(lambda: world.open_incidents() == 0, seconds=900, what="everything resolved")
    said = world.said(before)
    assert said
    of = {key: sum(notice.key == key for notice in said) for key in {notice.key for notice in said}}
    assert max(of.values()) <= 6
    return said


@pytest.mark.soak
def test_fifty_kills_in_a_storm_lose_and_double_nothing(whole: StormWorld) -> None:
    world, province, rng = whole, whole.province, random.Random()
    seed = rng.randrange(1 << 30)
    print(f"seed {seed}")
    rng = random.Random(seed)
    cuts: dict[int, list[tuple[float, float]]] = {}
    for _ in range(10):
        counties = rng.sample(range(WHOLE.counties), 4)
        gone = [address for county in counties for address in province.under_county(county)]
        ids = [i for c in counties for i in (province.counties[c], *province.gateways[c :: WHOLE.counties])]
        cut_at = world.network.cut(gone)
        for _ in range(3):
            time.sleep(rng.uniform(4, 25))
            world.kill()
        until(lambda: world.down() >= set(ids), seconds=240, what="all of them down")  # noqa: B023
        until(lambda: world.open_roots() >= {f"county {c}" for c in counties}, seconds=240, what="each told")  # noqa: B023
        mended_at = world.network.mend(gone)
        for device in ids:
            cuts.setdefault(device, []).append((cut_at, mended_at))
        for _ in range(2):
            time.sleep(rng.uniform(4, 25))
            world.kill()
        world.all_up()
        until(lambda: world.open_incidents() == 0, seconds=400, what="everything resolved")
    assert world.kills == 50
    world.check_notices()
    world.check_log(cuts, slack=5 + 3 * world.every_s)
    world.check_delivered()
    world.check_told()
