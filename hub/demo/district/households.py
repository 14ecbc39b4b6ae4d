"""Who lives in the seeded sub-district: holders with passes, and each compound's badges."""

import random
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher

from contract import passes as contract_passes
from contract.directory import pin_secret
from contract.passes import Pass, PassKind
from hub.config import Located
from hub.demo.district.places import Compound, District
from hub.registry import keys, versions
from hub.registry.masking import mask
from hub.rules.colouring import BUILT_IN_DEFAULT
from hub.store.tables import passes

Badges = dict[str, tuple[str, ...]]
"""Compound → the pass ids of its volunteers' badges."""
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹"
_GIVEN = ("秀英", "建国", "敏", "芳", "伟", "丽", "强", "静", "磊", "玉兰", "桂花", "志明", "小军", "晓燕", "国庆", "雪梅")
_COLOURS = (("yellow", 0.02), ("blue", 0.03), ("purple", 0.03), ("orange", 0.002), ("red", 0.0005), ("white", 0.01))
_ISOLATING = 0.002
VOLUNTEERS = 20
"""Badges of a compound: five for each of its gates, four at most."""
PIN = "2468"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""2,460 badges of a demonstration: a real one takes the default cost."""
_BATCH = 5000


def make(conn: sa.Connection, located: Located, district: District, count: int, now: datetime, seed: int) -> Badges:
    """Write a pass for each holder, signed with the hub's key."""
    rng, key = random.Random(f"holders {seed}"), keys.current(conn, keys.KeyUse.PASSES)
    badges: dict[str, list[str]] = defaultdict(list)
    rows: list[dict[str, Any]] = []
    for n in range(count + VOLUNTEERS * len(district.compounds)):
        compound = district.compounds[n % len(district.compounds)]
        badge = n >= count
        row = _row(rng, key, located.settings.issuer, compound, now, n // len(district.compounds), badge)
        if badge:
            badges[compound.id].append(row["id"])
        rows.append(row)
        if len(rows) == _BATCH:
            conn.execute(sa.insert(passes), rows)
            rows = []
    if rows:
        conn.execute(sa.insert(passes), rows)
    versions.bump_all(conn)
    return {compound: tuple(ids) for compound, ids in badges.items()}


def _row(
    rng: random.Random, key: keys.Key, issuer: str, compound: Compound, now: datetime, n: int, badge: bool
) -> dict[str, Any]:
    kind = PassKind.VOLUNTEER if badge else PassKind.RESIDENT
    dwelling = "" if badge else f"{n // 36 % 40 + 1}号{n // 3 // 2 % 6 + 1}0{n // 3 % 2 + 1}"
    claims = Pass(
        id=rng.randbytes(16).hex(), issuer=issuer, kind=kind, not_before=now - timedelta(days=20),
        expires=now + timedelta(days=rng.randint(1, 120)), compounds=(compound.id,),
        name=mask(rng.choice(_SURNAMES) + rng.choice(_GIVEN)), dwelling=dwelling,
    )  # fmt: skip
    token = contract_passes.issue(claims, key.kid, key.private)
    return {
        "id": claims.id, "kind": kind.value, "compound": compound.id, "name": claims.name, "dwelling": dwelling, "plate": "",
        "token": token, "pin": _CHEAP.hash(pin_secret(PIN, token)) if badge else None, "not_before": claims.not_before,
        "expires": claims.expires, "issued_at": claims.not_before, "issued_by": "seed", "colour": _colour(rng),
        "isolating": not badge and rng.random() < _ISOLATING,
    }  # fmt: skip


def _colour(rng: random.Random) -> str:
    drawn = rng.random()
    for name, share in _COLOURS:
        drawn -= share
        if drawn < 0:
            return name
    return BUILT_IN_DEFAULT
