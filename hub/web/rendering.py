"""Renders a picture of the gates into pieces of HTML, each of which can be replaced on an open page."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from flask import get_template_attribute, render_template

from contract.codec import BadMessage
from contract.events import Correction, decode_event
from contract.five import Finding, Item, assess_gate
from hub import figures, status
from hub.rights import Reach, within
from hub.rules.compliance import GateStatus
from hub.store import gates
from hub.web import board, details, figure_lines, happenings, timeline, wall
from hub.web.live import Picture, Pieces
from hub.web.report_sections import Words
from hub.web.sentence import sentence
from hub.web.site import site

ENTRIES = 30
CORRECTIONS = 100
HAPPENINGS = 15
"""Lines; of twice as many events, since some are alike and some say nothing."""


def as_of(picture: Picture) -> datetime:
    """The time of which the picture tells: a blind hub tells of when it still heard."""
    since = picture.overview.blind_since
    return min(picture.at, since) if since else picture.at


def within_reach(picture: Picture, reach: Reach) -> Picture:
    """The picture with the gates of these compounds alone."""
    if reach is None:
        return picture
    mine = [gate for gate in picture.overview.gates if within(reach, gate.compound)]
    return replace(picture, overview=status.narrowed(picture.overview, mine))


def board_pieces(picture: Picture, order: str, language: str, wanted: board.Wanted = board.EVERYTHING) -> Pieces:
    """The overview: the head, and a part for each gate; one that is not wanted is hidden, so that a script can show it."""
    gates_, now = picture.overview.gates, as_of(picture)
    sections = board.sections(gates_, order, now, language, wanted)
    shown = {gate.gate for gate in board.narrowed(gates_, wanted)}
    said = sentence(gates_, now, language, blind=picture.overview.blind_since is not None)
    head = {**_blind(picture), "sentence": _part("sentence", said), "tiles": _part("tiles", board.tiles(gates_, wanted))}
    parts = {f"row-{row.gate}": _row(row, language, row.gate not in shown) for s in sections for row in s.rows}
    layout = "|".join(f"{s.key}:{','.join(row.gate for row in s.rows)}" for s in sections)
    return Pieces(layout, render_template("_board.html", sections=sections, parts=parts), head, parts)


def wall_pieces(picture: Picture, language: str) -> Pieces:
    """The wall: the head, and a part for each compound."""
    gates_, now = picture.overview.gates, as_of(picture)
    blocks = wall.blocks(gates_, now, language)
    said = sentence(gates_, now, language, blind=picture.overview.blind_since is not None)
    parts = {f"block-{block.compound}": _part("block", block) for block in blocks}
    layout = ",".join(block.compound for block in blocks)
    whole = render_template("_wall.html", blocks=blocks, parts=parts)
    return Pieces(layout, whole, {**_blind(picture), "sentence": _part("sentence", said)}, parts)


def gate_pieces(picture: Picture, gate: GateStatus, language: str) -> Pieces:
    """One gate's page: what is so now, its stations, its last day, its last entries."""
    engine, now, zone = site().engine, as_of(picture), site().located.zone
    row = board.row(gate, now, language)
    stations = [details.station_line(s, language) for s in gate.stations]
    intervals = status.gate_intervals(engine, gate.gate, timeline.axis_begins(now, zone))
    entries = details.entry_lines(status.gate_entries(engine, gate.gate, ENTRIES), corrections(gate.gate), language)
    lock = status.event_photos(engine, gate.shut_event) if gate.shut_event else ()
    parts = {
        "now": _part("now", row, gate, details.details(gate, _findings(gate.gate, now), now, language), lock),
        "stations": _part("stations", gate.gate, stations),
        "timeline": _part("timeline", timeline.timeline(intervals, now, zone), gate.gate, f"{now.astimezone(zone):%Y-%m-%d}"),
        "hourly": _hourly(gate.gate, now, language),
        "entries": _part("entries", gate.gate, entries, ENTRIES),
        "happenings": _part("happenings", _happenings(gate.gate, language)),
    }
    return Pieces("gate", render_template("_gate.html", parts=parts), _blind(picture), parts)


@lru_cache(maxsize=2000)
def _row(row: board.Row, _language: str, hidden: bool) -> str:
    """A row as it was rendered before, for as long as it says the same: of many gates few change at a time."""
    return _part("row", row, hidden)


def _blind(picture: Picture) -> dict[str, str]:
    return {"blind": _part("blind", picture.overview.blind_since)}


def _findings(gate: str, now: datetime) -> dict[Item, Finding]:
    with site().engine.connect() as connection:
        lanes = gates.load_lanes(connection, [gate], site().located.lifetimes).get(gate, [])
    return assess_gate({lane.station: lane.evidence for lane in lanes if lane.in_service}, now)


def _happenings(gate: str, language: str) -> tuple[happenings.Happening, ...]:
    engine, limit = site().engine, 2 * HAPPENINGS
    rows = status.gate_events(engine, gate, limit, kinds=happenings.KINDS)
    counted = status.gate_events(engine, gate, limit, kinds=(happenings.COUNTED,))
    return happenings.happenings([*rows, *counted], HAPPENINGS, language)


def corrections(gate: str) -> list[Correction]:
    """The newest corrections, the oldest of them first."""
    found = []
    for row in reversed(status.gate_events(site().engine, gate, CORRECTIONS, kinds=("correction",))):
        try:
            body = decode_event(row.body.encode()).body
        except BadMessage:
            continue
        if isinstance(body, Correction):
            found.append(body)
    return found


def _hourly(gate: str, now: datetime, language: str) -> str:
    """People in and out today, as far as it has come."""
    zone = site().located.zone
    with site().engine.connect() as connection:
        hours = figures.hours_of_day(connection, gate, zone, now)
    plot = figure_lines.hours(hours, Words(language, zone))
    return _part("hourly", gate, plot, sum(h.came for h in hours), sum(h.left for h in hours), file="figures/_parts.html")


def _part(name: str, *values: object, file: str = "_parts.html") -> str:
    made: str = get_template_attribute(file, name)(*values)
    return made
