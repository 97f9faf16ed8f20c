"""edunet api: the pages and calls alone, without a supervisor."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from edunet.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("api", help=serve_pages.__doc__)(serve_pages)


def serve_pages(
    listen: Annotated[
        str,
        typer.Option("--listen", metavar="ADDR:PORT", help="Where to listen; default: `api.listen` of the settings."),
    ] = "",
    fd: Annotated[
        int,
        typer.Option("--fd", metavar="N", min=-1, help="A listening socket that was inherited, instead of --listen."),
    ] = -1,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the demonstration's register.")] = False,
) -> None:
    """Serve the pages and calls (`edunet up` does it too, and starts the collector besides).

    Examples: `edunet api`, `edunet api --listen 0.0.0.0:8443`.
    """
    from edunet.logs import set_up_logs
    from edunet.registry import load_settings

    settings = load_settings()
    set_up_logs(settings.log)
    if bool(settings.api.tls_cert) != bool(settings.api.tls_key):
        _refuse("api.tls_cert and api.tls_key belong together: set both or neither", 2)
    if listen:
        settings.api.listen = listen
    listener = _listener(settings, fd)
    _warn_without_tls(settings, listener)
    from api.server import serve, server_of

    serve(server_of(make_app(settings, demo=demo), settings.api), listener)


def make_app(settings: Settings, *, demo: bool) -> Any:
    """The application on the real register, or on the demonstration's; its schema is brought up to date."""
    from api.app import create_app
    from inventory.database import Register

    state = settings.state()
    extra: list[Any] = []
    if demo:
        from demo.pages import router
        from demo.register import open_register

        extra.append(router)
        (state / "demo").mkdir(mode=0o700, exist_ok=True)
        register = open_register(f"sqlite:///{state / 'demo' / 'edunet.db'}")
    else:
        register = Register(settings.database_url(), settings.key_file(), settings.timezone)
    register.migrate()
    return create_app(
        register, settings.api, state_dir=state, timezone=settings.timezone, extra_routers=extra, demo=demo
    )


def _listener(settings: Settings, fd: int) -> socket.socket:
    from edunet.listen import TakenError, open_listener, parse_listen

    if fd >= 0:
        try:
            listener = socket.socket(fileno=fd)
            listener.getsockname()
        except OSError as error:
            _refuse(f"--fd {fd}: no socket ({error.strerror})", 2)
        settings.api.listen = _written(listener)
        return listener
    try:
        address, port = parse_listen(settings.api.listen)
    except ValueError as error:
        _refuse(f"--listen: {error}", 2)
    try:
        return open_listener(address, port)
    except TakenError:
        _refuse(f"{settings.api.listen} is taken: another program listens there", 1)
    except OSError as error:
        _refuse(f"{settings.api.listen}: {error.strerror}", 1)


def _written(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _warn_without_tls(settings: Settings, listener: socket.socket) -> None:
    from edunet.listen import is_loopback

    if is_loopback(listener.getsockname()[0]) or settings.api.tls_cert or settings.api.behind_tls:
        return
    print(
        "\n"
        f"WARNING 警告: listening on {settings.api.listen} WITHOUT TLS: passwords and the province's addressing cross the network in clear.\n"
        "未启用 TLS：密码和全省地址信息将以明文传输。 Set api.tls_cert and api.tls_key, or put a reverse proxy in front (api.behind_tls).\n",
        file=sys.stderr,
        flush=True,
    )


def _refuse(message: str, code: int) -> NoReturn:
    print(f"edunet api: {message}", file=sys.stderr)
    raise typer.Exit(code)
