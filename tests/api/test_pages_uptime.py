"""The school's page says both numbers of its uptime, 24 × 7 and in class hours."""

import re

from conftest import Web


def _rows(page: str) -> dict[str, list[str]]:
    table = (
        page.split("24 × 7", 1)[0].rsplit("<table", 1)[1]
        + "24 × 7"
        + page.split("24 × 7", 1)[1].split("</table>", 1)[0]
    )
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table, flags=re.S)
    return {name: re.findall(r'<td class="num">(.*?)</td>', cells, flags=re.S) for name, cells in rows}


def test_a_schools_page_has_two_numbers_in_both_kinds_of_time(web: Web) -> None:
    client = web.sign_in("root")
    client.get("/language/en")
    page = client.get(f"/schools/{web.province.schools[0][0]}").text
    rows = _rows(page)
    assert set(rows) == {"24 × 7", "in class hours"}
    whole = rows["24 × 7"]
    assert re.search(r"\d", whole[0])
    assert "%" in whole[0]
    assert len(whole) == 5
    assert "not all declared" in page, "there is no calendar"
    unseen = client.get(f"/schools/{web.province.schools[1][4]}").text
    assert "24 × 7" in unseen or "nothing seen yet" in unseen
