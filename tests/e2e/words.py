"""What a place that is named here in Chinese says in the screen's language: the flows are written once and gone in each.

One Chinese word may stand for several of another language (放行 is both "Admit" and "Admitted"): a pattern takes any of them.
"""

import re
from collections.abc import Iterator
from itertools import product

from kiosk.web.texts import GROUPS

LOOKS = tuple(product(((800, 480), (1024, 600), (1280, 800)), ("zh", "en")))
"""Every size of screen in both languages."""
EMPTY = "—"
"""What stands on a tile whose question isn't answered."""
BLANK = "[\\s\u200b•·]*"
"""White space, a place where a line may break, or a dot between: what may stand between any two letters of a label."""


def bare(words: str) -> str:
    """The words without what may stand between their letters."""
    return re.sub(BLANK, "", words)


def saying(language: str, *said: str, whole: bool = True) -> re.Pattern[str]:
    """A pattern of all (or a part) of what a place shows when it says these, one after another, in the language."""
    words = BLANK.join(_any_of(set(said_in(language, one))) for one in said)
    return re.compile(f"^{BLANK}{words}{BLANK}$" if whole else words)


def said_in(language: str, label: str) -> Iterator[str]:
    """What a Chinese label may be in the language; what is no word of the screen's (a room, a name, a digit) stays as it is."""
    if language == "zh":
        yield label
        return
    if label.endswith(EMPTY):
        yield from (one + EMPTY for one in said_in(language, label.removesuffix(EMPTY)))
        return
    found = list(_translated(language, label))
    yield from found
    if not found or len(label) == 1:  # 苏 is a family name, and the province on a number plate
        yield label


def _translated(language: str, label: str) -> Iterator[str]:
    for pairs in GROUPS.values():
        for chinese, english in pairs.values():
            names = re.findall(r"{(\w+)}", chinese)
            pattern = re.sub(r"\\{\w+\\}", "(.+)", re.escape(bare(chinese)))
            if found := re.fullmatch(pattern, bare(label)):
                for values in product(*(set(said_in(language, value)) for value in found.groups())):
                    yield english.format(**dict(zip(names, values, strict=True)))


def _any_of(said: set[str]) -> str:
    spread = (BLANK.join(map(re.escape, bare(one))) for one in sorted(said))
    return f"(?:{'|'.join(spread)})"
