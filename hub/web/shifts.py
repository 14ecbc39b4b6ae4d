"""The pages of the rota and hours on duty: today by gate, a gate's week, everybody's hours."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from hub import rota
from hub import shifts as duty
from hub.rights import Action, within
from hub.rules import rota as weeks
from hub.rules import shifts as rules
from hub.rules.compliance import Place
from hub.store import meta
from hub.store.gates import load_places
from hub.store.writing import writing
from hub.web import shift_lines
from hub.web.errors import UnknownGate
from hub.web.guard import allowed, needs, noted, reach
from hub.web.site import language, site
from hub.web.texts import text

PAGE, PEOPLE = 25, 60
"""Gates and people on one page."""
SHOWN = 200
"""Lines of who was on duty at a gate in a week."""
REMARKS = 12
"""Lines of people over their hours, on the page of the day."""
USUAL = "06:00-10:00 10:00-14:00 14:00-18:00 18:00-22:00"
GONE = "-"
"""The choice that takes a shift out of the rota."""
_FARTHEST = timedelta(days=400)

shifts = Blueprint("shifts", __name__)


class PatternForm(FlaskForm):  # type: ignore[misc]
    """A day's shifts; the days come as checkboxes named `day`."""

    pattern = StringField()


@shifts.get("/shifts")
@needs(Action.VIEW)
def today() -> ResponseReturnValue:
    """A day, by gate: planned against real, gaps first, and who is over their hours."""
    now, zone = site().now(), site().located.zone
    day = _day("day")
    begins, ends = weeks.moment(day, 0, zone), weeks.moment(day, shift_lines.MINUTES, zone)
    until = max(min(now, ends), begins)
    with site().engine.connect() as conn:
        places = duty.places(conn, reach())
        spans = duty.duty(conn, reach(), begins - rules.DAY, until) if begins <= now else []
        judged = duty.judged(conn, reach(), begins, ends, now, spans)
        over = rules.over_hours(spans, duty.limits(conn, places), until, begins)
        twice = [one for one in rules.at_two_gates(spans) if one.ends > begins][:REMARKS]
        rows = shift_lines.gate_rows(places, judged, spans, begins, until)
        only = request.args.get("show", "")
        found = [row for row in rows if row.gaps] if only == "gaps" else rows
        page, pages = _paged(len(found), PAGE)
        shown = found[page * PAGE : (page + 1) * PAGE]
        told = {*(one.badge for one in over[:REMARKS]), *(one.badge for one in twice)}
        names = duty.names(conn, told.union(*(row.badges for row in shown)))
    by_gate = {place.gate: place for place in places}
    return render_template(
        "shifts/today.html", rows=[replace(row, names=names) for row in shown], counts=shift_lines.counts(rows), only=only,
        day=day, is_today=day == _local(now), page=page, pages=pages, without=len(places) - len([r for r in rows if r.judged]),
        over=duty.told_over(over[:REMARKS], names, by_gate), twice=twice, names=names, places=by_gate, hours=hours,
        now_x=(now - begins).total_seconds() / 60, before=day - timedelta(days=1), after=day + timedelta(days=1),
        may=allowed(Action.ROTA),
    )  # fmt: skip


@shifts.get("/shifts/gate/<gate>")
@needs(Action.VIEW)
def gate(gate: str) -> ResponseReturnValue:
    """A gate's week."""
    return _week(_gate(gate), _day("week"))


@shifts.post("/shifts/gate/<gate>/plan")
@needs(Action.ROTA)
def plan(gate: str) -> ResponseReturnValue:
    """Put a pattern's shifts into the days of a week."""
    place, monday, form = _gate(gate), weeks.monday(_day("week")), PatternForm()
    chosen = sorted({int(n) for n in request.form.getlist("day") if n in set("0123456")})
    try:
        pattern = weeks.parse(form.pattern.data or "")
    except weeks.BadPattern as error:
        return _week(place, monday, form=form, problems={"pattern": _said(error.why, error.word)}, chosen=chosen)
    if not chosen:
        return _week(place, monday, form=form, problems={"days": _said("days")}, chosen=chosen)
    days = [monday + timedelta(days=n) for n in chosen]
    with writing(site().engine) as conn:
        added = rota.plan(conn, gate, weeks.lay(pattern, days, site().located.zone), current_user.id, site().now())
        if added:
            noted(conn, "plan", "rota", gate, week=monday.isoformat(), added=added, pattern=weeks.written(pattern))
            meta.bump(conn)
    return _back(gate, monday, "planned" if added else "nothing", added)


