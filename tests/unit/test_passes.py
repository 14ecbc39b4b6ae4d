"""Passes: each problem in its order, and what a token may look like."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import base45
import cbor2
import pytest
import segno

from contract.passes import MAX_CHARACTERS, PREFIX, Pass, PassKind, Problem, Rejected, check, issue, read
from tests.golden.make import ADMITTED, AT, COMPOUND, KEYS, PRIVATE, REJECTS, RESIDENT, REVOKED, claims, signed_token
from tests.golden.make import issue as issued


def judge(
    token: str, now: datetime = AT, keys: Mapping[str, bytes] = KEYS, kinds: Collection[PassKind] = ADMITTED, synced: bool = True
) -> Problem | None:
    """The first problem of a token at the golden gate; None when it opens."""
    found = read(token, keys)
    if isinstance(found, Rejected):
        return found.problem
    rejected = check(found, now, COMPOUND, REVOKED, kinds, synced)
    return rejected and rejected.problem


TOKEN = issued(RESIDENT)
MESSAGE = base45.b45decode(TOKEN[len(PREFIX) :])


def token_of(value: object) -> str:
    """A token of any CBOR."""
    return PREFIX + base45.b45encode(cbor2.dumps(value)).decode()


def cose(position: int, value: object) -> str:
    """The resident's token with one of the four members of COSE_Sign1 replaced."""
    members = list(cbor2.loads(MESSAGE).value)
    members[position] = value
    return token_of(cbor2.CBORTag(18, members))


def worded(**changes: object) -> str:
    """A token signed with a known key whose claims are not quite a pass."""
    usual = {1: "gatepost", 4: 2_000_000_000, 5: 1_000_000_000, 7: b"i" * 16, -65537: [1, 0, ["c1"], "", "", ""]}
    names = {"iss": 1, "exp": 4, "nbf": 5, "cti": 7, "private": -65537}
    return signed_token(cbor2.dumps({**usual, **{names[k]: v for k, v in changes.items()}}))


