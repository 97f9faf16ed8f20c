"""The commands on the register, as they are typed."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

SCHOOLS = "code,name,level,county\n2114000001,迎泽一小,primary,迎泽区\n"
DEVICES = "site,kind,name,address\n2114000001,gateway,GW,127.0.0.2\n"


@dataclass
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


class Shell:
    """`edunet` with a state directory of its own, in this process: starting Python for each command would take most of the time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env: dict[str, str | None] = {
            key: None for key in os.environ if key.startswith(("EDUNET_", "LC_", "LANG"))
        }
        self.env |= {"EDUNET_STATE_DIR": str(root / "state"), "EDUNET_LANG": "en"}

    def __call__(self, *words: str, given: str = "", **env: str) -> Done:
        from edunet.main import app

        result = CliRunner().invoke(app, list(words), input=given, env=self.env | env)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str, code: int = 0, **more: Any) -> Any:
        """The output of a command with --json."""
        done = self(*words, "--json", **more)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def file(self, name: str, text: str) -> str:
        """A file to import."""
        (self.root / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def edunet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)


def test_from_an_empty_register_to_a_plan_and_back(edunet: Shell) -> None:
    assert edunet("zone", "add", "edu", "--references", "127.0.0.1").returncode == 0
    assert edunet("credential", "add", "edu", "--community", "-", given="public\n").returncode == 0
    first = edunet.json("import", "schools", edunet.file("schools.csv", SCHOOLS))
    assert (first["created"], first["written"], first["problems"]) == (1, True, [])
    devices = edunet.file("devices.csv", DEVICES)
    assert edunet.json("import", "devices", devices, "--dry-run")["written"] is False
    second = edunet.json("import", "devices", devices)
    assert edunet.json("import", "devices", devices)["unchanged"] == 1
    found = edunet.json("check")
    assert (found["ok"], found["plan"]["targets"]) == (True, 1)
    assert edunet("import", "undo", str(second["batch"])).returncode == 0
    assert edunet.json("import", "undo", str(second["batch"]), code=1)["undone"] is False
    assert edunet.json("outages", "--open", "--since", "7d") == []


def test_wrong_cells_are_named_in_the_users_language(edunet: Shell) -> None:
    file = edunet.file("schools.csv", "code,name,county\n2199000001,甲,朝阳区\n")
    english = edunet("import", "schools", file, "--yes")
    assert english.returncode == 1
    assert "row 2, column code: “2199000001”" in english.stderr
    assert "nothing was written" in english.stderr
    chinese = edunet("import", "schools", file, "--yes", EDUNET_LANG="zh")
    assert "第 2 行" in chinese.stderr
    assert "什么都没有写入" in chinese.stderr
    problems = edunet.json("import", "schools", file, code=1)["problems"]
    assert [(problem["cell"], problem["found"]) for problem in problems] == [("A2", "2199000001"), ("C2", "朝阳区")]


@pytest.mark.parametrize(
    "words",
    [("import", "schools"), ("import", "schools", "none.csv"), ("import", "planets", "x"), ("outages", "--since", "soon"), ("user", "add", "x", "--role", "king")],
)  # fmt: skip
def test_wrong_use_is_exit_code_2(edunet: Shell, words: tuple[str, ...]) -> None:
    assert edunet(*words).returncode == 2


def test_a_template_is_written_once(edunet: Shell) -> None:
    assert edunet("import", "lines", "--template", "lines.xlsx").returncode == 0
    assert (edunet.root / "lines.xlsx").read_bytes().startswith(b"PK")
    assert edunet("import", "lines", "--template", "lines.xlsx").returncode == 1
    assert edunet("import", "lines", "--template", "lines.txt").returncode == 2