@shifts.post("/shifts/gate/<gate>/copy")
@needs(Action.ROTA)
def copy(gate: str) -> ResponseReturnValue:
    """Put last week's shifts into this one."""
    place, monday = _gate(gate), weeks.monday(_day("week"))
    try:
        with writing(site().engine) as conn:
            copied = rota.copy_week(conn, gate, monday, current_user.id, site().now(), site().located.zone)
            if copied.added:
                noted(conn, "copy", "rota", gate, week=monday.isoformat(), added=copied.added, emptied=copied.emptied)
                meta.bump(conn)
    except rota.RotaError as error:
        return _week(place, monday, problems={"copy": _said(error.why)})
    said = "nothing" if not copied.added else "emptied" if copied.emptied else "planned"
    return _back(gate, monday, said, copied.added, copied.emptied)


@shifts.post("/shifts/gate/<gate>/badges")
@needs(Action.ROTA)
def badges(gate: str) -> ResponseReturnValue:
    """Put badges on the shifts of a week, or take shifts out: all that was chosen or nothing."""
    place, monday = _gate(gate), weeks.monday(_day("week"))
    wanted = {
        name.removeprefix("badge-"): value
        for name, value in request.form.items()
        if name.startswith("badge-") and value != request.form.get("was-" + name.removeprefix("badge-"), "")
    }
    try:
        with writing(site().engine) as conn:
            _apply(conn, gate, wanted)
    except _Refused as refused:
        return _week(place, monday, problems=refused.problems, wanted=wanted)
    return _back(gate, monday, "saved" if wanted else "nothing", len(wanted))


@shifts.get("/shifts/people")
@needs(Action.ROTA)
def people() -> ResponseReturnValue:
    """Everybody's hours in a week, by badge."""
    now, zone, monday = site().now(), site().located.zone, weeks.monday(_day("week"))
    begins, ends = weeks.moment(monday, 0, zone), weeks.moment(monday + timedelta(days=7), 0, zone)
    until = max(min(now, ends), begins)
    with writing(site().engine) as conn:
        places = duty.places(conn, reach())
        spans = duty.duty(conn, reach(), begins - rules.DAY, until) if begins <= now else []
        over = rules.over_hours(spans, duty.limits(conn, places), until, begins)
        names = duty.names(conn, {span.badge for span in spans})
        noted(conn, "look", "hours", monday.isoformat(), people=len(names))
    twice = [one for one in rules.at_two_gates(spans) if one.ends > begins]
    by_gate = {place.gate: place for place in places}
    lines = shift_lines.person_lines(spans, over, twice, names, by_gate, monday, zone, until)
    page, pages = _paged(len(lines), PEOPLE)
    return render_template(
        "shifts/people.html", lines=lines[page * PEOPLE : (page + 1) * PEOPLE], total=len(lines), page=page, pages=pages,
        monday=monday, days=weeks.week(monday), is_now=weeks.monday(_local(now)) == monday, places=by_gate, hours=hours,
        before=monday - timedelta(days=7), after=monday + timedelta(days=7), today=_local(now),
    )  # fmt: skip


def hours(seconds: float) -> str:
    """7.5, in hours."""
    return f"{seconds / 3600:.1f}"


