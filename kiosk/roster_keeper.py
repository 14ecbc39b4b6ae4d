"""The directory in force, open for the badge that is signed in: its key and what it opens are in memory and nowhere else."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from contract.codec import BadMessage
from contract.directory import Directory
from contract.opening import closed, open_parts, opening_key, unwrap
from kiosk.inputs import CheckPin

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Signed:
    badge: str
    opening: bytes = field(repr=False)


class RosterKeeper:
    """Opens each directory that comes while a badge is signed in. Any thread may call it; whoever is told is told in order."""

    def __init__(self, compound: str, tell: Callable[[Directory], None]) -> None:
        """`tell` is given the directory in force whenever it, or what of it is open, has changed; it returns at once."""
        self._compound, self._tell, self._lock = compound, tell, Lock()
        self._signed: _Signed | None = None
        self._directory: Directory | None = None

    @property
    def directory(self) -> Directory | None:
        """The directory in force, as far as it is open."""
        return self._directory

    def take(self, directory: Directory) -> None:
        """A newer directory: open, if the badge that is signed in opens it. One that does not open is in force all the same."""
        with self._lock:
            try:
                self._in_force(self._opened(directory))
            except BadMessage as error:
                _log.warning("the roster of directory %d stays closed: %s", directory.version, error)
                self._in_force(closed(directory))

    def key(self, asked: CheckPin) -> bytes:
        """The opening key of a badge, whose PIN is known to be right; as slow as checking that."""
        return opening_key(asked.pin, asked.token or "")

    def open(self, badge: str, opening: bytes) -> None:
        """From now on for this badge alone. Raises `BadMessage` when what is wrapped for it does not open: then it is closed."""
        with self._lock:
            self._signed = _Signed(badge, opening) if opening else None
            if self._directory is None:
                return
            try:
                self._in_force(self._opened(self._directory))
            except BadMessage:
                self._in_force(closed(self._directory))
                raise

    def close(self) -> None:
        """Forget the key and what it has opened."""
        with self._lock:
            self._signed = None
            if self._directory is not None:
                self._in_force(closed(self._directory))

    def _in_force(self, directory: Directory) -> None:
        self._directory = directory
        self._tell(directory)

    def _opened(self, directory: Directory) -> Directory:
        signed = self._signed
        if signed is None or signed.badge not in directory.openers.wraps:
            return closed(directory)
        content = unwrap(directory.openers, self._compound, signed.badge, signed.opening)
        return open_parts(directory, self._compound, content, self._directory)
