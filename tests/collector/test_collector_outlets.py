"""Alertmanager, a real one: one alert for each incident over its whole life, also when it or we were down in between."""

import json
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from collector_world import World, until

from collector.outlets.board import Outlets
from collector.settings import CollectorSettings
from inventory import log as store
from inventory.models import utcnow


class Alertmanager:
    """Debian's, without receivers; killed and started again it has forgotten everything."""

    def __init__(self, program: str, state: Path) -> None:
        self.program, self.state = program, state
        self.starts = 0
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = int(sock.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        (state / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")

    def start(self) -> None:
        self.starts += 1
        command = [self.program, f"--config.file={self.state}/am.yml", f"--storage.path={self.state}/am{self.starts}"]
        command += ["--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def alerts(self) -> list[dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=5) as answer:
                return list(json.load(answer))
        except OSError:
            return []

    def incidents(self) -> set[str]:
        return {alert["labels"]["incident"] for alert in self.alerts()}


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("prometheus-alertmanager is not installed")
    made = Alertmanager(program, tmp_path)
    yield made
    made.kill()


class Sender:
    """Outlets in their thread, as the service runs them."""

    def __init__(self, world: World, port: int) -> None:
        settings = CollectorSettings(alertmanager_url=f"http://127.0.0.1:{port}", alertmanager_resend_s=5)
        self.outlets = Outlets(world.register, settings, may_notify=True, timezone="UTC")
        self.outlets.restore()
        self.thread = threading.Thread(target=self.outlets.run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.outlets.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def say(world: World, key: str, event: str, sender: Sender | None, minutes_ago: float = 0, **change: Any) -> int:
    """One notice of the judge in the register, and, unless it was killed in between, to the outlets."""
    at = utcnow() - timedelta(minutes=minutes_ago)
    row = {"key": key, "from_at": at, "status": "resolved" if event == "resolved" else "open", **change}
    row |= {"opened_at": at} if event == "opened" else {"resolved_at": at} if event == "resolved" else {}
    with world.register.write() as session:
        number = store.upsert_incident(session, row)
        notice = {"incident_id": number, "event": event, "at": at}
        ids = store.add_notices(session, [notice])
    if sender is not None:
        sender.outlets.take([(ids[0], notice)])
    return number


def test_an_incident_that_grows_and_gets_another_root_stays_one_alert(world: World, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    sender = Sender(world, alertmanager.port)
    number = say(world, "a", "opened", sender, severity="warning", root_name="gw1", affected=1)
    until(lambda: alertmanager.incidents() == {str(number)}, 60, "the alert")
    grown = {"severity": "critical", "root_name": "county", "affected": 99, "schools": 12, "place_id": 1}
    say(world, "a", "updated", sender, **grown)
    found = until(
        lambda: [a for a in alertmanager.alerts() if a["annotations"]["severity"] == "critical"], 60, "growth"
    )
    assert alertmanager.incidents() == {str(number)}
    assert len(alertmanager.alerts()) == len(found) == 1
    assert found[0]["labels"] == {
        "alertname": "EdunetOutage",
        "source": "edunet",
        "incident": str(number),
        "kind": "outage",
    }
    assert found[0]["annotations"]["affected"] == "99"
    say(world, "a", "resolved", sender)
    until(lambda: alertmanager.alerts() == [], 60, "it ends there")
    sender.stop()


def test_what_is_open_stands_there_again_after_alertmanager_was_down(world: World, alertmanager: Alertmanager) -> None:
    sender = Sender(world, alertmanager.port)
    first = say(world, "a", "opened", sender)
    until(lambda: sender.outlets.failed, 60, "the first try fails")
    failed = "SELECT 1 FROM notice WHERE outlet != '' AND sent_at IS NULL AND error != ''"
    until(lambda: world.rows(failed), 60, "why, written down")
    alertmanager.start()
    until(lambda: alertmanager.incidents() == {str(first)}, 90, "tried again")
    second = say(world, "b", "opened", sender)
    until(lambda: alertmanager.incidents() == {str(first), str(second)}, 60, "the second")
    alertmanager.kill()
    say(world, "a", "resolved", sender)
    alertmanager.start()
    until(lambda: alertmanager.incidents() == {str(second)}, 90, "what is open, after it has forgotten everything")
    resolved = "SELECT 1 FROM notice WHERE event = 'resolved' AND outlet != '' AND sent_at IS NOT NULL"
    until(lambda: world.rows(resolved), 60, "the end of the first was told too")
    sender.stop()


def test_a_notice_that_was_written_but_not_sent_is_sent_after_the_next_start(
    world: World, alertmanager: Alertmanager
) -> None:
    alertmanager.start()
    sender = Sender(world, alertmanager.port)
    ended = say(world, "a", "opened", sender, minutes_ago=50)
    until(lambda: world.rows("SELECT 1 FROM notice WHERE sent_at IS NOT NULL"), 60, "sent")
    sender.stop()
    say(world, "a", "resolved", None, minutes_ago=40)
    fresh = say(world, "b", "opened", None)
    sender = Sender(world, alertmanager.port)
    until(lambda: alertmanager.incidents() == {str(fresh)}, 60, "the open one stands, the other has ended")
    sent = "SELECT incident_id, event FROM notice WHERE sent_at IS NOT NULL ORDER BY id"
    wanted = {(ended, "opened"), (ended, "resolved"), (fresh, "opened")}
    until(lambda: set(world.rows(sent)) == wanted, 60, "every notice went out")
    assert len(world.rows(sent)) == 3, "none twice"
    sender.stop()


def test_an_alertmanager_of_the_register_gets_what_it_is_for(world: World, alertmanager: Alertmanager) -> None:
    from inventory.models import Outlet
    from inventory.outlets import seal_config

    alertmanager.start()
    outlets = Outlets(world.register, CollectorSettings(alertmanager_resend_s=5), may_notify=True, timezone="UTC")
    outlets.restore()
    thread = threading.Thread(target=outlets.run, daemon=True)
    thread.start()
    major = say(world, "a", "opened", None, severity="major")
    say(world, "b", "opened", None, severity="minor")
    assert world.register.sealer is not None
    config = {"url": f"http://127.0.0.1:{alertmanager.port}"}
    secret = seal_config("alertmanager", config, world.register.sealer)
    world.add(Outlet(name="am", kind="alertmanager", secret=secret, least_severity="major"))
    until(lambda: alertmanager.incidents() == {str(major)}, 60, "what is open is told to one that comes later")
    number = say(world, "a", "resolved", None)
    outlets.take([(0, {"incident_id": number, "event": "resolved", "at": utcnow()})])
    until(lambda: alertmanager.alerts() == [], 60, "it ends there")
    outlets.stop()
    thread.join(30)
