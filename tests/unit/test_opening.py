"""What tells people opens with a signed-in badge and its PIN, and with nothing else: key, wraps, parts, and who has the key."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw
from msgspec import structs

from contract import opening
from contract.codec import BadMessage, encode
from contract.directory import (
    SEALED,
    Badge,
    Badges,
    Booking,
    Bookings,
    Directory,
    Dwelling,
    Faces,
    Openers,
    Roster,
    RosterHolder,
    SealedPart,
    assemble,
    make_manifest,
    pin_secret,
    split,
)
from contract.opening import closed, is_closed, open_parts, opening_key, public_half, seal_parts, unwrap
from contract.passes import PassKind
from contract.sealing import b64, unb64
from hub.config import HubSettings, Located
from hub.registry import directory, keys, passes, places, policies
from hub.registry.errors import RegistryError
from hub.store import meta, migrate, open_store
from hub.store.tables import passes as table
from hub.vault import open_hub
from kiosk.inputs import CheckPin
from kiosk.roster_keeper import RosterKeeper

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ANN, BOB = bytes(range(32)), bytes(range(32, 64))
"""Opening keys of two badges, as if argon2 had made them."""
MEMBERS = {"ann": public_half(ANN), "bob": public_half(BOB)}
COST = (1, 32, 4, 32, Type.ID)
CHEAP = partial(PasswordHasher, time_cost=1, memory_cost=32, parallelism=4)
CONTENT, NEXT = bytes(range(64, 96)), bytes(range(96, 128))
PLAIN = Directory(
    version=3,
    roster=Roster(dwellings=(Dwelling(building="3号", room="502", holders=(RosterHolder(pass_id="0a", name="王*明"),)),)),
    faces=Faces(faces={"0a": "/9j/4A=="}),
    bookings=Bookings(bookings=(
        Booking(id="b1", kind="removal", plate="沪A12345", dwelling="3号502", opens=NOW, closes=NOW + timedelta(hours=1)),
    )),
)  # fmt: skip


def sealed(whole: Directory = PLAIN, key: str = "c1", content: bytes = CONTENT, members: dict[str, str] = MEMBERS) -> Directory:
    return seal_parts(whole, "hm", key, content, members)


def published(whole: Directory) -> Directory:
    """As a station puts it together."""
    return assemble(make_manifest("hm", whole, NOW), split(whole))


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 without its cost; the golden vectors hold the key that it makes at its full cost."""
    monkeypatch.setattr(opening, "_PASSES", 1)
    monkeypatch.setattr(opening, "_KIB", 32)
    monkeypatch.setattr(passes, "PasswordHasher", CHEAP)


# ---- the key that badge and PIN make ----


def test_badge_and_pin_make_one_key_and_neither_alone_does() -> None:
    made = opening_key("2468", "GP1:A")
    assert made == opening_key("2468", "GP1:A")
    assert len({made, opening_key("2469", "GP1:A"), opening_key("2468", "GP1:B")}) == 3


def test_what_is_kept_to_check_a_pin_says_nothing_of_the_key() -> None:
    hashed = CHEAP().hash(pin_secret("2468", "GP1:A"))
    salt, digest = (unb64(part.translate(str.maketrans("+/", "-_"))) for part in hashed.split("$")[-2:])
    made = opening_key("2468", "GP1:A")
    assert digest != made
    assert hash_secret_raw(pin_secret("2468", "GP1:A").encode(), salt, *COST) == digest
    ours = hash_secret_raw(f"opens:{pin_secret('2468', 'GP1:A')}".encode(), salt, *COST)
    assert made not in (digest, ours), "neither with the input nor with the salt of the other"


# ---- sealing ----


def test_every_member_opens_everything() -> None:
    told = published(sealed())
    assert is_closed(told)
    assert (told.roster, told.faces, told.bookings) == (Roster(), Faces(), Bookings())
    for badge, key in (("ann", ANN), ("bob", BOB)):
        opened = open_parts(told, "hm", unwrap(told.openers, "hm", badge, key))
        assert (opened.roster, opened.faces, opened.bookings) == (PLAIN.roster, PLAIN.faces, PLAIN.bookings)
        assert not is_closed(opened)
        assert closed(opened) == told


def test_nothing_of_it_is_in_what_is_published() -> None:
    whole = b"".join(split(sealed()).values())
    boxes = b"".join(unb64(getattr(sealed(), f"sealed_{name}").box) for name in SEALED)
    for word in ("王*明", "沪A12345", "3号", "/9j/4A=="):
        assert word.encode() not in whole + boxes
    assert "王*明".encode() in encode(PLAIN.roster)


