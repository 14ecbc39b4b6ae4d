"""What the hub tells the stations of a compound: a small signed manifest, and parts named by their hash."""

import hashlib
from collections.abc import Callable
from typing import Annotated

import msgspec

from contract.codec import BadMessage, Instant, Message, decoder, encode
from contract.events import Identifier, Natural, Text

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class PassKey(Message, frozen=True, kw_only=True):
    """A public key passes are verified with (Ed25519, 32 bytes, base64url)."""

    kid: str
    public: str
    not_after: Instant | None = None
    certificate: str = ""
    """By an offline root (`contract.certifying`); empty: by none."""


class MessageKey(Message, frozen=True, kw_only=True):
    """A public key the hub signs its messages with (Ed25519, 32 bytes, base64url)."""

    kid: str
    public: str
    certificate: str = ""


class Keys(Message, frozen=True, kw_only=True):
    """Every key in force: several at once, so that keys can be rotated."""

    passes: tuple[PassKey, ...] = ()
    sealing_kid: str = ""
    sealing: str = ""
    """X25519 public key, base64url."""
    sealing_certificate: str = ""
    messages: tuple[MessageKey, ...] = ()
    """Keys of the hub's messages: those in use, those to come and those that were. Empty from a hub that doesn't say."""


class Revocations(Message, frozen=True, kw_only=True):
    """Passes that no longer count: ids (32 hex digits) in order."""

    ids: tuple[str, ...] = ()


class Isolating(Message, frozen=True, kw_only=True):
    """Passes whose holders are isolating at home: referred, never told why."""

    ids: tuple[str, ...] = ()


class ColourRule(Message, frozen=True, kw_only=True):
    """One of the seven colours: its name on the chip and what the gate does."""

    label: Text
    gate: Annotated[str, msgspec.Meta(pattern="^(admit|refer|homecoming)$")] = "admit"
    ask_symptoms: bool = False
    quota: bool = True
    """Whether the household's quota, the hours and the longest time out hold for them."""


class Colours(Message, frozen=True, kw_only=True):
    """The colours in use and which pass has which; one that is not listed is the default."""

    rules: dict[str, ColourRule] = {}
    holders: dict[str, Identifier] = {}
    default: Identifier = "green"


class Badge(Message, frozen=True, kw_only=True):
    """A volunteer's or supervisor's badge as a station may know it."""

    id: str
    """The badge's pass id."""
    name: Text = ""
    """Told no more, since it would lie on the station's card: the badge's own token says it when it is shown."""
    pin: str
    """argon2id (RFC 9106) of `pin_secret(pin, token)`: worthless without the badge itself."""
    opens: str = ""
    """Public half (X25519, base64url) of `contract.opening.opening_key`; empty: it opens nothing until its PIN is set anew."""


class Badges(Message, frozen=True, kw_only=True):
    badges: tuple[Badge, ...] = ()


class Notice(Message, frozen=True, kw_only=True):
    id: Identifier
    zh: Text
    en: Text = ""


class Notices(Message, frozen=True, kw_only=True):
    notices: tuple[Notice, ...] = ()


class Thresholds(Message, frozen=True, kw_only=True):
    """Limits that are the sub-district's to set."""

    fever_celsius: float = 37.3
    low_celsius: float = 35.5
    passback_seconds: Seconds = 60
    schedule: tuple[tuple[int, int], ...] = ()
    """Opening hours as minutes from local midnight; none: always open."""


class DayCode(Message, frozen=True, kw_only=True):
    """What today's desk card and book page must show to the station's camera (QR text), per gate."""

    gate: Identifier
    day: str
    """ISO 8601 date in the gate's own time zone."""
    desk: str
    register: str


class DayCodes(Message, frozen=True, kw_only=True):
    codes: tuple[DayCode, ...] = ()


