"""Server time of the hub's pages over the seeded sub-district (123 compounds, 14 days), against the plainest answer."""

import random
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.table import Row
from hub.config import HubSettings, Located, Web
from hub.demo.district import Size, seed_district
from hub.demo.district.show import beat
from hub.registry import accounts
from hub.store import migrate, open_store
from hub.store.supervision import inspections, rectifications
from hub.web import create_app

PAGES = (
    "/", "/wall", "/trend", "/gate/c001g1", "/gate/c001g1/figures", "/gate/c001g1/stations", "/alerts", "/alerts/history",
    "/rectifications", "/rectifications?state=closed", "/tasks", "/inspect", "/inspections", "/notices", "/settings/stations",
    "/shifts", "/shifts/gate/c001g1", "/shifts/people", "/report", "/report/flags", "/registry",
    "/registry/compound/c001/holders", "/passes", "/passes/directory",
    "/people", "/people/audit", "/tokens",
)  # fmt: skip
PLAIN = "/language/zh"
TIMES = 7
AIM_SECONDS = 0.1
"""The aim for the median, on whatever machine this runs; no test asserts it."""


def run() -> list[Row]:
    """The median of each page, and how many times the plainest answer's it is."""
    with tempfile.TemporaryDirectory(dir="var") as folder:
        located = Located(HubSettings(web=Web(secure_cookies=False)), Path(folder).resolve())
        engine = open_store(f"sqlite:///{located.folder / 'hub.db'}")
        migrate(engine)
        seed_district(engine, located, Size())
        with engine.begin() as conn:
            accounts.add_account(conn, "bench", "bench", "admin")
        now = datetime.now(UTC)
        beat(engine, located, now, random.Random(0))
        clock = [now]
        client = create_app(located, engine, now=lambda: clock[0]).test_client()
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = "1 bench", True
        rows = _rows(client, clock, [*PAGES, *_dated(engine, now.astimezone(located.zone).date() - timedelta(days=1))])
        engine.dispose()
    return rows


def _dated(engine: sa.Engine, day: date) -> list[str]:
    """Pages of the day before, and of one of those that were told of most."""
    newest = sa.select(rectifications.c.id).order_by(rectifications.c.reopened.desc(), rectifications.c.opened_at.desc())
    with engine.connect() as conn:
        rectification = conn.scalar(newest.limit(1))
        inspection = conn.scalar(sa.select(inspections.c.id).order_by(inspections.c.sent_at.desc()).limit(1))
    return [f"/report?day={day}", f"/report?day={day}&span=week", f"/report/gate/c001g1/{day}", f"/shifts?day={day}",
            f"/rectifications/{rectification}", f"/inspections/{inspection}"]  # fmt: skip


def _rows(client: FlaskClient, clock: list[datetime], pages: list[str]) -> list[Row]:
    taken: dict[str, list[float]] = {path: [] for path in (PLAIN, *pages)}
    for _ in range(TIMES):
        clock[0] += timedelta(seconds=1)
        for path, times in taken.items():
            began = time.perf_counter()
            answer = client.get(path)
            times.append(time.perf_counter() - began)
            assert answer.status_code in (200, 303), (path, answer.status_code)
    plain = statistics.median(taken[PLAIN])
    return [_row(path, statistics.median(times), plain) for path, times in taken.items() if path != PLAIN]


def _row(path: str, seconds: float, plain: float) -> Row:
    note = f"median {1000 * seconds:.0f} ms, the plainest answer {1000 * plain:.1f} ms"
    return Row(
        figure=f"page {path}", target=None, measured=round(seconds / plain, 1), unit="×", met=seconds <= AIM_SECONDS, note=note
    )
