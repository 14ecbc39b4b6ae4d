"""Proof by fault injection that no confirmed entry is lost or doubled: `python -m tests.faults`, `make faults`."""
