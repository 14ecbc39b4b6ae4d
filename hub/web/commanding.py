"""A gate's stations: how each is, what it was asked for and what it answered, and buttons to ask it for more."""

import re
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from contract.messages import IN_USE, INSTALLED, CommandName, Vitals
from hub import orders
from hub.opening import has_arrived
from hub.orders import OrderRefused
from hub.registry import accounts, station_certificates
from hub.registry.cut_offs import CutOff, cut_offs
from hub.registry.cutting_off import cut_off
from hub.registry.errors import RegistryError
from hub.registry.station_certificates import StationCertificate
from hub.rights import Action
from hub.rules.compliance import GateStatus
from hub.rules.ordering import Order, OrderState, barrier_refused, is_under_way, state
from hub.store.writing import writing
from hub.vitals import vitals
from hub.web import details, rendering
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import allowed, needs, noted, reach
from hub.web.live import Picture
from hub.web.site import language, site
from hub.web.texts import text

BUTTONS = tuple(name for name in CommandName if name not in (CommandName.RENEW, CommandName.INSTALL))
"""What people ask a station for; its certificate the hub renews by itself."""
SHOWN = 8
"""Commands of a station, the newest."""
CAREFUL = (CommandName.RESTART, CommandName.OPEN_BARRIER)
"""Asked for in two steps."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KNOWN = {
    "all devices answer": "selftest", "shown and said": "identify", "restarting": "restart", "asked": "barrier",
    "there is no barrier here": "no_barrier", "no volunteer is signed in here": "no_volunteer",
    INSTALLED: "installed", IN_USE: "in_use", "the camera gives no picture": "no_picture",
    "somebody is at hand: ask again in a moment": "busy",
}  # fmt: skip
"""What stations answer, and the key of the words for it; anything else is shown as it came."""
_DEVICES = ("camera", "scanner", "thermometer", "journal", "voice", "barrier", "keys")
"""Those that have a name in the reader's language; others are called what the station calls them."""

commanding = Blueprint("commanding", __name__)


class Asking(FlaskForm):  # type: ignore[misc]
    """A button: nothing but its token."""


class CuttingOffForm(FlaskForm):  # type: ignore[misc]
    """Why a station is cut off."""

    reason = StringField(validators=[InputRequired(), Length(max=200)])


@dataclass(frozen=True)
class OrderLine:
    """One command as it is shown."""

    order: Order
    state: OrderState
    by: str
    answer: str
    picture: str | None
    """The SHA-256 of the picture that was taken; it can be looked at once it has come."""
    arrived: bool


@dataclass(frozen=True)
class StationCard:
    """One station."""

    line: details.StationLine
    in_service: bool
    vitals: Vitals | None
    faults: tuple[tuple[str, str], ...]
    """Devices that do not work, and why."""
    orders: tuple[OrderLine, ...]
    under_way: frozenset[str]
    cut_off: CutOff | None
    cut_by: str
    certificate: StationCertificate | None
    due: bool
    """Its certificate is to be renewed and has not been yet."""


@commanding.get("/gate/<gate>/stations")
@needs(Action.VIEW)
def stations(gate: str) -> ResponseReturnValue:
    """The stations of a gate."""
    return _page(gate, None, 200)


@commanding.post("/gate/<gate>/stations/<station>/<what>")
@needs(Action.COMMAND)
def ask(gate: str, station: str, what: str) -> ResponseReturnValue:
    """Ask a station for something."""
    here, (_, found) = site(), _found(gate)
    if station not in {one.station for one in found.stations} or what not in BUTTONS:
        raise Unknown(text(language(), "commanding.unknown"))
    form = Asking()
    if not form.validate_on_submit():
        return _page(gate, (station, text(language(), "form.stale")), 400)
    name = CommandName(what)
    try:
        with writing(here.engine) as conn:
            made = orders.order(conn, here.located, station, name, current_user.id, here.now())
            noted(conn, "command", "station", station, order=made.id, what=what, gate=gate)
    except OrderRefused as refused:
        return _page(gate, (station, text(language(), f"commanding.refused.{refused.reason}")), 409)
    return redirect(url_for("commanding.stations", gate=gate, _anchor=f"station-{station}"), 303)


