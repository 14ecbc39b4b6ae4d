"""Which of the hub's keys a station that trusts a root takes: those whose certificate holds. See docs/decisions/0019-keys.md."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from contract.certifying import GRACE, Certificate, KeyUse, Problem, Refused, check, read
from contract.codec import BadMessage
from contract.directory import Keys, PassKey
from contract.sealing import unb64

_NAMES = {KeyUse.PASSES: "pass key", KeyUse.MESSAGES: "message key", KeyUse.SEALING: "sealing key"}


@dataclass(frozen=True)
class Sifted:
    """Keys of which only those that hold are left, and in plain words what is wrong with the others."""

    keys: Keys
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vouched:
    """A key and what its certificate says, the signature verified; the time is asked for later."""

    kid: str
    use: KeyUse
    public: bytes
    said: Certificate | Refused

    def refusal(self, at: datetime | None, clock_synced: bool = True) -> Refused | None:
        """Why it is kept out `at`; None when it holds, be it within the grace. See `contract.certifying.check` for the clock."""
        if isinstance(self.said, Refused):
            return self.said
        return check(self.said, self.kid, self.use, self.public, at, grace=GRACE, clock_synced=clock_synced)

    def complaint(self, at: datetime | None, clock_synced: bool = True) -> str | None:
        """What is wrong with it, for whoever can have it mended."""
        refused, name = self.refusal(at, clock_synced), f"{_NAMES[self.use]} {self.kid[:64]}"
        if refused is not None:
            return f"{name} is kept out: {refused.detail}"
        ended = check(self.said, self.kid, self.use, self.public, at) if isinstance(self.said, Certificate) else None
        return f"{name}: {ended.detail}, renew it" if ended is not None and ended.problem is Problem.EXPIRED else None


def vouched(kid: str, use: KeyUse, public: str, certificate: str, roots: Collection[bytes]) -> Vouched:
    """A key as it stands in a directory or a configuration, its certificate read."""
    try:
        return Vouched(kid, use, unb64(public), read(certificate, roots))
    except BadMessage as error:
        return Vouched(kid, use, b"", Refused(Problem.OTHER_KEY, f"it is {error}"))


def sift(keys: Keys, roots: Collection[bytes], issued_at: datetime) -> Sifted:
    """The keys of a directory that hold at the time it was issued; all of them for a station that trusts no root.

    A pass key that is kept out stays on the list without its public half, so that the gate refers its passes to the volunteer.
    """
    if not roots:
        return Sifted(keys)
    passes = [vouched(one.kid, KeyUse.PASSES, one.public, one.certificate, roots) for one in keys.passes]
    messages = [vouched(one.kid, KeyUse.MESSAGES, one.public, one.certificate, roots) for one in keys.messages]
    sealing = vouched(keys.sealing_kid, KeyUse.SEALING, keys.sealing, keys.sealing_certificate, roots)
    all_of_them = [*passes, *messages, *([sealing] if keys.sealing else [])]
    seals = sealing.refusal(issued_at) is None
    left = structs.replace(
        keys,
        passes=tuple(_or_blank(one, by, issued_at) for one, by in zip(keys.passes, passes, strict=True)),
        messages=tuple(one for one, by in zip(keys.messages, messages, strict=True) if by.refusal(issued_at) is None),
        sealing_kid=keys.sealing_kid if seals else "", sealing=keys.sealing if seals else "",
    )  # fmt: skip
    return Sifted(left, tuple(said for one in all_of_them if (said := one.complaint(issued_at)) is not None))


def _or_blank(key: PassKey, by: Vouched, issued_at: datetime) -> PassKey:
    return key if by.refusal(issued_at) is None else structs.replace(key, public="")