class InspectionFinding(Message, frozen=True, kw_only=True):
    """A negative inspection still open at a gate: it outranks the station's own evidence until a re-check."""

    gate: Identifier
    item: Identifier
    note: Text = ""
    at: Instant


class InspectionFindings(Message, frozen=True, kw_only=True):
    findings: tuple[InspectionFinding, ...] = ()


class RosterHolder(Message, frozen=True, kw_only=True):
    """Somebody who lives, works or stays somewhere, as a gate may know them."""

    pass_id: str
    name: Text
    """Masked: 王*明."""


class Dwelling(Message, frozen=True, kw_only=True):
    """One door: building and room as people say them, and who is behind it."""

    building: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    room: Annotated[str, msgspec.Meta(max_length=20)] = ""
    holders: tuple[RosterHolder, ...] = ()


class Roster(Message, frozen=True, kw_only=True):
    """名册: who lives where, for those who come without a card."""

    dwellings: tuple[Dwelling, ...] = ()


class Faces(Message, frozen=True, kw_only=True):
    """Holders' photos, so that a borrowed pass shows. Small ones."""

    faces: dict[str, Annotated[str, msgspec.Meta(max_length=16_000)]] = {}
    """Pass id → JPEG, base64 (RFC 4648)."""


class Booking(Message, frozen=True, kw_only=True):
    """A vehicle or a crew that the committee has let come, for a time."""

    id: Identifier
    kind: Annotated[str, msgspec.Meta(pattern="^(removal|workers|guest|delivery|medical)$")]
    plate: Annotated[str, msgspec.Meta(max_length=12)] = ""
    crew: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """How many people; 0: not said."""
    dwelling: Text = ""
    note: Text = ""
    opens: Instant
    closes: Instant


class Bookings(Message, frozen=True, kw_only=True):
    bookings: tuple[Booking, ...] = ()


class Households(Message, frozen=True, kw_only=True):
    """Which passes belong behind one door, by their ids alone, so that an outing counts with the roster closed too.

    Told only where a household's outings are counted (`Policies.outings`).
    """

    households: tuple[tuple[str, ...], ...] = ()


class SealedPart(Message, frozen=True, kw_only=True):
    """A part that tells people, encrypted under a compound's content key; see `contract.opening`."""

    key: str = ""
    """The content key's id; empty: there is nothing."""
    box: str = ""
    """AES-SIV (RFC 5297) of the part's JSON, base64url."""


class Openers(Message, frozen=True, kw_only=True):
    """The content key of a compound, wrapped for each badge that may open its sealed parts."""

    key: str = ""
    """The content key's id."""
    sender: str = ""
    """X25519 public key, base64url: with a badge's opening key it gives the key of the wrap."""
    wraps: dict[str, str] = {}
    """Badge id → the wrapped content key, base64url."""


Minute = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class Policies(Message, frozen=True, kw_only=True):
    """What a gate does where practice differs: the sub-district's to set."""

    courier: Annotated[str, msgspec.Meta(pattern="^(shelf|visitor)$")] = "shelf"
    """Couriers leave it at the shelf, or go in like visitors."""
    question_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Of the residents let in, how many are asked where they live (「您住几号几室?」)."""
    shift_seconds: Seconds = 4 * 3600
    """On duty for longer than this, a volunteer is warned: people were worn out."""
    aside_seconds: Seconds = 300
    """How long somebody with a fever rests at the side before the station asks for the second reading."""
    taxi_seconds: Seconds = 1800
    """A taxi inside for longer is an alert."""
    visit_seconds: Seconds = 4 * 3600
    night: tuple[Minute, Minute] = (21 * 60, 6 * 60)
    """From when to when (minutes from local midnight) the screen is dim and the voice quiet."""
    outings: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How often people of one household may go out in `outing_days`; 0: as often as they like."""
    outing_days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 2
    """Calendar days of the gate's own time zone, today the last of them."""
    outing_seconds: Seconds = 0
    """For how long one may be out; 0: for any time."""
    outing_windows: tuple[tuple[Minute, Minute], ...] = ()
    """When residents may go out, in minutes from local midnight; one that ends before it begins runs past it. None: always."""


