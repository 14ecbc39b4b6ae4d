"""Certificates of keys: what a root vouches for holds, and nothing else does."""

import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from contract.certifying import (
    GRACE,
    Certificate,
    KeyUse,
    Problem,
    Refused,
    certify,
    check,
    fingerprint,
    read,
    root_id,
    verify,
)
from contract.codec import decoder
from contract.directory import Keys
from contract.passes import Pass, PassKind, beginning, issue
from contract.sealing import b64, unb64
from contract.signing import open_signed, sign
from tests.golden import make

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROOT, OTHER_ROOT = bytes(range(32)), bytes(range(32, 64))
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96))).public_key().public_bytes_raw()


def public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


ROOTS = (public(ROOT),)


def certificate(**changes: Any) -> Certificate:
    usual: dict[str, Any] = {
        "kid": "p1", "use": KeyUse.PASSES, "public": b64(KEY), "not_before": AT - timedelta(days=1),
        "not_after": AT + timedelta(days=30), "serial": 7,
    }  # fmt: skip
    return Certificate(**{**usual, **changes})


GOOD = certify(certificate(), ROOT)


def problem(token: str, at: datetime = AT, roots: tuple[bytes, ...] = ROOTS) -> Problem | None:
    found = verify(token, "p1", KeyUse.PASSES, KEY, roots, at)
    return found.problem if isinstance(found, Refused) else None


def test_it_says_what_the_root_vouched_for() -> None:
    assert verify(GOOD, "p1", KeyUse.PASSES, KEY, ROOTS, AT) == certificate()


@given(st.integers(0, len(GOOD) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_altered_character_is_refused(place: int, character: str) -> None:
    altered = GOOD[:place] + character + GOOD[place + 1 :]
    assert (problem(altered) is None) == (altered == GOOD)


@given(st.integers(0, 2), st.data())
def test_any_altered_byte_of_any_part_is_refused(part: int, data: st.DataObject) -> None:
    parts = GOOD.split(".")
    raw = bytearray(unb64(parts[part]))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    parts[part] = b64(bytes(raw))
    assert problem(".".join(parts)) is not None


@pytest.mark.parametrize("part", [0, 1, 2])
def test_it_has_one_spelling_alone(part: int) -> None:
    """The last character of base64 may have bits to spare: others decode to the same bytes."""
    parts = GOOD.split(".")
    same = [parts[part][:-1] + last for last in string.ascii_letters + string.digits + "-_"]
    spelt = [".".join([*parts[:part], one, *parts[part + 1 :]]) for one in same if unb64(one) == unb64(parts[part])]
    assert [one for one in spelt if problem(one) is None] == [GOOD]


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: f"{b64(raw)}.{b64(raw)}.{b64(raw)}"))
def test_what_is_no_certificate_is_refused_and_never_raises(token: str) -> None:
    assert problem(token) in (Problem.MISSING, Problem.NOT_A_CERTIFICATE)


@given(st.sampled_from(list(KeyUse)), st.binary(min_size=32, max_size=32), st.integers(-400, 400), st.integers(0, 2**62))
def test_what_is_certified_verifies_for_its_use_alone(use: KeyUse, key: bytes, days: int, serial: int) -> None:
    said = certificate(kid="k", use=use, public=b64(key), not_after=AT + timedelta(days=days), serial=serial)
    token, end = certify(said, ROOT), said.not_after
    if end > said.not_before:
        assert verify(token, "k", use, key, ROOTS, end - timedelta(seconds=1)) == said
    for other in set(KeyUse) - {use}:
        refused = verify(token, "k", other, key, ROOTS, said.not_before)
        assert isinstance(refused, Refused)
        assert refused.problem is Problem.OTHER_USE
    refused = verify(token, "k", use, key, ROOTS, max(end, said.not_before))
    assert isinstance(refused, Refused)
    assert (refused.problem, f"{end:%Y-%m-%d}" in refused.detail) == (Problem.EXPIRED, True)


