"""The school's page says both numbers of its uptime, 24 × 7 and in class hours."""

import re

from conftest import Web


def _rows(page: str) -> dict[str, list[str]]:
    """Title of each row -> its cells, as text."""
    body = next(part for part in page.split("<tbody>") if "in class hours" in part.split("</tbody>", 1)[0])
    rows = [re.sub(r"<[^>]+>", "|", row) for row in body.split("</tbody>", 1)[0].split("</tr>")]
    cells = [[cell.strip() for cell in row.split("|") if cell.strip()] for row in rows]
    return {row[0]: row[1:] for row in cells if row}


def test_a_schools_page_has_two_numbers_in_both_kinds_of_time(web: Web) -> None:
    client = web.sign_in("root")
    client.get("/language/en")
    page = client.get(f"/schools/{web.province.schools[0][0]}").text
    rows = _rows(page)
    assert set(rows) == {"24 × 7", "in class hours"}
    whole = rows["24 × 7"]
    assert len(whole) == 5
    assert re.search(r"\d.*%", whole[0])
    assert "not all declared" in page, "there is no calendar"
