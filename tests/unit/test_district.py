"""The seeded sub-district: what it tells is what the rules say, and the same seed tells the same."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub import audit, rectifications, status
from hub.config import HubSettings, Located
from hub.demo.district import Size, seed_district
from hub.demo.district.show import beat
from hub.registry import accounts, passes
from hub.rules.compliance import Status
from hub.store import migrate, open_store, supervision
from hub.store.tables import events, intervals

NOON = datetime(2022, 4, 1, 4, tzinfo=UTC)
SMALL = Size(compounds=6, holders=120, days=2, entries_a_day=20)


def seeded(folder: Path, name: str = "hub.db") -> tuple[sa.Engine, Located, dict[str, int]]:
    engine, located = open_store(f"sqlite:///{folder / name}"), Located(HubSettings(), folder)
    migrate(engine)
    return engine, located, seed_district(engine, located, SMALL, now=NOON)


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> tuple[sa.Engine, Located, dict[str, int]]:
    return seeded(tmp_path_factory.mktemp("district"))


def test_every_gate_has_a_past_without_gap_or_overlap(district: Any) -> None:
    engine, _, made = district
    with engine.connect() as conn:
        rows = conn.execute(sa.select(intervals).order_by(intervals.c.gate, intervals.c.what, intervals.c.began_at)).all()
    by: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        by.setdefault((row.gate, row.what), []).append(row)
    assert len(by) == made["gates"] * 6
    for told in by.values():
        assert told[0].began_at <= NOON - timedelta(days=2)
        assert told[-1].ended_at is None
        assert all(a.ended_at == b.began_at for a, b in pairwise(told))


def test_now_is_what_the_intervals_say(district: Any) -> None:
    engine, located, _ = district
    beat(engine, located, NOON, random.Random(0))
    seen = status.overview(engine, located.lifetimes, NOON, zone=located.zone)
    with engine.connect() as conn:
        open_ = conn.execute(
            sa.select(intervals.c.gate, intervals.c.state).where(intervals.c.what == "status", intervals.c.ended_at.is_(None))
        )
        told = dict(tuple(row) for row in open_)
    assert {gate.gate: gate.status.value for gate in seen.gates} == told
    assert Counter(gate.status for gate in seen.gates)[Status.COMPLIANT] > len(seen.gates) / 3


def test_entries_are_read_as_any_others(district: Any) -> None:
    engine, _, made = district
    with engine.connect() as conn:
        gate = conn.scalar(sa.select(events.c.gate).where(events.c.kind == "entry").limit(1))
        assert conn.scalar(sa.select(sa.func.count()).select_from(events)) == made["events"]
    rows = status.gate_entries(engine, gate, 500)
    assert len(rows) > 5
    assert all(NOON - timedelta(days=2) <= row.at < NOON for row in rows)


def test_what_people_did_has_the_times_of_those_days(district: Any) -> None:
    engine, _, made = district
    begins = NOON - timedelta(days=2)
    with engine.connect() as conn:
        for column in (
            supervision.inspections.c.sent_at, supervision.rectifications.c.opened_at, supervision.rectifications.c.closed_at,
            supervision.rectification_steps.c.at, supervision.alerts.c.first_at, supervision.alerts.c.acknowledged_at,
            supervision.tasks.c.made_at, supervision.audit.c.at,
        ):  # fmt: skip
            times = [at for at in conn.scalars(sa.select(column)) if at is not None]
            assert times, column
            assert all(begins <= at <= NOON for at in times), column
        assert not list(audit.broken(conn))
    assert made["inspections"] > 0


def test_rectifications_go_by_the_rules(district: Any) -> None:
    engine, _, _ = district
    known, deadlines = supervision.rectifications.c, rectifications.DEADLINES
    with engine.connect() as conn:
        rows = conn.execute(sa.select(supervision.rectifications)).all()
        steps = conn.execute(sa.select(supervision.rectification_steps).order_by(supervision.rectification_steps.c.id)).all()
        unseen = conn.scalar(sa.select(sa.func.count()).where(known.closed_by == "evidence", known.cause == "finding"))
    assert any(row.cause == "missing" for row in rows)
    for row in rows:
        mine = [step for step in steps if step.rectification == row.id]
        assert [step.at for step in mine] == sorted(step.at for step in mine)
        assert mine[0].step == "opened"
        assert mine[0].at == row.opened_at
        if row.cause == "missing":
            assert row.opened_at - row.missing_since >= deadlines.open_after
    assert unseen == 0


def test_nobody_passes_a_closed_gate_unless_it_is_told_as_an_alert(district: Any) -> None:
    engine, located, _ = district
    beat(engine, located, NOON, random.Random(0))
    seen = status.overview(engine, located.lifetimes, NOON, zone=located.zone)
    with engine.connect() as conn:
        alerts = supervision.alerts.c
        told = set(conn.scalars(sa.select(alerts.gate).where(alerts.kind == "closed_passed", alerts.ended_at.is_(None))))
    assert {gate.gate for gate in seen.gates if gate.passed is not None} == told


def test_there_are_accounts_of_every_scope(district: Any) -> None:
    engine, _, _ = district
    with engine.connect() as conn:
        kinds = {scope.kind for account in accounts.list_accounts(conn) for scope in account.scopes}
        assert len(passes.list_passes(conn)) == SMALL.holders + 20 * SMALL.compounds
    assert kinds == {"all", "area", "compound"}


def test_the_same_seed_tells_the_same(district: Any, tmp_path: Path) -> None:
    again, _, made = seeded(tmp_path)
    assert made == district[2]
    with again.connect() as conn, district[0].connect() as other:
        query = sa.select(events.c.at, events.c.kind).order_by(events.c.journal, events.c.seq)
        assert conn.execute(query).all() == other.execute(query).all()
