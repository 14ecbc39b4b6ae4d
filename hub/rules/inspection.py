"""督查: what an inspection may say, and how its findings are weighed with a gate's own evidence. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from contract.five import Basis, Evidence, Item, Lifetimes
from hub.rules.acting import Attempt
from hub.rules.compliance import Value

CONDUCT = "conduct"
"""What is looked at beside the five: whether people are asked, measured and let in as they should be."""
REASON = "inspection"
"""Why an item is missing that an inspector did not find."""
OLDEST = timedelta(hours=24)
"""What was looked at longer ago is no inspection any more."""
AHEAD = timedelta(minutes=5)
"""A phone's clock may be fast by so much; what it says then counts as now."""
MOST_PHOTOS = 3
LONGEST_NOTE = 500
"""Characters: what the directory takes to the stations."""


class Method(StrEnum):
    """The sub-district's five ways to look at a gate unannounced."""

    ROUNDS = "rounds"
    """车轮查: by e-bike, every day."""
    OFF_PEAK = "off_peak"
    """错峰查: at noon, at night, in the rain."""
    ACTOR = "actor"
    """演员查: an inspector plays somebody who wants to go in."""
    CROSS = "cross"
    """交叉查: by another area's team."""
    RECHECK = "recheck"
    """回头查: whether what was found is put right."""


class Look(Value, frozen=True, kw_only=True):
    """What an inspector saw of one item."""

    present: bool
    note: str = ""


class Sheet(Value, frozen=True, kw_only=True):
    """An inspection as it is to be sent; what was not looked at is not in it."""

    id: str
    """32 hex digits made by whoever looks, so that sending twice makes one."""
    gate: str
    method: Method
    observed_at: datetime
    looks: Mapping[Item, Look]
    conduct: bool | None = None
    note: str = ""
    """On conduct, and on the whole."""
    rechecks: str | None = None
    """The rectification that this looks at again."""
    actor: Attempt | None = None
    """演员查: what was tried."""


class Found(Value, frozen=True, kw_only=True):
    """One finding of an inspection that was sent."""

    inspection: str
    item: Item
    present: bool
    observed_at: datetime
    sent_at: datetime
    by: str
    note: str = ""


def problems(sheet: Sheet, now: datetime, rechecked: str | None = None) -> dict[str, str]:
    """What forbids sending the sheet at `now`: field → the key of what is wrong; `rechecked`: the item that is to be in it."""
    wrong = {}
    if sheet.observed_at > now + AHEAD:
        wrong["observed_at"] = "future"
    elif sheet.observed_at < now - OLDEST:
        wrong["observed_at"] = "old"
    if rechecked is not None and verdict(sheet, rechecked) is None:
        wrong[f"look_{rechecked}"] = "recheck"
    elif not sheet.looks and sheet.conduct is None and sheet.actor is None:
        wrong["looks"] = "nothing"
    if (sheet.method is Method.RECHECK) is not (sheet.rechecks is not None):
        wrong["method"] = "recheck"
    if sheet.actor is not None and sheet.method is not Method.ACTOR:
        wrong["actor_kind"] = "actor"
    return wrong


def verdict(sheet: Sheet, item: str) -> bool | None:
    """What the sheet says of an item, or of conduct: there or good, not so, or (None) not looked at."""
    if item == CONDUCT:
        return sheet.conduct
    look = sheet.looks.get(Item(item))
    return None if look is None else look.present


def negatives(sheet: Sheet) -> dict[str, str]:
    """What was found missing or bad, in the order of the five, conduct last, each with what was noted of it."""
    missing = {item.value: sheet.looks[item].note or sheet.note for item in Item if verdict(sheet, item) is False}
    return missing | ({CONDUCT: sheet.note} if sheet.conduct is False else {})


def newest(found: Iterable[Found]) -> tuple[Found, ...]:
    """Of a gate's findings each item's newest one, by when it was looked at: what is weighed with the stations' evidence."""
    last: dict[Item, Found] = {}
    for one in sorted(found, key=lambda f: (f.observed_at, f.sent_at, not f.present)):
        last[one.item] = one
    return tuple(last[item] for item in Item if item in last)


def outranking(found: Iterable[Found]) -> tuple[Found, ...]:
    """Of a gate's findings those that still stand: each item's newest one where that is negative."""
    return tuple(one for one in newest(found) if not one.present)


def as_evidence(found: Found, lifetimes: Lifetimes) -> Evidence:
    """A finding as it is weighed with what the gate's stations say of the item (`contract.five`): a negative one outranks all of
    it until a re-check, a positive one is evidence among it for a while after somebody looked."""
    until = found.observed_at + timedelta(seconds=lifetimes.positive_inspection) if found.present else None
    return Evidence(
        item=found.item, present=found.present, basis=Basis.INSPECTED, observed_at=found.observed_at, valid_until=until,
        by=found.by or None, reason=None if found.present else REASON, note=found.note or None,
    )  # fmt: skip