@commanding.post("/gate/<gate>/stations/<station>/cut-off")
@needs(Action.COMMAND)
def cut(gate: str, station: str) -> ResponseReturnValue:
    """Cut a station off, a stolen one."""
    here, (_, found) = site(), _found(gate)
    if station not in {one.station for one in found.stations}:
        raise Unknown(text(language(), "commanding.unknown"))
    form = CuttingOffForm()
    if not form.validate_on_submit():
        return _page(gate, (station, text(language(), "commanding.cut_off.wrong")), 400)
    try:
        with writing(here.engine) as conn:
            cut_off(conn, here.located, station, current_user.id, form.reason.data or "", here.now())
            noted(conn, "cut_off", "station", station, gate=gate)
    except RegistryError as error:
        return _page(gate, (station, str(error)), 400)
    return redirect(url_for("commanding.stations", gate=gate, _anchor=f"station-{station}"), 303)


def _page(gate: str, problem: tuple[str, str] | None, code: int) -> ResponseReturnValue:
    """`problem`: at which station, and in words."""
    picture, found = _found(gate)
    blind = picture.overview.blind_since is not None
    named = {name: text(language(), f"commanding.device.{name}") for name in _DEVICES}
    page = render_template(
        "commanding/stations.html", found=found, cards=_cards(found), commands=BUTTONS, careful=CAREFUL,
        problem=problem, may=allowed(Action.COMMAND), looks=allowed(Action.OPEN_PERSONAL), blind=picture.overview.blind_since,
        barrier_down=barrier_refused(found, blind=blind), devices=named,
    )  # fmt: skip
    return page, code


def _found(gate: str) -> tuple[Picture, GateStatus]:
    picture = rendering.within_reach(site().watch.picture(), reach())
    for known in picture.overview.gates:
        if known.gate == gate:
            return picture, known
    raise UnknownGate(gate)


def _cards(gate: GateStatus) -> list[StationCard]:
    now, said = site().now(), language()
    with site().engine.connect() as conn:
        out = cut_offs(conn)
        held = {one.station: one for one in reversed(station_certificates.standing(conn))}
        pulses, cards = vitals(conn, [gate.gate]), []
        names = {one.id: one.name for one in accounts.list_accounts(conn)}
        for one in gate.stations:
            known, pulse = orders.latest(conn, one.station, SHOWN), pulses.get(one.station)
            arrived = {order.detail for order in known if _is_picture(order) and has_arrived(conn, order.detail)}
            cards.append(
                StationCard(
                    line=details.station_line(one, said), in_service=one.in_service, vitals=pulse,
                    faults=tuple((d.device, d.detail) for d in pulse.devices if not d.ok) if pulse else (),
                    orders=tuple(_line(order, names, order.detail in arrived) for order in known),
                    under_way=frozenset(order.what for order in known if is_under_way(order, now)),
                    cut_off=(kept_out := out.get(one.station)), cut_by=names.get(kept_out.by, kept_out.by) if kept_out else "",
                    certificate=(mine := held.get(one.station)), due=mine is not None and mine.is_due(now),
                )
            )  # fmt: skip
    return cards


def _line(order: Order, names: dict[str, str], arrived: bool) -> OrderLine:
    picture = order.detail if _is_picture(order) else None
    return OrderLine(
        order=order, state=state(order, site().now()), by=names.get(order.made_by, order.made_by),
        answer="" if picture or _is_request(order) else _answer(order.detail), picture=picture, arrived=arrived,
    )  # fmt: skip


def _answer(detail: str) -> str:
    return text(language(), f"commanding.answer.{_KNOWN[detail]}") if detail in _KNOWN else detail


def _is_request(order: Order) -> bool:
    """An answer for the hub alone."""
    return order.what == CommandName.RENEW and bool(order.ok)


def _is_picture(order: Order) -> bool:
    return order.what == CommandName.SNAPSHOT and bool(order.ok) and _SHA256.fullmatch(order.detail) is not None
