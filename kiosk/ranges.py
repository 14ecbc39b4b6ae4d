"""What an acknowledgement says of a journal: which events the hub has, and whether the journal must fork. Pure."""

from contract.messages import Ack
from contract.ranges import Ranges, clip, merge


def acknowledged_by(ack: Ack) -> Ranges:
    """What an acknowledgement covers; from the fork on it covers nothing, for there the hub holds other events."""
    covered = merge(((1, ack.upto), *ack.ranges))
    return covered if ack.fork_at is None else clip(covered, ack.fork_at - 1)


def fork_point(ack: Ack, last_seq: int) -> int | None:
    """Where the journal has to fork, or None.

    A hub that holds more than was ever written here heard it from a later life of this card, since restored or cloned.
    """
    if ack.fork_at is not None:
        return max(ack.fork_at, 1)
    covered = acknowledged_by(ack)
    return last_seq + 1 if covered and covered[-1][1] > last_seq else None
