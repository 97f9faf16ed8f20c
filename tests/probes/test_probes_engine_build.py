"""Building the engine: without a compiler a warning, of an old text never used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASK = "from probes import engine; print(engine.NAME)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    pytest.importorskip("Cython.Build")
    for name in ("setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "probes", tmp_path / "probes", ignore=shutil.ignore_patterns("*.so", "__pycache__", "profiles")
    )
    return tmp_path


def build(where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=where,
        env={**os.environ, "EDUNET_ENGINE_CFLAGS": "-O0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def engine_of(where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(where), "EDUNET_ENGINE": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_compiler_it_installs_all_the_same_and_runs_plain(copy: Path) -> None:
    done = build(copy, CC="/bin/false")
    assert done.returncode == 0, done.stderr
    assert "failed" in done.stdout + done.stderr
    assert engine_of(copy).stdout.strip() == "python"
    assert engine_of(copy, EDUNET_ENGINE="compiled").returncode != 0


def test_an_engine_built_of_another_text_is_not_used(copy: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    done = build(copy)
    if engine_of(copy).stdout.strip() != "compiled":
        pytest.skip(f"the engine cannot be compiled here: {done.stderr[-300:]}")
    source = copy / "probes" / "engine" / "echo.py"
    source.write_text(source.read_text() + "\n# changed\n")
    assert engine_of(copy).stdout.strip() == "python"
    refused = engine_of(copy, EDUNET_ENGINE="compiled")
    assert "make install" in refused.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("COMPILED = True\n", "AttributeError"),  # built by an older setup.py: it has no SOURCE
        ("raise SystemError('half built')\n", "half built"),
        ("import no_such_module\n", "no_such_module"),
    ],
)
def test_whatever_a_compiled_module_raises_it_runs_plain_and_says_why(copy: Path, text: str, why: str) -> None:
    """A package directory of the same name is found before the module's text, as a compiled file is."""
    (copy / "probes" / "engine" / "walk").mkdir()
    (copy / "probes" / "engine" / "walk" / "__init__.py").write_text(text)
    ask = 'from probes.engine import WHY_PLAIN, NAME, load; load("wire"); print(NAME, WHY_PLAIN)'
    (copy / "probes" / "engine" / "wire").mkdir()
    (copy / "probes" / "engine" / "wire" / "__init__.py").write_text(
        "from probes.engine import digest\nCOMPILED = True\nSOURCE = digest('wire').encode()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "EDUNET_ENGINE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("python "), done.stdout
    assert why in done.stdout
    assert engine_of(copy, EDUNET_ENGINE="compiled").returncode != 0
