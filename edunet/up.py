"""`edunet up`: everything by one command, as a supervisor outside any namespace.

It holds the page's socket, and starts `edunet api` and `edunet collector` as its children. On an empty register it starts the
demonstration: its responder in a network namespace (`demo/host.py`), and the collector in the same one. `demo leave` comes in on
`run/up.sock`.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import func, select

from demo.control import NotRunningError, ask
from demo.memory import write_past
from demo.register import copy_administrator, fill, open_register
from edunet import words
from edunet.listen import TakenError, is_loopback, open_listener, page_url, parse_listen
from edunet.settings import Settings
from edunet.supervise import Child, Supervisor
from edunet.traps import ask_where, trap_sockets
from inventory.database import Register
from inventory.models import Device, NodeState, School, table
from inventory.users import ensure_administrator, find_user, make_login_link

HOST_READY_S = 20.0
"""How long the demonstration's responder may take until it answers."""

LONGEST_SOCKET = 107

ALIVE_S = 120.0
"""How long the first word on all devices is waited for before the supervisor stops telling of it."""


class CannotStartError(Exception):
    """Why nothing was started, in words for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Places:
    """Files of one state directory."""

    state: Path

    @property
    def run(self) -> Path:
        """Sockets and the lock."""
        return self.state / "run"

    @property
    def demo(self) -> Path:
        """All of the demonstration's files."""
        return self.state / "demo"

    @property
    def demo_url(self) -> str:
        """SQLAlchemy address of the demonstration's register."""
        return f"sqlite:///{self.demo / 'edunet.db'}"

    @property
    def left(self) -> Path:
        """The mark of `edunet demo leave`: the demonstration does not start by itself again."""
        return self.state / "demo.left"


