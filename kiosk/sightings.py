"""Tokens → sightings: the same code is reported once while it stays in view, and two at once are told from one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

Corners = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Token:
    """What one QR code said, byte for byte, and where it was."""

    data: bytes
    decoder: str
    """The decoder and the variant that read it, as in `zxing sharpened`."""
    corners: Corners
    """(x, y) in pixels of the frame, around the code; how many depends on the decoder."""

    @property
    def text(self) -> str | None:
        """The data as printable ASCII, which holds all of base45 (RFC 9285); None if it is anything else."""
        return self.data.decode("ascii") if self.data.isascii() and self.data.decode("ascii").isprintable() else None


@dataclass(frozen=True)
class One:
    """A token came into view alone."""

    token: Token


@dataclass(frozen=True)
class Several:
    """Two or more different tokens are in view at once, in the order in which they came."""

    tokens: tuple[Token, ...]


Sighting = One | Several


class Sightings:
    """Turns tokens frame by frame into what came into view: pure, the time is an argument.

    Two tokens are at once when both were seen within `together_ms`, since they may be decoded in alternate frames. A token unseen
    for `gone_ms` has left, and is told again when it returns. After `Several`, one of them counts as alone only once the others
    have left.
    """

    def __init__(self, *, gone_ms: int = 1500, together_ms: int = 400) -> None:
        self._gone_ns, self._together_ns = gone_ms * 1_000_000, together_ms * 1_000_000
        self._seen: dict[bytes, tuple[Token, int]] = {}
        self._told_alone: set[bytes] = set()
        self._told_several: set[bytes] = set()

    def update(self, tokens: Iterable[Token], mono_ns: int) -> Sighting | None:
        """What is new in view after this frame, or None; `mono_ns` is the frame's, and never runs back."""
        self._forget(mono_ns)
        fresh = {token.data: (token, mono_ns) for token in tokens}
        self._seen |= fresh
        view = tuple(token for token, at in self._seen.values() if mono_ns - at <= self._together_ns)
        if not fresh:
            return None
        return self._one(view[0]) if len(view) == 1 else self._several(view)

    def _forget(self, mono_ns: int) -> None:
        self._seen = {data: (token, at) for data, (token, at) in self._seen.items() if mono_ns - at < self._gone_ns}
        self._told_alone &= self._seen.keys()
        self._told_several &= self._seen.keys()

    def _one(self, token: Token) -> One | None:
        if token.data in self._told_alone or (token.data in self._told_several and len(self._told_several) > 1):
            return None
        self._told_alone.add(token.data)
        return One(token)

    def _several(self, view: tuple[Token, ...]) -> Several | None:
        if {token.data for token in view} <= self._told_several:
            return None
        self._told_several |= {token.data for token in view}
        return Several(view)
