"""The pages of the daily report and evidence pages."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock

import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from hub import evidencing, flagging, report_files, reporting
from hub.rights import Action
from hub.rules import durations
from hub.rules.durations import Period
from hub.rules.report import Site
from hub.store.writing import writing
from hub.web import details, report_sections
from hub.web.day_lanes import lanes
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import allowed, needs, noted, reach
from hub.web.report_sections import Words
from hub.web.site import language, site
from hub.web.texts import text

reports = Blueprint("reports", __name__)
SPANS = ("day", "week")


@dataclass(frozen=True)
class Asked:
    """What is to be reported: a day or the week that it is in, of an area or of all."""

    span: str
    day: date
    area: str
    problem: str
    """What was wrong with what was asked; empty: nothing."""

    @property
    def period(self) -> Period:
        """Its period."""
        return (durations.week_period if self.span == "week" else durations.day_period)(
            self.day, site().located.zone, site().now()
        )

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        return {"span": self.span, "day": self.day.isoformat(), **({"area": self.area} if self.area else {})}


@reports.get("/report")
@needs(Action.VIEW)
def show() -> ResponseReturnValue:
    """The report of a day or a week; today's where nothing is asked for."""
    asked = _asked()
    with site().engine.connect() as conn:
        areas = _areas(conn, asked)
    key = (asked.span, asked.day, asked.area, reach(), language())
    shown = _recent().get(key, site().now(), lambda: _shown(asked))
    return render_template("reports/report.html", asked=asked, areas=areas, choices=_choices(asked), spans=SPANS, shown=shown)


@dataclass(frozen=True)
class Shown:
    """What the page shows of a report."""

    title: str
    scope: str
    lead: str
    blind: list[str]
    tiles: tuple[report_sections.Tile, ...]
    sections: tuple[report_sections.Section, ...]
    period: Period
    evidence_day: date | None
    """The day that its gates' evidence is looked up of; None: of a week."""


def _shown(asked: Asked) -> Shown:
    known, flags = _read(asked)
    say = _words()
    return Shown(
        report_sections.title(known, say), report_sections.scope(known, say), report_sections.lead(known, say),
        report_sections.blind(known, say), report_sections.tiles(known, say), report_sections.sections(known, flags, say),
        known.period, known.period.last if asked.span == "day" else None,
    )  # fmt: skip


def _read(asked: Asked) -> tuple[reporting.Report, flagging.Flags | None]:
    with site().engine.connect() as conn:
        known = reporting.report(conn, asked.period, reach=reach(), area=asked.area or None)
        return known, flagging.kept(conn, asked.period.last, reach=reach(), area=asked.area or None)


class Recent:
    """What was made within the last half minute: a whole meeting opens the same page. No more than `most` are kept."""

    KEPT = timedelta(seconds=30)

    def __init__(self, most: int = 32) -> None:
        self._lock, self._most = Lock(), most
        self._made: dict[Hashable, tuple[datetime, Shown]] = {}

    def get(self, key: Hashable, now: datetime, make: Callable[[], Shown]) -> Shown:
        """What is under the key, made anew where it is not there or old; what is made says of when it tells."""
        with self._lock:
            at, found = self._made.get(key, (now, None))
        if found is None or not timedelta(0) <= now - at < self.KEPT:
            at, found = now, make()
        with self._lock:
            self._made.pop(key, None)
            self._made[key] = (at, found)
            while len(self._made) > self._most:
                del self._made[next(iter(self._made))]
        return found


def _recent() -> Recent:
    known: Recent = current_app.extensions.setdefault("gatepost.reports", Recent())
    return known


@reports.get("/report/file.<kind>")
@needs(Action.VIEW)
def file(kind: str) -> ResponseReturnValue:
    """The report as a PDF or a spreadsheet; who took it is noted."""
    if kind not in report_files.KINDS:
        abort(404)
    asked = _asked()
    with writing(site().engine) as conn:
        _areas(conn, asked)
        noted(conn, "download", "report", f"{asked.span} {asked.day} {asked.area}".strip(), file=kind)
    known, flags = _read(asked)
    mimetype, make = report_files.KINDS[kind]
    name = "-".join(["report", asked.span, asked.period.first.isoformat(), *([asked.area] if asked.area else [])])
    return Response(
        make(known, flags, _words()), mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )  # fmt: skip


