"""The demonstration's process as it runs: namespace, SNMP on the wire, cutting over the socket, and its page."""

import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from babel.messages.pofile import read_po

from api.app import create_app
from api.server import server_of
from api.settings import ApiSettings
from demo import pages
from demo.control import NotRunningError, ask
from demo.network import Network
from demo.responder import COMMUNITY, dotted
from demo.snmp import GET, integer, oid, oid_body, tlv
from edunet.listen import open_listener
from inventory.database import Register
from inventory.models import Role
from inventory.users import create_user, make_login_link

UPTIME = tlv(0x30, tlv(0x06, oid_body(oid("1.3.6.1.2.1.1.3.0"))) + b"\x05\x00")
REQUEST = tlv(
    0x30,
    integer(1) + tlv(0x04, COMMUNITY) + tlv(GET, integer(7) + integer(0) + integer(0) + tlv(0x30, UPTIME)),
)
ASKING = """
import socket, sys
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(float(sys.argv[4]))
try:
    asker.sendto(bytes.fromhex(sys.argv[3]), (sys.argv[1], int(sys.argv[2])))
    data, source = asker.recvfrom(4096)
    print("answered", source[0])
except OSError as error:
    print("silent", type(error).__name__)
"""


@dataclass
class Host:
    """A running demonstration: where its socket is, and how to run something where it lives."""

    register: Register
    state: Path
    port: int
    process: subprocess.Popen[bytes]

    def ask(self, **request: Any) -> dict[str, Any]:
        return ask(self.state / "run" / "demo.sock", request)

    def snmp(self, address: int, timeout: float = 5.0) -> str:
        """What an asker of `address` inside the demonstration's network gets."""
        inside = [sys.executable, "-m", "demo.namespace", str(self.process.pid)]
        command = [sys.executable, "-c", ASKING, dotted(address), str(self.port), REQUEST.hex(), str(timeout)]
        if self.ask(do="status")["mode"] == "namespace":
            command = [*inside, *command]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(params=["namespace", "snmp"], scope="module")
