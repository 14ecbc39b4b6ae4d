"""What of a station's evidence is current: each item and basis as it was last said. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from contract.five import Basis, Evidence, Item

Key = tuple[Item, Basis]
Known = Mapping[Key, Evidence]
_JITTER = timedelta(seconds=2)
"""Anchoring at receipt makes times waver by the way's delay: within this it is the same observation."""


def by_event(known: Known, said: Iterable[Evidence]) -> dict[Key, Evidence]:
    """What changes when the journal says something: only what is newer than what is known."""
    changed: dict[Key, Evidence] = {}
    for evidence in sorted(said, key=lambda e: e.observed_at):
        key = (evidence.item, evidence.basis)
        before = changed.get(key, known.get(key))
        if before is None or evidence.observed_at > before.observed_at:
            changed[key] = evidence
    return changed


def by_pulse(known: Known, said: Iterable[Evidence], at: datetime) -> dict[Key, Evidence]:
    """What changes when vitals tell all of a station's evidence: what they no longer name has ended, but for inspections."""
    named = {(e.item, e.basis): e for e in said}
    changed = {key: _steady(known.get(key), e) for key, e in named.items()}
    for key, before in known.items():
        ended = before.valid_until is not None and before.valid_until <= at
        if key not in named and not ended and before.basis is not Basis.INSPECTED:
            changed[key] = msgspec.structs.replace(before, valid_until=at)
    return {key: e for key, e in changed.items() if e != known.get(key)}


def _steady(before: Evidence | None, said: Evidence) -> Evidence:
    if before is None or abs(before.observed_at - said.observed_at) > _JITTER:
        return said
    same = (before.present, before.reason, before.by, before.photo) == (said.present, said.reason, said.by, said.photo)
    return msgspec.structs.replace(said, observed_at=before.observed_at) if same else said