TABLE: dict[str, tuple[str, Problem | None]] = {
    "a resident's pass": (TOKEN, None),
    "signed with the other key of a rotation": (issue(RESIDENT, "p2", PRIVATE["p2"]), None),
    **{f"golden {problem}": (token, problem) for problem, token in REJECTS},
    "empty": ("", Problem.NOT_A_PASS),
    "lower-case prefix": (TOKEN.lower(), Problem.NOT_A_PASS),
    "another application's prefix": ("HC1:" + TOKEN[4:], Problem.NOT_A_PASS),
    "too long": (PREFIX + "0" * MAX_CHARACTERS, Problem.NOT_A_PASS),
    "the prefix alone": (PREFIX, Problem.DAMAGED),
    "not base45": (PREFIX + "abc", Problem.DAMAGED),
    "not ASCII": (PREFIX + "王*明", Problem.DAMAGED),
    "CBOR, not COSE": (token_of({1: 2}), Problem.DAMAGED),
    "COSE with another tag": (token_of(cbor2.CBORTag(17, cbor2.loads(MESSAGE).value)), Problem.DAMAGED),
    "three members of four": (token_of(cbor2.CBORTag(18, cbor2.loads(MESSAGE).value[:3])), Problem.DAMAGED),
    "without a key id": (cose(1, {}), Problem.DAMAGED),
    "another payload": (cose(2, cbor2.dumps({})), Problem.FORGED),
    "another signature": (cose(3, b"s" * 64), Problem.FORGED),
    "no signature": (cose(3, b""), Problem.FORGED),
    "another algorithm": (cose(0, cbor2.dumps({1: -7, 4: b"p1"})), Problem.FORGED),
    "claims as they should be": (worded(), None),
    "no claims": (signed_token(cbor2.dumps({})), Problem.BAD_CLAIMS),
    "claims that are no map": (signed_token(cbor2.dumps([1])), Problem.BAD_CLAIMS),
    "a later format": (worded(private=[2, 0, ["c1"], "", "", ""]), Problem.BAD_CLAIMS),
    "more private claims, of a later version": (worded(private=[1, 0, ["c1"], "", "", "", "more"]), None),
    "too few private claims": (worded(private=[1, 0, ["c1"]]), Problem.BAD_CLAIMS),
    "an unknown kind": (worded(private=[1, 99, ["c1"], "", "", ""]), Problem.BAD_CLAIMS),
    "a short id": (worded(cti=b"short"), Problem.BAD_CLAIMS),
    "an id that is text": (worded(cti="i" * 16), Problem.BAD_CLAIMS),
    "an expiry beyond the calendar": (worded(exp=2**60), Problem.BAD_CLAIMS),
    "an expiry that is text": (worded(exp="never"), Problem.BAD_CLAIMS),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_token(name: str) -> None:
    token, problem = TABLE[name]
    assert judge(token) == problem


def test_every_problem_has_a_golden_token_in_its_order() -> None:
    assert [problem for problem, _ in REJECTS] == list(Problem)


# A pass with every later problem at once shows the first: each step puts one of them right.

LATE = claims(
    14, PassKind.ENROLMENT, not_before=AT + timedelta(hours=1), expires=AT - timedelta(hours=1), compounds=("c2",)
)  # fmt: skip
STEPS: tuple[tuple[Problem | None, Pass], ...] = (
    (Problem.EXPIRED, LATE),
    (Problem.NOT_YET_VALID, replace(LATE, expires=AT + timedelta(hours=2))),
    (Problem.OTHER_COMPOUND, replace(LATE, expires=AT + timedelta(hours=2), not_before=AT)),
    (Problem.REVOKED, replace(LATE, expires=AT + timedelta(hours=2), not_before=AT, compounds=("c2", "c1"))),
    (Problem.WRONG_KIND, claims(15, PassKind.ENROLMENT)),
    (None, claims(16, PassKind.RESIDENT)),
)


@pytest.mark.parametrize(("problem", "one"), STEPS, ids=str)
def test_checks_run_in_their_order(problem: Problem | None, one: Pass) -> None:
    assert judge(issued(one)) == problem


def test_an_unknown_key_is_found_before_a_forgery_and_a_forgery_before_bad_claims() -> None:
    assert judge(cose(3, b"s" * 64), keys={}) == Problem.UNKNOWN_KEY
    assert judge(cose(2, b"no claims at all")) == Problem.FORGED


VALIDITY = {
    "before it begins": (-2, True, Problem.NOT_YET_VALID),
    "at its beginning": (0, True, None),
    "in its last second": (9, True, None),
    "at its end": (10, True, Problem.EXPIRED),
    "before it begins, clock unsynced": (-2, False, None),
    "at its end, clock unsynced": (10, False, Problem.EXPIRED),
}


@pytest.mark.parametrize("name", VALIDITY)
def test_validity(name: str) -> None:
    seconds, synced, problem = VALIDITY[name]
    token = issued(claims(1, PassKind.VISITOR, not_before=AT, expires=AT + timedelta(seconds=10)))
    assert judge(token, now=AT + timedelta(seconds=seconds), synced=synced) == problem


@pytest.mark.parametrize("kind", PassKind)
def test_a_pass_says_what_was_issued(kind: PassKind) -> None:
    one = claims(3, kind, compounds=("c1", "c2"), plate="沪A12345")
    assert read(issued(one), KEYS) == one


@pytest.mark.parametrize("kind", PassKind)
def test_a_gate_takes_the_kinds_it_names(kind: PassKind) -> None:
    token = issued(claims(3, kind))
    assert (judge(token, kinds={kind}), judge(token, kinds=set(PassKind) - {kind})) == (None, Problem.WRONG_KIND)


def test_a_key_taken_out_of_a_rotation_is_unknown() -> None:
    assert judge(TOKEN, keys={"p2": KEYS["p2"]}) == Problem.UNKNOWN_KEY


def test_a_key_under_another_keys_name_verifies_nothing() -> None:
    assert judge(TOKEN, keys={"p1": KEYS["p2"]}) == Problem.FORGED


def test_an_id_of_another_length_is_not_issued() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        issued(replace(RESIDENT, id="ab"))


def test_a_typical_pass_fits_a_small_code() -> None:
    typical = claims(2**127 + 12345, PassKind.RESIDENT, compounds=("yong-an-li",), dwelling="12-1502", name="欧阳*华")
    code = segno.make_qr(issued(typical), error="m", boost_error=False)
    assert (code.mode, int(code.version) <= 10) == ("alphanumeric", True)
