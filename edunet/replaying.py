"""`edunet replay TRACE --speed 60`: the storm on the board. A register of its own in a directory that is taken away, read-only pages, one process."""

import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from api.app import create_app
from api.server import server_of
from api.settings import ApiSettings
from collector.playback import Player
from edunet.listen import open_listener, parse_listen
from inventory.database import Register
from inventory.models import Role
from inventory.users import create_user, make_login_link


def show(lines: Iterable[str | bytes], speed: float, listen: str, timezone: str) -> None:
    """Play a trace until it is over, and serve it until Ctrl-C. TraceError where it is wrong, ValueError or TakenError for the address."""
    listener = open_listener(*parse_listen(listen))
    folder = Path(tempfile.mkdtemp(prefix="edunet-replay-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server hands the signal on, and the directory goes
    try:
        _play(lines, speed, listener, folder, timezone)
    finally:
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)


def _play(lines: Iterable[str | bytes], speed: float, listener: socket.socket, folder: Path, timezone: str) -> None:
    register = Register(f"sqlite:///{folder / 'edunet.db'}", folder / "secret.key", timezone)
    register.migrate()
    player = Player(register, lines, speed)
    address, port = listener.getsockname()[:2]
    settings = ApiSettings()
    settings.listen = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    app = create_app(register, settings, state_dir=folder, timezone=timezone)
    app.state.replay = speed
    server = server_of(app, settings)
    thread = threading.Thread(target=player.run, name="player", daemon=True)
    with register.write() as session:
        # A viewer changes nothing: the pages are read-only, and nobody needs a password.
        link = make_login_link(session, create_user(session, "replay", role=Role.viewer))
    print(f"http://{settings.listen}/login/link/{link}", flush=True)
    thread.start()
    try:
        server.run(sockets=[listener])
    finally:
        player.stop()
        thread.join(5.0)
        register.close()