def test_the_same_is_sealed_to_the_same_bytes_and_one_change_to_one_other_part() -> None:
    first = split(sealed())
    assert split(sealed()) == first
    more = split(sealed(members={**MEMBERS, "eve": public_half(CONTENT)}))
    assert {name for name in first if first[name] != more[name]} == {"openers"}
    moved = structs.replace(PLAIN, bookings=Bookings())
    assert {name for name, data in split(sealed(moved)).items() if first[name] != data} == {"sealed_bookings"}
    other = split(sealed(key="c2", content=NEXT))
    assert {name for name in first if first[name] != other[name]} == {"openers", *(f"sealed_{name}" for name in SEALED)}


def test_the_same_content_in_two_places_does_not_look_the_same() -> None:
    empty = seal_parts(Directory(), "hm", "c1", CONTENT, {})
    there = seal_parts(Directory(), "gm", "c1", CONTENT, {})
    boxes = {getattr(one, f"sealed_{name}").box for one in (empty, there) for name in SEALED}
    assert len(boxes) == 2 * len(SEALED)


@pytest.mark.parametrize(
    ("compound", "badge", "key"), [("gm", "ann", ANN), ("hm", "bob", ANN), ("hm", "ann", BOB), ("hm", "eve", ANN)]
)
def test_a_wrap_opens_for_its_own_badge_here_alone(compound: str, badge: str, key: bytes) -> None:
    with pytest.raises(BadMessage, match=r"does not open|not wrapped for this badge"):
        unwrap(sealed().openers, compound, badge, key)


def test_a_badge_that_had_the_last_key_does_not_open_the_next() -> None:
    had = unwrap(sealed().openers, "hm", "bob", BOB)
    following = published(sealed(key="c2", content=NEXT, members={"ann": MEMBERS["ann"]}))
    with pytest.raises(BadMessage, match="not wrapped for this badge"):
        unwrap(following.openers, "hm", "bob", BOB)
    with pytest.raises(BadMessage, match="part roster does not open"):
        open_parts(following, "hm", had)


def flipped(box: str) -> Iterator[str]:
    """The box with each of its bytes changed in turn, and cut short."""
    raw = unb64(box)
    yield from (b64(raw[:n] + bytes([raw[n] ^ 1]) + raw[n + 1 :]) for n in range(len(raw)))
    yield from (b64(raw[:-1]), b64(raw[:8]), "", "*")


@pytest.mark.parametrize("name", SEALED)
def test_a_part_of_which_any_byte_was_changed_is_refused(name: str) -> None:
    told = published(sealed())
    for box in flipped(getattr(told, f"sealed_{name}").box):
        changed: dict[str, Any] = {f"sealed_{name}": SealedPart(key="c1", box=box)}
        with pytest.raises(BadMessage, match=f"part {name} does not open: it was altered"):
            open_parts(structs.replace(told, **changed), "hm", CONTENT)


def test_a_part_in_anothers_place_is_refused() -> None:
    told = published(sealed())
    with pytest.raises(BadMessage, match="part faces does not open"):
        open_parts(structs.replace(told, sealed_faces=told.sealed_bookings), "hm", CONTENT)
    with pytest.raises(BadMessage, match="under key 'c0', and the wraps are of 'c1'"):
        open_parts(structs.replace(told, sealed_faces=SealedPart(key="c0", box=told.sealed_faces.box)), "hm", CONTENT)


def test_a_wrap_of_which_any_byte_was_changed_is_refused() -> None:
    told = sealed().openers
    for box in flipped(told.wraps["ann"]):
        with pytest.raises(BadMessage, match="the wrap does not open: it was altered"):
            unwrap(structs.replace(told, wraps={"ann": box}), "hm", "ann", ANN)
    for sender in flipped(told.sender):
        with pytest.raises(BadMessage, match=r"does not open|public key|not base64url"):
            unwrap(structs.replace(told, sender=sender), "hm", "ann", ANN)
    with pytest.raises(BadMessage, match="public key"):
        unwrap(structs.replace(told, sender=b64(bytes(32))), "hm", "ann", ANN)


# ---- the station's keeper ----


class Kept:
    """A keeper, and what it told."""

    def __init__(self) -> None:
        self.told: list[Directory] = []
        self.keeper = RosterKeeper("hm", self.told.append)

    @property
    def names(self) -> list[str]:
        known = self.keeper.directory
        return [holder.name for home in known.roster.dwellings for holder in home.holders] if known else []


@pytest.fixture
def kept() -> Kept:
    made = Kept()
    made.keeper.take(published(sealed()))
    return made


