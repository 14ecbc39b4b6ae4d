"""State → snapshot: what the screen shows, and nothing of why in the resident's part. Pure."""

from contract.directory import Policies
from contract.events import Outcome, Reading
from contract.five import Basis, Finding, Item
from kiosk.inputs import Now
from kiosk.setup import Setup
from kiosk.state import (
    AtHand,
    Checking,
    Measuring,
    Person,
    PinWanted,
    Several,
    Shown,
    State,
    Typing,
    time_of,
)
from kiosk.steps import counting, duty, five_here, identifying, lists, opening, settings, shutting
from kiosk.steps.deciding import can_decide, can_retake, shown_seconds
from kiosk.steps.entries import sentence_of
from kiosk.steps.extending import can_extend
from kiosk.steps.judging import colour_rule, is_closed
from kiosk.steps.measuring import can_add, can_boot
from kiosk.steps.thermometry import answers
from kiosk.view import HolderView, ItemView, Phase, ReadingView, Snapshot, VolunteerView

SHOWN_ENTRIES = 20
_PHASES = {
    Several: Phase.SEVERAL, Measuring: Phase.MEASURING, Typing: Phase.TYPING, Shown: Phase.OUTCOME,
    PinWanted: Phase.PIN, Checking: Phase.CHECKLIST,
}  # fmt: skip
_TODO = {
    Item.DESK: ("show_desk_code", "checklist"),
    Item.REGISTER: ("show_register_code", "checklist"),
    Item.PASSES: ("check_by_eye", "declare"),
    Item.TEMPERATURE: ("use_gun", "declare"),
}
_SOUNDS = {
    Outcome.ADMIT: "good", Outcome.EMERGENCY: "good", Outcome.RETAKE: "wait", Outcome.REFER: "wait", Outcome.REFUSE: "stop",
}  # fmt: skip


def snapshot(state: State, now: Now, setup: Setup) -> Snapshot:
    """Everything the page needs at this moment; its number `n` is the publisher's to give."""
    setup = settings.in_force(state, setup)
    at_hand, findings = state.at_hand, five_here.findings(state, now, setup)
    local = time_of(state, now).astimezone(setup.timezone)
    done = at_hand if isinstance(at_hand, Shown) and at_hand.saved is not None else None
    person = getattr(at_hand, "person", None)
    return Snapshot(
        n=0, station=setup.station, gate=setup.gate_name, compound=setup.compound_name,
        clock=f"{local:%H:%M}", clock_synced=now.synced, language=state.language,
        phase=_PHASES.get(type(at_hand), Phase.WAITING), direction=person.direction if person else state.direction,
        sentence=identifying.said(state, now, setup) or sentence(state, is_closed(state, now, setup)),
        outcome=done.entry.outcome if done else None,
        reasons=done.entry.reasons if done else (), can_decide=can_decide(state), can_retake=can_retake(state),
        holder=_holder(state, person), reading=_reading(done.entry.reading if done else None),
        seconds_left=_seconds_left(at_hand, now, setup), sound=_SOUNDS.get(done.entry.outcome) if done else None,
        checklist_item=at_hand.item if isinstance(at_hand, Checking) else None,
        error=state.trouble.key if state.trouble else None,
        items=tuple(_item(state, f, now) for f in findings.values()), compliant=all(f.present for f in findings.values()),
        volunteer=_volunteer(state, now, setup), entries=lists.entries(state, setup), inside=state.inside,
        online=state.link.connected, link_detail=state.link.detail, backlog=state.link.backlog,
        devices={name: device.ok for name, device in state.devices.items()},
        device_details={name: device.detail for name, device in state.devices.items()},
        needs_typing=not answers(state, now, setup), journal_problem=state.journal_problem,
        gap_minutes=_minutes(state.lasting.gap_seconds), notices=_notices(state), entry=done.saved if done else None,
        measured=len(person.readings) if person else 0, people=len(person.roles) if person else 1,
        next_person=isinstance(at_hand, Measuring) and at_hand.gap, can_add=can_add(state), can_boot=can_boot(state),
        can_aside=isinstance(at_hand, Measuring | Typing) or can_decide(state),
        asked=done is not None and "ask_dwelling" in done.entry.reasons, aside=lists.aside(state, now, setup),
        visits=lists.visits(state, now, setup), bookings=lists.booked(state, now, setup),
        roster=state.directory.version if state.directory and state.directory.roster.dwellings else 0,
        roster_closed=opening.why_closed(state),
        courier=state.directory.policies.courier if state.directory else "shelf", barrier=setup.barrier, page=state.page,
        night=settings.is_night(state, now, setup), brightness=setup.brightness,
        loudness=settings.loudness(state, now, setup), can_settings=bool(setup.settings_pin),
        settings=settings.view(state, now, setup), can_extend=can_extend(state), shut=state.lasting.shut,
        couriers=shutting.couriers(state, now, setup), counted=counting.counted(state, setup),
        recorded=counting.recorded(state), uncounted=counting.is_uncounted(state, setup),
        drift_celsius=five_here.drift(state, setup),
    )  # fmt: skip