@reports.get("/report/flags")
@needs(Action.VIEW)
def flags() -> ResponseReturnValue:
    """The signs of gaming of the seven days that end with a day; yesterday where none is asked for."""
    asked = _asked(yesterday=True)
    with site().engine.connect() as conn:
        areas = _areas(conn, asked)
        known = flagging.kept(conn, asked.day, reach=reach(), area=asked.area or None)
        sites = {one.gate: one for one in reporting.load_sites(conn, reach(), asked.area or None)}
    section = report_sections.flags_section(known, sites, _words())
    return render_template(
        "reports/flags.html", asked=asked, areas=areas, section=section, looked=known is not None,
        day=known.day if known else asked.day,
    )  # fmt: skip


@reports.get("/report/gate/<gate>/<day>")
@needs(Action.VIEW)
def evidence(gate: str, day: str) -> ResponseReturnValue:
    """What a gate's status rests on, of one day."""
    here, said = site(), language()
    found, when = _site(gate), _day(day)
    if when is None or when > _today():
        raise Unknown(text(said, "report.future" if when else "report.bad_day"))
    known = evidencing.evidence(here.engine, found, when, here.located.zone, here.now())
    with here.engine.connect() as conn:
        signs = flagging.find_at(conn, found, when, here.located.zone, here.now(), here.located.lifetimes)
    say = _words()
    return render_template(
        "reports/evidence.html", known=known, day=when, before=when - timedelta(days=1),
        after=when + timedelta(days=1) if when < _today() else None, whose=report_sections.whose(found, say),
        lanes=lanes(known.parts, known.period, said, say),
        sample=details.entry_lines(known.sample, known.corrections, said), opens=allowed(Action.OPEN_PERSONAL),
        inspected=[(one, *report_sections.inspected(one.inspected, say)) for one in known.inspections],
        counted_for=say.lasting(timedelta(seconds=known.counted.seconds)).said if known.counted else "",
        signs=list(report_sections.flag_rows(signs, {gate: found}, say)), say=say,
    )  # fmt: skip


def _words() -> Words:
    return Words(language(), site().located.zone)


def _today() -> date:
    return site().now().astimezone(site().located.zone).date()


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _asked(*, yesterday: bool = False) -> Asked:
    said, usual = request.args.get("day", ""), _today() - timedelta(days=yesterday)
    day, problem = _day(said), ""
    if said and (day is None or day > _today()):
        problem = text(language(), "report.future" if day else "report.bad_day")
    span = request.args.get("span", "")
    known = day if day is not None and not problem else usual
    return Asked(span if span in SPANS else SPANS[0], known, request.args.get("area", ""), problem)


def _areas(conn: sa.Connection, asked: Asked) -> list[tuple[str, str]]:
    """The areas to choose from. Raises `Unknown` for one asked for that is not among them."""
    areas = reporting.load_areas(conn, reach())
    if asked.area and asked.area not in {area for area, _ in areas}:
        raise Unknown(text(language(), "error.area"))
    return areas


def _choices(asked: Asked) -> list[tuple[str, dict[str, str], bool]]:
    """The reports most asked for: the word, the address, whether it is the one shown."""
    today = _today()
    wanted = (("today", "day", 0), ("yesterday", "day", 1), ("week", "week", 0), ("last_week", "week", 7))
    made = []
    for name, span, back in wanted:
        one = Asked(span, today - timedelta(days=back), asked.area, "")
        made.append((name, one.query, span == asked.span and one.period.first == asked.period.first))
    return made


def _site(gate: str) -> Site:
    with site().engine.connect() as conn:
        found = reporting.load_sites(conn, reach(), gate=gate)
    if not found:
        raise UnknownGate(gate)
    return found[0]
