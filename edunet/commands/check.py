"""edunet check: configuration, register and plan, without starting anything."""

import importlib
import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from inventory.checking import Finding
    from inventory.database import Register


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def check(as_json: bool = typer.Option(False, "--json", help="One JSON object.")) -> None:
        """Validate configuration, register and plan without starting; wrong settings are named with their line.

        Exit codes: 0 in order (warnings may stand), 1 an error in the register or plan, 2 a wrong setting. Example: `edunet check --json`
        """
        from edunet.wrong import wrong_settings

        wrong = wrong_settings()
        if wrong:
            settings = [{"where": one.where, "setting": one.name, "message": one.why} for one in wrong]
            if as_json:
                print(json.dumps({"ok": False, "settings": settings, "register": [], "plan": None}, ensure_ascii=False))
            else:
                for one in wrong:
                    print(_line("error", str(one)))
            raise typer.Exit(2)
        _check_rest(as_json)


def _check_rest(as_json: bool) -> None:
    from edunet.registry import open_register
    from inventory.checking import check_register
    from inventory.words import say

    store = open_register()
    found = [*check_register(store), *_telling(store)]
    plan = _plan(store)
    bad = any(finding.level == "error" for finding in found) or (plan is not None and "error" in plan)
    if as_json:
        shown = [{"level": one.level, "code": one.code, "message": one.render(), **one.params} for one in found]
        print(json.dumps({"ok": not bad, "settings": [], "register": shown, "plan": plan}, ensure_ascii=False))
        raise typer.Exit(int(bad))
    print(_line("ok", say("The configuration is right.")))
    for finding in found:
        print(_line(finding.level, finding.render()))
    if not found:
        print(_line("ok", say("The register is in order.")))
    if plan is not None and "error" in plan:
        print(_line("error", say("the plan cannot be built: {why}", why=plan["error"])))
    elif plan is not None:
        for warning in plan["warnings"]:
            print(_line("warning", warning))
        print(_line("ok", say("Plan: {targets} targets.", targets=plan["targets"])))
    raise typer.Exit(int(bad))


def _telling(store: "Register") -> "list[Finding]":
    """Whether people can be told."""
    from zoneinfo import ZoneInfo

    from edunet.registry import load_settings
    from inventory.checking_telling import check_telling
    from inventory.models import utcnow

    settings = load_settings()
    with store.session() as session:
        zone, named = ZoneInfo(settings.timezone), bool(settings.collector.alertmanager_url)
        return check_telling(session, utcnow(), zone, named)


def _line(level: str, text: str) -> str:
    from inventory.words import say

    words = {"error": say("error"), "warning": say("warning"), "ok": say("ok")}
    return f"{words[level]}: {text}"


def _plan(store: "Register") -> dict[str, Any] | None:
    """What the collector would make of the register; None where there is no collector in this installation."""
    try:
        build_plan = importlib.import_module("collector.plan").build_plan
    except (ImportError, AttributeError):
        return None
    try:
        plan = build_plan(store)
    except Exception as error:  # noqa: BLE001  # a check reports whatever goes wrong
        return {"error": f"{type(error).__name__}: {error}"}
    return {"targets": len(plan.targets.device_id), "nodes": len(plan.nodes), "warnings": list(plan.warnings)}
