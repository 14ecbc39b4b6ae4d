"""What was asked and written down of somebody who came without a code. Pure values."""

from dataclasses import dataclass

from contract.events import Who


@dataclass(frozen=True)
class Form:
    """Somebody told otherwise than by a code: found in the roster, or asked at the gate. Blank where nothing was said."""

    who: Who
    found: str = "form"
    """list (the roster), form (asked)."""
    pass_id: str | None = None
    name: str = ""
    phone: str = ""
    dwelling: str = ""
    """Where a resident lives."""
    host: str = ""
    """到访户: the household that an outsider comes to see."""
    plate: str = ""
    origin: str = ""
    purpose: str | None = None
    note: str = ""
    host_confirmed: bool | None = None
    key_area: bool | None = None
    booking: str | None = None
    booking_problem: str | None = None
    """Why a booking does not hold now."""


VEHICLES = frozenset({Who.VEHICLE, Who.TAXI})
HOSTED = frozenset({Who.VISITOR, Who.COURIER, Who.WORKER, *VEHICLES})
"""Who needs somebody inside to have said yes."""
