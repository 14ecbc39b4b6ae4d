"""One way to turn the contract's types into JSON bytes and back, with one error."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone (RFC 3339); a naive one is refused."""


class BadMessage(ValueError):
    """The one error of every decoder here: what was wrong, and where in the message."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what travels: frozen, by keyword, unknown fields ignored (a later version may add them)."""


def encode(value: object) -> bytes:
    """JSON bytes (RFC 8259, UTF-8) of one of the contract's values."""
    return _encoder.encode(value)


def decoder(kind: Any) -> Callable[[bytes], Any]:
    """A function from bytes to `kind`; it raises `BadMessage` and nothing else."""
    inner = msgspec.json.Decoder(kind)

    def decode(data: bytes) -> Any:
        try:
            return inner.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
            raise BadMessage(str(error)) from None

    return decode


_encoder = msgspec.json.Encoder()