class _Refused(Exception):
    """Some shifts can't be as they were chosen; nothing is."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__()
        self.problems = problems


def _apply(conn: sa.Connection, gate: str, wanted: Mapping[str, str]) -> None:
    """First everybody off the shifts that change, so that two can swap; then who was chosen."""
    now, problems = site().now(), {}
    steps: list[tuple[str, str | None]] = [(id, None) for id in wanted] + [(id, badge) for id, badge in wanted.items() if badge]
    for id, badge in steps:
        if id in problems:
            continue
        try:
            planned = rota.remove(conn, id, now) if badge == GONE else rota.assign(conn, id, badge, now)
            if planned.gate != gate:
                raise rota.RotaError("gone", f"shift {id[:40]!r} is not one of {gate}")
        except rota.RotaError as error:
            problems[id] = _said(error.why)
    if problems:
        raise _Refused(problems)
    for id, badge in wanted.items():
        noted(conn, "remove" if badge == GONE else "assign", "shift", id, gate=gate, badge="" if badge == GONE else badge)
    if wanted:
        meta.bump(conn)


def _week(
    place: Place, day: date, *, form: PatternForm | None = None, problems: Mapping[str, str] | None = None,
    wanted: Mapping[str, str] | None = None, chosen: list[int] | None = None,
) -> ResponseReturnValue:  # fmt: skip
    now, zone, monday = site().now(), site().located.zone, weeks.monday(day)
    begins, ends = weeks.moment(monday, 0, zone), weeks.moment(monday + timedelta(days=7), 0, zone)
    with site().engine.connect() as conn:
        spans = duty.duty(conn, None, begins, max(min(now, ends), begins), place.gate) if begins <= now else []
        judged = [one for one in duty.judged(conn, None, begins, ends, now, spans, place.gate) if one.planned.begins >= begins]
        choice = rota.badges(conn, place.gate, max(now, begins))
        names = duty.names(conn, {*(s.badge for s in spans), *(j.planned.badge for j in judged if j.planned.badge)})
    lines = [shift_lines.shift_line(one, names, now) for one in judged]
    days = [(one, [line for line in lines if line.begins.astimezone(zone).date() == one]) for one in weeks.week(monday)]
    if form is None:
        form = PatternForm(formdata=None, pattern=_pattern(lines))
    page = render_template(
        "shifts/gate.html", place=place, days=days, monday=monday, choice=choice, form=form, problems=problems or {},
        wanted=wanted or {}, chosen=range(7) if chosen is None else chosen, may=allowed(Action.ROTA), gone=GONE, hours=hours,
        duty=[shift_lines.duty_line(span, names, min(now, ends)) for span in reversed(spans)][:SHOWN], today=_local(now),
        before=monday - timedelta(days=7), after=monday + timedelta(days=7), said=_done(),
        is_now=weeks.monday(_local(now)) == monday, over=ends <= now,
    )  # fmt: skip
    return page, 400 if problems else 200


def _pattern(lines: list[shift_lines.ShiftLine]) -> str:
    """The pattern of the week's first day that has shifts, to be used again; else the usual one."""
    zone = site().located.zone
    first = [line for line in lines if line.begins.astimezone(zone).date() == lines[0].begins.astimezone(zone).date()]
    return " ".join("-".join(f"{at.astimezone(zone):%H:%M}" for at in (line.begins, line.ends)) for line in first) or USUAL


def _gate(gate: str) -> Place:
    with site().engine.connect() as conn:
        found = load_places(conn, [gate])
    if not found or not within(reach(), found[0].compound):
        raise UnknownGate(gate)
    return found[0]


def _local(at: datetime) -> date:
    return at.astimezone(site().located.zone).date()


def _day(name: str) -> date:
    """The day that was asked for; what isn't one, or is years away, is today."""
    today = _local(site().now())
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return today
    return found if abs(found - today) <= _FARTHEST else today


def _paged(total: int, size: int) -> tuple[int, int]:
    pages = max(-(-total // size), 1)
    return min(max(request.args.get("page", 1, int), 1), pages) - 1, pages


def _said(why: str, word: str = "") -> str:
    return text(language(), f"shifts.error.{why}", word=word)


_DONE = ("planned", "emptied", "saved", "nothing")


def _back(gate: str, monday: date, said: str, n: int, m: int = 0) -> ResponseReturnValue:
    return redirect(url_for("shifts.gate", gate=gate, week=monday.isoformat(), said=said, n=n, m=m), 303)


def _done() -> str:
    """What the form before this page did, in words."""
    said = request.args.get("said", "")
    counted: dict[str, Any] = {name: request.args.get(name, 0, int) for name in ("n", "m")}
    return text(language(), f"shifts.done.{said}", **counted) if said in _DONE else ""
