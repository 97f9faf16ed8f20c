"""Alertmanager, API v2: one alert for each incident, posted again before it ends there, ended when the incident is resolved."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from inventory.measures import say_measures

ALERT = "EdunetOutage"
"""`alertname` of every incident; `kind` tells outages from silent agents."""

SOURCE = "edunet"
"""`source` of every alert of the judge, by which routes tell it from Prometheus's own."""


class Alertmanager:
    """Posts alerts. `send` raises httpx.HTTPError where they did not arrive."""

    name = "alertmanager"

    def __init__(self, url: str, resend_s: float, page_url: str = "", timeout_s: float = 5.0) -> None:
        """resend_s: how often open ones are posted again; an alert ends there after four times that."""
        self.url, self.page_url = url.rstrip("/"), page_url.rstrip("/")
        self.lasting = timedelta(seconds=4 * resend_s)
        # No proxy from the environment: an Alertmanager stands in the own network.
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)

    def send(self, incidents: list[Mapping[str, Any]], now: datetime) -> None:
        """Post these incidents as they are."""
        if not incidents:
            return
        alerts = [alert(incident, now, self.lasting, self.page_url) for incident in incidents]
        self._client.post(f"{self.url}/api/v2/alerts", json=alerts).raise_for_status()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def alert(incident: Mapping[str, Any], now: datetime, lasting: timedelta, page_url: str = "") -> dict[str, Any]:
    """One incident (a row of `incident`, with `region` and `root_node` added) as an alert.

    Labels are an alert's identity: only what never changes in an incident's life. Severity, root, region and figures, which
    change as it grows, are annotations.
    """
    resolved = incident["status"] in ("resolved", "merged")
    ends = (incident["resolved_at"] or now) if resolved else now + lasting
    labels = {"alertname": ALERT, "source": SOURCE, "incident": str(incident["id"]), "kind": incident["kind"]}
    chinese, english = summaries(incident)
    link = f"{page_url}/incidents/{incident['id']}" if page_url else ""
    found: dict[str, Any] = {
        "labels": labels,
        "annotations": {
            "summary": chinese,
            "summary_en": english,
            "severity": incident["severity"],
            "root": incident["root_node"],
            "region": incident["region"],
            "affected": str(incident["affected"]),
            "schools": str(incident["schools"]),
            "pupils": str(incident["pupils"]),
        },
        "startsAt": _stamp(incident["from_at"]),
        "endsAt": _stamp(ends),
    }
    if link:
        found["generatorURL"] = link
    return found


def summaries(incident: Mapping[str, Any]) -> tuple[str, str]:
    """What happened, in one sentence each in Chinese and English, that suffices without a link."""
    name, schools, pupils = incident["root_name"] or "?", incident["schools"], incident["pupils"]
    resolved = incident["status"] in ("resolved", "merged")
    if incident["kind"] == "agent_silent":
        return (
            f"{name}:SNMP {'已恢复应答' if resolved else '无应答,但 ping 正常'}",
            f"{name}: SNMP {'answers again' if resolved else 'is silent while ping answers'}",
        )
    if incident["kind"] == "degraded":
        wrong = say_measures(incident["evidence"] or {})
        return (
            f"{name}:{'劣化已恢复' if resolved else wrong[0] or '劣化'}",
            f"{name}: {'no longer degraded' if resolved else wrong[1] or 'degraded'}",
        )
    flapping = ",反复抖动" if incident["flapping"] else "", ", flapping" if incident["flapping"] else ""
    if resolved:
        return f"{name} 已恢复", f"{name} has recovered"
    return (
        f"{name} 断网{flapping[0]}:影响学校 {schools} 所、学生 {pupils} 人、设备 {incident['affected']} 台",
        f"{name} is down{flapping[1]}: {schools} schools, {pupils} pupils, {incident['affected']} devices cut off",
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
