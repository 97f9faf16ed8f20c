"""Answers that nobody asked for: they are not believed, and stand in /metrics."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path

from collector_world import Collector, World, until

from inventory.models import DeviceKind, Watch
from probes.snmp.client import SnmpClient
from probes.snmp.oids import SYS_UPTIME

sys.path.insert(0, str(Path(__file__).parents[1] / "probes"))
from toy_agent import ToyAgent, if_table, message


def test_answers_from_elsewhere_and_to_other_requests_are_dropped_and_counted(
    world: World, collectors: Callable[..., Collector]
) -> None:
    world.credential("public")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((world.ip("9.9"), 0))

        def lie(sock: socket.socket, peer: tuple, asked: tuple, answer: bytes) -> bool:
            stranger.sendto(answer, peer)
            sock.sendto(message(asked[3] ^ 0x55, []), peer)
            sock.sendto(b"\x30\x03\x02\x01", peer)
            return False

        with ToyAgent(if_table([1, 2]), host=world.ip("3.1"), before=lie) as agent:
            device = world.device(
                "lied to", DeviceKind.switch, world.ids["pop"], "3.1", watch=Watch.snmp, snmp_port=agent.port
            )
            collector = collectors().start()
            until(lambda: world.states().get(f"device:{device}") == "up", what="up all the same")

            def counts() -> dict[str, float]:
                lines = collector.get("/metrics")[1].decode().splitlines()
                found = [
                    line for line in lines if line.startswith(("edunet_snmp_answers_dro", "edunet_icmp_answers_dro"))
                ]
                return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in found}

            foreign, broken = (
                f'edunet_snmp_answers_dropped_total{{reason="{reason}"}}' for reason in ("foreign", "broken")
            )
            until(lambda: counts()[foreign] >= 2, what="foreign answers")
            until(lambda: counts()[broken] >= 1, what="broken answers")
            assert 'edunet_icmp_answers_dropped_total{reason="foreign"}' in counts()


def test_the_client_of_one_agent_counts_them_too() -> None:
    def lie(sock: socket.socket, peer: tuple, asked: tuple, answer: bytes) -> bool:
        sock.sendto(message(asked[3] ^ 0x55, []), peer)
        sock.sendto(b"\x30\x03\x02\x01", peer)
        return False

    with ToyAgent(if_table([1]), before=lie) as agent, SnmpClient("127.0.0.1", agent.port) as client:
        assert client.get([SYS_UPTIME])[SYS_UPTIME].data == 123_456
        assert client.dropped == 2
