"""Each policy as its page shows it and takes it: in words, in fields, and back from what was typed."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.directory import Policies
from hub.registry.policies import Values
from hub.web.site import language
from hub.web.texts import duration, text

Fields = Mapping[str, Sequence[str]]
"""Field → what stands in it; several for the times of a day."""


class Kind(StrEnum):
    """How a policy is typed."""

    CHOICE = "choice"
    PERCENT = "percent"
    HOURS = "hours"
    MINUTES = "minutes"
    QUOTA = "quota"
    SPAN = "span"
    SPANS = "spans"


@dataclass(frozen=True)
class Rule:
    """One line of the page: a policy, or two that say one thing together. Limits are in what is typed."""

    key: str
    kind: Kind
    names: tuple[str, ...]
    """The fields of `contract.directory.Policies`."""
    least: float = 0
    most: float = 0


COURIER = ("shelf", "visitor")
MOST_OUTINGS, MOST_DAYS, MOST_SPANS = 20, 7, 8
_SHOWN_SPANS = 3
_PER = {Kind.HOURS: 3600, Kind.MINUTES: 60}
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,3})?")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")

GROUPS: Mapping[str, tuple[Rule, ...]] = {
    "outings": (
        Rule("quota", Kind.QUOTA, ("outings", "outing_days")),
        Rule("outing_seconds", Kind.HOURS, ("outing_seconds",), 0, 168),
        Rule("outing_windows", Kind.SPANS, ("outing_windows",)),
    ),
    "outsiders": (
        Rule("courier", Kind.CHOICE, ("courier",)),
        Rule("visit_seconds", Kind.HOURS, ("visit_seconds",), 0.5, 168),
        Rule("taxi_seconds", Kind.MINUTES, ("taxi_seconds",), 1, 1440),
    ),
    "gate": (
        Rule("aside_seconds", Kind.MINUTES, ("aside_seconds",), 0, 60),
        Rule("question_share", Kind.PERCENT, ("question_share",), 0, 100),
        Rule("shift_seconds", Kind.HOURS, ("shift_seconds",), 1, 24),
        Rule("night", Kind.SPAN, ("night",)),
    ),
}  # fmt: skip
RULES = {rule.key: rule for rules in GROUPS.values() for rule in rules}


def said(rule: Rule, policies: Policies) -> str:
    """What is in force, in words."""
    value = getattr(policies, rule.names[0])
    match rule.kind:
        case Kind.CHOICE:
            return _text(f"courier.{value}")
        case Kind.PERCENT:
            return _text("share", n=_plain(value * 100)) if value else _text("share.none")
        case Kind.QUOTA:
            key = "none" if not value else "day" if policies.outing_days == 1 else "days"
            return _text(f"quota.{key}", n=value, days=policies.outing_days)
        case Kind.SPAN:
            return _span(value)
        case Kind.SPANS:
            return _text("joint").join(_span(one) for one in value) if value else _text("windows.none")
    if rule.key == "outing_seconds":
        return _text("out.most", n=duration(language(), value)) if value else _text("out.none")
    return duration(language(), value) if value >= 60 else _text("seconds", n=_plain(value))


def fields(rule: Rule, policies: Policies) -> dict[str, list[str]]:
    """What stands in the fields for what is in force."""
    value = getattr(policies, rule.names[0])
    match rule.kind:
        case Kind.CHOICE:
            return {"value": [value]}
        case Kind.QUOTA:
            return {"outings": [str(value)], "outing_days": [str(policies.outing_days)]}
        case Kind.SPAN | Kind.SPANS:
            spans = [value] if rule.kind is Kind.SPAN else value
            return {"begins": [_hhmm(begins) for begins, _ in spans], "ends": [_hhmm(ends) for _, ends in spans]}
    return {"value": [_plain(value * 100 if rule.kind is Kind.PERCENT else value / _PER[rule.kind])]}


def pairs(rule: Rule, shown: Fields) -> list[tuple[str, str]]:
    """The times of a day as rows of fields, some of them empty where there may be more."""
    known = list(zip(shown.get("begins", ()), shown.get("ends", ()), strict=False))
    rows = 1 if rule.kind is Kind.SPAN else min(max(_SHOWN_SPANS, len(known) + 1), MOST_SPANS)
    return [*known, *[("", "")] * (rows - len(known))]


def read(rule: Rule, typed: Fields) -> Values | None:
    """The policies that were typed; None: they can't be taken."""
    match rule.kind:
        case Kind.CHOICE:
            value = _first(typed, "value")
            return {rule.names[0]: value} if value in COURIER else None
        case Kind.QUOTA:
            outings, days = _number(typed, "outings", 0, MOST_OUTINGS), _number(typed, "outing_days", 1, MOST_DAYS)
            whole = outings is not None and days is not None and outings.is_integer() and days.is_integer()
            return {"outings": int(outings), "outing_days": int(days)} if whole and outings is not None and days else None
        case Kind.SPAN | Kind.SPANS:
            spans = _spans(typed)
            if spans is None or (rule.kind is Kind.SPAN and len(spans) != 1):
                return None
            return {rule.names[0]: spans[0] if rule.kind is Kind.SPAN else spans}
    number = _number(typed, "value", rule.least, rule.most)
    if number is None:
        return None
    return {rule.names[0]: round(number / 100, 5) if rule.kind is Kind.PERCENT else float(round(number * _PER[rule.kind]))}


def wrong(rule: Rule) -> str:
    """What a policy may be, in words, after something that it may not."""
    values = {
        "least": _plain(rule.least),
        "most": _plain(rule.most),
        "outings": MOST_OUTINGS,
        "days": MOST_DAYS,
        "spans": MOST_SPANS,
    }
    return _text(f"wrong.{rule.kind}", **values)


def _text(key: str, **values: object) -> str:
    return text(language(), f"policies.{key}", **values)


def _first(typed: Fields, name: str) -> str:
    return unicodedata.normalize("NFKC", next(iter(typed.get(name, ())), "")).strip()


def _number(typed: Fields, name: str, least: float, most: float) -> float | None:
    found = _NUMBER.fullmatch(_first(typed, name))
    value = float(found.group()) if found else None
    return value if value is not None and least <= value <= most else None


def _spans(typed: Fields) -> list[tuple[int, int]] | None:
    """The times that were filled in; None where one lacks its end, is none, or is empty."""
    rows = list(zip(typed.get("begins", ()), typed.get("ends", ()), strict=False))
    made = [(_minute(begins), _minute(ends)) for begins, ends in rows if begins or ends]
    whole = [(begins, ends) for begins, ends in made if begins is not None and ends is not None and begins != ends]
    return whole if len(whole) == len(made) <= MOST_SPANS else None


def _minute(typed: str) -> int | None:
    found = _TIME.fullmatch(typed)
    return int(found[1]) * 60 + int(found[2]) if found else None


def _span(span: tuple[int, int]) -> str:
    begins, ends = span
    return _text("span.next" if ends <= begins else "span", begins=_hhmm(begins), ends=_hhmm(ends))


def _hhmm(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _plain(value: float) -> str:
    return f"{round(value, 3):g}"