def test_it_is_closed_until_a_badge_signs_in_and_after_it_has_left(kept: Kept) -> None:
    assert (kept.names, kept.told) == ([], [published(sealed())])
    kept.keeper.open("ann", ANN)
    assert kept.names == ["王*明"]
    kept.keeper.close()
    assert kept.names == []
    kept.keeper.take(structs.replace(published(sealed()), version=4))
    assert (kept.names, kept.keeper.directory and kept.keeper.directory.version) == ([], 4)
    assert [one.opened for one in kept.told] == [False, True, False, False]


def test_a_newer_directory_opens_while_the_badge_is_signed_in_under_whatever_key(kept: Kept) -> None:
    kept.keeper.open("ann", ANN)
    faces = kept.told[-1].faces
    kept.keeper.take(structs.replace(published(sealed()), version=4))
    assert kept.names == ["王*明"]
    assert kept.told[-1].faces is faces, "what is the same was not opened again"
    kept.keeper.take(published(sealed(key="c2", content=NEXT)))
    assert kept.names == ["王*明"]


def test_a_badge_that_is_shut_out_sees_the_next_no_more(kept: Kept) -> None:
    kept.keeper.open("bob", BOB)
    kept.keeper.take(published(sealed(key="c2", content=NEXT, members={"ann": MEMBERS["ann"]})))
    assert (kept.names, kept.told[-1].openers.key) == ([], "c2")


def test_what_one_badge_opened_is_closed_for_one_without_a_key(kept: Kept) -> None:
    kept.keeper.open("ann", ANN)
    kept.keeper.open("eve", ANN)
    assert kept.names == []
    kept.keeper.open("ann", b"")
    assert kept.names == []


