"""Shipped rules of degradation: how they come into the register, and what an upgrade does to them."""

import pytest
from sqlalchemy import update
from sqlmodel import select

from inventory import rules
from inventory.database import Register
from inventory.measures import BY_MEASURE, MEASURES, say_measures
from inventory.models import DegradedRule, DeviceKind, Measure, SchoolLevel, table
from inventory.rules import ship_rules, shipped_rules


def _by_key(register: Register) -> dict[str, DegradedRule]:
    with register.session() as session:
        return {rule.key: rule for rule in session.exec(select(DegradedRule)).all()}


def test_every_measure_has_a_row_and_only_one() -> None:
    assert [row.measure for row in MEASURES] == list(Measure)
    assert all(row.name_zh and row.name_en and row.least < row.most for row in MEASURES)


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule["key"])
def test_a_shipped_rule_makes_sense(rule: dict[str, object]) -> None:
    known = BY_MEASURE[Measure(str(rule["measure"]))]
    assert rule["shipped"]
    assert all(rule[name] for name in ("name_zh", "name_en"))
    assert rule["raise_at"] != rule["clear_at"]
    assert all(known.least <= float(str(rule[name])) <= known.most for name in ("raise_at", "clear_at"))
    assert set(rule["kinds"]) <= {kind.value for kind in DeviceKind}  # type: ignore[call-overload]  # a list of the file
    assert set(rule["levels"]) <= {level.value for level in SchoolLevel}  # type: ignore[call-overload]  # likewise
    assert rule["severity"] in ("critical", "major", "minor", "warning")


def test_shipped_rules_come_in_once(register: Register) -> None:
    assert ship_rules(register) == len(shipped_rules())
    assert ship_rules(register) == 0
    assert set(_by_key(register)) == {rule["key"] for rule in shipped_rules()}


def test_an_upgrade_brings_new_values_but_leaves_alone_what_a_person_has_changed(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship_rules(register)
    row = table(DegradedRule)
    with register.write() as session:
        session.connection().execute(update(row).where(row.c.key == "line-loss").values(raise_at=9, changed=True))
    newer = [dict(rule) for rule in shipped_rules()]
    for rule in newer:
        if rule["key"] in ("line-loss", "line-rtt"):
            rule["raise_at"] = 33
    monkeypatch.setattr(rules, "shipped_rules", lambda: (*newer, {**newer[0], "key": "new-one"}))
    assert ship_rules(register) == 2
    found = _by_key(register)
    assert (found["line-loss"].raise_at, found["line-rtt"].raise_at) == (9, 33)
    assert (found["line-loss"].row_version, found["line-rtt"].row_version) == (1, 2)
    assert "new-one" in found
    assert ship_rules(register) == 0


def test_what_is_wrong_is_said_in_both_languages_the_worst_of_each_measure_once() -> None:
    loss = {"measure": "line_loss_percent", "subject": "line:1", "value": 23.684, "of": "", "severity": "minor"}
    names = {"name_zh": "线路丢包", "name_en": "Line loses packets"}
    heavy = {"name_zh": "线路严重丢包", "name_en": "Line loses many packets"}
    power = {
        "measure": "ups_on_battery",
        "subject": "device:2",
        "value": 1.0,
        "of": "Output Source",
        "severity": "minor",
    }
    evidence = {
        "measures": [
            {**loss, **names},
            {**loss, **heavy, "severity": "major"},
            {**power, "name_zh": "电池", "name_en": ""},
        ]
    }
    assert say_measures(evidence) == (
        "线路严重丢包 23.684 %、电池 (Output Source)",
        "Line loses many packets 23.684 %, 电池 (Output Source)",
    )
    assert say_measures({}) == ("", "")
