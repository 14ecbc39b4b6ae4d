"""What station and hub say to each other. Pure: no I/O, no clock, no thread; imported by both, importing neither."""

VERSION = 1
"""The version every message carries as `v`; an unknown one is refused with a reason."""
