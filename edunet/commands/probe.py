"""edunet probe: one-shot probes, for scripts and benchmarks."""

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from probes.icmp import PingReadings, PingTargets
    from probes.snmp.poll import SnmpReadings, SnmpTargets

probe_app = typer.Typer(
    help="Probe once, now, without a register: pings, SNMP readings of many targets, one device in full.\n\n"
    "Example: `edunet probe icmp --targets addresses.txt --count 3 --json`",
    no_args_is_help=True,
)

MOST_COUNT = 60
"""Probes to one target in one round of `probes.icmp`; more are several rounds."""

TARGETS = typer.Option(
    ..., "--targets", help="File with an IPv4 or IPv6 address a line (`-`: standard input); `#` begins a comment."
)
AS_JSON = typer.Option(False, "--json", help="The last line of output is one JSON object.")


class WrongTargetsError(Exception):
    """The targets cannot be used; the message names file and line."""


def read_lines(file: str) -> tuple[list[str], list[str]]:
    """The addresses of the file, and its lines as they are. WrongTargetsError where it cannot be read or has none."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as failure:
        raise WrongTargetsError(f"{file}: {getattr(failure, 'strerror', None) or failure}") from None
    lines = text.splitlines()
    if "#" in text:
        addresses = [bare for line in lines if (bare := line.partition("#")[0].strip())]
    else:
        addresses = (
            text.split()
            if not any(len(line.split()) > 1 for line in lines)
            else [s for s in map(str.strip, lines) if s]
        )
    if not addresses:
        raise WrongTargetsError(f"{file}: no address in it / 文件里没有地址")
    return addresses, lines


def name_line(file: str, lines: list[str], failure: ValueError) -> WrongTargetsError:
    """The error of a bad address, with its line."""
    for number, line in enumerate(lines, 1):
        bare = line.partition("#")[0].strip()
        if bare and repr(bare) in str(failure):
            return WrongTargetsError(f"{file}, line {number}: not an address / 不是地址: {bare!r}")
    return WrongTargetsError(f"{file}: {failure}")


def read_secret(given: str) -> bytes:
    """A community as typed, or from `@FILE`, or from standard input (`-`); its line end does not belong to it."""
    if given == "-":
        return sys.stdin.readline().rstrip("\r\n").encode()
    if given.startswith("@"):
        try:
            return Path(given[1:]).read_bytes().rstrip(b"\r\n")
        except OSError as failure:
            raise typer.BadParameter(f"{given[1:]}: {failure.strerror}", param_hint="--community") from None
    return given.encode()


def cpu_seconds() -> float:
    """User and system time so far of this process, all its threads, and its children that have ended."""
    spent = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in spent)


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on stderr where that is a terminal, else nothing. What it yields takes how much is done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=min(done, total))


@probe_app.command()
def icmp(
    targets: str = TARGETS,
    count: int = typer.Option(1, min=1, max=1_000_000, help="Probes to each target."),
    attempts: int = typer.Option(
        3, min=1, max=4, help="How often in all a silent target is asked before it counts as silent."
    ),
    timeout: float = typer.Option(1.0, min=0.01, help="Seconds to wait for each answer."),
    rate: float = typer.Option(20_000, min=1, help="Probes sent per second."),
    method: str = typer.Option("", help="raw, dgram, fping or tcp; default: the best that is allowed here."),
    tcp_ports: str = typer.Option("443,80,22,23", help="Ports to connect to where only TCP is left."),
    dump: Path | None = typer.Option(
        None, help="Write RTT (the best), jitter and loss of each target there, a JSON line each."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Ping many targets once. RTT, jitter and loss are kept for each.

    Examples: `edunet probe icmp --targets addresses.txt --json`; `echo 127.0.0.1 | edunet probe icmp --targets - --count 5`
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from probes.icmp import PingTargets, merge, open_pinger

    try:
        pinger = open_pinger(method or None, _ports(tcp_ports))
    except PermissionError as failure:
        _fail(str(failure), 1)
    except ValueError as failure:
        _fail(str(failure), 2)
    if pinger.hint:
        typer.echo(f"edunet: pinging by {pinger.method}; {pinger.hint}", err=True)
    cpu, began = cpu_seconds(), time.monotonic()
    try:
        addresses, lines = read_lines(targets)
        wanted = _prepare(targets, lines, lambda: PingTargets(addresses))
    except WrongTargetsError as failure:
        _fail(str(failure), 2)
    readings = None
    with progress_bar("ping", len(wanted) * count) as progress:
        for first in range(0, count, MOST_COUNT):
            asked = min(MOST_COUNT, count - first)
            found = pinger.round(
                wanted,
                count=asked,
                attempts=attempts,
                timeout_s=timeout,
                deadline_s=timeout * attempts,
                rate_pps=rate,
                progress=_after(progress, first * len(wanted)),
            )
            readings = found if readings is None else merge(readings, found)
    pinger.close()
    if readings is None:
        return
    result = _sums(len(wanted), int(readings.answered.sum()))
    result = {
        **result,
        "sent": int(readings.sent.sum()),
        "wall_s": round(time.monotonic() - began, 4),
        "cpu_s": round(cpu_seconds() - cpu, 4),
        "method": pinger.method,
    }
    if dump:
        _write(dump, _ping_lines(wanted, readings))
    _tell(result, as_json)


@probe_app.command()
def snmp(
    targets: str = TARGETS,
    port: int = typer.Option(161, min=1, max=65535, help="UDP port of the agents."),
    community: str = typer.Option(
        "public",
        envvar="EDUNET_COMMUNITY",
        help="SNMP v2c community; better `@FILE` or `-` (standard input) or the environment: the command line is seen by all.",
    ),
    user: str = typer.Option("", "--user", "-u", help="v3 user: the devices are asked by SNMPv3."),
    auth: str = typer.Option("", "--auth", help="md5, sha1, sha224, sha256, sha384 or sha512."),
    auth_key: str = typer.Option("", "--auth-key", help="Password, `@FILE` or `-`; else EDUNET_AUTH_KEY."),
    priv: str = typer.Option("", "--priv", help="des, aes128, aes192 or aes256."),
    priv_key: str = typer.Option("", "--priv-key", help="Password, `@FILE` or `-`; else EDUNET_PRIV_KEY."),
    context: str = typer.Option("", "--context", help="v3 contextName."),
    attempts: int = typer.Option(6, min=1, max=20, help="How often a device is asked in vain before it is given up."),
    budget: float = typer.Option(12.0, min=0.1, help="Seconds after which a device is given up."),
    rate: float = typer.Option(250_000, min=1, help="Requests sent per second, at most."),
    dump: Path | None = typer.Option(
        None,
        help="Write sysUpTime and all ports there, a JSON line for each device that answered; raw values, ifHighSpeed in Mbit/s.",
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Read sysUpTime and state, octets, errors, discards and speed of every port of many devices, once (SNMP v2c, or v3 with `--user`).

    Examples: `EDUNET_COMMUNITY=... edunet probe snmp --targets switches.txt --dump values.jsonl --json`;
    `edunet probe snmp --targets switches.txt --user edu --auth sha256 --auth-key @auth.txt --priv aes128 --priv-key @priv.txt`
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from edunet.commands.probe_device import read_credential
    from probes.snmp.credential import Credential
    from probes.snmp.poll import SnmpPoller, SnmpTargets

    if [targets, *((auth_key, priv_key) if user else (community,))].count("-") > 1:
        _fail(
            "targets and secrets cannot come from standard input together: use @FILE / 标准输入只能给一项，其余请用 @文件",
            2,
        )
    if user:
        credential = read_credential("3", "", user, auth, auth_key, priv, priv_key, context)
    elif auth or priv or context:
        _fail("--auth, --priv and --context need --user / 须同时给出 --user", 2)
    else:
        credential = Credential(community=read_secret(community))
    poller = SnmpPoller()
    cpu, began = cpu_seconds(), time.monotonic()
    try:
        addresses, lines = read_lines(targets)
        wanted = _prepare(targets, lines, lambda: SnmpTargets(addresses, ports=port, credentials=credential))
    except WrongTargetsError as failure:
        _fail(str(failure), 2)
    with progress_bar("SNMP", len(wanted)) as progress:
        readings = poller.round(
            wanted,
            attempts=attempts,
            deadline_s=budget,
            rate_pps=rate,
            progress=(lambda still_open: progress(len(wanted) - still_open)) if progress else None,
        )
    result = {
        **_sums(len(wanted), int(readings.answered.sum())),
        "values": readings.values,
        "wall_s": round(time.monotonic() - began, 4),
        "cpu_s": round(cpu_seconds() - cpu, 4),
        "engine": poller.engine,
    }
    poller.close()
    _tell_of_agents(wanted.addresses, readings)
    if dump:
        _write(dump, _device_lines(wanted, readings))
    _tell(result, as_json)


def _tell_of_agents(addresses: list[str], readings: "SnmpReadings") -> None:
    """On stderr: why v3 agents were not read, by reason, and the engineIDs that several addresses claim."""
    from edunet.commands.probe_device import WHY

    for reason, count in Counter(readings.failures.values()).most_common():
        example = next(addresses[number] for number, why in readings.failures.items() if why == reason)
        typer.echo(f"edunet: {count} x {WHY.get(reason, reason)} ({example})", err=True)
    for engine_id, numbers in sorted(readings.duplicates.items()):
        named = ", ".join(addresses[number] for number in numbers[:3])
        more = f" ... ({len(numbers)})" if len(numbers) > 3 else ""
        typer.echo(f"edunet: snmpEngineID {engine_id.hex()} more than once / 引擎标识重复: {named}{more}", err=True)


def _after(progress: Callable[[int], None] | None, already: int) -> Callable[[int], None] | None:
    return (lambda done: progress(already + done)) if progress else None


def _prepare(file: str, lines: list[str], make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as failure:
        raise name_line(file, lines, failure) from None


def _sums(targets: int, answered: int) -> dict[str, Any]:
    return {"targets": targets, "answered": answered, "silent": targets - answered}


def _ping_lines(targets: "PingTargets", readings: "PingReadings") -> Iterator[str]:
    for i, address in enumerate(targets.addresses):
        rtt, jitter = float(readings.rtt_seconds[i]), float(readings.jitter_seconds[i])
        yield json.dumps(
            {
                "address": address,
                "sent": int(readings.sent[i]),
                "received": int(readings.received[i]),
                "rtt_seconds": round(rtt, 7) if rtt == rtt else None,
                "jitter_seconds": round(jitter, 7) if jitter == jitter else None,
            }
        )


def _device_lines(targets: "SnmpTargets", readings: "SnmpReadings") -> Iterator[str]:
    from probes.snmp.poll import COUNTER32, IF_COLUMNS

    wide = [name for name, _ in IF_COLUMNS]
    narrow = [{"ifHCInOctets": "ifInOctets", "ifHCOutOctets": "ifOutOctets"}.get(name, name) for name in wide]
    for i, address in enumerate(targets.addresses):
        if not readings.answered[i]:
            continue
        ports = []
        for row in range(int(readings.offsets[i]), int(readings.offsets[i + 1])):
            present, values = int(readings.present[row]), readings.columns[row].tolist()
            names = narrow if present & COUNTER32 else wide
            port = {"ifIndex": int(readings.if_index[row])}
            port |= {name: values[c] for c, name in enumerate(names) if present >> c & 1}
            ports.append(port)
        yield json.dumps({"address": address, "sysUpTime": int(readings.uptime[i]), "ports": ports})


def _ports(text: str) -> list[int]:
    ports = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if not all(0 < port < 65536 for port in ports):
        raise typer.BadParameter(f"{text}: ports from 1 to 65535, with commas between", param_hint="--tcp-ports")
    return ports


def _write(path: Path, lines: Iterator[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as out:
            out.writelines(line + "\n" for line in lines)
    except OSError as failure:
        _fail(f"{path}: {failure.strerror}", 1)


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo("  ".join(f"{name} {value}" for name, value in result.items()))


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"edunet: {message}", err=True)
    raise typer.Exit(code)


def register(app: typer.Typer) -> None:
    """Add the group to `app`."""
    app.add_typer(probe_app, name="probe")


from edunet.commands import probe_device  # noqa: E402 - it registers itself into the group that stands above

probe_device.register(probe_app)
