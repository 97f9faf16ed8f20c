"""The frame: errors that name the field in the caller's language, hosts, headers, limits, health, metrics, http_sd, events."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from zoneinfo import ZoneInfo

import httpx
import pytest
from conftest import Web, running, until
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select

from api.changes import touches
from api.middleware import allowed_hosts, host_name
from api.sentences import Facts, length, sentence
from api.settings import ApiSettings
from api.translation import exposition_of
from api.words import FIELD_ERRORS, PROBLEMS, best_language
from inventory.history import DeviceBand, HistoryWriter
from inventory.models import Delivery, Feed, Incident, State, utcnow
from inventory.scope import Scope


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,en;q=0.5", "zh"),
        ("fr", "zh"),
        ("en;q=x", "zh"),
    ],
)
def test_the_language_is_the_callers(header: str, language: str) -> None:
    assert best_language(header) == language


def test_every_word_is_there_in_both_languages() -> None:
    for zh, en in (*PROBLEMS.values(), *FIELD_ERRORS.values()):
        assert any(ord(char) > 0x3000 for char in zh), en
        assert en.isascii(), zh


def test_a_wrong_value_names_its_field_and_what_is_expected(web: Web) -> None:
    body = {"name": "", "level": "castle", "pupils": -1, "nonsense": 1}
    for language, word in (("en", "is missing"), ("zh", "缺少此项")):
        answer = web.client("root", **{"accept-language": language}).post("/api/v1/schools", json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        errors = {error["field"]: error for error in answer.json()["errors"]}
        assert set(errors) == {"name", "level", "pupils", "nonsense", "place_id"}
        assert errors["place_id"]["message"] == word
        assert "primary" in errors["level"]["expected"]
        assert errors["pupils"]["expected"] == ">= 0"


@pytest.mark.parametrize(
    "url",
    ["schools?nme=x", "board?x=1", "schools/1?x=1", "lookup?address=10.0.0.1&zon=x", "coverage?bye=1", "me?x=1"],
)
def test_an_unknown_parameter_is_an_error_that_names_it(web: Web, url: str) -> None:
    answer = web.client("root").get(f"/api/v1/{url}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("nme", "x", "zon", "bye")


def test_other_errors_are_problems_too(web: Web) -> None:
    client = web.client("root")
    for answer, status in (
        (client.get("/api/v1/nothing"), 404),
        (client.put("/api/v1/schools"), 405),
        (client.post("/api/v1/schools", content=b"{", headers={"content-type": "application/json"}), 422),
        (client.get("/api/v1/schools/99999999999"), 422),
        (client.get("/api/v1/schools/1e5"), 422),
        (client.get("/api/v1/schools", params={"sort": "note"}), 422),
        (client.get("/api/v1/schools", params={"q": "a\x00b"}), 422),
    ):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_a_body_beyond_the_limit_is_refused_with_and_without_its_length(web: Web) -> None:
    client = web.client("root")
    assert client.post("/api/v1/schools", content=b"x" * 3_000_000).status_code == 413
    chunks = (b"x" * 100_000 for _ in range(30))
    headers = {"content-type": "application/json"}
    assert client.post("/api/v1/schools", content=chunks, headers=headers).status_code == 413


def test_a_strange_host_is_refused(web: Web) -> None:
    for host, status in (("evil.example", 421), ("localhost", 200), ("127.0.0.1:1", 200), ("10.0.0.1", 421)):
        assert web.client().get("/-/healthy", headers={"host": host}).status_code == status, host
    assert allowed_hosts("0.0.0.0:8080", ["Monitor.edu.cn"]) == (
        frozenset({"localhost", "127.0.0.1", "::1", "monitor.edu.cn"}),
        True,
    )
    assert allowed_hosts("[2001:db8::1]:80", [])[0] >= {"2001:db8::1"}
    assert [host_name(text) for text in ("[::1]:8080", "A.b:1", "::1", "x")] == ["::1", "a.b", "::1", "x"]


def test_every_answer_carries_the_security_headers_and_a_number(web: Web) -> None:
    for path in ("/-/healthy", "/login", "/api/v1/schools", "/nothing"):
        headers = web.client().get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"].split("style-src-attr")[0]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 12
        assert "server" not in headers


def test_long_answers_are_compressed(web: Web) -> None:
    assert web.client("root").get("/api/v1/devices").headers["content-encoding"] == "gzip"


def test_it_is_ready_while_judge_and_rounds_give_signs_of_life(own_web: Web) -> None:
    client = own_web.client()
    assert [client.get(f"/-/{name}").status_code for name in ("healthy", "ready", "heartbeat")] == [200, 200, 200]
    assert client.get("/api/v1/board").status_code == 401
    with own_web.register.write() as session:
        feed = session.get_one(Feed, "judge")
        feed.at = utcnow() - timedelta(minutes=1)
        session.add(feed)
    assert [client.get(f"/-/{name}").status_code for name in ("healthy", "ready", "heartbeat")] == [200, 503, 503]
    board = own_web.client("root").get("/api/v1/board").json()
    assert board["stale"] is True
    assert {row["name"]: row["stale"] for row in board["feed"]} == {"judge": True, "rounds": False}


def test_the_heartbeat_fails_when_people_cannot_be_told(own_web: Web) -> None:
    client, now = own_web.client(), utcnow()
    ask = lambda: client.get("/-/heartbeat")  # noqa: E731
    with own_web.register.write() as session:
        session.add(Feed(name="outlets", at=now, stale_after=60))
    assert ask().status_code == 200
    with own_web.register.write() as session:
        session.add(Delivery(outlet_id=1, event="opened", queued_at=now, due_at=now - timedelta(minutes=5)))
    assert ask().status_code == 200
    with own_web.register.write() as session:
        session.add(Delivery(outlet_id=1, event="opened", queued_at=now, due_at=now - timedelta(minutes=11)))
    assert (ask().status_code, ask().text.split(":")[0]) == (503, "outlets")
    with own_web.register.write() as session:
        for row in session.exec(select(Delivery)):
            row.status = "sent"
        session.get_one(Feed, "outlets").at = now - timedelta(minutes=2)
    assert ask().text == "outlets: old\n"
    assert client.get("/-/ready").status_code == 200


def test_metrics_are_open_on_loopback_alone(web: Web) -> None:
    assert web.client().get("/metrics").status_code == 200
    assert web.client().get("/metrics", headers={"x-forwarded-for": "10.0.0.1"}).status_code == 401
    assert web.client("metrics").get("/metrics", headers={"x-forwarded-for": "10.0.0.1"}).status_code == 200
    closed = ApiSettings(metrics_open_on_loopback=False)
    with running(web.register, web.state_dir, closed) as url:
        for path in ("/metrics", "/api/v1/prometheus/targets", "/probe?target=10.0.0.1", "/snmp?target=10.0.0.1"):
            assert httpx.get(url + path).status_code == 401, path


def test_the_token_of_a_file_reads_metrics_and_nothing_else(web: Web, tmp_path: Path) -> None:
    file = tmp_path / "metrics_token"
    file.write_text("first-token\n")
    closed = ApiSettings(metrics_open_on_loopback=False, metrics_token_file=str(file))
    with running(web.register, web.state_dir, closed) as url:

        def ask(path: str, token: str) -> int:
            return httpx.get(url + path, headers={"authorization": f"Bearer {token}"}).status_code

        assert [ask(path, "first-token") for path in ("/metrics", "/api/v1/prometheus/targets")] == [200, 200]
        assert ask("/api/v1/devices", "first-token") == 401
        assert ask("/metrics", "another") == 401
        file.write_text("second-token\n")
        assert [ask("/metrics", token) for token in ("first-token", "second-token")] == [401, 200]
        file.write_text("\n")
        assert ask("/metrics", "second-token") == 401
        file.unlink()
        assert ask("/metrics", "second-token") == 401


def test_the_own_figures_are_there_without_a_collector(web: Web) -> None:
    text = web.client().get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["edunet_api_collector_answers"].samples[0].value == 0
    assert families["edunet_api_requests"].samples
    routes = {sample.labels["route"] for sample in families["edunet_api_requests"].samples}
    assert not any(route.endswith("/1") for route in routes), routes


def test_http_sd_lists_each_device_and_says_when_nothing_changed(own_web: Web) -> None:
    client, province = own_web.client("metrics"), own_web.province
    answer = client.get("/api/v1/prometheus/targets")
    targets = answer.json()
    assert len(targets) == 22
    gateway = next(item for item in targets if item["targets"] == ["10.0.0.2"])
    assert gateway["labels"]["device"] == "gw-0-1"
    assert gateway["labels"]["region_code"] == "140105"
    assert gateway["labels"]["school_code"] == "2114000001"
    again = client.get("/api/v1/prometheus/targets", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    own_web.client("root").patch(
        f"/api/v1/devices/{province.devices[0][1]}", json={"status": "retired"}, headers={"if-match": "*"}
    )
    changed = client.get("/api/v1/prometheus/targets", headers={"if-none-match": answer.headers["etag"]})
    assert len(changed.json()) == 21
    assert len(own_web.client("looker").get("/api/v1/prometheus/targets").json()) == 10


class _Collector(BaseHTTPRequestHandler):
    """What the collector's socket answers, as docs/architecture.md says."""

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._say(b"# TYPE edunet_x gauge\nedunet_x 1\n# EOF\n", "application/openmetrics-text; version=1.0.0")
        elif self.path == "/devices/999":
            self._say(b"{}", "application/json", 404)
        else:
            self._say(json.dumps({"as_of": "now", "path": self.path}).encode(), "application/json")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        port = {"ifIndex": 1, "ifName": 'a"b', "ifOperStatus": "up", "ifHCInOctets": 2**64 - 1}
        answer = {"as_of": 1.0, "ok": True, "duration_s": 0.5, **asked}
        if asked["module"] == "device":
            answer["reading"] = {"device": {"sysName": "gw"}, "ports": [port]}
        elif asked["module"] == "icmp":
            answer |= {"sent": 5, "received": 4, "rtt_seconds": 0.002}
        self._say(json.dumps(answer).encode(), "application/json")

    def _say(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "unix"


class _UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def _collector(state_dir: Path) -> Iterator[None]:
    socket = state_dir / "run" / "collector.sock"
    server = _UnixServer(str(socket), _Collector)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        socket.unlink()


def test_what_is_quick_comes_over_the_collectors_socket_and_its_absence_is_said(own_web: Web) -> None:
    client, device = own_web.client("root"), own_web.province.devices[0][1]
    gone = client.get(f"/api/v1/devices/{device}/live")
    assert (gone.status_code, gone.json()["type"]) == (503, "urn:edunet:problem:collector-gone")
    with _collector(own_web.state_dir):
        assert client.get(f"/api/v1/devices/{device}/live").json()["path"] == f"/devices/{device}"
        asked = client.post(f"/api/v1/devices/{device}/probe", json={"module": "path"}).json()
        assert (asked["device"], asked["module"]) == (device, "path")
        assert own_web.client("looker").post(f"/api/v1/devices/{device}/probe", json={}).status_code == 403
        ping = own_web.client().get("/probe", params={"target": "10.0.0.2"}).text
        assert "probe_success 1\n" in ping
        assert "probe_duration_seconds 0.5\n" in ping
        assert 'probe_icmp_duration_seconds{phase="rtt"} 0.002\n' in ping
        page = own_web.client().get("/snmp", params={"target": "10.0.0.2"})
        values = {
            (sample.name, sample.labels.get("ifName")): sample.value
            for family in text_string_to_metric_families(page.text)
            for sample in family.samples
        }
        assert values["probe_success", None] == 1
        assert values["ifOperStatus", 'a"b'] == 1
        assert own_web.client().get("/probe", params={"target": "192.0.2.1"}).status_code == 404
        assert own_web.client().get("/probe", params={"target": "x"}).status_code == 422
        metrics = own_web.client().get("/metrics", headers={"accept": "application/openmetrics-text"})
        assert metrics.headers["content-type"].startswith("application/openmetrics-text")
        assert metrics.text.startswith("# TYPE edunet_x gauge\nedunet_x 1\n# HELP")
        assert metrics.text.count("# EOF") == 1
        assert metrics.text.endswith("# EOF\n")
        assert "edunet_api_collector_answers 1.0" in metrics.text
        assert "edunet_x" not in own_web.client("looker").get("/metrics").text
    assert client.get(f"/api/v1/devices/{device}/live").status_code == 503


def test_a_probe_that_failed_says_so() -> None:
    assert "probe_success 0\n" in exposition_of({"ok": False, "rtt_seconds": None}, "icmp", 4.0)


def test_curves_have_gaps_and_come_as_a_table_too(own_web: Web) -> None:
    device, now = own_web.province.devices[0][1], utcnow()
    with own_web.register.write() as session:
        HistoryWriter(session).put([DeviceBand(device, now - timedelta(minutes=10), 0.002, 0.001, 0.003, 0.0, 60)])
    client = own_web.client("looker")
    curve = client.get("/api/v1/curves", params={"device": device}).json()["columns"]
    known = [value for value in curve["rtt_median_seconds"] if value is not None]
    assert known == pytest.approx([0.002])
    assert len(curve["at"]) in (288, 289)
    table = client.get("/api/v1/curves.csv", params={"device": device})
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.splitlines()) == len(curve["at"]) + 1
    too_long = {"device": device, "from": (now - timedelta(days=40)).isoformat()}
    assert client.get("/api/v1/curves", params=too_long).status_code == 422


