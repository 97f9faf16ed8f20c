"""Documents are true: what they name exists."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edunet.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in ("README.md", "README.zh.md", "CONTRIBUTING.md"))]  # fmt: skip
TELLS_OF_WHAT_IS_TO_COME = {"roadmap.md"}
ROOMS = ("", "api", "collector", "probes", "inventory", "demo", "edunet", "api/pages", "probes/device")
"""Where a path begins that a document gives from the part it speaks of (`judge/roots.py`, `judging.md`)."""
MADE_BY_TESTS = {"tests/output/"}
"""Made when the tests run, and not kept in the repository."""
STATE = re.compile(r"(state|run|demo)/(?:demo/)?[a-z]*(?:\.(?:db|lock|sock|key|left|json))?/?|state/demo\.left")
"""Files of a running installation."""


def paths(text: str) -> set[str]:
    """What stands in backticks and looks like a path of the checkout: no blanks, a slash, no placeholder."""
    found = {word for word in re.findall(r"`([A-Za-z0-9_.*/-]+)`", text) if "/" in word and not word.startswith("/")}
    return {word for word in found if not re.search(r"NAME|NNNN", word) and not STATE.fullmatch(word)}


def exists(word: str) -> bool:
    """Whether a path, or a pattern of paths, is there, as seen from the checkout or one of its rooms."""
    if word.startswith("../shared") or word in MADE_BY_TESTS:
        return True  # beside the checkout, or made later, and not everywhere
    return any(next((ROOT / room).glob(word.rstrip("/")), None) is not None for room in ROOMS)


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_every_path_in_a_document_exists(path: Path) -> None:
    if path.name in TELLS_OF_WHAT_IS_TO_COME:
        assert path.exists()
        return
    assert sorted(word for word in paths(path.read_text(encoding="utf-8")) if not exists(word)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_the_index_names_every_document() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert sorted(name for name in names if f"({name})" not in index) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=shown)
def test_every_command_in_a_document_is_one(path: Path) -> None:
    known = {"import" if name == "imports" else name for name in COMMANDS}
    text = path.read_text(encoding="utf-8")
    used = {found[1] for line in blocks(text) if (found := re.match(r"(?:\$ |\.venv/bin/)?edunet ([a-z]+)\b", line))}
    assert sorted(used - known) == []


def blocks(text: str) -> list[str]:
    """What is typed: code blocks and inline code."""
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    return [line.strip() for block in fenced for line in block.splitlines()] + re.findall(r"`(edunet [^`\n]+)`", text)


def test_users_documents_are_in_both_languages_with_the_same_examples() -> None:
    for name in ("start", "import", "operate", "alerts"):
        english, chinese = ((ROOT / "docs" / f"{name}{end}.md").read_text(encoding="utf-8") for end in ("", ".zh"))
        assert f"]({name}.zh.md)" in english
        assert f"]({name}.md)" in chinese
    rules = (ROOT / "deploy" / "prometheus" / "rules" / "monitor.yml").read_text(encoding="utf-8")
    for end in ("", ".zh"):
        page = (ROOT / "docs" / f"alerts{end}.md").read_text(encoding="utf-8")
        assert [name for name in re.findall(r"- alert: (\w+)", rules) if f"`{name}`" not in page] == []


def test_the_backup_that_the_document_says_can_be_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    command = re.findall(r"`\.venv/bin/python (-c \"import sqlite3.*?\")`", page)
    assert len(command) == 1
    (tmp_path / "state").mkdir()
    with sqlite3.connect(tmp_path / "state" / "edunet.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE school (name)")
        database.execute("INSERT INTO school VALUES ('小店小学')")
    line = f"{sys.executable} {command[0]}".replace("/backup/", f"{tmp_path}/")
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)
    copy = sqlite3.connect(tmp_path / "edunet.db")
    assert copy.execute("SELECT name FROM school").fetchall() == [("小店小学",)]
    copy.close()
    database.close()
