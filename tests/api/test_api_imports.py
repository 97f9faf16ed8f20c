"""Files by call: every wrong cell named and nothing written; or all of it, which can be undone."""

import io

import httpx
import openpyxl
from conftest import Web

HEAD = ["学校标识码", "学校名称", "县区", "学生数"]


def _book(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "学校"
    for row in (HEAD, *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _post(client: httpx.Client, data: bytes, name: str = "schools.xlsx", **params: object) -> httpx.Response:
    return client.post("/api/v1/imports/schools", files={"file": (name, data)}, params=params)


def _count(client: httpx.Client) -> int:
    return int(client.get("/api/v1/schools", params={"count": True, "limit": 1}).json()["total"])


def test_a_good_file_is_tried_written_and_undone(any_web: Web) -> None:
    client = any_web.client("root")
    before = _count(client)
    data = _book(["2114003301", "导入一小", "140105", 100], ["2114003302", "导入二小", "小店区", 200])
    tried = _post(client, data, dry_run=True)
    assert tried.status_code == 200, tried.text
    assert (tried.json()["id"], tried.json()["created"], tried.json()["problems"]) == (None, 2, [])
    assert _count(client) == before
    done = _post(client, data)
    assert done.status_code == 201, done.text
    assert _count(client) == before + 2
    assert client.get("/api/v1/schools", params={"q": "drex"}).json()["items"][0]["name"] == "导入二小"
    again = _post(client, data).json()
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)
    assert client.get("/api/v1/imports", params={"what": "schools"}).json()["items"][-1]["created"] == 2
    undone = client.post(f"/api/v1/imports/{done.json()['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert _count(client) == before
    assert client.post(f"/api/v1/imports/{done.json()['id']}/undo").status_code == 409
    assert client.post("/api/v1/imports/99999/undo").status_code == 409


def test_every_wrong_cell_is_named_and_nothing_is_written(any_web: Web) -> None:
    client = any_web.client("root", **{"accept-language": "en"})
    before = _count(client)
    data = _book(
        ["123", "坏一", "140105", 100], ["2114003311", "坏二", "火星区", "many"], ["2114003312", "好", "140105", 1]
    )
    wrong = _post(client, data)
    assert wrong.status_code == 422
    assert {error["field"] for error in wrong.json()["errors"]} == {"学校!A2", "学校!C3", "学校!D3"}
    assert all(error["expected"] and error["message"] for error in wrong.json()["errors"])
    assert wrong.json()["title"] == "3 cells are wrong; nothing was written"
    tried = _post(client, data, dry_run=True)
    assert tried.status_code == 200
    assert {cell["cell"] for cell in tried.json()["problems"]} == {"A2", "C3", "D3"}
    assert _count(client) == before


def test_files_that_are_none_are_refused_in_a_sentence(any_web: Web) -> None:
    client = any_web.client("root")
    for data, name in ((b"", "empty.csv"), (b"PK\x03\x04broken", "broken.xlsx"), (b"\xff\x00\x81" * 9, "x.csv")):
        answer = _post(client, data, name)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == "file"
    missing = client.post("/api/v1/imports/schools")
    assert missing.json()["errors"][0]["field"] == "file"
    assert client.post("/api/v1/imports/castles", files={"file": ("x.csv", b"x")}).status_code == 422


def test_administrators_import_into_their_own_part_alone(any_web: Web) -> None:
    data = _book(["2114003321", "县里", "140105", 1])
    assert _post(any_web.client("looker"), data).status_code == 403
    assert _post(any_web.client("readonly"), data).status_code == 403
    assert _post(any_web.client(), data).status_code == 401
    county = any_web.client("county")
    wrong = _post(county, _book(["2114003321", "县里", "140105", 1], ["2114003322", "县外", "140212", 1]))
    assert wrong.status_code == 422
    assert [(error["field"], error["message"]) for error in wrong.json()["errors"]] == [
        ("学校!C3", "工作表 学校，第 3 行，“县区”列：“140212”：不在您的管辖范围内，应为小店区之内的县区"),
    ]  # fmt: skip
    done = _post(county, data)
    assert done.status_code == 201, done.text
    assert _post(any_web.client("root"), _book(["2114003323", "省里", "140105", 1])).json()["created"] == 1
    assert county.post(f"/api/v1/imports/{done.json()['id'] + 1}/undo").status_code == 409, "another's"
    assert county.post(f"/api/v1/imports/{done.json()['id']}/undo").status_code == 200


def test_a_countys_page_checks_and_writes_its_own_file(any_web: Web) -> None:
    county = any_web.sign_in("county")
    assert 'action="/start/import"' in county.get("/start").text
    form = {"kind": "schools", "act": "write", "csrf": county.headers["x-csrf-token"]}
    outside = county.post("/start/import", data=form, files={"file": ("x.xlsx", _book(["2114003331", "县外", "140212", 1]))})  # fmt: skip
    assert outside.status_code == 422
    assert "小店区" in outside.text
    assert "C2" in outside.text
    before = _count(county)
    inside = county.post("/start/import", data=form, files={"file": ("x.xlsx", _book(["2114003332", "县内", "140105", 1]))})  # fmt: skip
    assert (inside.status_code, _count(county)) == (200, before + 1)
