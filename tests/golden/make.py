"""Golden vectors and generated documents of the contract, for the author of another program.

`python -m tests.golden.make` writes them under docs/contract; `--check` only names those that are not current.
The keys are for tests alone.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import base45
import cbor2
import cwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.public import PrivateKey

from contract import certifying, directory, documents, events, five, messages, opening, passes, sealing, signing, topics
from contract.codec import Message, encode

FOLDER = Path(__file__).parents[2] / "docs" / "contract"
AT = datetime(2026, 2, 16, 7, 40, tzinfo=UTC)
STATION, COMPOUND, JOURNAL, BOOT = "s1", "c1", "journal-1", "boot-1"
PRIVATE = {
    "hub": bytes(range(32)), "p1": bytes(range(32, 64)), "p2": bytes(range(96, 128)), "p9": bytes(range(128, 160)),
    "root": bytes(range(160, 192)), "root-2": bytes(range(192, 224)),
}  # fmt: skip
"""Raw Ed25519 keys: the hub's, two that passes are signed with, one that no station knows; a root, and one not trusted."""
SEALING = PrivateKey(bytes(range(64, 96)))
# Sealing is random, so the box was made once; it opens with SEALING.
BOX = (
    "y_dMcKOPeNfNOZ0Mldb9Cc6_Gs8CpYS_sgESU1dRRClrOJ04Ba0uqPanzGWvJqERoh5ZxFohfzlNqoBikLAoGN74nnZ3am9o0ZdFKFug6eqpFjFB3fJ-"
    "TuxAVKES8BKMGV02ZC-U1a9zJSqGMj45hQ8MJ-au0xHdmfkYEgMl-eA5NGdcXvFIjYwgZfBd1_jeoEewS8YGydyC8xLB"
)
PHOTO = "5f" * 32


def identifier(number: int) -> str:
    """A UUIDv7 that is the same every time."""
    return f"01890000-0000-7000-8000-{number:012x}"


def public(name: str) -> bytes:
    """The public half of a key."""
    return Ed25519PrivateKey.from_private_bytes(PRIVATE[name]).public_key().public_bytes_raw()


PERSONAL = sealing.Personal(event=identifier(1), name="王小明", phone="13800000000", dwelling="3-502")
KEYS = {name: public(name) for name in ("p1", "p2")}
"""What a station verifies passes with."""


# Certificates.


def certificate(
    kid: str, use: certifying.KeyUse, raw: bytes, root: str = "root", since: datetime = AT, days: int = 400, serial: int = 1
) -> str:
    """A key's certificate by a root."""
    said = certifying.Certificate(
        kid=kid, use=use, public=sealing.b64(raw), not_before=since - timedelta(days=1), not_after=since + timedelta(days=days),
        serial=serial,
    )  # fmt: skip
    return certifying.certify(said, PRIVATE[root])


def _altered(token: str) -> str:
    """The same with another end: the signature no longer matches."""
    header, payload, signature = token.split(".")
    changed = sealing.unb64(payload).replace(b"2027-", b"2037-")
    return f"{header}.{sealing.b64(changed)}.{signature}"


USE = certifying.KeyUse.PASSES
CERTIFICATES: tuple[tuple[str | None, str], ...] = (
    (None, certificate("p1", USE, public("p1"))),
    (certifying.Problem.MISSING, ""),
    (certifying.Problem.NOT_A_CERTIFICATE, "p1"),
    (certifying.Problem.NOT_A_CERTIFICATE, signing.sign(
        directory.Keys(), typ="manifest", audience="compound:c1", counter=1, kid="hub", private=PRIVATE["hub"]).decode()),
    (certifying.Problem.WRONG_ROOT, certificate("p1", USE, public("p1"), root="root-2")),
    (certifying.Problem.ALTERED, _altered(certificate("p1", USE, public("p1")))),
    (certifying.Problem.OTHER_KEY, certificate("p1", USE, public("p9"))),
    (certifying.Problem.OTHER_KEY, certificate("p2", USE, public("p1"))),
    (certifying.Problem.OTHER_USE, certificate("p1", certifying.KeyUse.MESSAGES, public("p1"))),
    (certifying.Problem.NOT_YET_VALID, certificate("p1", USE, public("p1"), since=AT + timedelta(days=2))),
    (certifying.Problem.EXPIRED, certificate("p1", USE, public("p1"), since=AT - timedelta(days=30), days=30)),
)  # fmt: skip
"""Why each does not hold for pass key p1 at AT, by the root `root`; None: it does."""


