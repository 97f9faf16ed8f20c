"""`edunet up` from end to end: the demonstration comes alive, is cut and mended, left, and ends without a trace."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.control import NotRunningError, ask

EDUNET = Path(sys.executable).parent / "edunet"
ORDINARY = 12345
CONFINED = (
    "unshare",
    "-Ur",
    "sh",
    "-c",
    'for what in net user; do echo 0 > /proc/sys/user/max_${what}_namespaces; done; exec "$@"',
    "sh",
)
"""Runs a command where no further namespace may be made, as on machines that refuse `unshare`."""
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/login/link/\S+)")


class Running:
    """One `edunet up` on a state directory of its own, and a signed-in visitor of its page."""

    def __init__(
        self, state: Path, uid: int | None = None, arguments: Sequence[str] = (), before: Sequence[str] = ()
    ) -> None:
        self.state, self.uid, self.before = state, uid, before
        self.log = state.parent / f"{state.name}.log"
        self.log.touch()
        self.process = self.start("up", "--listen", "127.0.0.1:0", *arguments)
        self.page: httpx.Client | None = None

    def command(self, *arguments: str) -> list[str]:
        drop = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"] if self.uid else []
        return [*drop, "env", f"EDUNET_STATE_DIR={self.state}", f"HOME={self.state}", str(EDUNET), *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self.before, *self.command(*arguments)], stdout=log, stderr=log, start_new_session=True
            )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, check=False)

    def wait(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        """What `what` gives as soon as it is true. The limit is a deadline against hanging, not a demand."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            found = what()
            if found:
                return found
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.2)

    def sign_in(self) -> httpx.Client:
        base, path = self.wait(lambda: LINK.findall(self.log.read_text()))[-1]
        client = httpx.Client(base_url=base, follow_redirects=True, timeout=30, headers={"accept-language": "en"})
        form = client.get(path).text
        csrf = re.search(r'name="csrf" value="([^"]+)"', form)
        assert csrf is not None, form
        client.post(path, data={"csrf": csrf[1]}).raise_for_status()
        self.page = client
        return client

    def board(self) -> dict[str, Any]:
        assert self.page is not None
        found: dict[str, Any] = self.page.get("/api/v1/board").raise_for_status().json()
        return found

    def incident(self, name: str) -> dict[str, Any] | None:
        return next((one for one in self.board()["incidents"] if name in one["root_name"]), None)

    def alive(self) -> dict[str, Any] | None:
        board = self.board()
        return board if not board["stale"] and board["schools"].get("up", 0) >= 1300 else None

    def pids(self) -> list[int]:
        """Every process that has this state directory in its environment."""
        mark, found = f"EDUNET_STATE_DIR={self.state}".encode(), []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def end(self) -> None:
        if self.page is not None:
            self.page.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []
    outside = Path("/tmp") / f"edunet-{os.getpid()}-{tmp_path.name}"  # pytest's own folders are closed to other users
    outside.mkdir()

    def starter(uid: int | None = None, arguments: Sequence[str] = (), before: Sequence[str] = ()) -> Running:
        state = outside / f"state{len(made)}"
        state.mkdir(mode=0o700)
        if uid:
            os.chown(state, uid, uid)
        made.append(Running(state, uid, arguments, before))
        return made[-1]

    yield starter
    for running in made:
        running.end()
    shutil.rmtree(outside)


def ordinary_uid() -> int | None:
    return ORDINARY if os.geteuid() == 0 else None


@pytest.mark.server
def test_an_ordinary_user_sees_the_province_cuts_a_county_and_mends_it(start: Callable[..., Running]) -> None:
    running = start(ordinary_uid())
    page = running.sign_in()
    running.wait(running.alive, 120)
    assert "Demonstration" in page.get("/").text
    status = json.loads(running.run("demo", "status", "--json").stdout)
    if status["mode"] != "namespace":
        pytest.skip("this machine refuses network namespaces to ordinary users")

    standing = running.wait(lambda: running.board()["incidents"])
    assert any(one["schools"] >= 8 for one in standing)

    assert running.run("demo", "cut", "140105").returncode == 0
    incident = running.wait(lambda: running.incident("小店区"))
    assert incident["root_name"].endswith("汇聚")
    assert incident["schools"] >= 8
    assert incident["pupils"] > 1000
    assert running.run("demo", "mend", "140105").returncode == 0
    running.wait(lambda: not running.incident("小店区"))

    ambiguous = running.run("demo", "cut", "第一中学")
    assert ambiguous.returncode == 2
    assert "school:" in ambiguous.stderr

    second = running.run("up", "--listen", "127.0.0.1:0")
    assert second.returncode == 1
    assert str(running.process.pid) in second.stderr

    csrf = re.search(r'name="csrf" value="([^"]+)"', page.get("/demo").text)
    assert csrf is not None
    camera = next(f["node"] for f in status["faults"] if f["node"].startswith("device:"))
    mended = page.post("/demo/mend", data={"csrf": csrf[1], "node": camera})
    assert "Mended" in mended.text
    assert page.post("/demo/mend", data={"node": camera}).status_code == 403

    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(30) == 0
    assert running.pids() == []


