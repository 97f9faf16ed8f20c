"""edunet collector: rounds, judge, log and notices, without pages."""

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collector.plan import Plan
    from edunet.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("collector", help=run_collector.__doc__)(run_collector)


def run_collector(
    register_url: Annotated[
        str, typer.Option("--register", metavar="URL", help="Another register than the settings name.")
    ] = "",
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Write the trace of all rounds there.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Say what would be asked, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --check: one JSON object.")] = False,
    trap_fd: Annotated[list[int] | None, typer.Option("--trap-fd", hidden=True)] = None,
) -> None:
    """Ask, judge and tell, until Ctrl-C or SIGTERM (`edunet up` starts it too).

    Examples: `edunet collector`, `edunet collector --record storm.jsonl` (for `edunet replay storm.jsonl`), `edunet collector --check`.
    """
    from edunet.logs import set_up_logs
    from edunet.registry import load_settings
    from edunet.traps import trap_sockets
    from inventory.database import Register

    settings = load_settings()
    set_up_logs(settings.log)
    register = Register(register_url or settings.database_url(), settings.key_file(), settings.timezone)
    if check:
        raise typer.Exit(_check(register, settings, as_json))
    from collector.service import Service

    if record is not None and not os.access(record.absolute().parent, os.W_OK):
        typer.echo(f"--record {record}: this file cannot be written there", err=True)
        raise typer.Exit(2)
    service = Service(
        register,
        settings.collector,
        settings.state() / "run" / "collector.sock",
        may_notify=settings.collector.outlets_enabled,
        record=record,
        timezone=settings.timezone,
        trap_sockets=tuple(trap_fd) if trap_fd else trap_sockets(),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: service.stop())
    service.run()
    register.close()


def _check(register: Any, settings: "Settings", as_json: bool) -> int:
    from collector.plan import build_plan

    register.migrate()
    plan = build_plan(register, settings.collector.shard_size)
    found = _describe(plan)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(f"register version 登记版本: {found['version']}")
    print(f"devices asked 轮询设备: {found['asked']}   by SNMP 其中 SNMP: {found['by_snmp']}")
    print(f"schools 学校: {found['schools']}   lines 专线: {found['lines']}   zones 地址域: {found['zones']}")
    for warning in found["warnings"]:
        print(f"! {warning}")
    return 0


def _describe(plan: "Plan") -> dict[str, Any]:
    return {
        "version": plan.version,
        "asked": len(plan.targets),
        "by_snmp": int((plan.targets.credential >= 0).sum()),
        "schools": len(plan.schools),
        "lines": len(plan.lines),
        "zones": len(plan.targets.zones),
        "warnings": list(plan.warnings),
    }
