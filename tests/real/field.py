"""A small network of real agents on loopback, imported by the real commands into a fresh state, watched by a real `edunet up`.

Two schools and a county: three of Debian's snmpd (v2c; v3 SHA-256/AES-128; v2c at ::1) and recordings of devices behind miniagent.py.
"""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import Server, alertmanager, free_port, miniagent, prometheus, snmpd

SHARED = Path(__file__).resolve().parents[3] / "shared" / "captures"
EDUNET = Path(sys.executable).with_name("edunet")
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/login/link/\S+)")
DEADLINE_S = 120.0
TOKEN = "a token of this test alone"

RECORDED = {
    "vrp_ar169sfp": "gateway",
    "fs-ruijie_s3410": "switch",
    "vrp_5720": "switch",
    "comware_a5500": "switch",
    "ciscosb_cbs250-24p-4x-v3": "switch",
    "procurve_e2910": "switch",
    "dlink_dgs-1510-28xmp-me": "switch",
    "routeros_rb760igs": "switch",
    "jetstream_sg2218p": "switch",
    "unifi_nanohd": "ap",
    "axiscam_p1435-le": "camera",
    "hikvision-nvr": "recorder",
    "apc_smt750x-nmc2": "ups",
    "eaton-mgeups_5px": "ups",
}
"""Recordings that stand in the second school, and what each is in the register."""

PASSES = {"auth": "authentication 12", "priv": "privacy 1234"}
SNMPD = {
    "v2c-agent": ["rocommunity public"],
    "v3-agent": [f'createUser edu SHA-256 "{PASSES["auth"]}" AES "{PASSES["priv"]}"', "rouser edu priv"],
    "v6-agent": ["rocommunity6 public"],
}

PROMETHEUS = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: edunet
    authorization: {{credentials_file: {token}}}
    static_configs: [{{targets: ["{page}"]}}]
  - job_name: tokenless
    static_configs: [{{targets: ["{page}"]}}]
  - job_name: probe
    metrics_path: /probe
    scrape_interval: 10s
    scrape_timeout: 9s
    authorization: &token {{type: Bearer, credentials_file: {token}}}  # 2.42 leaves the word Bearer out of http_sd where no type is named
    params: {{module: [icmp]}}
    http_sd_configs: &sd
      - url: http://{page}/api/v1/prometheus/targets
        refresh_interval: 5s
        authorization: *token
    relabel_configs: &relabel
      - {{source_labels: [device], regex: "v.-agent|v2c-agent|vrp_5720", action: keep}}
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__address__], target_label: instance}}
      - {{target_label: __address__, replacement: "{page}"}}
  - job_name: snmp
    metrics_path: /snmp
    scrape_interval: 20s
    scrape_timeout: 19s
    authorization: *token
    http_sd_configs: *sd
    relabel_configs: *relabel
"""


def until(truth: Callable[[], Any], what: str, seconds: float = DEADLINE_S) -> Any:
    """What `truth` gives as soon as it is true; AssertionError with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := truth()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.2)
    return found