def host(
    request: pytest.FixtureRequest, demo_register: Register, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    state, port = tmp_path_factory.mktemp("host"), free_port()
    (state / "run").mkdir()
    database = state / "edunet.db"
    with demo_register.engine.connect() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{database}'")
    shutil.copy(str(demo_register.key_file), state / "secret.key")
    command = [sys.executable, "-m", "demo.host", "--database", f"sqlite:///{database}", "--run", str(state / "run")]
    command += ["--port", str(port), "--faults", str(state / "faults.json")]
    command += ["--no-namespace"] if request.param == "snmp" else []
    register = Register(f"sqlite:///{database}", state / "secret.key")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        made = Host(register, state, port, process)
        deadline = time.monotonic() + 30
        while True:
            try:
                mode = made.ask(do="status")["mode"]
                break
            except NotRunningError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        if mode != request.param:
            process.terminate()
            pytest.skip("this machine refuses network namespaces")
        yield made
        process.terminate()
    register.close()


def healthy(network: Network, place: str) -> int:
    return next(u.address for u in network.units.values() if u.place == place and u.kind == "gateway")


def test_a_device_answers_from_the_address_that_was_asked(host: Host, network: Network) -> None:
    address = healthy(network, "140105")
    assert host.snmp(address) == f"answered {dotted(address)}"


def test_a_cut_device_is_silent_at_once_and_answers_again_when_mended(host: Host, network: Network) -> None:
    address = healthy(network, "140106")
    assert host.ask(do="cut", node="140106")["done"] == "cut"
    assert host.snmp(address, 0.3).startswith("silent")
    assert host.ask(do="mend", node="140106")["done"] == "mended"
    assert host.snmp(address).startswith("answered")


def test_in_the_namespace_a_cut_device_cannot_even_be_sent_to(host: Host, network: Network) -> None:
    if host.ask(do="status")["mode"] != "namespace":
        pytest.skip("by SNMP alone the responder keeps silent")
    assert host.ask(do="cut", node="140107")["done"] == "cut"
    assert host.snmp(healthy(network, "140107"), 0.3) == "silent OSError"  # EINVAL: a blackhole route
    host.ask(do="mend", node="140107")


def test_what_hangs_over_the_socket_does_not_stop_the_agents(host: Host, network: Network) -> None:
    path = str(host.state / "run" / "demo.sock")
    for nonsense in (b"", b"{", b"[1]\n", b"\xff\xfe\n", b'{"do": 5}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(nonsense)
    assert host.snmp(healthy(network, "140105")).startswith("answered")


def test_where_ping_cannot_be_silenced_devices_are_watched_by_snmp_alone(host: Host) -> None:
    mode = host.ask(do="status")["mode"]
    with host.register.engine.connect() as connection:
        watches = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT watch FROM device")}
        ports = {row[0] for row in connection.exec_driver_sql("SELECT DISTINCT snmp_port FROM device")}
        references = connection.exec_driver_sql('SELECT "references" FROM zone').scalar()
    assert watches == ({"any"} if mode == "namespace" else {"snmp"})
    assert ports == {host.port}
    assert bool(references) == (mode == "namespace")


@pytest.fixture
def page(host: Host) -> Iterator[httpx.Client]:
    settings = ApiSettings()
    app = create_app(
        host.register,
        settings,
        state_dir=host.state,
        timezone="Asia/Shanghai",
        extra_routers=[pages.router],
        demo=True,
    )
    with open_listener("127.0.0.1", 0) as listener:
        server = server_of(app, settings)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # it runs in a thread here
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(
            base_url=base, follow_redirects=True, headers={"accept-language": "en"}, timeout=20
        ) as client:
            yield client
        server.should_exit = True
        thread.join(20)


def sign_in(client: httpx.Client, host: Host, name: str, role: Role) -> None:
    from inventory.users import find_user

    with host.register.write() as session:
        user = find_user(session, name) or create_user(session, name, "a long password", role)
        token = make_login_link(session, user)
    form = re.search(r'name="csrf" value="([^"]+)"', client.get(f"/login/link/{token}").text)
    assert form is not None
    client.post(f"/login/link/{token}", data={"csrf": form[1]})


def csrf_of(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/demo").text)
    assert found is not None
    return found[1]


def test_an_administrator_cuts_and_mends_by_buttons(host: Host, page: httpx.Client) -> None:
    sign_in(page, host, "boss", Role.administrator)
    token = csrf_of(page)
    assert "Cut:" in page.post("/demo/cut", data={"csrf": token, "node": "140108"}).text
    assert "region:140108" in [fault["node"] for fault in host.ask(do="list")["faults"]]
    assert "Mended:" in page.post("/demo/mend", data={"csrf": token, "node": "140108"}).text
    several = page.post("/demo/cut", data={"csrf": token, "node": "第一中学"})
    assert several.status_code == 422
    assert "Which one is meant?" in several.text
    assert page.post("/demo/cut", data={"csrf": token, "node": "nobody at all"}).status_code == 422


def test_leaving_without_a_supervisor_says_so(host: Host, page: httpx.Client) -> None:
    sign_in(page, host, "boss", Role.administrator)
    assert page.post("/demo/leave", data={"csrf": csrf_of(page)}).status_code == 503


def test_nobody_else_may_cut(host: Host, page: httpx.Client) -> None:
    assert page.get("/demo", follow_redirects=False).status_code == 303
    sign_in(page, host, "guest", Role.viewer)
    assert page.get("/demo").status_code == 403
    assert page.post("/demo/cut", data={"node": "140109"}).status_code == 403
    assert "region:140109" not in [fault["node"] for fault in host.ask(do="list")["faults"]]


def test_every_text_of_the_page_is_there_in_both_languages() -> None:
    folder = Path(pages.__file__).parent
    template = (folder / "templates" / "demo.html").read_text()
    used = set(re.findall(r'say\("([^"]+)"\)', template))
    for locale in ("zh", "en"):
        with (folder / "locales" / locale / "LC_MESSAGES" / "demo.po").open("rb") as file:
            known = {str(message.id): message.string for message in read_po(file) if message.id}
        assert used == set(known)
        assert all(known.values())
        assert locale == "en" or all(re.search("[一-鿿]", str(text)) for text in known.values())
