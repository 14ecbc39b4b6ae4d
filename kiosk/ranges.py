"""What an acknowledgement says of a journal: which events the hub has, and whether the journal must fork. Pure."""

from contract.messages import Ack
from contract.ranges import Ranges, merge


def acknowledged_by(ack: Ack, last_seq: int) -> Ranges:
    """What an acknowledgement covers: nothing when the journal must fork.

    It goes by numbers, and the hub holds other events under some of them: from which on is not known until it has seen ours.
    """
    return () if fork_point(ack, last_seq) is not None else _covered(ack)


def fork_point(ack: Ack, last_seq: int) -> int | None:
    """Where the journal has to fork, or None.

    A hub that holds more than was ever written here heard it from a later life of this card, since restored or cloned.
    """
    if ack.fork_at is not None:
        return max(ack.fork_at, 1)
    covered = _covered(ack)
    return last_seq + 1 if covered and covered[-1][1] > last_seq else None


def _covered(ack: Ack) -> Ranges:
    return merge(((1, ack.upto), *ack.ranges))
