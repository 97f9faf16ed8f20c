"""edunet demo: cut and mend in the demonstration province, and leave it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

JSON = Annotated[bool, typer.Option("--json", help="One JSON object.")]
NODE = Annotated[
    list[str],
    typer.Argument(
        help="A line, device, school, county or city: `line:7`, `device:12`, `140105`, a school's code, or a name."
    ),
]

demo = typer.Typer(
    no_args_is_help=True,
    help="The demonstration province: cut and mend things in it, or leave it for a real register.\n\n"
    "Examples: `edunet demo cut 小店区` - `edunet demo cut 140105` - `edunet demo mend line:7` - `edunet demo leave`",
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.add_typer(demo, name="demo")


@demo.command()
def cut(node: NODE, as_json: JSON = False) -> None:
    """Silence a node and all that is reachable only through it. Example: `edunet demo cut 140105`"""
    _show(_ask("demo", {"do": "cut", "node": " ".join(node)}), as_json)


@demo.command()
def mend(node: NODE, as_json: JSON = False) -> None:
    """Mend a node; one that is not cut itself: all that is cut inside it. Example: `edunet demo mend 小店区`"""
    _show(_ask("demo", {"do": "mend", "node": " ".join(node)}), as_json)


@demo.command("list")
def list_(as_json: JSON = False) -> None:
    """What is out of order now. Example: `edunet demo list --json`"""
    answer = _ask("demo", {"do": "list"})
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    for fault in answer["faults"]:
        print(f"{fault['node']:<14} {KINDS[fault['kind']]:<24} {fault['name']}")


@demo.command()
def status(as_json: JSON = False) -> None:
    """Figures of the demonstration. Example: `edunet demo status`"""
    answer = _ask("demo", {"do": "status"})
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    print(
        f"学校 schools {answer['schools']}, 专线 lines {answer['lines']}, 设备 devices {answer['devices']}, "
        f"无应答 silent {answer['silent']}, 故障 faults {len(answer['faults'])}, 方式 mode {answer['mode']}"
    )


@demo.command()
def leave(as_json: JSON = False) -> None:
    """End the demonstration and start the real register. Example: `edunet demo leave`"""
    answer = _ask("up", {"do": "leave"})
    if answer.get("error") == "none":
        typer.echo("现在没有演示在运行。 No demonstration is running.", err=True)
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(f"演示正在结束 the demonstration is ending; the real register: {answer['page']}")


KINDS = {
    "cut": "■ 断开 cut",
    "mute": "⊘ 无 SNMP agent silent",
    "slow": "▲ 劣化 slow",
    "battery": "▲ 电池供电 on battery",
}


def _ask(socket_name: str, request: dict[str, Any]) -> dict[str, Any]:
    from demo.control import NotRunningError, ask
    from edunet.registry import load_settings

    run: Path = load_settings().state() / "run"
    try:
        return ask(run / f"{socket_name}.sock", request)
    except NotRunningError:
        typer.echo(
            f"演示没有在运行(状态目录 {run.parent})。 No demonstration is running there: `edunet up` starts it.",
            err=True,
        )
        raise typer.Exit(1) from None


def _show(answer: dict[str, Any], as_json: bool) -> None:
    """The result, or what was not understood (exit code 2)."""
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    if "error" in answer:
        if not as_json:
            _explain(answer)
        raise typer.Exit(2)
    if as_json:
        return
    word = {"cut": "■ 已断开 cut", "mended": "● 已修复 mended"}[answer["done"]]
    print(f"{word}: {answer['name']} ({answer['node']})")
    print(f"  无应答的设备 silent devices: {answer['silent_before']} → {answer['silent']}")
    if answer.get("still"):
        print(
            "  上级仍断开,仍无应答 still silent: something above it, or another fault, is still cut (`edunet demo list`)"
        )


def _explain(answer: dict[str, Any]) -> None:
    if answer["error"] == "nothing":
        typer.echo(f"{answer['name']} 没有可以断开的设备 has nothing that could be cut", err=True)
        return
    if not answer.get("candidates"):
        typer.echo(f"找不到 nothing is called {answer.get('node')!r}", err=True)
        return
    typer.echo(
        f"{answer['node']!r} 可指 {answer['count']} 个 may mean {answer['count']} things; for example:", err=True
    )
    for node in answer["candidates"]:
        typer.echo(f"  {node['node']:<14} {node['name']}", err=True)
