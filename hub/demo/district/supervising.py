"""Inspections of the seeded sub-district by the five methods, and what is put right: answered, looked at again, closed or not."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from contract.events import Direction, Entry, Outcome
from contract.five import Item
from hub import acting, inspections, pictures, rectifications
from hub.demo.district.agenda import Agenda
from hub.demo.district.incidents import on_duty
from hub.demo.district.photos import drawn_gate
from hub.demo.district.places import Gate
from hub.demo.district.words import ANSWERS, BAD, CONDUCT, GOOD, HELD, MENDED, OUTPLAYED, STILL
from hub.registry.errors import RegistryError
from hub.rules.acting import Kind, Said, attempt
from hub.rules.compliance import is_open
from hub.rules.inspection import Look, Method, Sheet
from hub.rules.rectify import CONDUCT as BEHAVIOUR
from hub.rules.rectify import Changed, Rectification, State, Step
from hub.store.supervision import rectifications as table

_GATES = 300
_A_DAY = {Method.ROUNDS: (15.0, 7, 19), Method.OFF_PEAK: (6.0, 20, 29), Method.CROSS: (5.0, 9, 17), Method.ACTOR: (2.0, 9, 18)}
"""Inspections in 300 gates a day, from which hour until which, the night counted on."""
_ANSWER = "answer"
"""The kind of an answer's photo."""
_PLAYED = {Kind.EXPIRED: "expired", Kind.ELSEWHERE: "other_compound"}
"""What an actor shows, and why a gate that keeps its rule turns it away."""