@pytest.mark.server
def test_the_demonstration_is_left_for_a_real_register(start: Callable[..., Running]) -> None:
    running = start()
    running.sign_in()
    running.wait(running.alive, 120)
    assert running.run("demo", "leave").returncode == 0
    running.wait(lambda: len(set(LINK.findall(running.log.read_text()))) == 2)
    assert running.page is not None
    running.page.close()
    page = running.sign_in()
    running.wait(lambda: running.board()["schools"]["total"] == 0 and not running.board()["stale"])
    assert page.get("/demo").status_code == 404
    again = running.run("demo", "cut", "140105")
    assert again.returncode == 1
    with pytest.raises(NotRunningError):
        ask(running.state / "run" / "demo.sock", {"do": "status"})

    running.process.kill()  # nobody outlives the supervisor, however it ends
    running.process.wait()
    deadline = time.monotonic() + 30
    while running.pids():
        assert time.monotonic() < deadline, running.pids()
        time.sleep(0.1)

    back = Running(running.state, None)  # and the demonstration does not come back by itself
    try:
        back.log.write_text("")
        back.sign_in()
        assert back.board()["schools"]["total"] == 0
    finally:
        back.end()


@pytest.mark.server
def test_a_taken_port_is_a_clear_error(start: Callable[..., Running]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = start(arguments=["--listen", f"127.0.0.1:{port}"])
        assert running.process.wait(60) == 1
    assert f"127.0.0.1:{port}" in running.log.read_text()
    assert f"LISTEN=127.0.0.1:{port + 1}" in running.log.read_text()


@pytest.mark.server
def test_others_are_served_with_a_loud_warning(start: Callable[..., Running]) -> None:
    running = start(arguments=["--listen", "0.0.0.0:0", "--no-demo"])
    running.wait(lambda: "Ctrl-C" in running.log.read_text())
    assert "WARNING" in running.log.read_text()


@pytest.mark.server
def test_a_wrong_configuration_is_wrong_use(start: Callable[..., Running]) -> None:
    running = start(arguments=["--no-demo"])
    running.wait(lambda: "Ctrl-C" in running.log.read_text())
    wrong = subprocess.run(
        [str(EDUNET), "up"],
        env={**os.environ, "EDUNET_STATE_DIR": str(running.state), "EDUNET_DEMO__SNMP_PORT": "no"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 2
    assert "snmp_port" in wrong.stderr


@pytest.mark.parametrize("state", ["/proc/nowhere", "/tmp/" + "long" * 30])
def test_a_state_directory_that_cannot_serve_is_a_clear_error(state: str) -> None:
    made = not Path(state).exists()
    failed = subprocess.run(
        [str(EDUNET), "up"], env={**os.environ, "EDUNET_STATE_DIR": state}, capture_output=True, text=True, check=False
    )
    assert failed.returncode == 1
    assert "state directory" in failed.stderr
    assert "Traceback" not in failed.stderr
    if made:
        shutil.rmtree(state, ignore_errors=True)


@pytest.mark.server
def test_where_namespaces_are_refused_the_province_is_watched_by_snmp_and_cut_all_the_same(
    start: Callable[..., Running],
) -> None:
    if subprocess.run([*CONFINED, "true"], capture_output=True).returncode:
        pytest.skip("this machine gives no user namespace in which to refuse others")
    running = start(before=CONFINED)
    running.sign_in()
    running.wait(running.alive, 120)
    assert json.loads(running.run("demo", "status", "--json").stdout)["mode"] != "namespace"
    assert running.run("demo", "cut", "140105").returncode == 0
    incident = running.wait(lambda: running.incident("小店区"))
    assert incident["schools"] >= 8
    assert running.run("demo", "mend", "140105").returncode == 0
    running.wait(lambda: running.board()["schools"].get("down", 0) < incident["schools"])