def test_secrets_come_by_every_way_but_the_command_line_and_never_out(edunet: Shell) -> None:
    edunet("zone", "add", "edu")
    (edunet.root / "auth.txt").write_text("authentic!\n")
    v3 = ("--version", "3", "--user", "edu", "--auth", "sha256", "--auth-key", "@auth.txt", "--priv", "aes128")
    assert edunet("credential", "add", "v3", *v3, EDUNET_PRIV_KEY="private!!!").returncode == 0
    assert edunet("credential", "add", "county", "--region", "小店区", EDUNET_COMMUNITY="hush-hush").returncode == 0
    assert edunet("credential", "add", "none").returncode == 2
    assert edunet("credential", "add", "v3", "--community", "-", given="x\n").returncode == 1
    rows = edunet.json("credential", "list")
    assert [(row["name"], row["zone"], row["region"]) for row in rows] == [
        ("v3", "edu", None),
        ("county", None, "小店区"),
    ]
    kept = b"".join(path.read_bytes() for path in (edunet.root / "state").rglob("edunet.db*"))
    assert all(secret not in kept for secret in (b"authentic!", b"private!!!", b"hush-hush"))
    assert edunet("credential", "remove", "county").returncode == 0
    assert edunet("credential", "remove", "county").returncode == 1


def test_users_are_made_reset_and_shut_out(edunet: Shell) -> None:
    made = edunet("user", "add", "wang", "--region", "小店区教育局")
    assert made.returncode == 0
    assert len(made.stdout.split()[-1]) == 19
    assert edunet("user", "add", "wang").returncode == 1
    assert edunet("user", "add", "li", "--region", "月球").returncode == 1
    assert edunet("user", "reset", "wang").returncode == 0
    assert edunet("user", "disable", "wang").returncode == 0
    assert edunet.json("user", "list") == [
        {"id": 1, "name": "wang", "role": "viewer", "region": "小店区教育局", "disabled": True}
    ]


def test_zones_that_are_used_stay(edunet: Shell) -> None:
    edunet("zone", "add", "edu")
    edunet("zone", "add", "lab")
    assert [(zone["name"], zone["default"]) for zone in edunet.json("zone", "list")] == [("edu", True), ("lab", False)]
    edunet("import", "schools", edunet.file("schools.csv", SCHOOLS), "--yes")
    edunet("import", "devices", edunet.file("devices.csv", DEVICES), "--yes")
    assert edunet("zone", "remove", "edu").returncode == 1
    assert edunet("zone", "default", "lab").returncode == 0
    assert edunet("zone", "remove", "lab").returncode == 0
    assert edunet("zone", "remove", "lab").returncode == 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('timezone = "Asia/Shanghai"\n[log]\nlevel = "loud"\n', "edunet.toml:3"),
        ("[log]\n\n# a remark\ncolour = 1\n", "edunet.toml:4"),
        ("log.level = 3\n", "edunet.toml:1"),
        ("[log\n", "line 1"),
    ],
)
def test_check_names_the_wrong_line(edunet: Shell, text: str, where: str) -> None:
    edunet.file("edunet.toml", text)
    done = edunet("check")
    assert done.returncode == 2
    assert where in done.stdout


def test_check_names_the_wrong_variable_and_a_missing_file(edunet: Shell) -> None:
    assert "EDUNET_LOG__LEVEL" in edunet("check", EDUNET_LOG__LEVEL="loud").stdout
    assert edunet("check", EDUNET_CONFIG="none.toml").returncode == 2
    broken = edunet("check", EDUNET_INVENTORY__DATABASE_URL="sqlite:////proc/none/edunet.db")
    assert broken.returncode == 1
    assert "cannot be opened" in broken.stderr


def test_check_names_what_is_not_in_order(edunet: Shell) -> None:
    edunet("zone", "add", "edu")
    edunet("import", "schools", edunet.file("schools.csv", SCHOOLS), "--yes")
    rows = "site,kind,name,address,watch\n2114000001,gateway,GW,,\n2114000001,switch,SW,127.0.0.3,snmp\n"
    edunet("import", "devices", edunet.file("devices.csv", rows), "--yes")
    edunet("import", "lines", edunet.file("lines.csv", "circuit,operator,serves\nX,电信,2114000001\n"), "--yes")
    found = edunet.json("check", code=1)
    by_the_day = {"holidays_end", "holidays_unknown"}
    assert [(one["level"], one["code"]) for one in found["register"] if one["code"] not in by_the_day] == [
        ("error", "gateway_without_address"),
        ("error", "no_credential"),
        ("warning", "line_without_upstream"),
        ("warning", "no_references"),
        ("warning", "no_term"),
        ("warning", "no_class_hours"),
        ("warning", "no_outlet"),
    ]