@pytest.mark.parametrize(("wrong", "token"), make.CERTIFICATES)
def test_each_problem_is_found_and_said(wrong: Problem | None, token: str) -> None:
    found = verify(token, "p1", KeyUse.PASSES, make.public("p1"), (make.public("root"),), make.AT)
    assert (found.problem if isinstance(found, Refused) else None) == wrong
    if isinstance(found, Refused):
        assert len(found.detail.split()) > 3


def test_the_golden_vectors_are_those() -> None:
    kept = json.loads((make.FOLDER / "vectors" / "certificates.json").read_bytes())
    assert [(row["problem"], row["certificate"]) for row in kept["certificates"]] == list(make.CERTIFICATES)
    assert unb64(kept["asked"]["root"]) == make.public("root")


def test_several_roots_may_be_trusted_while_one_takes_the_others_place() -> None:
    new = certify(certificate(), OTHER_ROOT)
    assert problem(new) is Problem.WRONG_ROOT
    both = (public(OTHER_ROOT), *ROOTS)
    assert problem(new, roots=both) is problem(GOOD, roots=both) is None
    assert problem(GOOD, roots=()) is Problem.WRONG_ROOT


def test_a_message_is_no_certificate_and_a_certificate_no_message() -> None:
    """Even where somebody were to sign messages with a root."""
    message = sign(certificate(), typ="manifest", audience="compound:c1", counter=1, kid=root_id(public(ROOT)), private=ROOT)
    assert problem(message.decode()) is Problem.NOT_A_CERTIFICATE
    with pytest.raises(ValueError, match="typ"):
        open_signed(GOOD.encode(), typ="manifest", audience="compound:c1", above=0, keys={root_id(public(ROOT)): public(ROOT)})


def test_a_certificate_of_a_later_version_may_say_more() -> None:
    from joserfc import jws

    from contract.signing import private_key

    header, body, _ = GOOD.split(".")
    said = {**json.loads(unb64(body)), "colour": "blue"}
    later = jws.serialize_compact(json.loads(unb64(header)), json.dumps(said), private_key(ROOT), algorithms=["Ed25519"])
    assert read(later, ROOTS) == certificate()


def test_an_unsynced_clock_knows_only_what_is_over() -> None:
    early, late = AT - timedelta(days=9), AT + timedelta(days=31)
    asked = ("p1", KeyUse.PASSES, KEY)
    assert check(certificate(), *asked, early, clock_synced=False) is None
    assert check(certificate(), *asked, early) is not None
    assert check(certificate(), *asked, late, clock_synced=False) is not None
    assert check(certificate(), *asked, late, grace=GRACE) is None
    assert check(certificate(), *asked, late + GRACE, grace=GRACE) is not None
    assert check(certificate(), *asked, None) is None


def test_a_fingerprint_is_read_aloud_in_groups_and_names_the_root() -> None:
    shown = fingerprint(public(ROOT))
    assert [len(group) for group in shown.split()] == [4] * 8
    assert shown.replace(" ", "") == root_id(public(ROOT))
    assert fingerprint(public(OTHER_ROOT)) != shown


def test_older_stations_read_keys_with_certificates_and_newer_ones_keys_without() -> None:
    old = b'{"passes":[{"kid":"p1","public":"AA","not_after":null}],"sealing_kid":"s","sealing":"BB"}'
    keys = decoder(Keys)(old)
    assert (keys.messages, keys.sealing_certificate, keys.passes[0].certificate) == ((), "", "")


@given(st.text("abcdef0123456789", min_size=1, max_size=23), st.sampled_from(list(PassKind)), st.text("ab", max_size=60))
def test_every_token_begins_with_what_its_key_says(kid: str, kind: PassKind, compound: str) -> None:
    claims = Pass(
        id="0" * 32, issuer="gp", kind=kind, not_before=AT, expires=AT, compounds=(compound,), name="王*明", dwelling=compound
    )  # fmt: skip
    token = issue(claims, kid, ROOT)
    assert token.startswith(beginning(kid))
    if len(kid) % 2:  # the head has 9 bytes and its id: a whole number of pairs
        assert not token.startswith(beginning(kid[:-1] + ("1" if kid[-1] != "1" else "2")))