class Supervising:
    """Whoever looks at gates, and whoever puts right what was found."""

    def __init__(self, agenda: Agenda, days: int) -> None:
        self._agenda, self._telling, self._conn = agenda, agenda.telling, agenda.conn
        gates = list(agenda.gates.values())
        for day in range(days + 1):
            rng = agenda.chance("inspections", day)
            for method, (a_day, first, last) in _A_DAY.items():
                for _ in range(int(a_day * len(gates) / _GATES + rng.random())):
                    at = agenda.midnight(day) + timedelta(seconds=rng.randrange(first * 3600, last * 3600))
                    does = self._act if method is Method.ACTOR else partial(self._inspect, method=method)
                    agenda.at(at, partial(does, gate=rng.choice(gates)))

    def follow(self, changed: Sequence[Changed]) -> None:
        """What the hub has opened or escalated by itself is seen to."""
        for one in changed:
            known, rng = one.after, self._agenda.chance(one.after.gate, one.after.item, one.at, one.step)
            if one.step is Step.OPENED and rng.random() < 0.5:
                self._agenda.at(self._agenda.awake(rng, one.at, 25), partial(self._answer, id=known.id))
            elif one.step is Step.ESCALATED and known.needs_recheck and rng.random() < 0.9:
                self._agenda.at(self._agenda.awake(rng, one.at, 150), partial(self._look_again, id=known.id))

    def _inspect(self, at: datetime, gate: Gate, method: Method) -> None:
        seen, rng = at - timedelta(minutes=4), self._agenda.chance("inspect", gate.id, at)
        if not self._is_open(gate, seen):
            return
        missing = self._missing(gate, seen, rng.choice((Item.DESK, Item.REGISTER, Item.PASSES)) if rng.random() < 0.12 else None)
        conduct = None if rng.random() < 0.1 else Item.VOLUNTEER not in missing and rng.random() > 0.1
        looks = {item: Look(present=item not in missing, note=rng.choice(BAD[item]) if item in missing else "") for item in Item}
        note = rng.choice(CONDUCT) if conduct is False else rng.choice(GOOD) if conduct and rng.random() < 0.3 else ""
        sheet = Sheet(id=_hex(rng), gate=gate.id, method=method, observed_at=seen, looks=looks, conduct=conduct, note=note)
        self._send(sheet, self._agenda.inspector(rng, gate, other=method is Method.CROSS), at)

    def _act(self, at: datetime, gate: Gate) -> None:
        """演员查: a pass that does not do is shown at the gate, and what became of it sent a quarter of an hour later."""
        rng, post = self._agenda.chance("actor", gate.id, at), self._telling.posts[gate.id]
        shown = at + timedelta(minutes=8, seconds=rng.randrange(120))
        if not self._is_open(gate, shown) or shown >= self._telling.now:
            return
        by, kind = self._agenda.inspector(rng, gate), rng.choice(list(_PLAYED))
        made = acting.prepare(self._conn, self._telling.located, gate.id, kind, by, at)
        self._agenda.note(by, at, "issue", "actor_pass", made.id, gate=gate.id, what=kind.value)
        lax = rng.random() < 0.25
        outcome, reasons = (Outcome.ADMIT, ()) if lax else (Outcome.REFUSE, (_PLAYED[kind],))
        post.push(shown, Entry(direction=Direction.IN, outcome=outcome, reasons=reasons, pass_id=made.id, pass_kind="resident",
                               directory_version=2, by=on_duty(post, shown) if lax else None))  # fmt: skip
        tried = attempt(kind, made.id, shown, 5, Said.IN if lax else Said.STOPPED)
        sheet = Sheet(id=_hex(rng), gate=gate.id, method=Method.ACTOR, observed_at=shown, looks={}, conduct=not lax,
                      note=OUTPLAYED if lax else HELD, actor=tried)  # fmt: skip
        self._agenda.at(shown + timedelta(minutes=rng.randint(20, 40)), lambda when: self._send(sheet, by, when))

    def _send(self, sheet: Sheet, by: str, at: datetime) -> None:
        rng, bad = random.Random(sheet.id), sheet.conduct is False or any(not look.present for look in sheet.looks.values())
        photos = [drawn_gate(rng, book=not bad)] if rng.random() < (0.6 if bad else 0.15) else []
        self._telling.until(at, sheet.gate)
        inspections.send(self._conn, sheet, by, at, photos)
        self._agenda.note(by, at, "send", "inspection", sheet.id, gate=sheet.gate, method=sheet.method.value)
        self._telling.inspected(sheet.gate, at)
        mine = sa.select(table.c.id).where(table.c.inspection == sheet.id, table.c.state != State.CLOSED.value)
        for id in self._conn.scalars(mine.order_by(table.c.item)).all():
            self._put_right(id, at)

    def _put_right(self, id: str, at: datetime) -> None:
        """What somebody found is answered by its owner, mostly, and looked at again, mostly in time."""
        known = self._require_open(id)
        rng = self._agenda.chance("put right", known.gate, known.item, at)
        answered = self._agenda.awake(rng, at, 60)
        if rng.random() < 0.85:
            self._agenda.at(answered, partial(self._answer, id=id))
        if rng.random() < 0.85:
            self._agenda.at(self._agenda.awake(rng, answered, 100), partial(self._look_again, id=id))

    def _answer(self, at: datetime, id: str) -> None:
        known = self._require_open(id)
        gate, rng = self._agenda.gates[known.gate], self._agenda.chance("answer", known.gate, known.item, at)
        by = known.owner or self._agenda.supervisor(gate)
        if known.owner is None:
            rectifications.assign(self._conn, id, by, known.due_at, by, at)
            self._agenda.note(by, at, "assign", "rectification", id, gate=gate.id, item=known.item, owner=by)
        photo = rng.random() < 0.25
        kept = pictures.put(self._conn, _ANSWER, id, [drawn_gate(rng, book=True)] if photo else [], at, by)
        rectifications.answer(self._conn, id, rng.choice(ANSWERS[known.item]), by, at, picture=kept[0] if kept else None)
        self._agenda.note(by, at, "answer", "rectification", id, gate=gate.id, item=known.item, photo=photo)

    def _look_again(self, at: datetime, id: str) -> None:
        """回头查. What the station itself still says is missing is not put right."""
        known = self._require_open(id)
        gate, rng = self._agenda.gates[known.gate], self._agenda.chance("again", known.gate, known.item, at)
        if not self._is_open(gate, at):
            self._agenda.at(self._agenda.awake(rng, at, 90), partial(self._look_again, id=id))
            return
        lacks = known.item != BEHAVIOUR and Item(known.item) in self._missing(gate, at)
        good = not lacks and rng.random() < 0.7
        looks = (
            {} if known.item == BEHAVIOUR else {Item(known.item): Look(present=good, note=rng.choice(MENDED if good else STILL))}
        )
        note = rng.choice(MENDED if good else STILL) if good or known.item == BEHAVIOUR else ""
        sheet = Sheet(id=_hex(rng), gate=gate.id, method=Method.RECHECK, observed_at=at, looks=looks, rechecks=id,
                      conduct=good if known.item == BEHAVIOUR else None, note=note)  # fmt: skip
        self._send(sheet, self._agenda.inspector(rng, gate), at)
        if not good:
            self._put_right(id, at)

    def _require_open(self, id: str) -> Rectification:
        """Raises `RegistryError`: there is nothing left to do."""
        found = rectifications.one(self._conn, id)
        if found is None or found.row.rectification.state is State.CLOSED:
            raise RegistryError(f"rectification {id[:64]!r} is closed already")
        return found.row.rectification

    def _missing(self, gate: Gate, at: datetime, besides: Item | None = None) -> set[Item]:
        story = self._telling.posts[gate.id].story
        return {item for item in Item if story.lacks(item, at) or item is besides}

    def _is_open(self, gate: Gate, at: datetime) -> bool:
        silent = self._telling.posts[gate.id].story.is_silent(at)
        return at > self._telling.begins and not silent and is_open(gate.schedule, at.astimezone(self._telling.zone))


def _hex(rng: random.Random) -> str:
    return f"{rng.getrandbits(128):032x}"