# Passes.


def claims(number: int, kind: passes.PassKind, **changes: Any) -> passes.Pass:
    """The claims of a typical pass of a kind; `number` becomes its id."""
    usual: dict[str, Any] = {
        "id": f"{number:032x}", "issuer": "gatepost", "kind": kind, "not_before": AT - timedelta(days=1),
        "expires": AT + timedelta(days=90), "compounds": (COMPOUND,), "name": "王*明", "dwelling": "3-502", "key_id": "p1",
    }  # fmt: skip
    return passes.Pass(**{**usual, **changes})


def issue(one: passes.Pass, key: str = "p1", kid: str = "p1") -> str:
    """Its token, signed with the key `key` under the name `kid`."""
    return passes.issue(one, kid, PRIVATE[key])


def signed_token(payload: bytes) -> str:
    """A token whose payload is signed by p1, whatever it holds."""
    key = cwt.COSEKey.new({1: 1, 2: b"p1", 3: -8, -1: 6, -2: public("p1"), -4: PRIVATE["p1"]})
    cose = cwt.COSE.new(alg_auto_inclusion=True, kid_auto_inclusion=True)
    return passes.PREFIX + base45.b45encode(cose.encode(payload, key)).decode()


PASSES = tuple(
    claims(n, kind, plate="沪A12345" if kind is passes.PassKind.VEHICLE else "") for n, kind in enumerate(passes.PassKind, 1)
)
RESIDENT = PASSES[0]
REJECTS: tuple[tuple[passes.Problem, str], ...] = (
    (passes.Problem.NOT_A_PASS, "https://example.org/"),
    (passes.Problem.DAMAGED, issue(RESIDENT)[:60]),
    (passes.Problem.UNKNOWN_KEY, issue(RESIDENT, "p9", "p9")),
    (passes.Problem.FORGED, issue(RESIDENT, "p9", "p1")),
    (passes.Problem.BAD_CLAIMS, signed_token(cbor2.dumps({1: "gatepost", -65537: [2]}))),
    (passes.Problem.EXPIRED, issue(claims(11, passes.PassKind.RESIDENT, expires=AT))),
    (passes.Problem.NOT_YET_VALID, issue(claims(12, passes.PassKind.RESIDENT, not_before=AT + timedelta(seconds=1)))),
    (passes.Problem.OTHER_COMPOUND, issue(claims(13, passes.PassKind.RESIDENT, compounds=("c2",)))),
    (passes.Problem.REVOKED, issue(claims(14, passes.PassKind.RESIDENT))),
    (passes.Problem.WRONG_KIND, issue(claims(15, passes.PassKind.ENROLMENT))),
)
REVOKED = (f"{14:032x}",)
ADMITTED = tuple(kind for kind in passes.PassKind if kind is not passes.PassKind.ENROLMENT)


# Events.

