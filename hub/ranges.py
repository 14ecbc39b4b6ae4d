"""What the hub says of a journal from the ranges that it has. Pure."""

from contract.ranges import Ranges


def acknowledged(ranges: Ranges) -> tuple[int, Ranges]:
    """(upto, beyond): everything from 1 to `upto` is there, and what is there after a gap."""
    if ranges and ranges[0][0] == 1:
        return ranges[0][1], ranges[1:]
    return 0, ranges
