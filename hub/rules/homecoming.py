"""返沪报到: who has been taken home once is isolating from then on. Pure."""

from contract.events import Body, Correction, Direction, Entry, Outcome

HOMECOMING = "homecoming"
"""What a colour asks of the gate (`contract.directory.ColourRule`): the committee comes and takes the returnee home."""


def tells_of_homecoming(body: Body) -> bool:
    """Whether an event may be of somebody who came home, or of one who did not after all."""
    return (isinstance(body, Entry) and came_home(body)) or (isinstance(body, Correction) and is_undone(body))


def came_home(entry: Entry) -> bool:
    """Whether a holder that a gate had referred was let in by the volunteer after all. Whether the referral was for a homecoming,
    the colour tells that the station went by."""
    let_in = entry.outcome is Outcome.ADMIT and entry.direction is Direction.IN
    return let_in and entry.pass_id is not None and entry.follows is not None and entry.written is None


def is_undone(correction: Correction) -> bool:
    """Whether a correction says that nobody came in by the entry it corrects."""
    return correction.cancelled or correction.outcome not in (None, Outcome.ADMIT)
