"""The two trees."""

from sqlmodel import func, select

from inventory.database import Register
from inventory.models import Region, RegionTree
from inventory.regions import duty_by_code, load_regions, place_by_code


def test_both_trees_are_filled_once(register: Register) -> None:
    with register.session() as session:
        assert load_regions(session) == 2 * (1 + 11 + 117 + 4)
        session.commit()
        assert load_regions(session) == 0
        counts = dict(
            session.exec(
                select(Region.level, func.count()).where(Region.tree == RegionTree.place).group_by(Region.level)
            ).all()
        )
        assert counts == {"province": 1, "city": 11, "county": 117, "zone": 4}


def test_paths_lead_from_the_province_down(sqlite: Register) -> None:
    with sqlite.session() as session:
        load_regions(session)
        for by_code in (place_by_code(session), duty_by_code(session)):
            province, city, county = by_code["140000"], by_code["140100"], by_code["140105"]
            assert province.path == f"/{province.id}/"
            assert county.path == f"/{province.id}/{city.id}/{county.id}/"
            assert county.parent_id == city.id


def test_names_are_in_both_languages(sqlite: Register) -> None:
    with sqlite.session() as session:
        load_regions(session)
        place, duty = place_by_code(session), duty_by_code(session)
    assert (place["140100"].name, place["140100"].name_en) == ("太原市", "Taiyuan")
    assert (place["140105"].name, place["140105"].name_en) == ("小店区", "Xiaodian")
    assert (duty["140000"].name, duty["140100"].name) == ("山西省教育厅", "太原市教育局")
    assert (duty["140105"].name, duty["140105"].name_en) == ("小店区教育局", "Xiaodian Education Bureau")
    assert duty["140302"].name == "阳泉市城区教育局"
    assert len({region.name for region in duty.values()}) == len(duty)
    assert all(region.name_en.isascii() or "ü" in region.name_en for region in place.values())


def test_a_development_zone_has_no_standard_code(sqlite: Register) -> None:
    with sqlite.session() as session:
        load_regions(session)
        zone = place_by_code(session)["140171"]
    assert (zone.code, zone.local_code, zone.level, zone.source) == (None, "140171", "zone", "statistical")
