"""The command as a stranger types it: help, exit codes, `--json`, and mishaps that are one line and never a traceback."""

import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner, Result

from edunet.main import app

EDUNET = Path(sys.executable).parent / "edunet"
NO_SERVER = "postgresql+psycopg://edunet:hunter2secret@127.0.0.1:1/edunet"


def commands(group: object, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command that runs something, with its words."""
    subcommands = getattr(group, "commands", None)
    if subcommands is None:
        yield words, group
        return
    for name, command in subcommands.items():
        yield from commands(command, (*words, name))


ALL = dict(commands(typer.main.get_command(app)))
SERVERS = {("up",), ("api",), ("vantage", "run")}
"""They print what people need to sign in, and serve until Ctrl-C: nothing for a program to read."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory and a state directory of their own, in English."""
    for name in [name for name in os.environ if name.startswith(("EDUNET_", "LC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EDUNET_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    root.handlers[:] = handlers  # a command that serves sets up logs of its own
    root.setLevel(level)


def run(*arguments: str, text: str = "") -> Result:
    """In this process."""
    return CliRunner().invoke(app, arguments, input=text)


def said(done: Result, code: int, *words: str) -> None:
    """It ended with `code`, said `words` on stderr, and was no fault of the program."""
    assert done.exit_code == code, (done.exit_code, done.output, done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    for word in words:
        assert word in done.stderr, done.output


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(home: Path, words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.exit_code == 0

    shown = " ".join(line for line in done.stdout.splitlines() if "Usage:" not in line)
    assert f"edunet {words[0]}" in shown, shown


@pytest.mark.parametrize("words", [words for words in ALL if words not in SERVERS], ids=" ".join)
def test_every_command_that_prints_has_json(words: tuple[str, ...]) -> None:
    options = {option for parameter in ALL[words].params for option in parameter.opts}  # type: ignore[attr-defined]
    assert "--json" in options


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_an_unknown_option_is_wrong_use(home: Path, words: tuple[str, ...]) -> None:
    said(run(*words, "--no-such-option"), 2, "No such option")


WRONG_USE = [
    "no-such-command",
    "import schools",
    "import schools nofile.csv",
    "import schools --template schools.doc",
    "outages --since yesterday",
    "outages --kind planet",
    "outages --limit 0",
    "user add wang --role king",
    "credential add a --version 7",
    "credential add a --community @nofile",
    "replay nofile.jsonl",
    "probe icmp --targets nofile",
    "probe icmp --targets /dev/null",
    "probe icmp --targets /dev/null --tcp-ports ssh",
    "probe icmp --targets /dev/null --method pigeon",
    "probe snmp --targets nofile",
    "probe device --address 127.0.0.1 --community @nofile",
    "api --fd 999",
    "api --listen nonsense",
    "collector --record /no/such/place/storm.jsonl",
]


@pytest.mark.parametrize("line", WRONG_USE)
def test_wrong_use_ends_with_2(home: Path, line: str) -> None:
    said(run(*line.split()), 2)


FAILURES = ["import undo 99", "user reset nobody", "user disable nobody", "zone remove none", "zone default none", "credential remove none", "demo status", "demo cut 140105", "demo leave"]  # fmt: skip


@pytest.mark.parametrize("line", FAILURES)
def test_a_failure_ends_with_1_and_says_why(home: Path, line: str) -> None:
    done = run(*line.split())
    said(done, 1)
    assert done.stderr.strip()


READERS = ["check", "zone list", "credential list", "user list", "outages", "collector --check", "collector", "user add x", "import undo 1"]  # fmt: skip
EVERYONE = [*READERS, "up --listen 127.0.0.1:0", "api --listen 127.0.0.1:0"]


@pytest.mark.parametrize("line", EVERYONE)
def test_a_state_directory_that_cannot_be_made_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("EDUNET_STATE_DIR", "/proc/none")
    said(run(*line.split()), 1, "/proc/none")


@pytest.mark.parametrize("line", EVERYONE)
def test_a_register_that_is_no_database_is_said(home: Path, line: str) -> None:
    (home / "state").mkdir()
    (home / "state" / "edunet.db").write_bytes(b"this is no database " * 500)
    said(run(*line.split()), 1, "file is not a database")


@pytest.mark.parametrize("line", EVERYONE)
def test_a_database_server_that_is_down_is_said_without_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setenv("EDUNET_INVENTORY__DATABASE_URL", NO_SERVER)
    done = run(*line.split())
    said(done, 1, "127.0.0.1")
    assert "hunter2secret" not in done.output


@pytest.mark.parametrize("line", EVERYONE)
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[api\nx = 1\n", "line 1"),
        ("# one\n[collector]\nliveness_every_s = 'soon'\n", "edunet.toml:3"),
        ("[api]\nlisten = '127.0.0.1:0'\nlistne = 1\n", "edunet.toml:3"),
    ],
)
def test_a_wrong_configuration_is_named_with_its_line(home: Path, line: str, text: str, where: str) -> None:
    (home / "edunet.toml").write_text(text)
    done = run(*line.split())
    assert done.exit_code == 2, done.output
    assert where in done.output


@pytest.mark.parametrize("line", [*EVERYONE, "demo status"])
def test_a_configuration_that_is_not_there_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setenv("EDUNET_CONFIG", "/no/edunet.toml")
    done = run(*line.split())
    assert done.exit_code == 2
    assert "/no/edunet.toml" in done.output


def test_a_wrong_database_address_is_wrong_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDUNET_INVENTORY__DATABASE_URL", "nonsense")
    said(run("zone", "list"), 2, "inventory.database_url")


def test_a_register_of_a_newer_edunet_is_said(home: Path) -> None:
    assert run("zone", "list").exit_code == 0
    with sqlite3.connect(home / "state" / "edunet.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said(run("zone", "list"), 1, "newer edunet")


def test_another_key_is_named_and_never_replaced(home: Path) -> None:
    assert run("zone", "add", "edu", "--json").exit_code == 0
    assert run("credential", "add", "one", "--community", "-", text="public\n").exit_code == 0
    key = home / "state" / "secret.key"
    key.write_text("hello\n")
    said(run("credential", "add", "two", "--community", "-", text="public\n"), 1, "secret.key")
    assert key.read_text() == "hello\n"
    assert run("check").exit_code == 1


def test_a_port_that_is_taken_is_said(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for command in ("up", "api"):
            said(run(command, "--listen", f"127.0.0.1:{port}"), 1, str(port))


def test_what_was_done_is_told_as_json(home: Path) -> None:
    assert json.loads(run("zone", "add", "edu", "--json").stdout) == {"zone": "edu", "done": "created"}
    made = json.loads(run("user", "add", "wang", "--json").stdout)
    anew = json.loads(run("user", "reset", "wang", "--json").stdout)
    assert made["password"] != anew["password"]
    assert [row["name"] for row in json.loads(run("user", "list", "--json").stdout)] == ["wang"]
    assert json.loads(run("outages", "--json").stdout) == []
    assert json.loads(run("check", "--json").stdout)["ok"] is True
    version = json.loads(run("version", "--json").stdout)
    assert version["engine"] in ("compiled", "python")


def test_the_words_follow_the_language_of_the_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no zone" in run("zone", "list").stdout
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "还没有" in run("zone", "list").stdout


def test_a_real_process_says_it_too_and_help_loads_nothing_heavy(home: Path) -> None:
    environment = {**os.environ, "EDUNET_STATE_DIR": "/proc/none"}
    done = subprocess.run([EDUNET, "zone", "list"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    code = (
        "import sys, edunet.main; heavy = {'sqlalchemy', 'numpy', 'fastapi', 'pydantic', 'cryptography', 'httpx'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes(home: Path, shell: str) -> None:
    done = subprocess.run([EDUNET, "--show-completion", shell], capture_output=True, text=True, check=True)
    assert "edunet" in done.stdout
    assert "_EDUNET_COMPLETE" in done.stdout


def test_completion_offers_the_commands(home: Path) -> None:
    environment = {**os.environ, "_EDUNET_COMPLETE": "complete_bash", "COMP_WORDS": "edunet ou", "COMP_CWORD": "1"}
    done = subprocess.run([EDUNET], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["outages", "outlet"]


def test_outlets_are_listed_without_their_keys_and_tried(home: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    from edunet.registry import open_register
    from inventory.models import Outlet
    from inventory.outlets import seal_config, target_of

    assert "no outlet yet" in run("outlet", "list").stdout
    said(run("outlet", "test", "nobody"), 1, "no outlet nobody")

    class Robot(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"errcode": 93000, "errmsg": "invalid webhook url"}')

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Robot)
    Thread(target=server.handle_request, daemon=True).start()
    config = {"url": f"http://127.0.0.1:{server.server_port}/send?key=topsecretkey"}
    register = open_register()
    assert register.sealer is not None
    with register.write() as session:
        secret = seal_config("wecom", config, register.sealer)
        session.add(Outlet(name="group", kind="wecom", secret=secret, target=target_of("wecom", config)))
    register.close()
    listed = run("outlet", "list", "--json")
    assert listed.exit_code == 0
    assert "topsecretkey" not in listed.stdout
    assert json.loads(listed.stdout)[0]["target"] == f"127.0.0.1:{server.server_port}"
    tried = run("outlet", "test", "group", "--json")
    assert (tried.exit_code, json.loads(tried.stdout)["answer"]) == (1, "errcode 93000: invalid webhook url")
    server.server_close()
    assert "1 outlets have no second path, which a cut of the internet needs: group" in run("check").stdout
