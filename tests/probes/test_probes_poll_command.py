"""`edunet probe icmp` and `edunet probe snmp`: what scripts and benchmarks rely on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from snmpd_agent import Snmpd
from snmpfarm import addresses, is_dead, running_farm, wrong_values

from probes import engine as engines
from probes.icmp.sockets import is_allowed

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "edunet.main", "probe"]


def probe(
    *arguments: str, prefix: tuple[str, ...] = (), given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *COMMAND, *arguments],
        input=given,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )


def listing(path: Path, listed: list[str]) -> str:
    path.write_text("".join(address + "\n" for address in listed))
    return str(path)


@pytest.mark.parametrize("engine", ["python", "compiled"])
def test_snmp_prints_its_object_and_dumps_every_value(tmp_path: Path, engine: str) -> None:
    if engine == "compiled" and engines.NAME != "compiled":
        pytest.skip("the engine is not compiled here")
    listed = addresses(60, "127.20.0.1")
    dead = is_dead(listed, 100)
    with running_farm("-d", "100", "-c", "secret") as port:
        done = probe(
            *("snmp", "--targets", listing(tmp_path / "t", listed), "--port", str(port), "--json"),
            *("--dump", str(tmp_path / "out"), "--budget", "1.5"),
            EDUNET_COMMUNITY="secret",
            EDUNET_ENGINE=engine,
        )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    alive = 60 - int(dead.sum())
    assert list(result) == ["targets", "answered", "silent", "values", "wall_s", "cpu_s", "engine"]
    assert (result["targets"], result["answered"], result["silent"]) == (60, alive, 60 - alive)
    assert result["values"] == alive * 253
    assert result["engine"] == engine
    assert result["cpu_s"] > 0
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [line["address"] for line in lines] == [a for a, gone in zip(listed, dead, strict=True) if not gone]
    now = (tmp_path / "out").stat().st_mtime
    for line in lines:
        rows = [(port["ifIndex"], list(port.values())[1:]) for port in line["ports"]]
        assert [index for index, _ in rows] == list(range(1, 29))
        assert not wrong_values(line["address"], line["sysUpTime"], rows, now - 30, now)


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_community_need_not_stand_on_the_command_line(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "community"
    secret.write_text("hidden\n")
    with running_farm("-c", "hidden") as port:
        done = probe(
            *("snmp", "--targets", listing(tmp_path / "t", ["127.0.0.9"]), "--port", str(port), "--json"),
            *("--community", f"@{secret}" if way == "file" else "-"),
            given="hidden\n",
        )
    assert json.loads(done.stdout.splitlines()[-1])["answered"] == 1


@pytest.mark.skipif(not is_allowed("raw"), reason="raw sockets are not allowed here")
def test_icmp_prints_its_object(tmp_path: Path) -> None:
    done = probe(
        *("icmp", "--targets", listing(tmp_path / "t", addresses(500)), "--count", "2", "--json"),
        *("--dump", str(tmp_path / "out")),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert list(result) == ["targets", "answered", "silent", "sent", "wall_s", "cpu_s", "method"]
    assert (result["targets"], result["answered"], result["silent"], result["sent"]) == (500, 500, 0, 1000)
    assert result["method"] == "raw"
    lines = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert all(line["received"] == 2 and line["rtt_seconds"] > 0 and line["jitter_seconds"] >= 0 for line in lines)


@pytest.mark.skipif(not is_allowed("raw"), reason="raw sockets are not allowed here")
def test_many_probes_are_several_rounds(tmp_path: Path) -> None:
    done = probe(
        "icmp", "--targets", "-", "--count", "61", "--json", given="127.0.0.1\n# a comment\n\n::1 # and one here\n"
    )
    assert json.loads(done.stdout.splitlines()[-1])["sent"] == 122


@pytest.mark.parametrize("command", ["icmp", "snmp"])
@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("127.0.0.1\n\nnowhere.example\n", "line 3"),
        ("127.0.0.1\n127.0.0.256\n", "line 2"),
        ("", "no address"),
        (None, "No such file"),
    ],
)
def test_a_bad_list_is_exit_code_2_and_names_file_and_line(
    tmp_path: Path, command: str, content: str | None, named: str
) -> None:
    path = tmp_path / "targets.txt"
    if content is not None:
        path.write_text(content)
    done = probe(command, "--targets", str(path), "--json")
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert named in done.stderr
    assert done.stdout == ""


def test_an_ordinary_user_is_told_how_to_ping_better(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become an ordinary user")
    plain = (
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    )
    allowed = Path("/proc/sys/net/ipv4/ping_group_range").read_text().split()
    if int(allowed[0]) <= 65534 <= int(allowed[1]):
        pytest.skip("datagram ICMP is open to everybody here")
    done = probe("icmp", "--targets", "-", "--json", "--timeout", "0.2", given="127.0.0.1\n", prefix=plain)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["method"] == "tcp"
    assert 'sysctl -w net.ipv4.ping_group_range="0 2147483647"' in done.stderr
    refused = probe("icmp", "--targets", "-", "--method", "raw", given="127.0.0.1\n", prefix=plain)
    assert refused.returncode == 1
    assert "ping_group_range" in refused.stderr


@pytest.mark.server
def test_snmp_reads_v3_with_secrets_from_file_and_environment_and_names_duplicate_engines(tmp_path: Path) -> None:
    (tmp_path / "auth").write_text("an-auth-password\n")
    given = ("--user", "sha256aes128", "--auth", "sha256", "--auth-key", f"@{tmp_path / 'auth'}", "--priv", "aes128")
    with Snmpd(tmp_path) as agent:
        listed = listing(tmp_path / "t", ["127.0.0.1", "127.0.0.2"])
        ask = ("snmp", "--targets", listed, "--port", str(agent.port), "--budget", "60", "--json", *given)
        done = probe(*ask, EDUNET_PRIV_KEY="a-priv-password")
        wrong = probe(*ask[:-3], str(listed), "--priv", "aes128", EDUNET_PRIV_KEY="a-priv-password")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["answered"] == 2
    assert "more than once" in done.stderr
    assert json.loads(wrong.stdout.splitlines()[-1])["answered"] == 0
    assert "wrong authentication password" in wrong.stderr


def test_v3_options_without_a_user_are_refused(tmp_path: Path) -> None:
    done = probe("snmp", "--targets", listing(tmp_path / "t", ["127.0.0.1"]), "--auth", "sha256")
    assert done.returncode == 2
    assert "--user" in done.stderr
