"""edunet probe device: one device in full, in the field names of recordings' expectations."""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

import typer

if TYPE_CHECKING:
    from probes.snmp.client import SnmpClient
    from probes.snmp.credential import Credential

EXAMPLES = """
One device in full: what it is, its ports, CPU, memory, sensors, neighbours.

Examples:

- `edunet probe device --address 10.1.2.3 --community @community.txt`
- `edunet probe device --address 10.1.2.3 --user edu --auth sha256 --auth-key @auth.txt --priv aes128 --priv-key @priv.txt --json`
- `edunet probe device --address 10.1.2.3 --walk new-vendor.snmprec` (a recording, for docs/vendors.md)

Secrets: `@FILE` reads a file, `-` standard input; without the option EDUNET_COMMUNITY, EDUNET_AUTH_KEY, EDUNET_PRIV_KEY are used.

Exit codes: 0 it answered, 1 it did not (stderr says why), 2 wrong use.
"""

WHY = {
    "unknown_user": "the device does not know this user / 设备上没有该用户",
    "wrong_digest": "wrong authentication password or protocol / 认证口令或认证算法不对",
    "decryption_error": "wrong privacy password or protocol / 加密口令或加密算法不对",
    "unsupported_security_level": "the device refuses this security level (add or leave out --auth, --priv) / 设备不接受该安全级别",
    "not_in_time_window": "the device's clock does not fit its own reports / 设备时间窗口不符",
    "unknown_context": "the device does not know this context / 设备没有该上下文",
    "authorizationError": "the user may not read at this security level / 该用户在此安全级别下无读权限",
}
SILENT = "no answer: address, port, access list, community or SNMP version / 无应答：请检查地址、端口、访问控制、团体名或 SNMP 版本"
MOST_WALKED = 500_000


def register(group: typer.Typer) -> None:
    """Add the command `device` to the sub-app `edunet probe`."""
    group.command("device", help=EXAMPLES)(probe_device)


