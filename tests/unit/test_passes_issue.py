"""A pass issued by the hub is one a station takes; what can't be issued is said."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from contract.passes import Pass, PassKind, check, read
from hub.config import HubSettings, Located
from hub.registry import keys, passes, places, versions
from hub.registry.errors import RegistryError
from hub.registry.masking import mask
from hub.store import migrate, open_store
from hub.store.tables import passes as table


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        places.add_area(conn, "north", "北片区")
        places.add_committee(conn, "hm-c", "虹梅居委", "north")
        places.add_compound(conn, "hm", "虹梅小区", "hm-c")
        yield conn
    engine.dispose()


LOCATED = Located(HubSettings(), Path())
RESIDENT: dict[str, Any] = {"kind": PassKind.RESIDENT, "compound": "hm", "name": "王小明", "by": "t"}


def issue(conn: sa.Connection, **changes: Any) -> passes.IssuedPass:
    return passes.issue(conn, LOCATED, **RESIDENT | changes)


def public(conn: sa.Connection) -> dict[str, bytes]:
    return {key.kid: key.public for key in keys.list_keys(conn, keys.KeyUse.PASSES)}


@pytest.mark.parametrize(
    "name, masked",
    [
        ("王小明", "王*明"), ("王明", "王*"), ("王", "王"), ("欧阳小明", "欧**明"), ("王 小明", "王*明"),
        ("阿不都·热合曼", "阿*****曼"), ("John Smith", "J*** S"), ("John", "J***"), ("Mary Ann Lee", "M*** L"),
        ("", ""), ("王*明", "王*明"), ("王*", "王*"), ("J*** S", "J*** S"),
    ],
)  # fmt: skip
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert mask(name) == masked


def test_a_station_takes_it(conn: sa.Connection) -> None:
    issued = issue(conn, dwelling="3-502", days=30)
    claims = read(issued.token, public(conn))
    assert isinstance(claims, Pass)
    assert (claims.id, claims.name, claims.dwelling, claims.compounds) == (issued.id, "王*明", "3-502", ("hm",))
    behind = datetime.now(UTC) - timedelta(seconds=30)
    assert check(claims, behind, "hm", (), {PassKind.RESIDENT}) is None
    assert claims.expires == issued.expires
    assert len(issued.token) < 300


def test_the_whole_name_is_kept_nowhere(conn: sa.Connection) -> None:
    issue(conn)
    kept = conn.execute(sa.select(table)).one()
    assert "小" not in str(tuple(kept))


def test_ids_and_tokens_differ(conn: sa.Connection) -> None:
    made = [issue(conn) for _ in range(20)]
    assert len({one.id for one in made} | {one.token for one in made}) == 40


@pytest.mark.parametrize("kind, days", [(PassKind.VISITOR, 1), (PassKind.WORKER, 30), (PassKind.RESIDENT, 90)])
def test_how_long_it_is_good_for_when_nobody_says(conn: sa.Connection, kind: PassKind, days: int) -> None:
    left = issue(conn, kind=kind).expires - datetime.now(UTC)
    assert timedelta(days=days) - timedelta(minutes=1) < left <= timedelta(days=days)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"compound": "nowhere"}, "no compound 'nowhere'"),
        ({"name": " "}, "needs a name"),
        ({"kind": PassKind.VEHICLE, "name": ""}, "needs a plate"),
        ({"name": "x" * 61}, "at most 60"),
        ({"dwelling": "3\n502"}, "printable"),
        ({"days": 0}, "days is 0"),
        ({"days": 1, "expires": datetime.now(UTC)}, "not both"),
        ({"pin": "2468"}, "has no PIN"),
        ({"kind": PassKind.VOLUNTEER}, "4 to 8 digits"),
        ({"kind": PassKind.VOLUNTEER, "pin": "123"}, "4 to 8 digits"),
        ({"kind": PassKind.SUPERVISOR, "pin": "12a4"}, "4 to 8 digits"),
        ({"kind": PassKind.SUPERVISOR, "pin": "1234\n"}, "4 to 8 digits"),
        ({"kind": PassKind.SUPERVISOR, "pin": "123456789"}, "4 to 8 digits"),
    ],
)
def test_what_can_not_be_issued_is_said(conn: sa.Connection, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        issue(conn, **changes)


@pytest.mark.parametrize(
    "kind, more, raised",
    [
        (PassKind.RESIDENT, {}, 1),
        (PassKind.WORKER, {}, 1),
        (PassKind.VISITOR, {}, 0),
        (PassKind.VEHICLE, {"plate": "沪A12345"}, 0),
    ],
)
def test_whoever_stands_in_the_roster_raises_the_version(
    conn: sa.Connection, kind: PassKind, more: dict[str, Any], raised: int
) -> None:
    before = versions.version_of(conn, "hm")
    issue(conn, kind=kind, **more)
    assert versions.version_of(conn, "hm") == before + raised


def test_a_badge_raises_the_version_and_its_pin_is_hashed(conn: sa.Connection) -> None:
    before = versions.version_of(conn, "hm")
    badge = issue(conn, kind=PassKind.VOLUNTEER, pin="2468")
    assert versions.version_of(conn, "hm") == before + 1
    kept = conn.scalar(sa.select(table.c.pin).where(table.c.id == badge.id))
    assert kept is not None
    assert kept.startswith("$argon2id$")


def test_a_pass_is_revoked_by_id_or_token_and_once(conn: sa.Connection) -> None:
    first, second = issue(conn), issue(conn)
    before = versions.version_of(conn, "hm")
    revoked = passes.revoke(conn, first.id, "t")
    passes.revoke(conn, second.token, "t")
    assert passes.revoke(conn, first.token, "somebody else") == revoked
    assert versions.version_of(conn, "hm") == before + 2
    with pytest.raises(RegistryError, match="pass list"):
        passes.revoke(conn, "0" * 32, "t")


def test_colour_and_isolating_change_and_an_unknown_colour_is_refused(conn: sa.Connection) -> None:
    issued = issue(conn)
    assert passes.set_colour(conn, issued.id, "purple").colour == "purple"
    assert passes.set_colour(conn, issued.id, None).colour is None
    assert passes.set_isolating(conn, issued.id, True).isolating
    assert not passes.set_isolating(conn, issued.id, False).isolating
    with pytest.raises(RegistryError, match=r"red \(红 确诊或密接\), orange"):
        passes.set_colour(conn, issued.id, "pink")


def test_passes_are_listed_by_compound(conn: sa.Connection) -> None:
    issued = issue(conn)
    assert passes.list_passes(conn, "hm") == passes.list_passes(conn) == [issued]
    assert passes.list_passes(conn, "other") == []
    assert issued.token not in repr(issued)
