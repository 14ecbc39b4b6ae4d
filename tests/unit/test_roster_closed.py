"""The roster at the gate: open while a badge that was shown with its PIN is signed in, and plainly closed otherwise."""

from typing import Any

import pytest
from msgspec import structs

from contract.directory import Faces, Openers, Revocations
from contract.events import DutyConfirmed, Entry, Outcome, ShiftChange
from kiosk import inputs
from kiosk.inputs import DirectoryArrived, EnterPin, PinChecked
from kiosk.view import Snapshot
from tests.unit.gate_driver import BADGES, NORMAL, RESIDENTS, Gate, pass_id
from tests.unit.test_station_people import VISITOR, WHOLE

FIRST, SECOND = pass_id(101), pass_id(102)
SEALED = structs.replace(
    WHOLE, openers=Openers(key="c1", wraps={FIRST: "wrapped"}), faces=Faces(faces={pass_id(1): "/9j/"})
)  # fmt: skip
"""Only the first badge has a key."""


def guard() -> Gate:
    made = Gate(directory=SEALED)
    made.equip()
    return made


@pytest.fixture
def gate() -> Gate:
    made = guard()
    made.sign_in()
    return made


def shown(screen: Snapshot) -> tuple[bool, int, str | None]:
    """Whether there is a roster and how many bookings there are to see; why there is none."""
    return bool(screen.roster), len(screen.bookings), screen.roster_closed


OPEN, CLOSED, NO_KEY = (True, 1, None), (False, 0, "roster_closed"), (False, 0, "roster_no_key")


def knows_nobody(gate: Gate) -> bool:
    """Nothing of what tells people is in the state."""
    known = gate.state.directory
    return known is not None and not (known.roster.dwellings or known.faces.faces or known.bookings.bookings or known.opened)


def test_it_is_closed_until_somebody_signs_in_with_badge_and_pin() -> None:
    gate = guard()
    assert (shown(gate.screen), knows_nobody(gate)) == (CLOSED, True)
    gate.show(BADGES[0])
    gate.give(EnterPin(pin="9999"))
    assert (shown(gate.screen), knows_nobody(gate)) == (CLOSED, True)
    assert shown(gate.give(EnterPin(pin="1234"))) == OPEN


def left(gate: Gate) -> None:
    gate.give(inputs.SignOff())


def forgotten(gate: Gate) -> None:
    gate.wait(6 * 3600)


def revoked(gate: Gate) -> None:
    gate.give(DirectoryArrived(structs.replace(SEALED, version=9, revocations=Revocations(ids=(FIRST,)))))
    gate.wait(1)


def locked(gate: Gate) -> None:
    gate.give(inputs.ShutGate(shut=True))


@pytest.mark.parametrize("ends", [left, forgotten, revoked, locked])
def test_it_closes_with_the_shift_and_with_the_gate(gate: Gate, ends: Any) -> None:
    assert shown(gate.screen) == OPEN
    ends(gate)
    assert (shown(gate.screen), knows_nobody(gate), gate.key) == (CLOSED, True, "")


def test_one_that_was_opened_just_before_comes_too_late(gate: Gate) -> None:
    late = gate.opened(SEALED)
    gate.give(inputs.SignOff())
    gate.opened = lambda _: late  # type: ignore[method-assign]
    gate.give(DirectoryArrived(SEALED))
    assert (shown(gate.screen), knows_nobody(gate)) == (CLOSED, True)


def test_after_a_power_cut_the_volunteer_is_on_duty_and_the_roster_closed(gate: Gate) -> None:
    gate.pass_time(60)
    gate.start()
    gate.give(DirectoryArrived(SEALED))
    screen = gate.screen
    assert (shown(screen), screen.volunteer and screen.volunteer.name) == (CLOSED, "")
    assert (gate.give(inputs.FindHolder(pass_id=pass_id(9))).error, gate.screen.phase) == ("roster_closed", "waiting")
    gate.equip()
    gate.show(RESIDENTS[0])
    gate.feel(NORMAL)
    gate.wait(30)
    gate.equip()
    gate.give(VISITOR)
    gate.feel(NORMAL)
    assert [entry.outcome for entry in gate.bodies(Entry)] == [Outcome.ADMIT, Outcome.ADMIT], "nobody is locked out"


def test_the_badge_and_its_pin_open_it_again_in_the_same_shift(gate: Gate) -> None:
    gate.pass_time(60)
    gate.start()
    gate.give(DirectoryArrived(SEALED))
    confirmed = len(gate.bodies(DutyConfirmed))
    screen = gate.show(BADGES[0])
    assert (screen.phase, screen.volunteer and screen.volunteer.name) == ("pin", "王*明")
    assert len(gate.bodies(DutyConfirmed)) == confirmed + 1, "the badge alone says that its holder is there"
    screen = gate.give(EnterPin(pin="1234"))
    assert (shown(screen), screen.phase) == (OPEN, "waiting")
    assert [(change.on, change.badge) for change in gate.bodies(ShiftChange)] == [(True, FIRST)]
    assert gate.show(BADGES[0]).phase == "waiting", "open, the badge is asked for nothing more"


def test_a_badge_of_before_works_and_opens_nothing(gate: Gate) -> None:
    gate.sign_in(1)
    screen = gate.screen
    assert (shown(screen), knows_nobody(gate)) == (NO_KEY, True)
    assert screen.volunteer is not None
    assert gate.give(inputs.FindHolder(pass_id=pass_id(9))).error == "roster_no_key"
    assert gate.show(BADGES[1]).phase == "waiting", "its PIN would not help"
    assert shown(gate.sign_in(0)) == OPEN


def test_a_shift_handed_over_goes_on_with_an_open_roster() -> None:
    both = structs.replace(SEALED, openers=Openers(key="c1", wraps={FIRST: "w", SECOND: "w"}))
    gate = Gate(directory=both)
    gate.sign_in(0)
    gate.sign_in(1)
    assert (shown(gate.screen)[0], gate.key) == (True, SECOND)


def test_a_pin_that_was_checked_too_late_opens_nothing() -> None:
    gate = guard()
    gate.give(PinChecked(FIRST, True, b"key"))
    assert (shown(gate.screen), gate.key) == (CLOSED, "")


def test_without_a_sealed_part_nothing_is_said() -> None:
    assert Gate(directory=structs.replace(WHOLE, openers=Openers())).screen.roster_closed is None
    assert Gate(directory=None).screen.roster_closed is None


def test_secrets_are_not_shown_by_what_carries_them(gate: Gate) -> None:
    gate.give(inputs.SignOff())
    gate.show(BADGES[0])
    asked = inputs.CheckPin(FIRST, BADGES[0], "1234", "$argon2id$")
    told = [asked, PinChecked(FIRST, True, b"key"), inputs.OpenRoster(FIRST, b"key")]
    assert not any(secret in repr(one) for one in told for secret in (BADGES[0], "1234", "argon2id", "b'key'"))
    assert BADGES[0] not in repr(gate.state.at_hand)