READING = events.Reading(
    band=events.Band.NORMAL, source="mlx90614", body_celsius=36.5, skin_celsius=33.5, ambient_celsius=21.0
)  # fmt: skip
EVIDENCE = five.Evidence(
    item=five.Item.DESK, present=True, basis=five.Basis.DECLARED, observed_at=AT, valid_until=AT + timedelta(hours=12),
    by=PASSES[4].id, photo=PHOTO,
)  # fmt: skip
BODIES: tuple[events.Body, ...] = (
    events.Entry(
        direction=events.Direction.IN, outcome=events.Outcome.ADMIT, reasons=("ok",), pass_id=RESIDENT.id, pass_kind="resident",
        key_id="p1", directory_version=7, colour="green", reading=READING, personal=sealing.Sealed(key="seal-1", box=BOX),
        photo=PHOTO, ms=84.5, who=events.Who.VISITOR, people=2, purpose="visit", host_confirmed=True, key_area=False,
        companions=(events.Companion(role="child", reading=READING),), booking="b1",
        written=events.Written(at=AT, page="GATEPOST-PAGE:s1:outsiders:12", line=3),
    ),
    events.Correction(corrects=identifier(1), cancelled=True, by=PASSES[4].id, note="误操作"),
    events.EvidenceChange(evidence=EVIDENCE, lifetime_seconds=43200.0),
    events.ShiftChange(on=True, badge=PASSES[4].id),
    events.DutyConfirmed(badge=PASSES[4].id, by_touch=True),
    events.Started(software="0.1.0", gap_seconds=1500.0, unclean=True),
    events.Stopped(reason="restart"),
    events.DeviceChange(device="camera", ok=False, detail="no frame for 5 s"),
    events.DirectoryApplied(version=7),
    events.ClockSynced(stepped_seconds=-2.5),
    events.JournalBegun(reason="fork", previous="journal-0", previous_seq=41),
    events.HelpCalled(by=PASSES[4].id),
    events.PhotoAttached(event=identifier(12), photo=PHOTO, purpose="help"),
    events.Tallied(what="courier", by=PASSES[4].id),
    events.PeopleCounted(seconds=900.0, counted=41, recorded=39),
    events.BarrierOpened(cause="emergency", by=PASSES[4].id),
    events.GateShut(shut=True, by=PASSES[4].id),
    events.SettingsChanged(
        settings={"loudness": 60, "measure_on_exit": True}, config="config-1", refused={"fever_celsius": "unknown"}
    ),
    events.GapAnswered(missed=True, by=PASSES[4].id),
)  # fmt: skip
EVENTS = tuple(
    events.Event(
        seq=n, id=identifier(n), at=AT + timedelta(seconds=n), boot=BOOT, mono_ns=n * 10**9, clock=events.Clock.SYNCED, body=body
    )
    for n, body in enumerate(BODIES, 1)
)  # fmt: skip


# Messages.

PIN = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
PIN_DIGITS, BADGE = "2468", issue(PASSES[4])
OPENING = opening.opening_key(PIN_DIGITS, BADGE)
"""The badge's opening key: what its token and PIN make, the same every time."""
CONTENT_KID, CONTENT = "c-1", bytes(range(224, 256))