def test_the_lookup_names_device_line_and_school(web: Web) -> None:
    client, province = web.client("root"), web.province
    device = client.get("/api/v1/lookup", params={"address": "10.0.0.2", "zone": "default"}).json()
    assert device["by"] == "device"
    assert device["device"]["id"] == province.devices[0][1]
    assert device["school"]["id"] == province.schools[0][0]
    prefix = client.get("/api/v1/lookup", params={"address": "::ffff:10.1.2.77"}).json()["items"]
    assert [(row["by"], row["prefix"], row["school"]["id"]) for row in prefix] == [
        ("prefix", "10.1.2.0/24", province.schools[1][1])
    ]
    assert client.get("/api/v1/lookup", params={"address": "x"}).json()["errors"][0]["field"] == "address"


def test_coverage_is_counts_by_county_level_and_kind(web: Web) -> None:
    client = web.client("root")
    by_county = client.get("/api/v1/coverage").json()
    assert [(row["key"], row["registered"], row["cut_off"]) for row in by_county["items"]] == [
        ("140105", 5, 1),
        ("140212", 5, 1),
    ]
    levels = {row["key"]: row["registered"] for row in client.get("/api/v1/coverage?by=level").json()["items"]}
    assert levels == {"junior": 4, "primary": 6}
    part = client.get("/api/v1/coverage", params={"by": "kind", "region": web.province.counties[0]}).json()
    assert part["total"]["registered"] == 5


