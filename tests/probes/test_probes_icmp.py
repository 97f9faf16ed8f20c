"""Rounds of pings over 127.0.0.0/8, ::1 and network namespaces of our own, by every method that works here."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from snmpfarm import addresses

from probes import engine as engines
from probes.icmp import METHODS, PingTargets, merge, open_pinger
from probes.icmp.fping import FpingPinger, is_usable, parse
from probes.icmp.pinger import SocketPinger
from probes.icmp.sockets import is_allowed
from probes.icmp.tcp import TcpPinger

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["python", "compiled"])
def engine(request: pytest.FixtureRequest) -> str:
    try:
        engines.load("echo", request.param)
    except ImportError as reason:
        pytest.skip(str(reason))
    return str(request.param)


@pytest.fixture
def raw(engine: str) -> SocketPinger:
    if not is_allowed("raw"):
        pytest.skip("raw sockets are not allowed here")
    return SocketPinger("raw", engine=engine)


def in_namespace(script: str, *before: str) -> dict:
    """Run Python in a user and network namespace of its own, loopback up; its last line of output is JSON."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("no unshare or ip here")
    lines = [
        "ip link set lo up",
        "sysctl -qw net.ipv4.ping_group_range='0 0'",
        *before,
        f'exec {sys.executable} -c "$SCRIPT"',
    ]
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-ec", "\n".join(lines)],
        env={**os.environ, "SCRIPT": script},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    if "unshare" in done.stderr and done.returncode:
        pytest.skip(f"unshare is refused here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_all_of_loopback_answers_with_rtt_and_jitter(raw: SocketPinger) -> None:
    targets = PingTargets(addresses(3000))
    readings = raw.round(targets, count=3)
    assert readings.answered.all()
    assert (readings.sent == 3).all()
    assert (readings.received == 3).all()
    assert (readings.rtt_seconds > 0).all()
    assert (readings.rtt_seconds < 1).all()
    assert (readings.jitter_seconds >= 0).all()
    assert not readings.failed.any()


def test_one_reply_has_no_jitter(raw: SocketPinger) -> None:
    readings = raw.round(PingTargets(["127.0.0.1"]))
    assert np.isnan(readings.jitter_seconds).all()


def test_ipv4_and_ipv6_share_a_round(raw: SocketPinger) -> None:
    readings = raw.round(PingTargets(["::1", "127.0.0.1", "127.9.9.9"]), count=2)
    assert readings.received.tolist() == [2, 2, 2]


def test_only_the_selected_are_asked(raw: SocketPinger) -> None:
    targets = PingTargets(addresses(10))
    assert np.flatnonzero(raw.round(targets, select=np.array([2, 5])).sent).tolist() == [2, 5]
    chosen = np.zeros(10, np.bool_)
    chosen[9] = True
    assert np.flatnonzero(raw.round(targets, select=chosen).sent).tolist() == [9]


def test_nobody_to_ask_is_an_empty_round(raw: SocketPinger) -> None:
    assert len(raw.round(PingTargets([])).answered) == 0


def test_a_bad_address_is_named() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.256"):
        PingTargets(["127.0.0.1", "127.0.0.256"])


def test_the_icmp_id_is_another_in_each_round(raw: SocketPinger) -> None:
    from probes.icmp.sockets import open_socket

    idents = set()
    for _ in range(8):
        opened = open_socket("raw", wide=False)
        idents.add(opened.ident)
        opened.channel.close()
    assert len(idents) > 1


BLACKHOLE = """
import json, numpy as np
from probes.icmp import PingTargets, open_pinger
targets = PingTargets([f"127.8.{i // 250}.{i % 250 + 1}" for i in range(1000)])
pinger = open_pinger(METHOD, engine=ENGINE)
readings = pinger.round(targets, timeout_s=0.1, attempts=3)
dead = [a for a, yes in zip(targets.addresses, readings.answered) if not yes]
print(json.dumps({"method": pinger.method, "dead": dead, "failed": readings.failed[~readings.answered].tolist(),
                  "sent": readings.sent[~readings.answered].tolist(), "alive": int(readings.answered.sum()),
                  "sent_alive": int(readings.sent[readings.answered].sum())}))
"""


@pytest.mark.parametrize("method", ["raw", "dgram", "fping"])
def test_a_blackholed_address_is_silent_and_stops_nobody(engine: str, method: str) -> None:
    if method == "fping" and not is_usable():
        pytest.skip("fping is not usable here")
    script = BLACKHOLE.replace("METHOD", repr(method)).replace("ENGINE", repr(engine))
    dead = ["127.8.0.1", "127.8.0.77", "127.8.1.5", "127.8.3.250"]
    found = in_namespace(script, *(f"ip route add blackhole {address}/32 table local" for address in dead))
    assert found["method"] == method
    assert found["dead"] == dead
    assert found["alive"] == found["sent_alive"] == 996
    assert found["sent"] == [3, 3, 3, 3]
    if method != "fping":
        assert found["failed"] == [22, 22, 22, 22]


IPV6 = """
import json
from probes.icmp import PingTargets, open_pinger
targets = PingTargets([f"fd00:e::{i + 1:x}" for i in range(300)] + ["::1"])
readings = open_pinger(METHOD, engine=ENGINE).round(targets, count=2, attempts=2, timeout_s=0.2, rate_pps=RATE)
dead = [a for a, yes in zip(targets.addresses, readings.answered) if not yes]
print(json.dumps({"wide": bool(targets.wide.all()), "dead": dead, "failed": readings.failed[~readings.answered].tolist(),
                  "received": sorted(set(readings.received[readings.answered].tolist())), "foreign": readings.foreign,
                  "timed": bool((readings.rtt_seconds[readings.answered] > 0).all())}))
"""


@pytest.mark.parametrize("method", ["raw", "dgram", "fping"])
def test_ipv6_alone_is_pinged_in_a_namespace_of_its_own(engine: str, method: str) -> None:
    if method == "fping" and not is_usable():
        pytest.skip("fping is not usable here")
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    script = IPV6.replace("METHOD", repr(method)).replace("ENGINE", repr(engine))
    script = script.replace("RATE", "1000" if method == "fping" else "20000")
    # Every address of the prefix is this host's own; one of them is a black hole.
    ways = ("ip -6 route add local fd00:e::/64 dev lo", "ip -6 route add blackhole fd00:e::4d/128 table local metric 1")
    found = in_namespace(script, *ways)
    assert found == {
        "wide": True,
        "dead": ["fd00:e::4d"],
        "failed": found["failed"],
        "received": [2],
        "foreign": 0,
        "timed": True,
    }
    if method != "fping":
        assert found["failed"] != [0]


@pytest.mark.parametrize("method", ["raw", "dgram"])
def test_the_ipv6_loopback_answers_alone(engine: str, method: str) -> None:
    if not is_allowed(method):
        pytest.skip(f"{method} sockets are not allowed here")
    readings = SocketPinger(method, engine=engine).round(PingTargets(["::1"]), count=3)
    assert readings.received.tolist() == [3]
    assert readings.answered.all()


FLAKY = """
import json
from probes.icmp import PingTargets, open_pinger
readings = open_pinger("raw", engine=ENGINE).round(
    PingTargets([f"127.8.{i // 250}.{i % 250 + 1}" for i in range(500)]), count=4, attempts=4, timeout_s=0.2)
print(json.dumps({"answered": int(readings.answered.sum()), "sent": int(readings.sent.sum()), "received": int(readings.received.sum())}))
"""


@pytest.mark.skipif(shutil.which("nft") is None, reason="no nft here")
def test_lost_probes_are_counted_and_the_silent_are_asked_again(engine: str) -> None:
    rules = "table inet t { chain c { type filter hook input priority 0; icmp type echo-request numgen inc mod 3 != 0 drop; }; }"
    found = in_namespace(FLAKY.replace("ENGINE", repr(engine)), f"echo '{rules}' | nft -f -")
    assert found["answered"] == 500
    assert found["sent"] >= 2000
    assert 0.2 < found["received"] / found["sent"] < 0.5


def test_foreign_packets_are_dropped_and_counted(raw: SocketPinger) -> None:
    from probes.icmp.loop import PingColumns, PingLane, PingLimits, PingLoop
    from probes.icmp.sockets import open_socket

    targets, limits = PingTargets(["127.5.5.5"]), PingLimits(1, 1, 0.5, 1000, 1)
    columns = PingColumns(targets, 1)
    opened = open_socket("raw", wide=False, engine=raw.engine)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as liar, opened.channel:
        liar.bind(("127.5.5.6", 0))
        ident = opened.ident.to_bytes(2, "big")
        liar.sendto(
            b"\0\0\0\0" + ident + bytes(18), ("127.0.0.1", 0)
        )  # an echo reply with our id that nobody asked for
        liar.sendto(b"\0\0\0\0" + ident + bytes(4), ("127.0.0.1", 0))
        PingLoop(columns, [PingLane(opened, np.array([0], np.int32), limits)], limits, raw.engine).run()
    assert columns.tally.tolist() == [1, 1, 0, 1]
    assert columns.received.tolist() == [1]


@pytest.mark.skipif(not is_usable(), reason="fping is not usable here")
def test_fping_gives_the_same_columns() -> None:
    readings = FpingPinger().round(PingTargets(["127.0.0.1", "::1", "127.1.2.3"]), count=2, rate_pps=1000)
    assert readings.answered.all()
    assert readings.received.tolist() == [2, 2, 2]
    assert (readings.rtt_seconds < 1).all()
    assert (readings.jitter_seconds >= 0).all()


def test_what_fping_prints_is_read() -> None:
    text = "127.0.0.1 : 0.05 - 0.07\n10.0.0.1  : - -\nICMP Host Unreachable from 10.0.0.2 for ICMP Echo\n::1 : 1.5\n"
    found = parse(text)
    assert list(found) == ["127.0.0.1", "10.0.0.1", "::1"]
    assert found["127.0.0.1"][0] == pytest.approx(5e-5)
    assert np.isnan(found["10.0.0.1"]).all()
    assert found["::1"] == [pytest.approx(1.5e-3)]


def test_by_tcp_an_open_port_is_life_and_a_reset_only_where_it_counts() -> None:
    with socket.socket() as server:
        server.bind(("127.7.7.7", 0))
        server.listen()
        port = server.getsockname()[1]
        targets = PingTargets(["127.7.7.7", "127.7.7.8"])
        strict = TcpPinger((1, port)).round(targets, attempts=1, timeout_s=0.5)
        assert strict.answered.tolist() == [True, False]
        assert strict.rtt_seconds[0] < 1
        lenient = TcpPinger((port,), resets_are_life=True).round(targets, attempts=1, timeout_s=0.5)
        assert lenient.answered.tolist() == [True, True]
    assert TcpPinger((1,)).proves_down is False


def test_rounds_merge() -> None:
    a = FpingPinger.__new__(FpingPinger)
    assert a.proves_down
    targets = PingTargets(["127.0.0.1", "127.0.0.2"])
    one = TcpPinger((1,), resets_are_life=True).round(targets, select=np.array([0]))
    two = TcpPinger((1,), resets_are_life=True).round(targets)
    both = merge(one, two)
    assert both.received.tolist() == [2, 1]
    assert both.sent.tolist() == [2, 1]
    assert both.rtt_seconds[0] == min(one.rtt_seconds[0], two.rtt_seconds[0])
    assert np.isnan(both.jitter_seconds).all()


def test_methods_are_tried_from_the_best(raw: SocketPinger) -> None:
    pinger = open_pinger()
    assert pinger.method == "raw"
    assert pinger.hint == ""
    assert METHODS == ("raw", "dgram", "fping", "tcp")
    with pytest.raises(ValueError, match="carrier pigeon"):
        open_pinger("carrier pigeon")


def test_two_pingers_at_once_do_not_take_each_others_replies(raw: SocketPinger) -> None:
    targets, results = PingTargets(addresses(500)), []

    def run() -> None:
        results.append(SocketPinger("raw", engine=raw.engine).round(targets, count=2))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [int(r.received.sum()) for r in results] == [1000] * 3
    assert [r.duplicates for r in results] == [0] * 3