PLAIN_DIRECTORY = directory.Directory(
    roster=directory.Roster(
        dwellings=(
            directory.Dwelling(building="3", room="502", holders=(directory.RosterHolder(pass_id=RESIDENT.id, name="王*明"),)),
        )
    ),
    faces=directory.Faces(faces={RESIDENT.id: "/9j/"}),
    bookings=directory.Bookings(
        bookings=(
            directory.Booking(
                id="b1", kind="removal", plate="沪A12345", crew=3, dwelling="3-502", opens=AT, closes=AT + timedelta(hours=4)
            ),
        )
    ),
    policies=directory.Policies(
        courier="visitor", question_share=0.02, outings=1, outing_days=2, outing_seconds=10800.0,
        outing_windows=((360, 720), (840, 1200)),
    ),
    version=7, issued_at=AT,
    keys=directory.Keys(
        passes=tuple(
            directory.PassKey(kid=kid, public=sealing.b64(raw), certificate=certificate(kid, USE, raw))
            for kid, raw in KEYS.items()
        ),
        sealing_kid="seal-1", sealing=sealing.b64(bytes(SEALING.public_key)),
        sealing_certificate=certificate("seal-1", certifying.KeyUse.SEALING, bytes(SEALING.public_key)),
        messages=(
            directory.MessageKey(
                kid="hub", public=sealing.b64(public("hub")),
                certificate=certificate("hub", certifying.KeyUse.MESSAGES, public("hub")),
            ),
        ),
    ),
    revocations=directory.Revocations(ids=REVOKED), isolating=directory.Isolating(ids=(f"{21:032x}",)),
    colours=directory.Colours(
        rules={"green": directory.ColourRule(label="绿"), "purple": directory.ColourRule(label="紫", quota=False)},
        holders={RESIDENT.id: "green"},
    ),
    badges=directory.Badges(badges=(directory.Badge(id=PASSES[4].id, pin=PIN, opens=opening.public_half(OPENING)),)),
    notices=directory.Notices(notices=(directory.Notice(id="n1", zh="请出示出入证", en="Show your pass"),)),
    thresholds=directory.Thresholds(schedule=((360, 1380),)),
    codes=directory.DayCodes(codes=(directory.DayCode(gate="east", day="2026-02-16", desk="D-7Q4K", register="R-9M2X"),)),
    findings=directory.InspectionFindings(findings=(directory.InspectionFinding(gate="east", item="desk", at=AT),)),
    households=directory.Households(households=((RESIDENT.id,),)),
)  # fmt: skip
DIRECTORY = opening.seal_parts(
    PLAIN_DIRECTORY, COMPOUND, CONTENT_KID, CONTENT, {PASSES[4].id: opening.public_half(OPENING)}
)  # fmt: skip
"""As the hub has it: what tells people is open in it, and sealed beside."""
BIRTH = messages.Presence(online=True, birth="birth-1", boot=BOOT, journal=JOURNAL, last_seq=12, software="0.1.0")
WILL = msgspec.structs.replace(BIRTH, online=False)
BATCH = messages.JournalBatch(journal=JOURNAL, boot=BOOT, mono_ns=13 * 10**9, first_seq=1, events=messages.raw_events(EVENTS))
VITALS = messages.Vitals(
    boot=BOOT, mono_ns=13 * 10**9, at=AT + timedelta(seconds=13), clock=events.Clock.SYNCED, last_seq=12, backlog=0,
    directory_version=7, disk_free_bytes=8 * 2**30, software="0.1.0", devices=(messages.DeviceState(device="camera", ok=True),),
    evidence=(messages.EvidencePulse(item=five.Item.DESK, present=True, basis=five.Basis.DECLARED, age_seconds=10.0,
                                     remaining_seconds=43190.0, by=PASSES[4].id, photo=PHOTO),),
)  # fmt: skip
REPLY = messages.CommandReply(id="cmd-1", ok=True, detail="5 of 5")
ACK = messages.Ack(journal=JOURNAL, store_epoch="epoch-1", upto=9, ranges=((11, 12),))
FORK = messages.Ack(journal=JOURNAL, store_epoch="epoch-1", upto=9, fork_at=10)
COMMAND = messages.Command(id="cmd-1", name=messages.CommandName.SELFTEST)
CONFIG = messages.Config(id="config-1", settings={"loudness": 60, "measure_on_exit": True, "fever_celsius": 37.3})
MOVEMENTS = messages.Movements(
    compound=COMPOUND,
    movements=(messages.Movement(pass_id=RESIDENT.id, direction="in", gate="east", station="east-1", age_seconds=1.5),),
)  # fmt: skip
MANIFEST = directory.make_manifest(COMPOUND, DIRECTORY, AT)

Channel = topics.StationTopic
PLAIN: tuple[tuple[str, Message, str, topics.Delivery], ...] = tuple(
    (name, body, topics.station(STATION, channel), topics.DELIVERY[channel])
    for name, body, channel in (
        ("presence_birth", BIRTH, Channel.PRESENCE), ("presence_will", WILL, Channel.PRESENCE),
        ("journal", BATCH, Channel.JOURNAL), ("vitals", VITALS, Channel.VITALS), ("reply", REPLY, Channel.REPLY),
    )
)  # fmt: skip
SIGNED: tuple[tuple[str, str, Message, str, topics.Delivery], ...] = (
    *((name, typ, body, topics.station(STATION, channel), topics.DELIVERY[channel]) for name, typ, body, channel in (
        ("ack", "ack", ACK, Channel.ACK), ("ack_fork", "ack", FORK, Channel.ACK),
        ("command", "command", COMMAND, Channel.COMMAND), ("config", "config", CONFIG, Channel.CONFIG),
    )),
    ("movements", "movements", MOVEMENTS, topics.movements(COMPOUND), topics.MOVEMENTS_DELIVERY),
    ("manifest", "manifest", MANIFEST, topics.directory(COMPOUND, "manifest"), topics.COMPOUND_DELIVERY),
)  # fmt: skip
SIGNED_ACK = signing.sign(ACK, typ="ack", audience=f"station:{STATION}", counter=1, kid="hub", private=PRIVATE["hub"])


# Files.


def value(of: object) -> Any:
    """A contract value as plain JSON."""
    return msgspec.json.decode(encode(of))


def key_vectors() -> dict[str, Any]:
    """The test keys, base64url: Ed25519, and X25519 for sealing with a box that opens to `personal`."""
    pairs = {name: {"private": sealing.b64(raw), "public": sealing.b64(public(name))} for name, raw in PRIVATE.items()}
    box = {"kid": "seal-1", "private": sealing.b64(bytes(SEALING)), "public": sealing.b64(bytes(SEALING.public_key))}
    return {"ed25519": pairs, "x25519": box, "box": BOX, "personal": value(PERSONAL)}


