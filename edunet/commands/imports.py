"""edunet import: schools, lines and devices from CSV and XLSX; undo."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

HELP = """Register schools, lines and devices from a CSV or XLSX file.

    edunet import schools --template schools.xlsx      an empty sheet, its columns explained
    edunet import schools schools.xlsx --dry-run       name every wrong cell, write nothing
    edunet import devices devices.csv --yes            do it, without asking
    edunet import undo 12                              take import 12 back as a whole

Exit codes: 0 done, 1 wrong cells or it failed (nothing is written), 2 wrong use."""

SHOWN = 200
"""Wrong cells printed; --json has them all."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    group = typer.Typer(help=HELP, no_args_is_help=True)
    app.add_typer(group, name="import")
    for what, words in (
        ("schools", "Schools, each with its campus."),
        ("lines", "Lines (access circuits)."),
        ("devices", "Devices."),
    ):
        _add(group, what, words)

    @group.command("undo")
    def undo_(
        batch: int = typer.Argument(help="Number of the import, as it was printed."),
        as_json: bool = typer.Option(False, "--json", help="One JSON object."),
    ) -> None:
        """Take an import back as a whole. Example: `edunet import undo 12`"""
        from edunet.registry import actor, open_register
        from inventory.imports import UndoError, render, undo
        from inventory.words import say

        try:
            rows = undo(open_register(), batch, actor())
        except UndoError as error:
            problems = [render(problem) for problem in error.problems]
            if as_json:
                print(
                    json.dumps(
                        {"batch": batch, "undone": False, "error": str(error), "problems": problems}, ensure_ascii=False
                    )
                )
            else:
                print("\n".join([say("Not undone: {why}", why=str(error)), *problems[:SHOWN]]), file=sys.stderr)
            raise typer.Exit(1) from None
        if as_json:
            print(json.dumps({"batch": batch, "undone": True, "rows": rows}))
        else:
            print(say("Import {batch} has been undone: {rows} rows.", batch=batch, rows=rows))


def _add(group: typer.Typer, what: str, words: str) -> None:
    @group.command(what, help=f"{words} Example: `edunet import {what} {what}.xlsx --dry-run`")
    def command(
        file: Path | None = typer.Argument(None, help="CSV (UTF-8 or GBK) or XLSX."),
        dry_run: bool = typer.Option(False, "--dry-run", help="Check only; nothing is written."),
        yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask before writing."),
        as_json: bool = typer.Option(False, "--json", help="One JSON object."),
        template: Path | None = typer.Option(
            None, "--template", help="Write an empty sheet (.xlsx or .csv) here, and stop."
        ),
    ) -> None:
        from inventory.words import say

        if template is not None:
            _template(what, template)
        elif file is None:
            raise typer.BadParameter(say("name a FILE, or --template FILE"))
        elif not file.is_file():
            raise typer.BadParameter(say("{path} is no file", path=str(file)))
        else:
            _import(what, file, dry_run, yes, as_json)


def _template(what: str, path: Path) -> None:
    from inventory.imports import KINDS
    from inventory.imports.template import write_template
    from inventory.words import say

    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise typer.BadParameter(say("--template needs a name that ends in .xlsx or .csv"))
    try:
        write_template(KINDS[what], path)
    except OSError as error:
        print(say("Not written: {why}", why=str(error)), file=sys.stderr)
        raise typer.Exit(1) from None
    print(say("Written: {path}. Fill it in, then: edunet import {what} {path}", path=str(path), what=what))


def _import(what: str, file: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    from edunet.registry import actor, open_register
    from inventory.imports import RegisterMovedError, apply_plan, plan_file

    register = open_register()
    with _Bar(as_json) as bar:
        for _attempt in range(5):
            with register.session() as session:
                plan = plan_file(session, what, file, bar.show)
            if plan.problems:
                bar.stop()
                _refuse(plan, as_json)
            if dry_run or not (plan.changes or plan.members):
                bar.stop()
                _tell(plan, None, dry_run, as_json)
                return
            if not yes and not as_json and sys.stdin.isatty():
                bar.stop()
                _ask(plan)
            try:
                batch = apply_plan(register, plan, actor(), bar.show)
            except RegisterMovedError:
                continue  # somebody changed the register meanwhile: look again
            bar.stop()
            _tell(plan, batch, False, as_json)
            return
    from inventory.words import say

    print(say("Not written: the register is being changed all the time; try again"), file=sys.stderr)
    raise typer.Exit(1)


def _ask(plan: Any) -> None:
    from inventory.words import say

    counts = plan.counts
    question = say("{created} to be made, {updated} to be changed, {unchanged} as they are. Go on?", created=counts.created, updated=counts.updated, unchanged=counts.unchanged)  # fmt: skip
    if not typer.confirm(question, default=True):
        raise typer.Exit(1)


def _refuse(plan: Any, as_json: bool) -> None:
    from inventory.imports import render
    from inventory.words import say

    if as_json:
        print(json.dumps({**plan.as_dict(), "batch": None, "written": False}, ensure_ascii=False))
    else:
        for problem in plan.problems[:SHOWN]:
            print(render(problem), file=sys.stderr)
        if len(plan.problems) > SHOWN:
            print(say("... and {more} more; --json lists them all", more=len(plan.problems) - SHOWN), file=sys.stderr)
        print(say("{count} wrong; nothing was written.", count=len(plan.problems)), file=sys.stderr)
    raise typer.Exit(1)


def _tell(plan: Any, batch: int | None, dry_run: bool, as_json: bool) -> None:
    from inventory.words import say

    counts = {"created": plan.counts.created, "updated": plan.counts.updated, "unchanged": plan.counts.unchanged}
    if as_json:
        print(json.dumps({**plan.as_dict(), "batch": batch, "written": batch is not None}, ensure_ascii=False))
        return
    print(say("{created} made, {updated} changed, {unchanged} unchanged.", **counts))
    if dry_run:
        print(say("A dry run: nothing was written."))
    elif batch is not None:
        print(say("To take it back: edunet import undo {batch}", batch=batch))


class _Bar:
    """A progress bar on a terminal's stderr; nothing elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._progress: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "_Bar":
        if not self._quiet:
            from rich.console import Console
            from rich.progress import Progress

            self._progress = Progress(console=Console(stderr=True), transient=True)
            self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def show(self, phase: str, done: int, total: int) -> None:
        if self._progress is not None:
            from inventory.words import say

            words = {"read": say("reading"), "check": say("checking"), "write": say("writing")}
            if phase not in self._tasks:
                self._tasks[phase] = self._progress.add_task(words[phase], total=total)
            self._progress.update(self._tasks[phase], completed=done, total=total)

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
