"""The command speaks Chinese where the user does: help, errors of use, and nothing is left without a translation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from edunet import language
from edunet.main import app

PLACES = re.compile(r"\{(\w+)(?:![rs])?\}")


def said(tmp_path: Path, *arguments: str, lang: str = "zh_CN.UTF-8", code: int = 0) -> str:
    """What a command prints for a user of this language."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("EDUNET_", "LC_", "LANG"))}
    env |= {"LANG": lang, "EDUNET_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "160", "TERM": "dumb"}
    env |= {"PYTHONUTF8": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "edunet", *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_every_text_of_the_help_has_a_chinese_one() -> None:
    texts = language.texts_of(typer.main.get_command(app))
    assert len(texts) > 100
    assert [text for text in texts if text not in language.chinese()] == []


def test_every_sentence_of_wrong_use_has_a_chinese_one_with_the_same_places() -> None:
    known = language.chinese()
    for sentence in language.SENTENCES:
        assert sorted(PLACES.findall(known[sentence])) == sorted(PLACES.findall(sentence)), sentence


def test_the_help_is_in_the_users_language(tmp_path: Path) -> None:
    assert "哪些学校断网" in said(tmp_path, "--help")
    assert "which schools are cut off" in said(tmp_path, "--help", lang="en_US.UTF-8")
    assert "选项" in said(tmp_path, "import", "schools", "--help")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nonsense",), "没有命令 'nonsense'。"),
        (("outages", "--limt", "3"), "没有选项 --limt（可能是：--limit"),
        (("outages", "--limit", "many"), "'--limit' 的值不对：应为整数"),
        (("outages", "--limit", "0"), "应不小于 1"),
        (("outages", "--kind", "house"), "值不对：--kind 是 school、line 或 device"),
        (("zone", "add"), "缺少参数"),
        (("probe", "icmp"), "缺少选项 '--targets'。"),
        (("import", "schools", "nowhere.csv"), "nowhere.csv 不是文件"),
        (("version", "extra"), "多余的参数（extra）"),
    ],
)
def test_wrong_use_is_explained_in_chinese(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    assert expected in said(tmp_path, *arguments, code=2)


def test_wrong_use_is_explained_in_english_elsewhere(tmp_path: Path) -> None:
    assert "No such command 'nonsense'." in said(tmp_path, "nonsense", lang="C.UTF-8", code=2)