class Field:
    """The agents, Prometheus, Alertmanager and the monitor, all running."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack, self.state = folder, stack, folder / "state"
        self.state.mkdir(mode=0o700)
        self.net = f"127.{200 + os.getpid() % 50}"
        self.port = free_port(socket.SOCK_DGRAM)
        self.agents = {name: self._snmpd(name, lines) for name, lines in SNMPD.items()}
        self.recorder, self.recorded = miniagent(SHARED, folder, list(RECORDED), self.port, self.net)
        stack.callback(self.recorder.kill)
        self.alertmanager = stack.enter_context(alertmanager(folder))
        self.register()
        self.up = self._start()
        self.page = self._sign_in()
        config = PROMETHEUS.format(token=folder / "token", page=self.page.base_url.netloc.decode())
        self.prometheus = stack.enter_context(prometheus(folder, config))
        self.ids = {row["name"]: row["id"] for row in self.get("/api/v1/devices", limit=100)["items"]}

    def _snmpd(self, name: str, lines: Sequence[str]) -> Server:
        listened = {"v2c-agent": "udp:" + self.net + ".200.1", "v3-agent": "udp:" + self.net + ".200.2"}
        agent = snmpd(self.folder, name, self.port, lines, listened.get(name, "udp6:[::1]")).start()
        self.stack.callback(agent.kill)
        return agent

    @property
    def environment(self) -> dict[str, str]:
        """Of the commands and the monitor."""
        mine = {
            "EDUNET_STATE_DIR": str(self.state),
            "EDUNET_COLLECTOR__LIVENESS_EVERY_S": "2",
            "EDUNET_COLLECTOR__READING_EVERY_S": "10",
            "EDUNET_COLLECTOR__AGENT_SILENT_ROUNDS": "2",
            "EDUNET_COLLECTOR__METRICS_PORTS": "all",
            "EDUNET_COLLECTOR__ALERTMANAGER_URL": f"http://127.0.0.1:{self.alertmanager}",
            "EDUNET_COLLECTOR__ALERTMANAGER_RESEND_S": "5",
            "EDUNET_API__METRICS_OPEN_ON_LOOPBACK": "false",
            "EDUNET_API__METRICS_TOKEN_FILE": str(self.folder / "token"),
        }
        return {**{k: v for k, v in os.environ.items() if not k.startswith("EDUNET_")}, **mine}

    def edunet(self, *words: str, given: str = "") -> str:
        """A command; its standard output."""
        done = subprocess.run(
            [EDUNET, *words],
            input=given,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def sheet(self, name: str, rows: Sequence[dict[str, Any]]) -> str:
        """A CSV file of these rows."""
        path = self.folder / f"{name}.csv"
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows)
        return str(path)

    def register(self) -> None:
        """Everything into an empty state, by the commands that people type."""
        for name, words in {**PASSES, "token": TOKEN}.items():
            (self.folder / name).write_text(words + "\n")
        self.edunet("zone", "add", "edu", "--default")
        self.edunet("credential", "add", "county", "--zone", "edu", "--community", "-", given="public\n")
        v3 = ["--version", "3", "--user", "edu", "--auth", "sha256", "--priv", "aes128", "--alone"]
        keys = ["--auth-key", f"@{self.folder / 'auth'}", "--priv-key", f"@{self.folder / 'priv'}"]
        self.edunet("credential", "add", "strong", *v3, *keys)
        places = {"code": "2114000001", "name": "实验一小", "county": "小店区", "pupils": "800"}
        second = {"code": "2114000002", "name": "实验二小", "county": "小店区", "pupils": "600"}
        self.edunet("import", "schools", self.sheet("schools", [places, second]), "--yes")
        base = {"snmp_port": self.port, "watch": "any", "credential": "", "upstream": ""}
        one, two = "2114000001", "2114000002"
        rows = [
            {"site": one, "kind": "gateway", "name": "v6-agent", "address": "::1"},
            {"site": one, "kind": "switch", "name": "v2c-agent", "address": f"{self.net}.200.1", "watch": "snmp"},
            {"site": one, "kind": "switch", "name": "v3-agent", "address": f"{self.net}.200.2", "credential": "strong"},
            *(
                {"site": two, "kind": kind, "name": name, "address": self.recorded[name]}
                for name, kind in RECORDED.items()
            ),
        ]
        keyed = [{"site": "", "kind": "", "name": "", "address": "", **base, **row} for row in rows]
        self.edunet("import", "devices", self.sheet("devices", keyed), "--yes")
        line = {
            "circuit": "TY-1",
            "operator": "telecom",
            "serves": two,
            "bandwidth": "1G",
            "end_device": "vrp_ar169sfp",
        }
        self.edunet("import", "lines", self.sheet("lines", [line]), "--yes")

    def _start(self) -> Server:
        up = Server([EDUNET, "up", "--no-demo", "--listen", "127.0.0.1:0"], self.folder / "up.log", **self.environment)

        def end() -> None:
            assert up.process is not None
            up.process.send_signal(signal.SIGTERM)
            up.process.wait(30)

        up.start()
        self.stack.callback(end)
        return up

    def _sign_in(self) -> httpx.Client:
        base, path = until(lambda: LINK.findall(self.up.log.read_text()), "the one-time link")[-1]
        client = httpx.Client(base_url=base, follow_redirects=True, timeout=30, headers={"accept-language": "en"})
        self.stack.callback(client.close)
        form = until(lambda: _page(client, path), "the page")
        csrf = re.search(r'name="csrf" value="([^"]+)"', form)
        assert csrf is not None, form
        client.post(path, data={"csrf": csrf[1]}).raise_for_status()
        return client

    def get(self, path: str, **query: Any) -> Any:
        """A call of the REST interface, signed in."""
        return self.page.get(path, params=query).raise_for_status().json()

    def state_of(self, name: str) -> str:
        """A device's state, as the REST interface says."""
        return str(self.get(f"/api/v1/devices/{self.ids[name]}")["state"])

    def board(self) -> set[tuple[str, str]]:
        """Kind and root of every incident that stands on the board."""
        return {(row["kind"], row["root_name"]) for row in self.get("/api/v1/board")["incidents"]}

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """An instant query of Prometheus: labels and value of each series."""
        url = f"http://127.0.0.1:{self.prometheus}/api/v1/query"
        found = httpx.get(url, params={"query": expression}, timeout=10, trust_env=False).raise_for_status().json()
        return [(row["metric"], float(row["value"][1])) for row in found["data"]["result"]]


def _page(client: httpx.Client, path: str) -> str:
    try:
        answer = client.get(path)
    except httpx.TransportError:
        return ""
    return answer.text if answer.status_code == 200 else ""


def open_field(folder: Path, stack: ExitStack) -> Field:
    """The field, or a skip that says what is missing."""
    if not SHARED.is_dir():
        pytest.skip("../shared/captures (recordings of devices) is not here")
    return Field(folder, stack)
