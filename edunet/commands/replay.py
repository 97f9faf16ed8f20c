"""edunet replay: what the judge makes of a recorded trace."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collector.telling.rehearsal import Rehearsal


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def replay(
        trace: str = typer.Argument(..., help="The trace, JSON lines; `-` is standard input.", metavar="TRACE"),
        as_json: bool = typer.Option(False, "--json", help="A JSON line for each notice, and the summary last."),
        causes: bool = typer.Option(
            False, "--causes", help="Also a line whenever the word on an incident's cause changes."
        ),
        rules: str = typer.Option(
            "", "--rules", help="A TOML file of rules (docs/replay-rules.md): also what would have been sent to whom."
        ),
        speed: float = typer.Option(
            0.0,
            "--speed",
            min=0.0,
            help="Show it on the board at so many times its speed, until Ctrl-C; 0: print only.",
        ),
        listen: str = typer.Option("127.0.0.1:8001", "--listen", help="With --speed: where the pages are served."),
    ) -> None:
        """Run the judge over a recorded trace on virtual time: what would have been said, and when.

        A fault in the trace is named with its line, and ends with exit code 2. Examples: `edunet replay storm.jsonl --json`,
        `edunet replay storm.jsonl --speed 60` (prints an address that opens the board of the replay, which is labelled as one)
        """
        if speed:
            _show(trace, speed, listen)
            return
        from collector.causes.following import CauseFollower
        from collector.judge import Judge
        from collector.trace import TraceError, Watcher
        from collector.trace import replay as replayed

        rehearsal = _rehearsal(rules) if rules else None
        judge = rehearsal.judge if rehearsal is not None else Judge(follow=False)
        watchers: list[Watcher] = [CauseFollower()] if causes else []
        try:
            with _opened(trace) as lines:
                output = replayed(lines, judge, [*watchers, *([rehearsal] if rehearsal is not None else [])])
                output = rehearsal.follow(output) if rehearsal is not None else output
                _print_json(output) if as_json else _print_table(output)
        except (TraceError, OSError) as error:
            name = "standard input" if trace == "-" else trace
            print(f"edunet replay: {name}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
            raise typer.Exit(2) from None


def _show(trace: str, speed: float, listen: str) -> None:
    from collector.trace import TraceError
    from edunet.listen import TakenError
    from edunet.replaying import show
    from edunet.settings import Settings

    try:
        with _opened(trace) as lines:
            show(lines, speed, listen, Settings().timezone)
    except (TraceError, OSError, ValueError) as error:
        taken = isinstance(error, TakenError)
        word = (
            f"{listen} is taken: another program listens there" if taken else getattr(error, "strerror", None) or error
        )
        print(f"edunet replay: {word}", file=sys.stderr)
        raise typer.Exit(1 if taken else 2) from None


def _rehearsal(path: str) -> "Rehearsal":
    """A judge with the file's numbers, and what follows from its rules. A fault in the file ends with exit code 2."""
    from collector.judge import Judge
    from collector.telling.rehearsal import Rehearsal
    from collector.telling.rulebook import RulebookError, read_rulebook

    try:
        with open(path, encoding="utf-8") as file:
            book = read_rulebook(file.read())
    except (RulebookError, OSError, UnicodeDecodeError) as error:
        print(f"edunet replay: {path}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        raise typer.Exit(2) from None
    return Rehearsal(book, Judge(book.judge, follow=False))


@contextmanager
def _opened(trace: str) -> Iterator[Iterable[bytes]]:
    if trace == "-":
        yield sys.stdin.buffer
        return
    with open(trace, "rb") as file:
        yield file


def _print_json(output: Iterable[dict[str, Any]]) -> None:
    for line in output:
        print(json.dumps(line))


def _print_table(output: Iterable[dict[str, Any]]) -> None:
    """For people: a line for each notice, then the sums."""
    print(f"{'t':>10}  {'event':<9} {'incident':<9} {'affected':>8} {'schools':>8} {'pupils':>8}  what")
    for line in output:
        if line["kind"] == "summary":
            print(f"\n{line['incidents']} incidents, {line['notices']} notices{_messages(line)}")
            for key, title in (("down_seconds", "down"), ("unknown_seconds", "unknown")):
                total = sum(line[key].values())
                print(f"{title}: {len(line[key])} nodes, {total:g} s in all")
                for node, seconds in sorted(line[key].items(), key=lambda item: (-item[1], item[0]))[:10]:
                    print(f"{seconds:>10g}  {node}")
            continue
        if line["kind"] == "message":
            to = f"{line['outlet']} ({line['to']})" if line["to"] else line["outlet"]
            print(f"{line['t']:>10g}  message   → {to}")
            print("".join(f"{'':>12}  {row}\n" for row in line["text"].splitlines()), end="")
            continue
        if line["kind"] == "cause":
            kinds = ", ".join(piece["kind"] for piece in line["evidence"]) or "nothing known"
            print(
                f"{line['t']:>10g}  cause     {line['incident']:<9} {line['cause']} ({line['confidence']:.0%}): {kinds}"
            )
            continue
        print(
            f"{line['t']:>10g}  {line['event']:<9} {line['incident']:<9} {line['affected']:>8} {line['schools']:>8}"
            f" {line['pupils']:>8}  {_what(line)}"
        )


def _messages(summary: dict[str, Any]) -> str:
    return f", {summary['messages']} messages" if "messages" in summary else ""


def _what(line: dict[str, Any]) -> str:
    cluster = line["cluster"]
    words = [f"{cluster['by']} {cluster['value']}" if cluster else str(line["root"])]
    if line["possible"]:
        words.append(f"(or {', '.join(line['possible'])})")
    if line["flapping"]:
        words.append("flapping")
    if line["merged_into"]:
        words.append(f"merged into {line['merged_into']}")
    return " ".join(words)