def sentence(state: State, closed: bool) -> str:
    """The resident's one sentence: never isolating, revoked or fever."""
    at_hand = state.at_hand
    if isinstance(at_hand, Shown):
        return sentence_of(at_hand.entry) if at_hand.saved is not None else "please_wait"
    if isinstance(at_hand, Measuring) and at_hand.gap:
        return "next_one"
    if isinstance(at_hand, Measuring | Typing):
        return _asked(at_hand.person)
    if isinstance(at_hand, Checking):
        return "show_desk_code" if at_hand.item is Item.DESK else "show_register_code"
    if isinstance(at_hand, PinWanted):
        return "badge_pin"
    if isinstance(at_hand, Several):
        return "one_by_one"
    return "closed" if closed else "show_pass"


def _asked(person: Person) -> str:
    if not person.tries:
        return "measuring"
    return "wrist" if person.tries[-1] == "low" else "again"


def _holder(state: State, person: Person | None) -> HolderView | None:
    if person is None or (person.claims is None and person.form is None):
        return None
    claims, form = person.claims, person.form
    colour = colour_rule(state, person.pass_id)
    faces = state.directory.faces.faces if state.directory else {}
    said = claims or form
    return HolderView(
        name=said.name if said else "", dwelling=claims.dwelling if claims else form.dwelling or form.host if form else "",
        plate=said.plate if said else "", kind=claims.kind.value if claims else "resident", colour=person.colour,
        colour_label=colour.label or None, pass_id=person.pass_id, face=person.pass_id in faces,
        who=form.who.value if form else None,
    )  # fmt: skip


def _reading(reading: Reading | None) -> ReadingView | None:
    if reading is None:
        return None
    return ReadingView(
        band=reading.band.value, body_celsius=reading.body_celsius, skin_celsius=reading.skin_celsius,
        ambient_celsius=reading.ambient_celsius, source=reading.source, degraded=reading.degraded,
    )  # fmt: skip


def _seconds_left(at_hand: AtHand, now: Now, setup: Setup) -> float | None:
    """Whole seconds, so that the snapshot changes once a second and not with every tick."""
    timing = setup.timing
    lasts = {Several: timing.several, Typing: timing.typing, PinWanted: timing.pin, Checking: timing.checklist}
    since = getattr(at_hand, "since_ns", None)
    seconds = lasts.get(type(at_hand))
    if isinstance(at_hand, Measuring):
        since, seconds = max(at_hand.since_ns, at_hand.after_ns), timing.reading
    if isinstance(at_hand, Shown) and at_hand.saved is not None:
        seconds = shown_seconds(at_hand, setup)
    if since is None or seconds is None:
        return None
    return float(max(round(seconds - (now.mono_ns - since) / 1e9), 0))


def _item(state: State, finding: Finding, now: Now) -> ItemView:
    left = (finding.valid_until - time_of(state, now)).total_seconds() if finding.valid_until else None
    todo, touch = (None, None) if finding.present else _todo(state, finding)
    return ItemView(
        item=finding.item, present=finding.present, basis=finding.basis.value if finding.basis else None,
        reason=finding.reason, todo=todo, touch=touch,
        seconds_left=None if left is None or finding.basis is Basis.SENSOR else float(max(int(left) // 10 * 10, 0)),
    )  # fmt: skip


def _todo(state: State, finding: Finding) -> tuple[str, str | None]:
    if finding.basis is Basis.INSPECTED:
        return "call_supervisor", None
    if finding.item is Item.VOLUNTEER:
        return ("confirm_duty", "confirm_duty") if state.lasting.shift else ("show_badge", None)
    return _TODO[finding.item]


def _volunteer(state: State, now: Now, setup: Setup) -> VolunteerView | None:
    shift, last = state.lasting.shift, five_here.declared(state, Item.VOLUNTEER)
    if shift is None:
        return None
    badge, name = state.on_duty
    at, hours = time_of(state, now), duty.hours_on(state, shift, now) or 0.0
    policies = state.directory.policies if state.directory else Policies()
    since = shift.since or at
    idle = (at - last.observed_at).total_seconds() if last and last.present else float("inf")
    return VolunteerView(
        name=name if badge == shift.badge else "",
        since=f"{since.astimezone(setup.timezone):%H:%M}", hours=round(hours, 1),
        ask=idle >= setup.lifetimes.ask_volunteer_after, over=hours * 3600 > policies.shift_seconds,
    )  # fmt: skip


def _minutes(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds / 60)


def _notices(state: State) -> tuple[str, ...]:
    notices = state.directory.notices.notices if state.directory else ()
    return tuple(n.en if state.language == "en" and n.en else n.zh for n in notices)