def message_vectors() -> list[dict[str, Any]]:
    """Each message with its topic and exact payload; `body` is what a signed one holds."""
    plain = [_vector(name, body, topic, how, encode(body)) for name, body, topic, how in PLAIN]
    return plain + [_signed_vector(n, *row) for n, row in enumerate(SIGNED, 1)]


def _signed_vector(counter: int, name: str, typ: str, body: Message, topic: str, how: topics.Delivery) -> dict[str, Any]:
    audience = ":".join(topic.split("/")[2:4])
    data = signing.sign(body, typ=typ, audience=audience, counter=counter, kid="hub", private=PRIVATE["hub"])
    signed = {"kid": "hub", "typ": typ, "aud": audience, "ctr": counter}
    return {**_vector(name, body, topic, how, data), "signed": signed}


def _vector(name: str, body: Message, topic: str, how: topics.Delivery, payload: bytes) -> dict[str, Any]:
    delivery = {"topic": topic, "qos": how.qos, "retain": how.retain}
    return {"name": name, "kind": type(body).__name__, **delivery, "payload": payload.decode(), "body": value(body)}


def part_vectors() -> list[dict[str, Any]]:
    """Each part of the directory that the manifest among the messages names."""
    return [
        _vector(name, getattr(DIRECTORY, name), topics.directory(COMPOUND, name), topics.COMPOUND_DELIVERY, data)
        for name, data in directory.split(DIRECTORY).items()
    ]


def opening_vectors() -> dict[str, Any]:
    """From a badge and its PIN to what the sealed parts hold."""
    badge = {
        "id": PASSES[4].id, "token": BADGE, "pin": PIN_DIGITS, "opening_private": sealing.b64(OPENING),
        "opens": opening.public_half(OPENING),
    }  # fmt: skip
    plain = {name: value(getattr(DIRECTORY, name)) for name in directory.SEALED}
    return {"compound": COMPOUND, "badge": badge, "key": CONTENT_KID, "content": sealing.b64(CONTENT), "opened": plain}


def pass_vectors() -> list[dict[str, Any]]:
    """A pass of each kind and what it says."""
    return [{"token": issue(one), "claims": value(asdict(one))} for one in PASSES]


def reject_vectors() -> dict[str, Any]:
    """A token for each problem, and the gate at which it is found."""
    gate = {
        "now": AT,
        "compound": COMPOUND,
        "revoked": REVOKED,
        "kinds": ADMITTED,
        "clock_synced": True,
        "known_keys": list(KEYS),
    }
    return {"gate": value(gate), "rejects": [{"problem": problem, "token": token} for problem, token in REJECTS]}


def certificate_vectors() -> dict[str, Any]:
    """The key, the root and the time that each certificate is held against, and what is wrong with it."""
    asked = {"kid": "p1", "use": USE, "public": sealing.b64(public("p1")), "at": value(AT), "root": sealing.b64(public("root"))}
    return {"asked": asked, "certificates": [{"problem": problem, "certificate": token} for problem, token in CERTIFICATES]}


def files() -> dict[str, bytes]:
    """Every generated file by its path under docs/contract."""
    vectors = {
        "keys": key_vectors(), "messages": message_vectors(), "events": [value(e) for e in EVENTS],
        "directory": part_vectors(), "passes": pass_vectors(), "rejects": reject_vectors(),
        "certificates": certificate_vectors(), "opening": opening_vectors(),
    }  # fmt: skip
    made = {f"vectors/{name}.json": _pretty(content) for name, content in vectors.items()}
    return {**made, "schema.json": _pretty(documents.json_schema()), "asyncapi.json": _pretty(documents.asyncapi())}


def _pretty(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def stale() -> list[str]:
    """The files that are not what would be generated now."""
    return [name for name, data in files().items() if not (FOLDER / name).exists() or (FOLDER / name).read_bytes() != data]


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` only name those that are not current."""
    old = stale()
    for name in old:
        print(name)
        if "--check" not in arguments:
            (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_bytes(files()[name])
    return int("--check" in arguments and bool(old))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
