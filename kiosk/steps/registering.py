"""Those who come without a code: found in the roster, asked and written down, or keyed in from paper. Pure steps."""

from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import structs

from contract.directory import Booking, Dwelling, RosterHolder
from contract.events import Direction, Entry, Outcome, Reading, Who, Written
from kiosk.inputs import EndVisit, FindHolder, KeyIn, Now, Register, RegisterVehicle
from kiosk.rules import admission
from kiosk.rules.admission import Decision
from kiosk.rules.temperature import judge_typed
from kiosk.setup import Setup
from kiosk.state import ALONE, Person, Shown, State, Step, fail, join, time_of
from kiosk.steps import opening
from kiosk.steps.deciding import is_busy, met
from kiosk.steps.entries import asked_for, entry_of, reading_of
from kiosk.steps.forms import Form
from kiosk.steps.judging import colour_of, facts, rule
from kiosk.steps.person import leave

_KEYED_IN = Decision(Outcome.ADMIT, ("written_later",))
_LEFT = Decision(Outcome.ADMIT)


def find(state: State, touch: FindHolder, now: Now, setup: Setup) -> Step:
    """A resident without a card: from here on as if the card had been shown, but by the volunteer's name."""
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    found = in_roster(state, touch.pass_id)
    if found is None:
        return fail(state, opening.why_closed(state) or "no_such_person", now)
    dwelling, holder = found
    form = Form(Who.RESIDENT, "list", holder.pass_id, name=holder.name, dwelling=f"{dwelling.building}{dwelling.room}")
    return _comes(state, form, (ALONE,), state.direction, now, setup)


def register(state: State, touch: Register, now: Now, setup: Setup) -> Step:
    """An outsider, asked and written down; a traveller's referral is the book of homecomings."""
    host = f"{touch.building}{touch.room}"
    if not (touch.name or touch.phone or host):
        return fail(state, "needs_name", now)
    form = Form(
        Who(touch.who), name=touch.name, phone=touch.phone, origin=touch.origin, host=host, purpose=touch.purpose,
        note=" ".join(filter(None, (touch.note, touch.arrived))), host_confirmed=touch.host_confirmed, key_area=touch.key_area,
    )  # fmt: skip
    return _comes(state, form, (ALONE, *["companion"] * (touch.people - 1)), Direction.IN, now, setup)


def register_vehicle(state: State, touch: RegisterVehicle, now: Now, setup: Setup) -> Step:
    """A vehicle: plate, driver, each occupant with a reading, the boot; booked or asked for."""
    plate = touch.plate.replace(" ", "").upper()
    booking = next((b for b in bookings(state) if b.id == touch.booking), None)
    if not plate and booking is None:
        return fail(state, "needs_plate", now)
    form = Form(
        Who.TAXI if touch.taxi else Who.VEHICLE, plate=plate or (booking.plate if booking else ""),
        host=f"{touch.building}{touch.room}" or (booking.dwelling if booking else ""), purpose=touch.purpose,
        host_confirmed=touch.host_confirmed, key_area=touch.key_area, booking=touch.booking,
        booking_problem=_booking_problem(touch, booking, time_of(state, now)),
    )  # fmt: skip
    roles = ("driver", *["occupant"] * (touch.people - 1))
    return _comes(state, form, roles, Direction.IN, now, setup, boot=touch.boot_checked)


def end_visit(state: State, touch: EndVisit, now: Now, setup: Setup) -> Step:
    """离开: the time at which a visitor or a vehicle leaves."""
    logged = state.lasting.visits.get(touch.entry)
    if logged is None:
        return fail(state, "no_such_entry", now)
    came = state.people.get(logged.id)
    person = Person("", None, now.mono_ns, Direction.OUT, form=came.form if came else None, logged=logged.entry)
    by = state.lasting.shift.badge if state.lasting.shift else None
    made = entry_of(state, person, _LEFT, None, now, setup, by)
    entry = _of_the_same(made, logged.id, logged.entry)
    shown = state if is_busy(state) else replace(state, at_hand=Shown(person, entry, now.mono_ns))
    return asked_for(shown, person, entry)


def key_in(state: State, touch: KeyIn, now: Now, setup: Setup) -> Step:
    """补录: what the paper says happened, when it says it did; it moves nobody and counts as nothing live."""
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    try:
        judged = None if touch.celsius is None else judge_typed(touch.celsius, rule(state, setup))
    except ValueError:
        return fail(state, "out_of_range", now)
    found = in_roster(state, touch.pass_id) if touch.pass_id else None
    home, inside = f"{touch.building}{touch.room}", touch.who == "resident"
    form = Form(
        Who(touch.who), "paper", found[1].pass_id if found else None, name=found[1].name if found else touch.name,
        phone=touch.phone, dwelling=home if inside else "", host="" if inside else home, plate=touch.plate.upper(),
    )  # fmt: skip
    person = Person("", None, now.mono_ns, touch.direction, form=form)
    reading: Reading | None = reading_of(judged, person, "typed") if judged else None
    entry = entry_of(state, person, _KEYED_IN, reading, now, setup, state.lasting.shift.badge)
    written = Written(at=_gone_by(touch.time, time_of(state, now), setup), page=touch.page, line=touch.line)
    return asked_for(state, person, structs.replace(entry, written=written, ms=None))


def in_roster(state: State, pass_id: str) -> tuple[Dwelling, RosterHolder] | None:
    """Where a holder lives, and the holder, as the roster has them."""
    dwellings = state.directory.roster.dwellings if state.directory else ()
    return next(((d, h) for d in dwellings for h in d.holders if h.pass_id == pass_id), None)


def bookings(state: State) -> tuple[Booking, ...]:
    """What the committee has booked."""
    return state.directory.bookings.bookings if state.directory else ()


def _comes(
    state: State,
    form: Form,
    roles: tuple[str, ...],
    direction: Direction,
    now: Now,
    setup: Setup,
    boot: bool | None = None,
) -> Step:
    """The person at hand is now this one; who was there before waits at the side."""
    if state.lasting.shift is None:
        return fail(state, "not_signed_in", now)
    left, effects = leave(state, "abandoned", now, setup)
    colour = colour_of(state, form.pass_id) if form.pass_id else None
    person = Person(
        "", None, now.mono_ns, direction, colour, form=form, roles=roles, boot_checked=boot, by=state.lasting.shift.badge,
        site=setup.site,
    )  # fmt: skip
    return join((left, effects), met(left, person, admission.decide(facts(left, person, None, None, now, setup)), now, setup))


def _booking_problem(touch: RegisterVehicle, booking: Booking | None, at: datetime) -> str | None:
    if touch.booking is None:
        return None
    if booking is None:
        return "no_booking"
    return None if booking.opens <= at < booking.closes else "booking_not_now"


def _of_the_same(made: Entry, entry: str, came: Entry) -> Entry:
    """The exit of whoever came in by that entry, all of the party with them."""
    return structs.replace(made, visit=entry, follows=None, people=came.people, key_area=None, host_confirmed=None, ms=None)


def _gone_by(clock: str, at: datetime, setup: Setup) -> datetime:
    """The latest moment that has gone by at which the gate's clock showed HH:MM."""
    local = at.astimezone(setup.timezone)
    hour, minute = map(int, clock.split(":"))
    that = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (that if that <= local else that - timedelta(days=1)).astimezone(at.tzinfo)
