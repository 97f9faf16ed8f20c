"""The page's socket: where it listens, and whether others may see it without TLS."""

import errno
import ipaddress
import os
import socket

DEFAULT_PORT = 8080


class TakenError(OSError):
    """Another program listens there already."""


def parse_listen(text: str) -> tuple[str, int]:
    """`ADDRESS`, `ADDRESS:PORT`, `:PORT`, `PORT` or `[IPV6]:PORT` as (address, port). ValueError where it is none of these."""
    text = text.strip()
    if text.isdigit():
        address, port = "127.0.0.1", text
    elif text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no ADDRESS:PORT")
        port = rest[1:] or str(DEFAULT_PORT)
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
        address = address or "0.0.0.0"
    else:
        address, port = text, str(DEFAULT_PORT)
    if address == "localhost":
        address = "127.0.0.1"
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise ValueError(f"{text!r} is no ADDRESS:PORT: {address!r} is no IP address") from None
    if not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no ADDRESS:PORT: {port!r} is no port")
    return address, int(port)


def open_listener(address: str, port: int) -> socket.socket:
    """A listening TCP socket. TakenError where another program has the port; OSError where the address cannot be used."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise TakenError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE)) from None
        raise
    return listener


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    return ipaddress.ip_address(address).is_loopback


def page_url(address: str, port: int, tls: bool) -> str:
    """What people type. For a listener on all addresses: one of this machine's own."""
    host = address
    if ipaddress.ip_address(address).is_unspecified:
        host = _own_address()
    if ":" in host:
        host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{port}/"


def _own_address() -> str:
    """The address that packets to the outside would leave from; connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
