"""Sealed fields: a station writes them, the hub alone reads them."""

import pytest
from nacl.public import PrivateKey

from contract.codec import BadMessage
from contract.sealing import Sealed, b64, open_bytes, seal, seal_bytes, unb64, unseal
from tests.golden.make import BOX, PERSONAL, SEALING

PUBLIC, SECRET = bytes(SEALING.public_key), bytes(SEALING)


def test_the_hub_opens_what_a_station_sealed() -> None:
    sealed = seal(PERSONAL, "seal-1", PUBLIC)
    assert (sealed.key, unseal(sealed, SECRET)) == ("seal-1", PERSONAL)
    assert open_bytes(seal_bytes(b"photo", PUBLIC), SECRET) == b"photo"


def test_the_golden_box_opens() -> None:
    assert unseal(Sealed(key="seal-1", box=BOX), SECRET) == PERSONAL


def test_the_same_fields_never_look_the_same() -> None:
    assert seal(PERSONAL, "seal-1", PUBLIC) != seal(PERSONAL, "seal-1", PUBLIC)


def test_nothing_of_a_person_is_in_the_clear() -> None:
    box = unb64(seal(PERSONAL, "seal-1", PUBLIC).box)
    assert not any(word.encode() in box for word in ("王小明", "13800000000", "3-502"))


WHOLE = seal_bytes(b"photo", PUBLIC)
REFUSED = {
    "nothing": b"", "too short": WHOLE[:40], "cut": WHOLE[:-1], "longer": WHOLE + b"0",
    "changed": WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]),
    "not sealed": b"photo" * 20,
    "sealed to another": seal_bytes(b"photo", bytes(PrivateKey(bytes(32)).public_key)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_all_else_is_refused(name: str) -> None:
    with pytest.raises(BadMessage, match="not sealed to this key"):
        open_bytes(REFUSED[name], SECRET)


def test_a_box_that_holds_no_personal_fields_is_refused() -> None:
    with pytest.raises(BadMessage):
        unseal(Sealed(key="seal-1", box=b64(seal_bytes(b"[]", PUBLIC))), SECRET)


BASE64 = {b"": "", b"\0": "AA", b"\xfb\xff": "-_8", b"ab": "YWI", b"abc": "YWJj"}


@pytest.mark.parametrize("data", BASE64)
def test_base64url(data: bytes) -> None:
    assert (b64(data), unb64(BASE64[data])) == (BASE64[data], data)


@pytest.mark.parametrize("text", ["A", "王", "a b", "=", "YW\nI", "*"])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(BadMessage, match="not base64url"):
        unb64(text)
