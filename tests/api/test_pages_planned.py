"""What switched off as usual is no red row: on the board it comes last, with its own sign, and says until when."""

import re
from datetime import timedelta
from pathlib import Path

from pages_web import keep_fresh, pages_web
from sqlmodel import select

from inventory.models import Incident, utcnow


def test_what_switched_off_as_usual_comes_last_with_its_own_sign(tmp_path: Path) -> None:
    with pages_web(tmp_path) as web:
        keep_fresh(web.register)
        with web.register.write() as session:
            row = session.exec(select(Incident).where(Incident.severity == "critical")).one()
            row.planned_until = utcnow() + timedelta(hours=3)
            number = row.id
        client = web.as_("admin")
        board = client.get("/").text
        order = re.findall(r'<a href="/incidents/(\d+)"', board.split('id="open-incidents"')[1].split("</table>")[0])
        assert order[-1] == str(number)
        assert "照例关闭" in board
        assert '<tr class="planned">' in board
        page = client.get(f"/incidents/{number}").text
        assert 'class="verdict s-planned_off"' in page
        assert "照例关闭" in page
        assert "计划关闭" in client.get("/incidents").text
        usual = client.get("/not-watched").text
        assert f'href="/incidents/{number}"' in usual
        with web.register.write() as session:
            session.get_one(Incident, number).planned_until = utcnow() - timedelta(minutes=1)
        assert "照例关闭" not in client.get("/").text
