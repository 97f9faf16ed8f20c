"""The house rules that run: what a newcomer may forget, these tests name."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from edunet.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks, by pathspec."""
    out = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).exists()]


def setting_names(model: type[BaseModel], prefix: str = "") -> list[tuple[str, Any]]:
    """Every leaf setting as (dotted name, field)."""
    found: list[tuple[str, Any]] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += setting_names(kind, f"{prefix}{name}.")
        else:
            found.append((prefix + name, field))
    return found


@pytest.mark.parametrize(("name", "field"), setting_names(Settings))
def test_every_setting_says_what_it_is(name: str, field: Any) -> None:
    assert field.description, f"setting {name} has no description"


def test_every_setting_stands_in_the_settings_page() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    missing = [name for name, _ in setting_names(Settings) if f"`{name}`" not in page]
    assert not missing, f"run `python -m edunet.settings > docs/settings.md`: {missing}"


def test_no_package_of_leftovers() -> None:
    bad = {"core", "utils", "util", "common", "helpers", "misc"}
    names = [p for p in tracked("*.py") if bad & {part.removesuffix(".py") for part in p.relative_to(ROOT).parts}]
    assert not names


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in tracked("edunet/*.py", "probes/*.py", "inventory/*.py", "collector/*.py", "api/*.py", "demo/*.py")
        if p.read_text().strip() and not p.read_text().lstrip().startswith(('"""', "# cython", 'r"""'))
    ]
    assert not silent


def test_no_registry_is_named() -> None:
    hosts = ["pypi" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org", "pythonhosted" + ".org"]
    guilty = []
    for path in tracked():
        if path.suffix in {".png", ".woff2", ".xlsx", ".ico"}:
            continue
        text = path.read_text(errors="ignore")
        guilty += [f"{path.relative_to(ROOT)}: {host}" for host in hosts if host in text]
    assert not guilty


def test_locks_hold_every_dependency_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for lock, wanted in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("requirements-test.lock", project["dependency-groups"]["test"]),
    ):
        text = "\n" + (ROOT / lock).read_text().lower()
        for requirement in wanted:
            name = requirement.split("[")[0].split(">")[0].split("<")[0].split("=")[0].strip().lower()
            assert f"\n{name}==" in text or f"\n{name}[" in text, f"{lock} lacks {name}"
        assert "--hash=sha256:" in text


def test_every_decision_fits_one_screen() -> None:
    long = [p.name for p in tracked("docs/decisions/*.md") if p.read_text().count("\n") > 60]
    assert not long
