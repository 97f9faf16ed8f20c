"""Causes of outages, who is accountable for them, and the evidence that speaks for or against them: the words, in both languages.

What follows from evidence is decided in `collector/causes/`; here is what it is called, for pages, messages and calls.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from inventory.words import Language, say

UNDETERMINED = "undetermined"


def _Text(text: str) -> str:
    """Marks a text for the catalogue (a test collects them)."""
    return text


CAUSES = {
    UNDETERMINED: _Text("undetermined"),
    "line": _Text("line"),
    "power": _Text("power"),
    "upstream": _Text("upstream network"),
    "device": _Text("device"),
    "school": _Text("switched off by the school"),
    "planned": _Text("planned work"),
    "agent": _Text("SNMP agent"),
}
"""cause: what it is called. Undetermined is the default."""

ACCOUNTABLE = {
    "": _Text("nobody yet"),
    "carrier": _Text("carrier"),
    "power": _Text("power supply"),
    "school": _Text("school"),
    "province": _Text("province"),
    "planned": _Text("planned"),
}
"""accountable: what it is called. Empty: not decided."""

RULES = {
    "line_other_way": _Text("The line is down while the school answers by another way"),
    "line_end": _Text("The line's port went down while its school had power"),
    "line_group": _Text("Several lines of one carrier failed together"),
    "power": _Text("The school lost its power"),
    "upstream": _Text("A network device above the school failed"),
    "device": _Text("The device itself failed"),
    "school": _Text("The school switches off at this time"),
    "planned": _Text("The outage lies in a maintenance window"),
    "agent": _Text("The device answers, its SNMP agent does not"),
}
"""Names of `cause_rule`: what each concludes."""

EVIDENCE = {
    "maintenance": _Text("A maintenance window covers {name}."),
    "habit": _Text("{name} is known to switch off at this time."),
    "other_way": _Text("{name} is down while its school answers by another way."),
    "far_port_down": _Text("The port of the far end ({port} of {name}) is down."),
    "far_port_up": _Text("The port of the far end ({port} of {name}) is still up."),
    "near_port_down": _Text("The school's gateway answers and says that its port {port} is down."),
    "link_down_trap": _Text("{name} sent a linkDown trap."),
    "start_trap": _Text("{name} sent a start trap ({trap}): it had been off or was restarted."),
    "restarted": _Text("sysUpTime of {name} began again during the outage: it had lost power or was restarted."),
    "ran_on": _Text("{name} ran on through the outage: its sysUpTime goes on from before."),
    "ups_on_battery": _Text("The UPS {name} went on battery before the outage."),
    "ups_on_mains": _Text("The UPS {name} reported mains power before the outage."),
    "site_answers": _Text("{count} other devices of the school answer by another way."),
    "site_silent": _Text("{count} other devices of the school, reached by another way, fell silent too."),
    "same_operator": _Text("{count} lines or gateways of the carrier {value} fell silent within a minute."),
    "same_region": _Text("{count} gateways of one region fell silent within a minute."),
    "same_upstream": _Text("{count} gateways under one upstream, which answers, fell silent within a minute."),
    "same_model": _Text("{count} devices of the model {value} fell silent within a minute."),
    "network_device": _Text("{name} is a network device above schools, and what it carries fell silent with it."),
    "agent_silent": _Text("{name} answers ping, its SNMP agent does not."),
}
"""kind of evidence: its sentence. {name} and the other values are in its `data`."""

Side = Literal["for", "against", "neither"]


class Said(NamedTuple):
    """One sentence of evidence. side: whether it speaks for or against the cause that was asked about. at: seconds since the epoch."""

    text: str
    side: Side
    at: float | None = None


def evidence_sentences(
    evidence: Iterable[Mapping[str, Any]], lang: Language | None = None, cause: str = UNDETERMINED
) -> list[Said]:
    """A sentence for each piece of evidence (`incident.cause_evidence`), with its side in regard of `cause`.

    Evidence that this version does not know is passed over.
    """
    said = []
    for piece in evidence:
        text = EVIDENCE.get(str(piece.get("kind")))
        if text is None:
            continue
        data = {key: str(value) for key, value in (piece.get("data") or {}).items()}
        values = {"name": "", "port": "", "trap": "", "count": "", "value": "", **data}
        at = piece.get("at")
        said.append(Said(say(text, lang, **values), _side(piece, cause), at if isinstance(at, int | float) else None))
    return said


def _side(piece: Mapping[str, Any], cause: str) -> Side:
    if cause in (piece.get("for") or ()):
        return "for"
    return "against" if cause in (piece.get("against") or ()) else "neither"


def cause_name(cause: str, lang: Language | None = None) -> str:
    """What a cause is called; one that is not known, as it is."""
    return say(CAUSES.get(cause, cause), lang)


def accountable_name(accountable: str, lang: Language | None = None) -> str:
    """What an accountable party is called."""
    return say(ACCOUNTABLE.get(accountable, accountable), lang)
