"""七色管理: what the colours are and what a gate does for each. Pure.

The sub-district sets them. Until it has, and wherever nothing is stored, the seven below hold: a hub is never without colours.
"""

import re
from collections.abc import Mapping

import msgspec

from contract.directory import ColourRule

BUILT_IN = {
    "red": ColourRule(label="红 确诊或密接", gate="refer"),
    "orange": ColourRule(label="橙 重点地区未满14天", gate="homecoming"),
    "yellow": ColourRule(label="黄 外地返回未满14天", gate="admit", ask_symptoms=True),
    "blue": ColourRule(label="蓝 已满14天", gate="admit"),
    "green": ColourRule(label="绿 常住居民", gate="admit"),
    "purple": ColourRule(label="紫 需要照护", gate="admit", quota=False),
    "white": ColourRule(label="白 尚未登记", gate="refer"),
}
"""No public source names the seven: these are ours, and only a beginning."""
BUILT_IN_DEFAULT = "green"
SWATCHES = (*BUILT_IN, "grey", "brown", "pink", "black", "cyan")
"""The colours that pages can draw; each can be in use once."""
GATES = ("admit", "refer", "homecoming")
LONGEST_LABEL = 60


class Palette(msgspec.Struct, frozen=True):
    """The colours in use, in their order, and the one of whoever has none."""

    rules: dict[str, ColourRule]
    default: str

    @property
    def labels(self) -> dict[str, str]:
        """Id → label."""
        return {id: rule.label for id, rule in self.rules.items()}

    @property
    def free(self) -> tuple[str, ...]:
        """The swatches that are not in use."""
        return tuple(swatch for swatch in SWATCHES if swatch not in self.rules)

    def rule_of(self, colour: str | None) -> ColourRule | None:
        """The rule of a pass's colour, or of a pass without one; None for a colour that is gone."""
        return self.rules.get(self.default if colour is None else colour)


USUAL = Palette(BUILT_IN, BUILT_IN_DEFAULT)


def with_rule(palette: Palette, id: str, rule: ColourRule, *, default: bool = False) -> Palette:
    """One colour as it is to be, a new one last; `default`: from now on that of whoever has none."""
    return Palette({**palette.rules, id: rule}, id if default else palette.default)


def without(palette: Palette, id: str) -> Palette:
    """All but one."""
    return Palette({known: rule for known, rule in palette.rules.items() if known != id}, palette.default)


def moved(palette: Palette, id: str, by: int) -> Palette:
    """One colour `by` places further down; at an end it stays."""
    order = [known for known in palette.rules if known != id]
    at = min(max(list(palette.rules).index(id) + by, 0), len(order))
    return Palette({known: palette.rules[known] for known in (*order[:at], id, *order[at:])}, palette.default)


def wrong_label(palette: Palette, id: str) -> str | None:
    """What is wrong with a colour's label: empty, long, plain, or taken; None: nothing."""
    label = palette.rules[id].label
    if not label.strip():
        return "empty"
    if len(label) > LONGEST_LABEL:
        return "long"
    if not label.isprintable():
        return "plain"
    others = {word.casefold() for known, rule in palette.rules.items() if known != id for word in (known, rule.label)}
    return "taken" if label.strip().casefold() in others else None


def is_sound(palette: Palette) -> bool:
    """Whether every colour can be told from the others, and the default is one of them."""
    ids = all(re.fullmatch(r"[a-z][a-z0-9-]{0,15}", id) for id in palette.rules)
    known = all(rule.gate in GATES and wrong_label(palette, id) is None for id, rule in palette.rules.items())
    return ids and known and palette.default in palette.rules


def felt(before: Palette, after: Palette, holders: Mapping[str | None, int]) -> dict[str, int]:
    """What a change does at the gates: what they will do from then on → for how many passes they did something else before.

    `holders`: passes by colour, None: without one. A rule that changes for nobody yet is in it with 0.
    """
    made: dict[str, int] = {}
    for colour in dict.fromkeys((*holders, *after.rules, None)):
        was, now = before.rule_of(colour), after.rule_of(colour)
        if was is not None and now is not None and was.gate != now.gate:
            made[now.gate] = made.get(now.gate, 0) + holders.get(colour, 0)
    return made


def meanings(labels: Mapping[str, str]) -> dict[str, str]:
    """What a list may say → id: an id, a label, or its first word, or 红色, where only one colour is meant by it."""
    short: dict[str, set[str]] = {}
    for id, label in labels.items():
        for word in (*label.casefold().split()[:1], f"{label[:1]}色".casefold()):
            short.setdefault(word, set()).add(id)
    clear = {word: ids.pop() for word, ids in short.items() if len(ids) == 1}
    return clear | {label.casefold(): id for id, label in labels.items()} | {id: id for id in labels}
