"""Twenty people at once: the 95th percentile of lists and pages, on a register of the demonstration's size or larger.

    .venv/bin/python benchmarks/bench_pages.py                      # starts a server on a generated register
    .venv/bin/python benchmarks/bench_pages.py --times 20           # 26,000 schools, 100,000 devices
    .venv/bin/python benchmarks/bench_pages.py --url http://127.0.0.1:8080 --token edu_...

Two numbers for each address: with people who look at what they got for a second or so (`--think`), and back to back, which
20 people never are, but scripts may be. Milliseconds mean something only beside those of the same run on the same machine.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

LIMIT_MS = 200.0
"""What the 95th percentile of 20 people at once must stay under, at the demonstration's size."""

CALLS = (
    "/api/v1/schools",
    "/api/v1/schools?q=xiaoxue&count=true",
    "/api/v1/schools?state=up&level=primary&sort=-pupils",
    "/api/v1/sites",
    "/api/v1/lines?operator=telecom",
    "/api/v1/devices",
    "/api/v1/devices?kind=camera&count=true",
    "/api/v1/devices?q=127.1",
    "/api/v1/outages?open=true",
    "/api/v1/incidents?open=true",
    "/api/v1/board",
    "/api/v1/coverage",
    "/api/v1/lookup?address=127.1.1.1",
)
PAGES = (
    "/",
    "/schools",
    "/schools?q=xiaoxue",
    "/schools?state=down",
    "/schools/1",
    "/devices",
    "/devices?kind=camera",
    "/devices?q=127.1",
    "/devices/1",
    "/lines",
    "/lines?operator=telecom",
    "/incidents",
    "/regions/140000",
    "/regions/140105",
)


def main() -> None:
    """Run it and print a table; exit code 1 where a 95th percentile is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a running server; else one is started on a generated register")
    parser.add_argument("--token", default=os.environ.get("EDUNET_TOKEN", ""), help="bearer token for --url")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--think", type=float, default=1.0, help="seconds that a person looks at an answer, on average")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each address and way")
    parser.add_argument(
        "--times", type=int, default=1, help="how many demonstration provinces to put into the register"
    )
    parser.add_argument("--only", choices=("calls", "pages"), help="leave the others out")
    options = parser.parse_args()
    if options.url:
        slow = measure(options.url, options.token, options)
    else:
        with served(options.times) as (url, token):
            slow = measure(url, token, options)
    raise SystemExit(1 if slow else 0)


def measure(url: str, token: str, options: argparse.Namespace) -> list[str]:
    """Ask every address both ways. The addresses that are too slow for people."""
    slow = []
    addresses = (() if options.only == "pages" else CALLS) + (() if options.only == "calls" else PAGES)
    print(
        f"{'address':<58} {'people p50':>10} {'p95':>7} {'back to back p50':>17} {'p95':>7} {'a second':>9} {'KiB':>6}"
    )
    for address in addresses:
        ask(url, address, token, 1, 0.0, 0.3)
        people = ask(url, address, token, options.people, options.think, options.seconds)
        pressed = ask(url, address, token, options.people, 0.0, options.seconds / 2)
        if people.at(95) > LIMIT_MS:
            slow.append(address)
        print(
            f"{address:<58} {people.at(50):>10.1f} {people.at(95):>7.1f} {pressed.at(50):>17.1f} {pressed.at(95):>7.1f} "
            f"{len(pressed.times) / pressed.took:>9.0f} {people.size / 1024:>6.1f}"
        )
    if slow:
        print(f"above {LIMIT_MS:.0f} ms: " + ", ".join(slow))
    return slow


class Sample:
    """Times in milliseconds, the size of an answer, and how long all took in seconds."""

    def __init__(self, times: Sequence[float], size: int, took: float) -> None:
        self.times, self.size, self.took = sorted(times), size, took

    def at(self, percent: float) -> float:
        """A percentile."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * percent / 100))]


