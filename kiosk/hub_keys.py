"""With which keys the hub may sign what it tells this station: those it was set up with, and those it has been told of since."""

from collections.abc import Callable, Iterable
from datetime import datetime

from contract.certifying import Certificate, KeyUse
from contract.codec import BadMessage, decoder
from contract.directory import Directory, Keys, MessageKey
from contract.sealing import b64
from kiosk.certified import Vouched, vouched
from kiosk.connection import UplinkSettings
from kiosk.inputs import Now

_MOST = 16
"""Message keys of one part of a directory that is not yet known to be the hub's."""
_keys: Callable[[bytes], Keys] = decoder(Keys)


class HubKeys:
    """The message keys that count. Not thread-safe.

    Without a root: those of the station's configuration and of the directory in force. With roots only a certificate counts, and
    it counts wherever it comes from: a station that slept through a rotation learns the new key from the unsigned part `keys`.
    """

    def __init__(self, settings: UplinkSettings, clock: Callable[[], Now]) -> None:
        self._settings, self._clock = settings, clock
        self._issued_at: datetime | None = None
        self._set_up = self._vouch(
            MessageKey(kid=kid, public=b64(raw), certificate=settings.hub_certificates.get(kid, ""))
            for kid, raw in settings.hub_keys.items()
        )
        self._told: list[Vouched] = []
        self._offered: list[Vouched] = []

    def in_force(self, directory: Directory) -> None:
        """A directory came into force: from now on its keys count, and of those offered before the ones that are no older."""
        self._issued_at = directory.issued_at
        self._told = self._vouch(directory.keys.messages)
        self._offered = [one for one in self._offered if self._is_newer(one)]

    def offered(self, part: bytes) -> bool:
        """Look at the part `keys` of a directory whose manifest can't be opened yet; whether a key is known now that was not."""
        if not self._settings.roots:
            return False
        try:
            listed = _keys(part).messages
        except BadMessage:
            return False
        before = self.known()
        self._offered = [one for one in self._vouch(listed[:_MOST]) if self._is_newer(one)]
        return bool(self.known().keys() - before.keys())

    def known(self) -> dict[str, bytes]:
        """kid → raw Ed25519 public key of what counts now."""
        if not self._settings.roots:
            return {**{one.kid: one.public for one in self._told}, **self._settings.hub_keys}
        return {one.kid: one.public for one in [*self._offered, *self._base()] if one.refusal(*self._time()) is None}

    def complaints(self) -> tuple[str, ...]:
        """What is wrong with them, in plain words; nothing for a station that trusts no root."""
        if not self._settings.roots:
            return ()
        return tuple(said for one in self._base() if (said := one.complaint(*self._time())) is not None)

    def _base(self) -> list[Vouched]:
        """What the directory in force lists; what the station was set up with until one lists any."""
        return self._told or self._set_up

    def _is_newer(self, one: Vouched) -> bool:
        """A key that the hub has retired is not taken back because somebody shows its old certificate again."""
        serials = [known.said.serial for known in self._told if isinstance(known.said, Certificate)]
        return isinstance(one.said, Certificate) and one.said.serial >= min(serials, default=0)

    def _time(self) -> tuple[datetime | None, bool]:
        """A time that is not ahead: the clock's when it is in step, else that at which the directory in force was issued."""
        now = self._clock()
        return (now.utc, True) if now.synced else (self._issued_at, False)

    def _vouch(self, keys: Iterable[MessageKey]) -> list[Vouched]:
        return [vouched(one.kid, KeyUse.MESSAGES, one.public, one.certificate, self._settings.roots) for one in keys]
