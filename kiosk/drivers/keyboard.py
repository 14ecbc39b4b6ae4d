"""What a keyboard says on Linux, and the texts that a QR hand scanner types on it. Pure: bytes and times in, codes out.

The stream is the kernel's `struct input_event` (linux/input.h), the key codes are linux/input-event-codes.h's, the layout is US.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

EVENT = struct.Struct("@llHHi")
"""Seconds, microseconds, type, code, value: 24 bytes on 64-bit machines."""
EV_SYN, EV_KEY, EV_MSC = 0, 1, 4
SYN_REPORT, SYN_DROPPED = 0, 3
UP, DOWN, REPEAT = 0, 1, 2
ENTER, TAB, LEFT_SHIFT = 28, 15, 42
LONGEST = 4296
"""Characters: the most that a QR code holds of base45's alphabet, version 40-L (ISO/IEC 18004, table 7)."""
BROKEN_OFF_SECONDS = 2.0

_ENDS = frozenset({ENTER, TAB, 96})  # 96: Enter on the keypad
_SHIFTS = frozenset({LEFT_SHIFT, 54})
_OTHER_MODIFIERS = frozenset({29, 97, 56, 100, 125, 126})  # Ctrl, Alt and Meta, left and right
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"), (16, "qwertyuiop[]", "QWERTYUIOP{}"), (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"), (57, " ", " "),
    (55, "*", "*"), (71, "789-456+1230.", "789-456+1230."), (98, "/", "/"),  # the keypad, as with Num Lock
)  # fmt: skip
PLAIN: Mapping[int, str] = {start + at: char for start, plain, _ in _ROWS for at, char in enumerate(plain)}
"""Key code → character."""
SHIFTED: Mapping[int, str] = {start + at: char for start, _, shifted in _ROWS for at, char in enumerate(shifted)}
"""Key code → character while a shift key is held."""


@dataclass(frozen=True)
class Code:
    """One code was typed to its end."""

    text: str
    mono_ns: int
    """When its first key came."""


@dataclass(frozen=True)
class Spoilt:
    """A code came that can't be used, and why, in words."""

    why: str


Told = list[Code | Spoilt]


class Typing:
    """Key events → codes, each ended by Enter or Tab.

    Held modifiers are let go of at the end of each code, so that a release that was lost spoils one code at most. A code that
    stops midway, is longer than any QR code or was cut by an overrun in the kernel is told once as spoilt, and swallowed to its
    end. Keys without a character, and those typed with Ctrl, Alt or Meta, are left out.
    """

    def __init__(self) -> None:
        self._bytes = b""
        self._begin()

    def feed(self, data: bytes, mono_ns: int) -> Told:
        """What these bytes of the stream bring; they may end within an event. Never raises."""
        told, stream = self.pause(mono_ns), self._bytes + data
        events = len(stream) // EVENT.size * EVENT.size
        self._bytes = stream[events:]
        for _, _, kind, code, value in EVENT.iter_unpack(stream[:events]):
            told += self._event(kind, code, value, mono_ns)
        return told

    def pause(self, mono_ns: int) -> Told:
        """A code that has stopped midway is given up. To be asked now and then while no bytes come."""
        if mono_ns - self._last_ns < BROKEN_OFF_SECONDS * 1e9:
            return []
        count = len(self._chars)
        self._begin()
        return [Spoilt(f"a code stopped after {count} characters without Enter: {_STOPPED}")] if count else []

    def _begin(self) -> None:
        self._chars: list[str] = []
        self._held: set[int] = set()
        self._left_out = self._swallowing = False
        self._first_ns = self._last_ns = 0

    def _event(self, kind: int, code: int, value: int, mono_ns: int) -> Told:
        if kind == EV_SYN and code == SYN_DROPPED:
            self._last_ns = mono_ns
            return self._spoil("keys were lost on the way, this machine was too busy: scan again")
        if kind != EV_KEY:
            return []
        if code in _SHIFTS or code in _OTHER_MODIFIERS:
            return self._modifier(code, value, mono_ns)
        return self._key(code, mono_ns) if value == DOWN else []

    def _modifier(self, code: int, value: int, mono_ns: int) -> Told:
        if value == DOWN:
            self._held.add(code)
            self._last_ns = mono_ns
        elif value == UP:
            self._held.discard(code)
        return []

    def _key(self, code: int, mono_ns: int) -> Told:
        self._last_ns = mono_ns
        if code in _ENDS:
            return self._end()
        if self._swallowing:
            return []
        char = (SHIFTED if self._held & _SHIFTS else PLAIN).get(code)
        if char is None or self._held & _OTHER_MODIFIERS:
            self._left_out = True
            return []
        self._first_ns = self._first_ns if self._chars else mono_ns
        self._chars.append(char)
        if len(self._chars) > LONGEST:
            return self._spoil(f"a code of more than {LONGEST} characters, which no QR code holds")
        return []

    def _end(self) -> Told:
        text, first_ns = "".join(self._chars), self._first_ns
        nothing_but_others = self._left_out and not self._swallowing
        self._begin()
        if text:
            return [Code(text, first_ns)]
        return [Spoilt(f"a code without any text: {_LAYOUT}")] if nothing_but_others else []

    def _spoil(self, why: str) -> Told:
        """What is held stays so: the scanner goes on typing this code."""
        told: Told = [] if self._swallowing else [Spoilt(why)]
        self._swallowing, self._chars = True, []
        return told


_STOPPED = "hold the cable and scan again; if every code stops, set the scanner to send Enter after each code"
_LAYOUT = "set the scanner's keyboard layout to US English and its ALT mode off"