def test_what_does_not_open_is_said_and_closed_and_the_directory_is_in_force(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.keeper.open("ann", ANN)
    broken = structs.replace(
        published(sealed()), version=5, openers=Openers(key="c1", sender=MEMBERS["bob"], wraps={"ann": "AA"})
    )
    kept.keeper.take(broken)
    assert kept.told[-1] == broken
    assert "the roster of directory 5 stays closed: the wrap does not open" in caplog.text
    with pytest.raises(BadMessage, match="the wrap does not open"):
        kept.keeper.open("ann", ANN)
    assert kept.names == []


def test_the_key_is_the_badges_own(kept: Kept) -> None:
    asked = CheckPin("ann", "GP1:A", "2468", "")
    assert kept.keeper.key(asked) == opening_key("2468", "GP1:A")
    assert not any(secret in repr(asked) for secret in ("GP1:A", "2468"))


def test_before_any_directory_there_is_nothing_to_open() -> None:
    made = Kept()
    made.keeper.open("ann", ANN)
    made.keeper.close()
    assert made.told == []


# ---- the hub ----


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(), tmp_path)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sa.Connection]:
    engine = open_store(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(engine)
    with engine.begin() as opened:
        stock(opened)
        yield opened
    engine.dispose()


def stock(conn: sa.Connection) -> None:
    keys.ensure_keys(conn)
    places.add_area(conn, "a", "片区")
    places.add_committee(conn, "c", "居委", "a")
    places.add_compound(conn, "hm", "虹梅小区", "c")


def issue(conn: sa.Connection, located: Located, kind: PassKind = PassKind.RESIDENT, **more: Any) -> passes.IssuedPass:
    return passes.issue(conn, located, kind=kind, compound="hm", name="王小明", by="t", at=NOW, **more)


def badge(conn: sa.Connection, located: Located, pin: str = "2468", **more: Any) -> passes.IssuedPass:
    return issue(conn, located, PassKind.VOLUNTEER, pin=pin, **more)


def build(conn: sa.Connection, located: Located, hours: float = 0) -> Directory:
    """What the stations are told, as they put it together."""
    return published(directory.build(conn, located, "hm", NOW + timedelta(hours=hours)))


def test_a_badge_opens_what_the_hub_tells_and_a_pass_has_no_key(conn: sa.Connection, located: Located) -> None:
    made, resident = badge(conn, located), issue(conn, located, dwelling="3-502")
    key = opening_key("2468", made.token)
    assert (made.opens, resident.opens) == (public_half(key), None)
    told = build(conn, located)
    assert told.badges == Badges(badges=(Badge(id=made.id, pin=told.badges.badges[0].pin, opens=public_half(key)),))
    opened = open_parts(told, "hm", unwrap(told.openers, "hm", made.id, key))
    assert [home.holders for home in opened.roster.dwellings] == [(RosterHolder(pass_id=resident.id, name="王*明"),)]


def test_an_unchanged_compound_is_told_in_the_same_bytes(conn: sa.Connection, located: Located) -> None:
    badge(conn, located)
    issue(conn, located, dwelling="3-502")
    assert split(build(conn, located)) == split(build(conn, located, hours=1))


def test_one_badge_more_changes_one_small_part(conn: sa.Connection, located: Located) -> None:
    badge(conn, located)
    before = build(conn, located)
    second = badge(conn, located, pin="1357")
    after = build(conn, located)
    changed = {name for name, data in split(after).items() if split(before)[name] != data}
    assert changed == {"badges", "openers"}
    assert second.id in after.openers.wraps


@pytest.mark.parametrize("how", ["revoked", "expired", "new PIN"])
def test_who_had_the_key_and_counts_no_more_does_not_get_the_next(conn: sa.Connection, located: Located, how: str) -> None:
    stays, goes = badge(conn, located), badge(conn, located, pin="1357", days=1)
    before = build(conn, located)
    had = unwrap(before.openers, "hm", goes.id, opening_key("1357", goes.token))
    if how == "revoked":
        passes.revoke(conn, goes.id, "t", NOW)
    if how == "new PIN":
        passes.set_pin(conn, goes.token, "97531")
    after = build(conn, located, hours=25 if how == "expired" else 0)
    assert after.openers.key != before.openers.key
    with pytest.raises(BadMessage):
        unwrap(after.openers, "hm", goes.id, opening_key("1357", goes.token))
    with pytest.raises(BadMessage, match="part roster does not open"):
        open_parts(after, "hm", had)
    assert open_parts(after, "hm", unwrap(after.openers, "hm", stays.id, opening_key("2468", stays.token))).opened
    if how == "new PIN":
        assert open_parts(after, "hm", unwrap(after.openers, "hm", goes.id, opening_key("97531", goes.token))).opened


def test_a_badge_of_before_signs_in_and_opens_nothing_until_its_pin_is_set(conn: sa.Connection, located: Located) -> None:
    old = badge(conn, located)
    conn.execute(sa.update(table).values(opens=None))
    known = passes.find(conn, old.id)
    told = build(conn, located)
    assert (told.badges.badges[0].opens, told.openers.wraps) == ("", {})
    assert (passes.opens_nothing(known, NOW), passes.opens_nothing(known, NOW + timedelta(days=31))) == (True, False)
    mended = passes.set_pin(conn, old.id, "2468")
    assert not passes.opens_nothing(mended, NOW)
    assert set(build(conn, located).openers.wraps) == {old.id}


@pytest.mark.parametrize("kind, pin, words", [(PassKind.RESIDENT, "2468", "has no PIN"), (PassKind.VOLUNTEER, "12", "4 to 8")])
def test_a_pin_that_cannot_be_set(conn: sa.Connection, located: Located, kind: PassKind, pin: str, words: str) -> None:
    made = badge(conn, located) if kind is PassKind.VOLUNTEER else issue(conn, located)
    with pytest.raises(RegistryError, match=words):
        passes.set_pin(conn, made.id, pin)
    passes.revoke(conn, made.id, "t", NOW)
    with pytest.raises(RegistryError, match="revoked"):
        passes.set_pin(conn, made.id, "2468")


def test_households_are_told_by_their_ids_and_only_where_outings_are_counted(conn: sa.Connection, located: Located) -> None:
    first, second = issue(conn, located, dwelling="3-502"), issue(conn, located, dwelling="3-502")
    other = issue(conn, located, dwelling="3-501")
    assert build(conn, located).households.households == ()
    policies.change(conn, "hm", {"outings": 1}, "t", NOW)
    told = build(conn, located).households.households
    assert set(told) == {tuple(sorted((first.id, second.id))), (other.id,)}


def test_the_content_key_is_kept_encrypted_and_a_raw_one_is_not_gone_on_with(tmp_path: Path, located: Located) -> None:
    bare = open_store(located.store_url)
    migrate(bare)
    with bare.begin() as conn:
        stock(conn)
        badge(conn, located)
        raw = build(conn, located).openers.key
    bare.dispose()
    engine = open_hub(located)
    with engine.begin() as conn:
        assert build(conn, located).openers.key == raw, "no key is encrypted yet, and there is no secret to do it with"
        vault = conn.get_execution_options()["gatepost_vault"]
        vault.make_secret()
        keys.seal_all(conn)
        first = build(conn, located).openers.key
        assert first != raw
        assert build(conn, located).openers.key == first
        value = meta.get(conn, "content_key:hm") or ""
    assert first in value
    engine.dispose()
    (tmp_path / "secrets.moved").mkdir()
    vault.path.rename(tmp_path / "secrets.moved" / "secret")
    again = open_hub(located)
    with again.begin() as conn, pytest.raises(RegistryError, match="secret"):
        build(conn, located)
    again.dispose()
