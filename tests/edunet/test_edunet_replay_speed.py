"""`edunet replay TRACE --speed N` shows the storm on the board, labelled, for reading alone, and leaves nothing behind."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

EDUNET = Path(sys.executable).with_name("edunet")
TRACE = Path(__file__).parents[1] / "collector" / "traces" / "county_cut.jsonl"
DEADLINE_S = 90.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_S
    while not (value := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return value


def test_a_storm_is_shown_on_the_board_and_nothing_is_left_over(tmp_path: Path) -> None:
    where = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [str(EDUNET), "replay", str(TRACE), "--speed", "200", "--listen", where],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "EDUNET_STATE_DIR": str(tmp_path / "state")},
    )
    try:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        with httpx.Client(base_url=f"http://{where}", timeout=20, follow_redirects=True) as client:

            def answers() -> bool:
                try:
                    return client.get("/-/healthy").status_code == 200
                except httpx.ConnectError:
                    return False

            wait(answers, "the pages are served")
            form = client.get(link)
            csrf = re.search(r'name="csrf" value="([^"]+)"', form.text)
            assert csrf is not None
            assert client.post(link, data={"csrf": csrf[1]}).status_code == 200
            board = lambda: client.get("/api/v1/board").json()  # noqa: E731
            incident = wait(
                lambda: [row for row in board()["incidents"] if row["root_name"] == "cnty-1"], "cnty-1 is cut"
            )[0]
            assert (incident["affected"], incident["schools"]) == (9, 8)
            assert board()["schools"]["down"] == 8
            page = client.get("/", headers={"accept-language": "en"}).text
            assert "A recorded trace at 200.0 times its speed" in page
            assert client.get("/api/v1/me").json()["role"] == "viewer"
            assert client.post("/api/v1/schools", json={"name": "x", "place_id": 1}).status_code == 403
            wait(lambda: not board()["incidents"] and not board()["schools"].get("down"), "all is mended")
            past = client.get("/api/v1/incidents").json()["items"]
            assert "cnty-1" in {row["root_name"] for row in past if row["status"] == "resolved"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("edunet-replay-")] == []


def test_a_wrong_trace_is_named_before_anything_is_served(tmp_path: Path) -> None:
    trace = tmp_path / "wrong.jsonl"
    trace.write_text('{"t":0,"kind":"topology","nodes":[{"id":"a"}]}\n{"t":5,"kind":"round","asked":5,"silent":[]}\n')
    done = subprocess.run(
        [str(EDUNET), "replay", str(trace), "--speed", "60", "--listen", f"127.0.0.1:{free_port()}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 2" in done.stderr
