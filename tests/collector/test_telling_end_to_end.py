"""From a device that falls silent to a robot's group, through a real collector that is killed in between; the test button; metrics."""

import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from collector_world import Collector, World, until
from far_sides import KEY, far_side
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import alertmanager, alerts

from inventory.audit import record
from inventory.models import NoticeRule, Outlet, Watch
from inventory.outlets import seal_config

MEND = [False, pytest.param(True, marks=pytest.mark.soak)]


def listener(address: str) -> socket.socket:
    """A TCP port that counts as life while it is open."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, 0))
    server.listen(64)
    return server


def prepare(world: World, url: str, am: int) -> int:
    """A robot, an Alertmanager, and a rule that tells of a single school at once. The robot's id."""
    assert world.register.sealer is not None
    seal = world.register.sealer
    with world.register.write() as session:
        robot = Outlet(name="群", kind="wecom", secret=seal_config("wecom", {"url": url}, seal), alive_at="")
        config = {"url": f"http://127.0.0.1:{am}"}
        session.add_all(
            [robot, Outlet(name="am", kind="alertmanager", secret=seal_config("alertmanager", config, seal))]
        )
        session.add(NoticeRule(name="at once", position=1, delay_s=0, night="at_once"))
        session.flush()
        record(session, "test", "create", "outlets", robot.id)
        return int(robot.id or 0)


@pytest.mark.parametrize("mend", MEND)
def test_a_school_that_is_cut_off_is_told_once_though_the_collector_is_killed(
    world: World, collectors: Callable[..., Collector], tmp_path: Path, mend: bool
) -> None:
    if shutil.which("prometheus-alertmanager") is None:
        pytest.skip("prometheus-alertmanager is not installed")
    (tmp_path / "am").mkdir()
    server = listener(world.ip("2.1"))
    port = server.getsockname()[1]
    world.school(1, watch=Watch.tcp)
    with world.register.write() as session:
        session.connection().exec_driver_sql(f"UPDATE device SET tcp_ports = '{port}' WHERE name = 'gw1'")
    with far_side("wecom") as robot, alertmanager(tmp_path / "am") as am:
        number = prepare(world, robot.url, am)
        collector = collectors().start()
        until(lambda: world.state_of("school", "school1") == "up", what="it is up")
        tried = collector.post(f"/outlets/{number}/test", {"by": "root"})
        assert (tried["ok"], tried["answer"]) == (True, "errcode 0: ok")
        server.close()
        until(lambda: world.rows("SELECT 1 FROM notice WHERE event = 'opened' AND outlet = ''"), what="the notice")
        collector.kill()
        # Told and marked before the kill: then the new process has sent nothing, and its metrics count nothing.
        marked = world.rows("SELECT 1 FROM delivery WHERE event = 'opened' AND status = 'sent'")
        collector = collectors().start()
        until(lambda: [text for text in robot.taken if "断网" in text], what="the message")
        until(lambda: world.rows("SELECT 1 FROM delivery WHERE event = 'opened' AND status = 'sent'"), what="its mark")
        incident = world.rows("SELECT id FROM incident WHERE root_name = 'gw1'")[0][0]
        until(lambda: str(incident) in {alert["labels"]["incident"] for alert in alerts(am)}, what="the alert")
        told = [text for text in robot.taken if "断网" in text]
        assert 1 <= len(told) <= 2
        assert all(f"小店区 gw1 #{incident}\n" in text for text in told)
        assert [(row[0], row[1]) for row in world.rows("SELECT event, status FROM delivery ORDER BY id")] == [
            ("test", "sent"),
            ("opened", "sent"),
        ]
        until(lambda: collector.feed().get("judge"), what="its socket")
        if not marked:
            _look_at_metrics(collector)
        assert KEY not in collector.text()
        if mend:
            server = listener(world.ip("2.1"))
            with world.register.write() as session:
                session.connection().exec_driver_sql(
                    f"UPDATE device SET tcp_ports = '{server.getsockname()[1]}' WHERE name = 'gw1'"
                )
                session.connection().exec_driver_sql("UPDATE register_version SET version = version + 1")
            until(lambda: [text for text in robot.taken if f"【恢复】小店区 gw1 #{incident}" in text], 180, "the end")
            time.sleep(3)  # nothing more comes: a second end would have to show itself
            assert len([text for text in robot.taken if "恢复" in text]) == 1
            server.close()
        assert collector.stop() == 0


def _look_at_metrics(collector: Collector) -> None:
    def found() -> dict[str, float]:
        text = collector.get("/metrics")[1].decode()
        return {
            sample.name: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.labels.get("outlet") == "群" and sample.labels.get("le", "+Inf") == "+Inf"
        }

    until(lambda: found().get("edunet_message_delay_seconds_count") == 1, what="the delay is a metric")
    values = found()
    assert values["edunet_messages_total"] == 1
    assert values["edunet_messages_waiting"] == 0
    assert values["edunet_outlet_up"] == 1
    assert values["edunet_message_delay_seconds_bucket"] == 1
