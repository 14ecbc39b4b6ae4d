"""The roster as the page wants it: by building and room, in the order in which people look for them. Pure."""

import re

import msgspec

from contract.directory import Directory, Dwelling


def roster_json(directory: Directory | None) -> bytes:
    """`{"version", "buildings": [{"building", "rooms": [{"room", "holders": [{"pass_id", "name"}]}]}]}`; or none."""
    if directory is None:
        return msgspec.json.encode({"version": 0, "buildings": []})
    by_building: dict[str, list[Dwelling]] = {}
    for dwelling in directory.roster.dwellings:
        by_building.setdefault(dwelling.building, []).append(dwelling)
    buildings = [
        {"building": name, "rooms": [_room(one) for one in sorted(rooms, key=lambda one: natural(one.room))]}
        for name, rooms in sorted(by_building.items(), key=lambda item: natural(item[0]))
    ]
    return msgspec.json.encode({"version": directory.version, "buildings": buildings})


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts 3号 before 12号."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", text) if part]


def _room(dwelling: Dwelling) -> dict[str, object]:
    return {"room": dwelling.room, "holders": [{"pass_id": h.pass_id, "name": h.name} for h in dwelling.holders]}