def ask(url: str, address: str, token: str, people: int, think: float, seconds: float) -> Sample:
    """`people` threads ask for `seconds`, each with a connection of its own. An answer that is no 200 raises RuntimeError."""
    times: list[float] = []
    sizes: list[int] = []
    wrong: list[str] = []
    start = time.perf_counter()

    def person(number: int) -> None:
        chance = random.Random(number)
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=60)
        headers = {"authorization": f"Bearer {token}", "accept-encoding": "gzip", "accept": "*/*"}
        time.sleep(chance.random() * think)
        while time.perf_counter() - start < seconds and not wrong:
            begin = time.perf_counter()
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            times.append((time.perf_counter() - begin) * 1000)
            sizes.append(len(body))
            if answer.status != 200:
                wrong.append(f"{address}: {answer.status} {body[:200]!r}")
            if think:
                time.sleep(chance.expovariate(1 / think))
        connection.close()

    threads = [threading.Thread(target=person, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return Sample(times, max(sizes), time.perf_counter() - start)


@contextmanager
def served(times: int) -> Iterator[tuple[str, str]]:
    """A server in a process of its own, on a generated register: its address, and a token of its administrator."""
    with tempfile.TemporaryDirectory(prefix="edunet-bench-") as name:
        directory = Path(name)
        token = generate(directory, times)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        context = multiprocessing.get_context("fork")
        process = context.Process(target=serve_on, args=(directory, listener))
        process.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", token
        finally:
            process.terminate()
            process.join(10)
            listener.close()


def serve_on(directory: Path, listener: socket.socket) -> None:
    """Serve the register of `directory`."""
    from api.app import create_app
    from api.server import serve, server_of
    from api.settings import ApiSettings
    from demo.register import open_register

    settings = ApiSettings(listen=f"127.0.0.1:{listener.getsockname()[1]}")
    register = open_register(f"sqlite:///{directory / 'edunet.db'}")
    app = create_app(register, settings, state_dir=directory, timezone="Asia/Shanghai")
    serve(server_of(app, settings), listener)


def generate(directory: Path, times: int) -> str:
    """The demonstration's province, `times` over, all of it seen and most of it up. A token of its administrator."""
    from demo.register import fill, open_register
    from inventory.models import Role
    from inventory.users import create_user, make_token

    register = open_register(f"sqlite:///{directory / 'edunet.db'}")
    register.migrate()
    fill(register, 16199)
    with register.write() as session:
        for number in range(1, times):
            multiply(session, number)
        say_up(session)
        user = create_user(session, "bench", None, Role.administrator)
        token = make_token(session, user, "bench", "write")
    with register.engine.connect() as connection:
        tables = ("school", "site", "line", "device")
        counts = {name: connection.exec_driver_sql(f"select count(*) from {name}").scalar() for name in tables}
    print("register:", json.dumps(counts))
    register.close()
    return token


def multiply(session, number: int) -> None:  # type: ignore[no-untyped-def]
    """One more copy of the first province's schools, sites and devices, under other names and ids."""
    from sqlalchemy import func, insert, select

    from inventory.models import Device, School, Site, table

    connection = session.connection()
    first = {
        model: connection.execute(select(func.max(table(model).c.id))).scalar() for model in (School, Site, Device)
    }
    if number == 1:
        session.info["first"] = first
    until, step = session.info["first"], dict(first.items())
    for model, links in ((School, {}), (Site, {"school_id": School}), (Device, {"site_id": Site})):
        row = table(model)
        copies = []
        for old in connection.execute(select(row).where(row.c.id <= until[model])).mappings():
            new = {**old, "id": old["id"] + step[model], "name": f"{old['name']}-{number}"}
            new |= {key: old[key] + step[of] for key, of in links.items() if old[key] is not None}
            new |= {key: f"{old[key]}-{number}" for key in ("code", "serial", "search") if old.get(key)}
            copies.append(new)
        for start in range(0, len(copies), 2000):
            connection.execute(insert(row), copies[start : start + 2000])


def say_up(session) -> None:  # type: ignore[no-untyped-def]
    """The states that a collector would have written: one in fifty is down."""
    from sqlalchemy import delete, insert, select

    from inventory.models import Device, Feed, Line, NodeKind, NodeState, School, State, complete, table, utcnow

    connection, now = session.connection(), utcnow()
    connection.execute(delete(table(NodeState)))
    for kind, model in ((NodeKind.school, School), (NodeKind.device, Device), (NodeKind.line, Line)):
        rows = [
            complete(
                NodeState,
                {"kind": kind, "node_id": number, "state": State.up if number % 50 else State.down, "since": now},
            )
            for number in connection.execute(select(table(model).c.id)).scalars()
        ]
        for start in range(0, len(rows), 2000):
            connection.execute(insert(table(NodeState)), rows[start : start + 2000])
    connection.execute(delete(table(Feed)))
    for name in ("judge", "rounds"):
        connection.execute(insert(table(Feed)), {"name": name, "at": now, "stale_after": 86400.0, "detail": {}})


if __name__ == "__main__":
    main()