def test_a_school_is_told_in_one_sentence(web: Web) -> None:
    where = f"/api/v1/schools/{web.province.schools[0][0]}/status"
    english = web.client("looker", **{"accept-language": "en"}).get(where).json()
    assert "is cut off, since " in english["sentence"]
    assert re.search(r"\(\d+ min\), because of 专线 0-1, call telecom 0351-10000\.", english["sentence"])
    assert "断网，自 " in web.client("looker", **{"accept-language": "zh"}).get(where).json()["sentence"]


def test_the_sentence_tells_old_data_and_hides_what_lies_outside() -> None:
    now, zone = utcnow(), ZoneInfo("Asia/Shanghai")
    facts = Facts("甲", State.down, now - timedelta(hours=26, minutes=5), True, None)
    said = sentence(facts, "zh", now, zone)
    assert said.startswith("数据已过时：甲断网，自 ")
    assert said.endswith("（1 天 2 小时），原因在上级网络。")
    assert sentence(Facts("A", State.not_watched, None, False), "en", now, zone).startswith("A is not watched")
    assert [length(timedelta(seconds=seconds), "en") for seconds in (5, 60, 3600)] == [
        "less than 1 min",
        "1 min",
        "1 h",
    ]


def test_events_tick_for_changes_of_the_own_part_alone(own_web: Web) -> None:
    mine: list[str] = []
    others: list[str] = []

    def listen(token: str, heard: list[str]) -> None:
        with own_web.client(token).stream("GET", "/api/v1/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    heard.append(line.removeprefix("event: "))
                if line.startswith("data: ") and '"incidents"' in line:
                    heard.append("incidents")
                    return
                if heard.count("feed") > 1:
                    return

    threads = [threading.Thread(target=listen, args=args) for args in (("looker", mine), ("reader", others))]
    foreign: list[str] = []
    with own_web.register.write() as session:
        from inventory.users import create_user, make_token

        user = create_user(session, "elsewhere", None, region_id=own_web.province.counties[1])
        own_web.province.tokens["elsewhere"] = make_token(session, user, "x")
    threads.append(threading.Thread(target=listen, args=("elsewhere", foreign)))
    for thread in threads:
        thread.start()
    until(lambda: all("hello" in heard for heard in (mine, others, foreign)))
    with own_web.register.write() as session:
        incident = session.get_one(Incident, 1)
        incident.affected, incident.updated_at = 3, utcnow()
        session.add(incident)
    for thread in threads:
        thread.join(30)
    assert mine[-1] == "incidents"
    assert others[-1] == "incidents"
    assert "incidents" not in foreign


def test_fifty_boards_may_listen(own_web: Web) -> None:
    streams = [own_web.client("reader").stream("GET", "/api/v1/events") for _ in range(50)]
    lines = [stream.__enter__().iter_lines() for stream in streams]
    assert [next(of_one) for of_one in lines] == ["retry: 3000"] * 50
    assert own_web.client("root").get("/api/v1/board").status_code == 200
    until(lambda: "edunet_api_event_listeners 50.0" in own_web.client().get("/metrics").text)
    for stream in streams:
        stream.__exit__(None, None, None)
    until(lambda: "edunet_api_event_listeners 0.0" in own_web.client().get("/metrics").text)


def test_an_incident_touches_the_part_in_which_it_lies_and_those_below() -> None:
    county = Scope(path="/1/2/3/")
    assert touches(county, "/1/2/3/", "")
    assert touches(county, "/1/2/", "")
    assert not touches(county, "/1/2/4/", "")
    assert touches(Scope(), "/1/9/", "")


def test_a_closing_server_ends_its_listeners(own_web: Web) -> None:
    with running(own_web.register, own_web.state_dir) as url:
        client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {own_web.province.tokens['root']}"})
        with closing(client), client.stream("GET", "/api/v1/events") as answer:
            assert next(answer.iter_lines())