SEALED: dict[str, type[Message]] = {"roster": Roster, "faces": Faces, "bookings": Bookings}
"""What tells people: never published as it is, but as `sealed_roster` and so on. Before, they were parts of their own."""

PARTS: dict[str, type[Message]] = {
    "keys": Keys, "revocations": Revocations, "isolating": Isolating, "colours": Colours, "badges": Badges,
    "notices": Notices, "thresholds": Thresholds, "codes": DayCodes, "findings": InspectionFindings, "policies": Policies,
    "households": Households, "openers": Openers, **{f"sealed_{name}": SealedPart for name in SEALED},
}  # fmt: skip


class PartHash(Message, frozen=True, kw_only=True):
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: Natural


class Manifest(Message, frozen=True, kw_only=True):
    """Which parts make up this version. Signed again every hour, so that its age says how fresh the station's knowledge is."""

    v: int = 1
    compound: Identifier
    version: Natural
    issued_at: Instant
    parts: dict[str, PartHash]


class Directory(Message, frozen=True, kw_only=True):
    """A whole directory as a station holds it: all parts of one version, and what is open of the sealed ones."""

    version: Natural = 0
    issued_at: Instant | None = None
    keys: Keys = Keys()
    revocations: Revocations = Revocations()
    isolating: Isolating = Isolating()
    colours: Colours = Colours()
    badges: Badges = Badges()
    notices: Notices = Notices()
    thresholds: Thresholds = Thresholds()
    codes: DayCodes = DayCodes()
    findings: InspectionFindings = InspectionFindings()
    policies: Policies = Policies()
    households: Households = Households()
    openers: Openers = Openers()
    sealed_roster: SealedPart = SealedPart()
    sealed_faces: SealedPart = SealedPart()
    sealed_bookings: SealedPart = SealedPart()
    roster: Roster = Roster()
    """This and what follows is no part: it is what was opened of the sealed ones, in memory only."""
    faces: Faces = Faces()
    bookings: Bookings = Bookings()
    opened: bool = False


def hash_part(data: bytes) -> PartHash:
    """The name a part goes by in the manifest."""
    return PartHash(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def assemble(manifest: Manifest, parts: dict[str, bytes]) -> Directory:
    """Put a directory together; raises `BadMessage` naming a part that is missing, altered or unreadable."""
    made: dict[str, Message] = {}
    for name, wanted in manifest.parts.items():
        if name not in PARTS:
            continue
        if name not in parts:
            raise BadMessage(f"directory {manifest.version}: part {name} has not arrived")
        if hash_part(parts[name]) != wanted:
            raise BadMessage(f"directory {manifest.version}: part {name} is not the one the manifest names")
        made[name] = _decoders[name](parts[name])
    return msgspec.structs.replace(Directory(version=manifest.version, issued_at=manifest.issued_at), **made)


def split(directory: Directory) -> dict[str, bytes]:
    """The parts of a directory as they are published: of what tells people only the sealed ones."""
    return {name: encode(getattr(directory, name)) for name in PARTS}


def make_manifest(compound: str, directory: Directory, issued_at: Instant) -> Manifest:
    """The manifest for the parts of a directory."""
    parts = {name: hash_part(data) for name, data in split(directory).items()}
    return Manifest(compound=compound, version=directory.version, issued_at=issued_at, parts=parts)


def pin_secret(pin: str, token: str) -> str:
    """What a PIN's hash is made of: the PIN and the badge's own token, so that neither is enough."""
    return f"{pin}:{hashlib.sha256(token.encode()).hexdigest()}"


_decoders: dict[str, Callable[[bytes], Message]] = {name: decoder(kind) for name, kind in PARTS.items()}
