"""The pages of figures: a gate's day, and the trend of days."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from hub import figures as store
from hub import reporting, trending
from hub.registry import versions
from hub.rights import Action
from hub.rules.report import Site
from hub.vitals import vitals
from hub.web import figure_lines, trend_lines
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import needs, reach
from hub.web.report_sections import Words, whose
from hub.web.site import language, site
from hub.web.texts import text

figures = Blueprint("figures", __name__)
_WITHIN = ("area", "committee")


@figures.get("/gate/<gate>/figures")
@needs(Action.VIEW)
def gate_day(gate: str) -> ResponseReturnValue:
    """A gate's figures of a local day; today's where none is asked for."""
    here, say, asked = site(), _words(), _asked_day()
    picture = here.watch.picture()
    with here.engine.connect() as conn:
        found = _found(reporting.load_sites(conn, reach(), gate=gate), gate)
        known = store.gate_day(conn, gate, asked.day, here.located.zone, here.now())
        pulses, newest = vitals(conn, [gate]), versions.version_of(conn, found.compound)
    status = next((one for one in picture.overview.gates if one.gate == gate), None)
    now = status.stations if status else ()
    heard = {one.station: picture.at - timedelta(seconds=ago) for one in now if (ago := one.heard_seconds_ago) is not None}
    return render_template(
        "figures/gate.html", site=found, whose=whose(found, say), asked=asked, known=known, say=say,
        blind=picture.overview.blind_since, lead=figure_lines.lead(known.day, say),
        hours=figure_lines.hours(known.day.hours, say),
        decided=figure_lines.decided(known.day, say), warm=figure_lines.warm(known.day, say),
        warm_note=figure_lines.warm_note(known.day, say), counted=figure_lines.counted(known.day.counted, say),
        past=figure_lines.walked_past(known.day.counted, say), most=store.EVENTS,
        stations=figure_lines.stations(now, heard, pulses, known, newest, say),
    )  # fmt: skip


@figures.get("/trend")
@needs(Action.VIEW)
def trend() -> ResponseReturnValue:
    """The last days of all gates in reach, of an area or of a committee."""
    here, say, now = site(), _words(), site().now()
    count = request.args.get("days", 14, int)
    count = count if count in trending.CHOICES else 14
    with here.engine.connect() as conn:
        mine = reporting.load_sites(conn, reach())
        choices, place = trend_lines.places(mine, say), request.args.get("place", "")
        chosen = _chosen(choices, place)
        known = trending.read(conn, trending.last_days(count, here.located.zone, now), _within(mine, place), here.located.zone,
                              now, _kept())  # fmt: skip
    return render_template(
        "figures/trend.html", count=count, counts=trending.CHOICES, choices=choices, place=place, chosen=chosen, known=known,
        lead=trend_lines.lead(known, say), tiles=trend_lines.tiles(known, say), share=trend_lines.share(known, now, say),
        items=trend_lines.items(known, now, say), items_table=trend_lines.items_table(known, now, say),
        troubled=trend_lines.troubled(known, say), mended=trend_lines.mended(known, now, say),
        worst=trend_lines.worst(known.worst, say),
        silent=trend_lines.worst(known.silent, say),
    )  # fmt: skip


@dataclass(frozen=True)
class AskedDay:
    """The day that is asked for; `problem`: what was wrong with what was asked, else empty."""

    day: date
    today: date
    said: str
    problem: str

    @property
    def before(self) -> date:
        """The day before."""
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date | None:
        """The day after; None: it has not come yet."""
        return self.day + timedelta(days=1) if self.day < self.today else None


def _asked_day() -> AskedDay:
    said, today = request.args.get("day", ""), site().now().astimezone(site().located.zone).date()
    try:
        day = date.fromisoformat(said) if said else today
    except ValueError:
        return AskedDay(today, today, said, text(language(), "report.bad_day"))
    if day > today:
        return AskedDay(today, today, said, text(language(), "report.future"))
    return AskedDay(day, today, day.isoformat(), "")


def _words() -> Words:
    return Words(language(), site().located.zone)


def _found(sites: list[Site], gate: str) -> Site:
    if not sites:
        raise UnknownGate(gate)
    return sites[0]


def _chosen(choices: tuple[trend_lines.Choice, ...], place: str) -> str:
    """The name of the place. Raises `Unknown` for one that is not among those in reach."""
    if not place:
        return text(language(), "trend.place.all")
    for one in choices:
        if one.value == place:
            return one.name
    raise Unknown(text(language(), "trend.place.unknown"))


def _within(sites: list[Site], place: str) -> list[Site]:
    kind, _, id = place.partition(":")
    return [one for one in sites if getattr(one, kind) == id] if kind in _WITHIN else sites


def _kept() -> trending.Kept:
    known: trending.Kept = current_app.extensions.setdefault("gatepost.trend", trending.Kept())
    return known