def take_lock(run: Path) -> IO[str]:
    """The lock of a state directory, held as long as the file is open. CannotStartError names the process that has it."""
    lock = (run / "up.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        pid = lock.read().strip() or "?"
        raise CannotStartError(words.ALREADY.format(pid=pid, state=run.parent)) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def is_empty(register: Register) -> bool:
    """Whether nobody has entered a school or a device yet."""
    with register.session() as session:
        connection = session.connection()
        return not any(connection.execute(select(table(model).c.id).limit(1)).first() for model in (School, Device))


class Up:
    """One run of the supervisor. `run()` returns the exit code."""

    def __init__(self, settings: Settings, listen: str = "", demonstration: bool | None = None) -> None:
        """listen: where to serve instead of the setting. demonstration: True or False instead of what the register says."""
        self.settings = settings
        self.listen = listen or settings.api.listen
        self.wanted = demonstration
        self.places = _places(settings)
        self.demonstration = False
        self.handed = trap_sockets()
        self.began = time.monotonic()
        self.alive_told = False
        self.traps_until: float | None = None
        """until when the collector is asked where it hears traps; None: it has told"""
        self.stopping = False
        self.leave_at: float | None = None
        self.fresh = True

    def run(self) -> int:
        """Check, start, keep running until Ctrl-C or SIGTERM. CannotStartError where nothing can be started."""
        print(words.STATE.format(state=self.places.state), flush=True)
        with take_lock(self.places.run), contextlib.ExitStack() as closing:
            self.address, port = self._address()
            self.listener = closing.enter_context(self._open(self.address, port))
            self.port: int = self.listener.getsockname()[1]
            self.register = Register(self.settings.database_url(), self.settings.key_file(), self.settings.timezone)
            closing.callback(self.register.close)
            self._prepare()
            control = closing.enter_context(_unix_listener(self.places.run / "up.sock"))
            wake = closing.enter_context(_signals(self._on_signal))
            self.supervisor = Supervisor(_say, _tell)
            try:
                self.supervisor.selector.register(control, selectors.EVENT_READ)
                self.supervisor.selector.register(wake, selectors.EVENT_READ)
                self._start_children()
                self._loop(control, wake)
            finally:
                print(words.ENDING, flush=True)
                self.supervisor.close()
        return 0

    def _address(self) -> tuple[str, int]:
        try:
            return parse_listen(self.listen)
        except ValueError as error:
            raise CannotStartError(words.WRONG_LISTEN.format(error=error)) from None

    def _open(self, address: str, port: int) -> socket.socket:
        api = self.settings.api
        if bool(api.tls_cert) != bool(api.tls_key):
            raise CannotStartError(words.HALF_TLS)
        try:
            return open_listener(address, port)
        except TakenError:
            raise CannotStartError(words.TAKEN.format(address=address, port=port, other=port + 1)) from None
        except OSError as error:
            raise CannotStartError(words.NO_LISTEN.format(address=address, port=port, error=error.strerror)) from None

    def _prepare(self) -> None:
        """Registers up to date, an administrator, the demonstration built, and all of it told."""
        try:
            self.register.migrate()
        except Exception as error:  # noqa: BLE001  # whatever the driver raises, people need the address and the reason
            why = (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
            raise CannotStartError(
                words.NO_DATABASE.format(url=_without_password(self.register.url), error=why)
            ) from None
        with self.register.write() as session:
            made = ensure_administrator(session)
        left = self.places.left.exists() or not self.settings.demo.start
        self.demonstration = self.wanted if self.wanted is not None else not left and is_empty(self.register)
        if self.demonstration:
            self._build_demonstration()
        self._tell_how_to_enter(made)

    def _build_demonstration(self) -> None:
        self.places.demo.mkdir(mode=0o700, exist_ok=True)
        self.demo_register = open_register(self.places.demo_url)
        self.demo_register.migrate()
        if is_empty(self.demo_register):
            fill(self.demo_register, self.settings.demo.snmp_port, _progress)
            _progress("history", 0.9)
            write_past(self.demo_register)
            _progress("done", 1.0)
        copy_administrator(self.register, self.demo_register)

    def _tell_how_to_enter(self, made: tuple[str, str] | None) -> None:
        tls = bool(self.settings.api.tls_cert)
        url = page_url(self.address, self.port, tls)
        print(words.PAGE.format(url=url))
        if made:
            print(words.PASSWORD.format(name=made[0], password=made[1]))
        link = self._login_link()
        if link:
            print(words.LINK.format(url=url, link=link))
        if self.demonstration:
            print(words.DEMONSTRATION.format(url=url))
        print(words.ping_words())
        if not is_loopback(self.address) and not tls and not self.settings.api.behind_tls:
            print(words.NO_TLS.format(address=self.address), file=sys.stderr)
        print(words.CTRL_C, flush=True)

    def _login_link(self) -> str:
        register = self.demo_register if self.demonstration else self.register
        with register.write() as session:
            user = find_user(session, "admin")
            return make_login_link(session, user) if user and not user.disabled else ""

    def _start_children(self) -> None:
        if self.demonstration:
            self._start_host()
        for child in self._children():
            self.supervisor.start(child)
        self.traps_until = time.monotonic() + ALIVE_S

    def _start_host(self) -> None:
        """Start the responder, and wait until it answers: the collector needs its namespace."""
        host = Child("demo", self._host_command)
        self.supervisor.start(host)
        deadline = time.monotonic() + HOST_READY_S
        while not self.stopping and time.monotonic() < deadline:
            self.supervisor.step(0.1)
            with contextlib.suppress(NotRunningError):
                if self._host_status()["mode"] == "snmp":
                    _say(words.SNMP_ONLY)
                return
        if not self.stopping:
            _say(words.NO_HOST)

    def _host_status(self) -> dict[str, Any]:
        return ask(self.places.run / "demo.sock", {"do": "status"}, timeout=2.0)

    def _host_command(self) -> list[str]:
        arguments = ["--database", self.places.demo_url, "--run", str(self.places.run)]
        arguments += ["--port", str(self.settings.demo.snmp_port), "--faults", str(self.places.demo / "faults.json")]
        fresh = ["--fresh"] if self.fresh else []
        self.fresh = False
        return [sys.executable, "-m", "demo.host", *arguments, *fresh]

    def _children(self) -> list[Child]:
        environment = self._environment()
        descriptor = self.listener.fileno()
        api = [*_edunet("api"), "--fd", str(descriptor), *(["--demo"] if self.demonstration else [])]
        after = ("demo",) if self.demonstration else ()
        return [
            Child("collector", self._collector_command, environment, self._trap_sockets(), after),
            Child("api", lambda: api, environment, (descriptor,)),
        ]

    def _collector_command(self) -> list[str]:
        """Inside the demonstration's namespace where there is one; OSError while its responder does not answer."""
        if not self.demonstration:
            handed = [word for number in self._trap_sockets() for word in ("--trap-fd", str(number))]
            return [*_edunet("collector"), *handed]
        try:
            status = self._host_status()
        except NotRunningError as error:
            raise OSError(str(error)) from error
        if status["mode"] == "snmp":
            return _edunet("collector")
        return [sys.executable, "-m", "demo.namespace", str(status["pid"]), *_edunet("collector")]

    def _trap_sockets(self) -> tuple[int, ...]:
        """What systemd handed over; the demonstration's traps come from its own network, where those sockets hear nothing."""
        return () if self.demonstration else self.handed

    def _environment(self) -> Mapping[str, str]:
        """What the children are told beside the configuration: the state, the address, and of the demonstration its register."""
        shared = {
            "EDUNET_STATE_DIR": str(self.places.state),
            "EDUNET_API__LISTEN": f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}",
            "PYTHONUNBUFFERED": "1",
        }
        if not self.demonstration:
            return shared
        return {
            **shared,
            "EDUNET_INVENTORY__DATABASE_URL": self.places.demo_url,
            "EDUNET_INVENTORY__KEY_FILE": str(self.places.demo / "secret.key"),
            "EDUNET_COLLECTOR__OUTLETS_ENABLED": "false",
            "EDUNET_COLLECTOR__ALERTMANAGER_URL": "",
        }

    def _loop(self, control: socket.socket, wake: socket.socket) -> None:
        while not self.stopping:
            for ready in self.supervisor.step(1.0 if self.alive_told and self.traps_until is None else 0.5):
                if ready is control:
                    self._serve_control(control)
                elif ready is wake:
                    wake.recv(64)
            if self.leave_at is not None and time.monotonic() >= self.leave_at:
                self._leave()
            if not self.alive_told:
                self._tell_when_alive()
            if self.traps_until is not None:
                self._tell_of_traps(self.traps_until)

    def _tell_when_alive(self) -> None:
        register = self.demo_register if self.demonstration else self.register
        row = table(NodeState)
        with register.session() as session:
            statement = select(row.c.state, func.count()).where(row.c.kind == "device").group_by(row.c.state)
            states: dict[str, int] = {
                str(state): int(count) for state, count in session.connection().execute(statement)
            }
        seconds = time.monotonic() - self.began
        if states.get("up"):
            _say(words.ALIVE.format(up=states["up"], all=sum(states.values()), seconds=seconds))
        self.alive_told = bool(states.get("up")) or seconds > ALIVE_S or not self.demonstration

    def _tell_of_traps(self, until: float) -> None:
        """Where traps are heard, once the collector knows."""
        found = ask_where(self.places.run / "collector.sock")
        if found is not None:
            _say(words.trap_words(*found))
        if found is not None or time.monotonic() > until:
            self.traps_until = None

    def _serve_control(self, control: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection, _ = control.accept()
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(2.0)
                request = json.loads(lines.readline(65536))
                answer = self._answer(request if isinstance(request, dict) else {})
                connection.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("do") == "status":
            children = {c.name: c.process.pid for c in self.supervisor.children.values() if c.process is not None}
            return {"pid": os.getpid(), "demonstration": self.demonstration, "port": self.port, "children": children}
        if request.get("do") == "leave":
            if not self.demonstration:
                return {"error": "none"}
            self.leave_at = time.monotonic() + 0.5  # let the page that asked have its answer
            return {"done": "leave", "page": page_url(self.address, self.port, bool(self.settings.api.tls_cert))}
        return {"error": "request"}

    def _leave(self) -> None:
        """End the demonstration, and watch the real register on the real network; the page's socket stays open."""
        self.leave_at = None
        self.places.left.write_text("")
        _say(words.LEAVING)
        self.supervisor.stop(list(self.supervisor.children))
        self.demo_register.close()
        self.demonstration = False
        link = self._login_link()
        self._start_children()
        url = page_url(self.address, self.port, bool(self.settings.api.tls_cert))
        print(words.LEFT.format(url=url))
        if link:
            print(words.LINK.format(url=url, link=link), flush=True)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stopping = True


def _places(settings: Settings) -> Places:
    """The state directory; CannotStartError where it cannot be written, or its sockets' names would be too long (unix(7): 107 bytes)."""
    try:
        places = Places(settings.state())
        (places.run / "up.lock").open("a").close()
    except OSError as error:
        raise CannotStartError(words.NO_STATE.format(error=error)) from None
    if len(os.fsencode(places.run / "collector.sock")) > LONGEST_SOCKET:
        raise CannotStartError(words.LONG_STATE.format(state=places.state))
    return places


def _edunet(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edunet.main", *arguments]


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} edunet    | {line}", flush=True)


def _tell(name: str, line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {name:<9} | {line}", file=sys.stderr, flush=True)


def _progress(what: str, share: float) -> None:
    print(words.BUILDING.format(what=words.STEPS.get(what, what), share=round(share * 100)), flush=True)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)


@contextlib.contextmanager
def _signals(handler: Any) -> Any:
    """Ctrl-C, SIGTERM and a closed terminal call `handler`; the socket given becomes readable then, and at a child's end."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    old = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(-1)
        for number, previous in old.items():
            signal.signal(number, previous)
        ours.close()
        theirs.close()


def _unix_listener(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(8)
    return listener
