"""State → the lists on the screen: last entries, the side list, visits, bookings. Pure."""

from datetime import datetime, timedelta

from contract.directory import Booking, Policies
from contract.events import Band, Entry, Who
from kiosk.inputs import Now
from kiosk.lasting import Logged
from kiosk.setup import Setup
from kiosk.state import State, time_of
from kiosk.steps import asides
from kiosk.steps.forms import VEHICLES
from kiosk.steps.registering import bookings
from kiosk.view import AsideView, BookingView, EntryView, VisitView

SHOWN_ENTRIES = 20
_SHOWN_VISITS = 60
_BOOKED_AHEAD = timedelta(hours=12)


def entries(state: State, setup: Setup) -> tuple[EntryView, ...]:
    """The last entries, the newest first."""
    return tuple(_entry(state, logged, setup) for logged in reversed(state.lasting.entries[-SHOWN_ENTRIES:]))


def aside(state: State, now: Now, setup: Setup) -> tuple[AsideView, ...]:
    """Who waits at the side, the longest wait first."""
    return tuple(_aside(state, logged, now, setup) for logged in asides.waiting(state, now))


def visits(state: State, now: Now, setup: Setup) -> tuple[VisitView, ...]:
    """Outsiders and vehicles inside, the longest stay first."""
    return tuple(_visit(state, logged, now, setup) for logged in list(state.lasting.visits.values())[:_SHOWN_VISITS])


def booked(state: State, now: Now, setup: Setup) -> tuple[BookingView, ...]:
    """Bookings that hold now or within the next hours, the earliest first."""
    at = time_of(state, now)
    soon = [b for b in bookings(state) if b.closes > at and b.opens < at + _BOOKED_AHEAD]
    return tuple(_booking(b, at, setup) for b in sorted(soon, key=lambda b: b.opens))


def names(state: State, entry: str) -> tuple[str, str, str]:
    """Name, dwelling (or the household visited) and plate of an entry's person; blank after a restart."""
    person = state.people.get(entry)
    if person is None:
        return "", "", ""
    if person.claims is not None:
        return person.claims.name, person.claims.dwelling, person.claims.plate
    form = person.form
    return (form.name, form.dwelling or form.host, form.plate) if form else ("", "", "")


def what(entry: Entry) -> str:
    """What somebody is to the gate, for a list: the kind of the pass when nothing else was said."""
    return str(entry.who or entry.pass_kind or "")


def _entry(state: State, logged: Logged, setup: Setup) -> EntryView:
    entry = logged.entry
    name, dwelling, plate = names(state, logged.id)
    at = entry.written.at if entry.written else logged.at
    return EntryView(
        id=logged.id, time=f"{at.astimezone(setup.timezone):%H:%M:%S}", direction=entry.direction, outcome=entry.outcome,
        name=name or plate, dwelling=dwelling, celsius=entry.reading.body_celsius if entry.reading else None,
        reasons=entry.reasons, cancelled=logged.cancelled, who=what(entry), people=entry.people, note=logged.note,
    )  # fmt: skip


def _aside(state: State, logged: Logged, now: Now, setup: Setup) -> AsideView:
    entry, seconds = logged.entry, asides.waited(state, logged, now)
    name, dwelling, plate = names(state, logged.id)
    hot = (entry.reading is not None and entry.reading.band is Band.FEVER) or "fever" in entry.reasons
    again = asides.can_recall(logged)
    return AsideView(
        id=logged.id, time=_clock(logged.at, setup), name=name, dwelling=dwelling, plate=plate, who=what(entry),
        reasons=entry.reasons, celsius=entry.reading.body_celsius if entry.reading else None, minutes=int(seconds // 60),
        due=again and (not hot or seconds >= _policies(state).aside_seconds), can_recall=again,
    )  # fmt: skip


def _visit(state: State, logged: Logged, now: Now, setup: Setup) -> VisitView:
    entry = logged.entry
    seconds = max((time_of(state, now) - logged.at).total_seconds(), 0.0)
    name, dwelling, plate = names(state, logged.id)
    limit = _policies(state).taxi_seconds if entry.who is Who.TAXI else _policies(state).visit_seconds
    return VisitView(
        entry=logged.id, time=_clock(logged.at, setup), who=what(entry), purpose=entry.purpose or "", name=name,
        dwelling=dwelling, plate=plate, people=entry.people, minutes=int(seconds // 60),
        overdue=seconds > limit and (entry.who not in VEHICLES or entry.who is Who.TAXI),
    )  # fmt: skip


def _booking(booking: Booking, at: datetime, setup: Setup) -> BookingView:
    return BookingView(
        id=booking.id, kind=booking.kind, plate=booking.plate, crew=booking.crew, dwelling=booking.dwelling, note=booking.note,
        window=f"{_clock(booking.opens, setup)}–{_clock(booking.closes, setup)}", now=booking.opens <= at < booking.closes,
    )  # fmt: skip


def _policies(state: State) -> Policies:
    return state.directory.policies if state.directory else Policies()


def _clock(at: datetime, setup: Setup) -> str:
    return f"{at.astimezone(setup.timezone):%H:%M}"