def probe_device(
    address: str = typer.Option(..., "--address", "-a", help="IPv4 or IPv6 address."),
    port: int = typer.Option(161, "--port", "-p", min=1, max=65535),
    snmp_version: str = typer.Option(
        "", "--snmp-version", help="1, 2c or 3; without it 3 where --user is given, else 2c."
    ),
    community: str = typer.Option(
        "", "--community", "-c", help="Community, `@FILE` or `-`; else EDUNET_COMMUNITY, else public."
    ),
    user: str = typer.Option("", "--user", "-u", help="v3 user."),
    auth: str = typer.Option("", "--auth", help="md5, sha1, sha224, sha256, sha384 or sha512."),
    auth_key: str = typer.Option("", "--auth-key", help="Password, `@FILE` or `-`."),
    priv: str = typer.Option("", "--priv", help="des, aes128, aes192 or aes256."),
    priv_key: str = typer.Option("", "--priv-key", help="Password, `@FILE` or `-`."),
    context: str = typer.Option("", "--context", help="v3 contextName."),
    timeout_s: float = typer.Option(2.0, "--timeout", min=0.05, max=60, help="Seconds to wait for each answer."),
    attempts: int = typer.Option(4, "--attempts", min=1, max=20, help="How often a question is put."),
    budget_s: float = typer.Option(60.0, "--budget", min=1, max=3600, help="Seconds for the whole device."),
    walk: Path | None = typer.Option(
        None, "--walk", help="Write everything that the device has as a recording (snmprec)."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on one line."),
) -> None:
    """One device in full."""
    from probes.device import read_device
    from probes.snmp.client import NoAnswerError, RefusedError, SnmpClient

    credential = read_credential(snmp_version, community, user, auth, auth_key, priv, priv_key, context)
    began = time.monotonic()
    try:
        with SnmpClient(address, port, credential, timeout_s=timeout_s, attempts=attempts) as client:
            if walk is not None:
                _write_walk(client, walk, max(budget_s, 600.0))
                return
            client.deadline = began + budget_s
            result = read_device(client, budget_s=budget_s)
            engine_id = client.engine_id
    except RefusedError as error:
        _fail(f"{address}: {WHY.get(error.reason, error.reason)}")
    except NoAnswerError as error:
        _fail(f"{address}: {SILENT} ({error.args[0]})")
    except OSError as error:
        _misuse(f"{address}: {error.strerror or error}")
    if engine_id:
        result["device"].setdefault("engineID", engine_id.hex())
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    _print_summary(result, time.monotonic() - began)


# ---------------------------------------------------------------------- credentials


def read_credential(
    version: str, community: str, user: str, auth: str, auth_key: str, priv: str, priv_key: str, context: str
) -> "Credential":
    """The credential of these options; secrets as typed, from `@FILE`, standard input (`-`) or the environment. Exit 2 where they do not fit."""
    from probes.snmp.credential import Credential

    version = version.removeprefix("v") or ("3" if user else "2c")
    try:
        return Credential(
            version=cast(Literal["1", "2c", "3"], version),
            community=_secret(community, "EDUNET_COMMUNITY", "public").encode(),
            user=user,
            auth_protocol=auth.lower().replace("-", "").replace("sha", "sha1")
            if auth.lower() == "sha"
            else auth.lower().replace("-", ""),
            auth_key=_secret(auth_key, "EDUNET_AUTH_KEY") if auth else "",
            priv_protocol={"aes": "aes128"}.get(priv.lower(), priv.lower().replace("-", "")),
            priv_key=_secret(priv_key, "EDUNET_PRIV_KEY") if priv else "",
            context=context,
        )
    except ValueError as error:
        _misuse(str(error))


def _secret(given: str, variable: str, otherwise: str = "") -> str:
    """A secret from `@FILE`, standard input (`-`), the option itself, or the environment."""
    if given == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if given.startswith("@"):
        try:
            return Path(given[1:]).read_text(encoding="utf-8").splitlines()[0].strip()
        except (OSError, UnicodeDecodeError, IndexError) as error:
            _misuse(f"{given[1:]}: cannot be read / 无法读取 ({getattr(error, 'strerror', None) or error})")
    return given or os.environ.get(variable, "") or otherwise


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(1)


def _misuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(2)


# ---------------------------------------------------------------------- recordings


def _write_walk(client: "SnmpClient", path: Path, budget_s: float) -> None:
    """Walk the whole MIB view into a recording; what was read stays when the device falls silent."""
    from probes.device.recording import write_recording
    from probes.snmp.ber import Oid, Value
    from probes.snmp.client import NoAnswerError

    values: dict[Oid, Value] = {}
    end = time.monotonic() + budget_s
    client.get([(1, 3, 6, 1, 2, 1, 1, 2, 0)])
    for root in ((1, 0), (1, 3, 6, 1, 2, 1), (1, 3, 6, 1, 4, 1), (1, 3, 6, 1, 6, 3, 10)):
        try:
            rows = client.walk([root], budget_s=max(1.0, end - time.monotonic()))
        except NoAnswerError as error:
            rows = error.args[1] if len(error.args) > 1 else {}
            print(
                f"{'.'.join(map(str, root))}: {error.args[0]}; what came is kept / 未读完，已读部分保留",
                file=sys.stderr,
            )
        values.update({(*root, *index): value for index, value in rows.get(root, {}).items()})
    try:
        write_recording(path, values)
    except OSError as error:
        _misuse(f"{path}: {error.strerror or error}")
    print(f"{path}: {len(values)} values. Names, addresses and serial numbers are in it: look before you pass it on.")


# ---------------------------------------------------------------------- for people


def _print_summary(result: dict[str, Any], seconds: float) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    device = result["device"]
    title = " ".join(str(device[key]) for key in ("vendor", "hardware", "version") if key in device)
    console.print(f"[bold]{escape(device.get('sysName', '') or '?')}[/]  {escape(title)}")
    for key in ("serial", "os_text", "sysObjectID", "sysLocation"):
        if device.get(key):
            console.print(f"  {key}: {escape(str(device[key]))}")
    for item in result.get("cpu", []):
        console.print(f"  CPU {item['usage_percent']} %  {escape(item['descr'])}")
    for item in result.get("memory", []):
        console.print(f"  memory {item['used_percent']} %  {escape(item['descr'])}")
    table = Table(title="ports", box=None, title_justify="left")
    for column in ("ifIndex", "name", "alias", "admin", "oper", "Mbit/s", "in errors", "out errors"):
        table.add_column(column, justify="left" if column in ("name", "alias", "admin", "oper") else "right")
    for port in result["ports"]:
        speed = port.get("ifSpeed")
        cells = [port["ifIndex"], port.get("ifName") or port.get("ifDescr", ""), port.get("ifAlias", "")]
        cells += [
            port.get("ifAdminStatus", ""),
            port.get("ifOperStatus", ""),
            "" if speed is None else f"{speed / 1e6:g}",
        ]
        cells += [port.get("ifInErrors", ""), port.get("ifOutErrors", "")]
        table.add_row(*(escape(" ".join(str(cell).split())) for cell in cells))
    console.print(table)
    for item in result.get("sensors", []):
        shown = item.get("state") or f"{item['value']} {item.get('unit', '')}".strip()
        console.print(f"  {item['class']:12} {escape(shown):16} {escape(item['descr'])}")
    for item in result.get("neighbours", []):
        console.print(
            f"  {item['protocol']} {escape(item['local_ifName'])} → {escape(item.get('remote_name', '?'))} {escape(item.get('remote_port', ''))}"
        )
    missing = f", incomplete: {', '.join(result['incomplete'])}" if "incomplete" in result else ""
    console.print(f"  profile {device['profile']}, {len(result['ports'])} ports, {seconds:.1f} s{missing}")
