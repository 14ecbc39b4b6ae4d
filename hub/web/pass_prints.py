"""What is printed of passes, and what the stations have confirmed: sheets to cut out, the day's codes, the directory."""

from datetime import date, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from contract.directory import DayCode
from contract.passes import PassKind
from hub import confirmations
from hub.registry import day_codes, pass_lists
from hub.registry.errors import RegistryError
from hub.rights import Action, within
from hub.rules.compliance import Place
from hub.store.gates import load_places
from hub.store.tables import compounds
from hub.store.writing import writing
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import needs, noted, reach, require_compound
from hub.web.pass_link import qr
from hub.web.site import language, site
from hub.web.texts import text

MOST_CARDS = 160
"""Cards in one file, 20 pages: a larger compound's come in several, each made well within a request."""
MOST_CHOSEN = 200
PAGE = 60
DAYS = 7
"""So many days ahead codes can be printed."""

prints = Blueprint("prints", __name__)


@prints.get("/passes/print")
@needs(Action.REGISTER)
def choose() -> ResponseReturnValue:
    """Which passes to print: of a compound, a building, a kind."""
    compound, kind = request.args.get("compound", ""), _kind()
    with site().engine.connect() as conn:
        known = compound_names(conn)
        compound = compound if compound in known else next(iter(known), "") if len(known) == 1 else ""
        buildings = pass_lists.buildings(conn, compound, site().now()) if compound else []
        building = _building(buildings)
        found = len(pass_lists.of_building(conn, compound, building, kind, site().now())) if compound else 0
    return render_template(
        "passes/print.html", compounds=known, compound=compound, buildings=buildings, building=building, kind=kind,
        kinds=list(PassKind), found=found, parts_of=-(-found // MOST_CARDS), most=MOST_CARDS,
    )  # fmt: skip


@prints.get("/passes/sheet.pdf")
@needs(Action.REGISTER)
def sheet() -> ResponseReturnValue:
    """Passes as a PDF to cut out: those chosen by `id`, or a part of a compound's or a building's."""
    from hub.sheets import pass_sheet  # only what prints loads the PDF library

    compound, ids = request.args.get("compound", ""), request.args.getlist("id")[:MOST_CHOSEN]
    now, part = site().now(), max(request.args.get("part", 1, int), 1)
    with writing(site().engine) as conn:
        if ids:
            found = pass_lists.chosen(conn, reach(), ids, now)
        else:
            require_compound(compound)
            found = pass_lists.of_building(conn, compound, request.args.get("building", ""), _kind(), now)
            found = found[(part - 1) * MOST_CARDS : part * MOST_CARDS]
        if not found:
            raise Unknown(text(language(), "passes.print.none"))
        try:
            pdf = pass_sheet(found, compound_names(conn), site().located.zone)
        except RegistryError:
            return _no_font()
        noted(conn, "print", "passes", found[0].id if len(found) == 1 else compound, count=len(found), part=part)
    return _pdf(pdf, "passes")


@prints.get("/passes/day-codes")
@needs(Action.REGISTER)
def gates() -> ResponseReturnValue:
    """The gates whose codes can be printed, by compound."""
    with site().engine.connect() as conn:
        mine = [place for place in load_places(conn) if within(reach(), place.compound)]
    page, pages = paged(len(mine), PAGE)
    return render_template(
        "passes/gates.html", places=mine[page * PAGE : (page + 1) * PAGE], page=page, pages=pages, days=_days(), day=_day()
    )


@prints.get("/passes/day-codes/<gate>")
@needs(Action.REGISTER)
def codes(gate: str) -> ResponseReturnValue:
    """A gate's codes of a day, to print or to look at."""
    place, day = _gate(gate), _day()
    with writing(site().engine) as conn:
        code = day_codes.ensure_day_codes(conn, gate, day)
        noted(conn, "look", "day_codes", gate, day=day.isoformat())
    return render_template("passes/codes.html", place=place, day=day, days=_days(), code=code, qr=qr)


@prints.get("/passes/day-codes.pdf")
@needs(Action.REGISTER)
def codes_sheet() -> ResponseReturnValue:
    """The codes of a day of one gate, or of every gate of a compound, as a PDF."""
    from hub.sheets import day_code_sheet

    day, gate, compound = _day(), request.args.get("gate", ""), request.args.get("compound", "")
    if gate:
        mine = [_gate(gate)]
    else:
        require_compound(compound)
        with site().engine.connect() as conn:
            mine = load_places(conn, compound=compound)
    if not mine:
        raise Unknown(text(language(), "passes.codes.none"))
    with writing(site().engine) as conn:
        made: list[DayCode] = [day_codes.ensure_day_codes(conn, place.gate, day) for place in mine]
        try:
            pdf = day_code_sheet(made, {place.gate: f"{place.compound_name} {place.gate_name}" for place in mine})
        except RegistryError:
            return _no_font()
        noted(conn, "print", "day_codes", gate or compound, day=day.isoformat(), count=len(made))
    return _pdf(pdf, f"day-codes-{day}")


@prints.get("/passes/directory")
@needs(Action.REGISTER)
def directory() -> ResponseReturnValue:
    """What each station has confirmed of the directory, those behind first."""
    with site().engine.connect() as conn:
        found = confirmations.confirmed(conn, reach())
    page, pages = paged(len(found), PAGE)
    stations = [one for compound in found for one in compound.stations]
    return render_template(
        "passes/directory.html", found=found[page * PAGE : (page + 1) * PAGE], page=page, pages=pages, total=len(stations),
        behind=sum(one.behind > 0 for one in stations),
    )  # fmt: skip


def compound_names(conn: sa.Connection) -> dict[str, str]:
    """The compounds in reach, id → name, by name."""
    query = sa.select(compounds.c.id, compounds.c.name).order_by(compounds.c.name, compounds.c.id)
    return {row.id: row.name for row in conn.execute(query) if within(reach(), row.id)}


def paged(total: int, size: int) -> tuple[int, int]:
    """Which page was asked for, from 0, and how many there are."""
    pages = max(-(-total // size), 1)
    return min(max(request.args.get("page", 1, int), 1), pages) - 1, pages


def _kind() -> str:
    wanted = request.args.get("kind", "")
    return wanted if wanted in set(PassKind) else ""


def _building(known: list[tuple[str, int]]) -> str:
    wanted = request.args.get("building", "")
    return wanted if wanted in dict(known) else ""


def _days() -> list[date]:
    today = site().now().astimezone(site().located.zone).date()
    return [today + timedelta(days=n) for n in range(DAYS + 1)]


def _day() -> date:
    """The day asked for, today to a week ahead; else today."""
    days = _days()
    return next((day for day in days if day.isoformat() == request.args.get("day")), days[0])


def _gate(gate: str) -> Place:
    with site().engine.connect() as conn:
        found = load_places(conn, [gate])
    if not found or not within(reach(), found[0].compound):
        raise UnknownGate(gate)
    return found[0]


def _pdf(pdf: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(pdf, mimetype="application/pdf", headers=headers)


def _no_font() -> ResponseReturnValue:
    said = text(language(), "passes.no_font")
    return render_template("error.html", title=text(language(), "passes.print"), said=said), 503
