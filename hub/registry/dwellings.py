"""What people write where a dwelling is asked for, as building and room: 3号502, 3号楼502室, 3-502, 12幢1单元301. Pure."""

import re
import unicodedata

MOST = 20
"""Characters of a building or a room (contract.directory.Dwelling)."""

_NUMBER, _ROOM = "[0-9A-Z]{1,4}", "(?P<room>[0-9A-Z]{1,6})(?:室|号|房)?"
_WORDS = re.compile(
    rf"(?P<lane>[0-9]{{1,5}}弄)?(?P<number>{_NUMBER})(?P<word>号楼|号|栋|幢|座|楼)-?(?:(?P<stair>[0-9]{{1,2}})单元)?-?{_ROOM}"
)
_DASHES = re.compile(rf"(?P<number>{_NUMBER})-(?:(?P<stair>[0-9]{{1,2}})(?:单元|-))?{_ROOM}")


def parse(text: str) -> tuple[str, str]:
    """Building and room; what can't be parsed is a building of that name with no rooms. An empty text stays empty.

    >>> parse("3号楼502室"), parse("3-502"), parse("12幢1单元301"), parse("门卫室")
    (('3号', '502'), ('3号', '502'), ('12幢1单元', '301'), ('门卫室', ''))
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    plain = re.sub("[-‐-―−#/]", "-", plain)
    found = _WORDS.fullmatch(plain) or _DASHES.fullmatch(plain)
    if found is None:
        return " ".join(text.split())[:MOST].strip(), ""
    said = found.groupdict(default="")
    word = said.get("word", "号").removesuffix("楼") or "楼"
    stair = f"{said['stair']}单元" if said["stair"] else ""
    return f"{said.get('lane', '')}{said['number']}{word}{stair}"[:MOST], said["room"]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2号 before 10号."""
    return tuple((0, int(run), "") if run.isdecimal() else (1, 0, run) for run in re.findall(r"[0-9]+|[^0-9]+", text))
