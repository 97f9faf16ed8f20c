"""What is shipped for running it is held against the tools that will read it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector.outlets.alertmanager import ALERT

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool; skip with a clear word where Debian's package is missing."""
    if not shutil.which(str(words[0])):
        pytest.skip(f"{words[0]} is not installed")
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=ROOT)


def test_prometheus_rules_say_what_their_tests_say() -> None:
    done = run("promtool", "test", "rules", *sorted((DEPLOY / "prometheus" / "tests").glob("*.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_test() -> None:
    rules = (DEPLOY / "prometheus" / "rules" / "monitor.yml").read_text()
    tests = (DEPLOY / "prometheus" / "tests" / "monitor_test.yml").read_text()
    names = [line.split()[-1] for line in rules.splitlines() if line.strip().startswith("- alert:")]
    untested = [name for name in names if f"alertname: {name}" not in tests]
    assert names
    assert not untested


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    shutil.copytree(DEPLOY / "prometheus", folder)
    token = tmp_path / "token"
    token.write_text("x")
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace("/secrets/metrics_token", str(token)))
    done = run("promtool", "check", "config", config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_takes_its_configuration() -> None:
    done = run("amtool", "check-config", DEPLOY / "alertmanager" / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_outages_go_to_the_operators_and_the_monitors_own_alerts_elsewhere() -> None:
    config = DEPLOY / "alertmanager" / "alertmanager.yml"
    for name, receiver in ((ALERT, "operators"), ("EdunetBlind", "monitor"), ("Another", "operators")):
        done = run("amtool", "config", "routes", "test", "--config.file", config, f"alertname={name}", "incident=3")
        assert done.stdout.split() == [receiver], (name, done.stdout + done.stderr)


def test_the_composition_is_read_by_compose() -> None:
    done = run("docker-compose", "-f", ROOT / "docker-compose.yml", "config", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_composition_fits_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = run(checker, "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    script = DEPLOY / "docker" / "make-secrets.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    subprocess.run([sys.executable, script, tmp_path], check=True, capture_output=True)
    assert first == {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(first) == {"postgres_password", "pgpass", "metrics_token", "grafana_password"}
    assert first["postgres_password"] in first["pgpass"]
    assert os.stat(tmp_path / "pgpass").st_mode & 0o077 == 0


def test_no_secret_stands_in_the_composition() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    guilty = [
        line
        for line in text.splitlines()
        if "PASSWORD" in line and "FILE" not in line and not line.lstrip().startswith("#")
    ]
    assert not guilty
