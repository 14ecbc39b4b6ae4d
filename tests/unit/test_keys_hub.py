"""The hub's keys: encrypted at rest, certified by an offline root, rotated with overlap; and what a real station makes of it."""

import json
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.certifying import Certificate, KeyUse, certify, fingerprint
from contract.messages import Ack
from contract.passes import PassKind
from contract.sealing import Personal, b64, seal, unb64
from hub import audit, channels, key_files, opening
from hub.cli import main
from hub.config import HubSettings, Located
from hub.config import Keys as KeySettings
from hub.config import load as load_hub
from hub.registry import directory, key_lives, keys, passes, places, versions
from hub.registry.errors import RegistryError
from hub.registry.key_lives import Stage
from hub.registry.kit import make_kit
from hub.rights import Scope, ScopeKind
from hub.signer import Signer
from hub.store import migrate, open_store
from hub.store.tables import keys as table
from hub.vault import Vault, open_hub, scrub, vault_of
from hub.web.texts.people import TEXTS
from kiosk.config import load as load_station

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ROOT, OTHER_ROOT = bytes(range(32)), bytes(range(32, 64))


def public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def furnish(conn: sa.Connection) -> None:
    places.add_area(conn, "north", "北片区")
    places.add_committee(conn, "hm-c", "虹梅居委", "north")
    places.add_compound(conn, "hm", "虹梅小区", "hm-c")
    places.add_gate(conn, "east", "东门", "hm")


@pytest.fixture
def located(tmp_path: Path) -> Located:
    return Located(HubSettings(keys=KeySettings(roots=(b64(public(ROOT)),))), tmp_path)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of a hub that has its keys and one gate, and the secret."""
    located = Located(HubSettings(), tmp_path_factory.mktemp("hub"))
    vault_of(located).make_secret()
    engine = open_hub(located)
    migrate(engine)
    with engine.begin() as conn:
        keys.ensure_keys(conn)
        furnish(conn)
    engine.dispose()
    return located.folder


@pytest.fixture
def engine(made_once: Path, located: Located) -> Iterator[sa.Engine]:
    shutil.copytree(made_once, located.folder, dirs_exist_ok=True)
    engine = open_hub(located)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.begin() as conn:
        yield conn


def certificates(conn: sa.Connection, root: bytes = ROOT, days: int = 400, at: datetime = NOW, *kids: str) -> list[str]:
    """By the files that go to the root and back."""
    wanted = [key for key in keys.list_keys(conn) if not kids or key.kid in kids]
    request = msgspec.json.decode(key_files.make_request("hub", wanted, at), type=key_files.Request)
    return list(msgspec.json.decode(key_files.certify_all(request, root, days, at), type=key_files.Certificates).certificates)


def install(conn: sa.Connection, located: Located, now: datetime = NOW, **how: bool) -> list[keys.Key]:
    return key_lives.install(conn, certificates(conn, at=now), located.roots, now, **how)


def stages(conn: sa.Connection, use: KeyUse, now: datetime) -> dict[str, Stage]:
    found = keys.list_keys(conn, retired=True)
    return {key.kid: key_lives.stage(key, found, now) for key in found if key.use is use}


# ---- at rest ----


def test_the_store_holds_no_private_key(located: Located, engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as conn:
        private = [key.private for key in keys.list_keys(conn)]
        assert len(set(private)) == 3
        for key in keys.list_keys(conn, KeyUse.MESSAGES):
            assert public(key.private) == key.public
    engine.dispose()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert b"SQLite" in raw
    assert not [one for one in private if one in raw]


def test_keys_of_before_are_read_and_sealed_once_without_a_trace(located: Located, tmp_path: Path) -> None:
    plain = open_store(located.store_url)
    migrate(plain)
    with plain.begin() as conn:
        old = {key.kid: key.private for key in keys.ensure_keys(conn)}
    plain.dispose()
    assert all(one in (tmp_path / "hub.db").read_bytes() for one in old.values())
    vault_of(located).make_secret()
    engine = open_hub(located)
    with engine.begin() as conn:
        assert {key.kid: key.private for key in keys.list_keys(conn)} == old
        assert sorted(keys.seal_all(conn)) == sorted(old)
        assert keys.seal_all(conn) == []
        assert {key.kid: key.private for key in keys.list_keys(conn)} == old
    scrub(engine)
    engine.dispose()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert not [one for one in old.values() if one in raw]


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "secret.key")
    assert vault.make_secret()
    made = vault.path.read_bytes()
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    assert not vault.make_secret()
    assert vault.path.read_bytes() == made


@settings(max_examples=40)
@given(kid=st.text(max_size=8), use=st.sampled_from(list(KeyUse)), private=st.binary(min_size=32, max_size=32), data=st.data())
def test_what_is_sealed_opens_in_its_own_place_and_unaltered_alone(
    tmp_path_factory: pytest.TempPathFactory, kid: str, use: KeyUse, private: bytes, data: st.DataObject
) -> None:
    vault = Vault(tmp_path_factory.getbasetemp() / "one-secret.key")
    vault.make_secret()
    stored = vault.seal(kid, use, private)
    assert vault.open(kid, use, stored) == private
    altered = bytearray(stored)
    altered[data.draw(st.integers(1, len(stored) - 1))] ^= data.draw(st.integers(1, 255))
    for wrong in ((kid, use, bytes(altered)), (kid + "x", use, stored), (kid, "other", stored), (kid, use, stored[:9])):
        with pytest.raises(RegistryError, match="does not open"):
            vault.open(*wrong)


def spoil_gone(path: Path) -> None:
    path.unlink()


def spoil_other(path: Path) -> None:
    path.unlink()
    Vault(path).make_secret()


def spoil_garbage(path: Path) -> None:
    path.write_text("not a secret")


def spoil_readable(path: Path) -> None:
    path.chmod(0o640)


SPOILT = [
    (spoil_gone, "can't be read.*put back"), (spoil_other, "does not open with the secret.*put back"),
    (spoil_garbage, "no secret of this hub"), (spoil_readable, "chmod 600"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILT)
def test_a_wrong_or_missing_secret_is_said_and_breaks_nothing_else(
    located: Located, engine: sa.Engine, spoil: Callable[[Path], None], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as conn:
        sealing = keys.current(conn, KeyUse.SEALING)
        one = channels.add(conn, "群", "json://host/abcdefghijk", "liaison", Scope(ScopeKind.ALL, ""), (), NOW)
    engine.dispose()
    spoil(located.folder / "secret.key")
    again = open_hub(located)
    with again.begin() as conn:
        with pytest.raises(RegistryError, match=said):
            passes.issue(conn, located, kind=PassKind.RESIDENT, compound="hm", name="王小明", by="t")
        with pytest.raises(RegistryError, match=said):
            Signer(again).sign(Ack(journal="j", store_epoch="e", upto=1), typ="ack", audience="station:s1")
        with pytest.raises(RegistryError, match=said):
            keys.seal_all(conn)
        sealed = seal(Personal(event="e1", name="王小明"), sealing.kid, sealing.public)
        assert opening.personal(conn, "e1", sealed) is None
        assert opening.photo(conn, "00") is None
        assert channels.shown_address(conn, one) == "?"
    assert "nothing can be opened" in caplog.text
    again.dispose()


def test_a_content_key_of_another_secret_is_made_anew(located: Located, engine: sa.Engine) -> None:
    def published() -> str:
        hub = open_hub(located)
        with hub.begin() as conn:
            made = directory.build(conn, located, "hm", NOW)
        hub.dispose()
        return made.openers.key

    path = located.folder / "secret.key"
    right, first = path.read_bytes(), published()
    spoil_other(path)
    other = published()
    path.write_bytes(right)
    assert len({first, other, published()}) == 3
    assert published() == published()


def test_channel_addresses_are_safe_with_the_key_that_opens_them(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as conn:
        one = channels.add(conn, "群", "json://host/abcdefghijk", "liaison", Scope(ScopeKind.ALL, ""), (), NOW)
        assert channels.address_of(conn, one) == "json://host/abcdefghijk"
    engine.dispose()
    assert b"abcdefghijk" not in b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))


def test_systemd_may_hand_the_secret_over(located: Located, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = tmp_path / "credentials"
    handed.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert vault_of(located).path == tmp_path / "secret.key"
    Vault(handed / "secret.key").make_secret()
    (handed / "secret.key").chmod(0o440)  # as systemd shows an access list
    vault = vault_of(located)
    assert vault.open("k", "passes", vault.seal("k", "passes", b"x" * 32)) == b"x" * 32


def test_a_store_opened_without_its_secret_opens_no_key(engine: sa.Engine, located: Located) -> None:
    plain = open_store(located.store_url)
    with plain.connect() as conn, pytest.raises(RegistryError, match="without its secret"):
        _ = keys.current(conn, KeyUse.PASSES).private
    plain.dispose()


# ---- rotation ----


@pytest.mark.parametrize("use", [KeyUse.PASSES, KeyUse.MESSAGES])
def test_a_new_key_is_told_before_it_is_used(conn: sa.Connection, use: KeyUse) -> None:
    old = keys.current(conn, use)
    new = key_lives.rotate(conn, use, NOW)
    assert stages(conn, use, NOW + 9 * DAY) == {new.kid: Stage.COMING, old.kid: Stage.IN_USE}  # nobody was told yet
    told = keys.public_keys(conn)
    assert new.kid in {key.kid for key in (told.passes if use is KeyUse.PASSES else told.messages)}
    key_lives.published(conn, key_lives.waiting_for_stations(conn), NOW, DAY)
    assert keys.current(conn, use, NOW + DAY - timedelta(seconds=1)) == old
    assert keys.current(conn, use, NOW + DAY).kid == new.kid
    assert stages(conn, use, NOW + DAY) == {new.kid: Stage.IN_USE, old.kid: Stage.OLD}


def test_told_again_it_does_not_wait_again(conn: sa.Connection) -> None:
    new = key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    key_lives.published(conn, [new.kid], NOW, DAY)
    key_lives.published(conn, [new.kid], NOW + DAY / 2, DAY)
    assert keys.current(conn, KeyUse.MESSAGES, NOW + DAY).kid == new.kid


def test_a_sealing_key_is_used_as_soon_as_it_is_told(conn: sa.Connection) -> None:
    new = key_lives.rotate(conn, KeyUse.SEALING, NOW)
    assert keys.public_keys(conn).sealing_kid == new.kid


def test_in_an_emergency_it_is_used_at_once(conn: sa.Connection) -> None:
    coming = key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    with pytest.raises(RegistryError, match=f"{coming.kid} is coming already"):
        key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    assert key_lives.rotate(conn, KeyUse.MESSAGES, NOW, at_once=True).kid == coming.kid
    assert keys.current(conn, KeyUse.MESSAGES).kid == coming.kid
    another = key_lives.rotate(conn, KeyUse.PASSES, NOW, at_once=True)
    assert keys.current(conn, KeyUse.PASSES).kid == another.kid


def test_where_keys_are_certified_an_uncertified_one_is_told_to_nobody(conn: sa.Connection, located: Located) -> None:
    install(conn, located)
    new = key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    version = versions.version_of(conn, "hm")
    assert new.kid not in {key.kid for key in keys.public_keys(conn).messages}
    assert new.kid not in keys.message_keys(conn)
    assert key_lives.waiting_for_stations(conn) == []
    assert [key.kid for key in key_lives.to_certify(conn, NOW)] == [new.kid]
    with pytest.raises(RegistryError, match="waits for its certificate"):
        key_lives.rotate(conn, KeyUse.MESSAGES, NOW, at_once=True)
    with pytest.raises(RegistryError, match="leave --now away"):
        key_lives.rotate(conn, KeyUse.PASSES, NOW, at_once=True)
    key_lives.install(conn, certificates(conn, ROOT, 400, NOW, new.kid), located.roots, NOW)
    assert versions.version_of(conn, "hm") > version
    assert key_lives.waiting_for_stations(conn) == [new.kid]
    key_lives.published(conn, [new.kid], NOW, DAY)
    assert keys.current(conn, KeyUse.MESSAGES, NOW + DAY).kid == new.kid


def test_certificates_are_taken_all_or_none(conn: sa.Connection, located: Located) -> None:
    good = certificates(conn)
    with pytest.raises(RegistryError, match="not trusted here"):
        key_lives.install(conn, certificates(conn, OTHER_ROOT), located.roots, NOW)
    with pytest.raises(RegistryError, match="ended"):
        key_lives.install(conn, certificates(conn, at=NOW - 401 * DAY), located.roots, NOW)
    foreign = certify(
        Certificate(kid="zz", use=KeyUse.PASSES, public="AA", not_before=NOW, not_after=NOW, serial=1), ROOT
    )  # fmt: skip
    with pytest.raises(RegistryError, match="no key 'zz'"):
        key_lives.install(conn, [foreign], located.roots, NOW)
    key_lives.install(conn, good, located.roots, NOW)
    with pytest.raises(RegistryError, match="newer certificate"):
        key_lives.install(conn, certificates(conn, at=NOW - DAY), located.roots, NOW)
    assert key_lives.to_certify(conn, NOW) == []
    assert len(key_lives.to_certify(conn, NOW + 341 * DAY)) == 3


def test_a_pass_key_is_kept_while_its_passes_are_valid(conn: sa.Connection, located: Located) -> None:
    old = keys.current(conn, KeyUse.PASSES)
    made = [
        passes.issue(conn, located, kind=PassKind.RESIDENT, compound="hm", name="王小明", days=days, by="t")
        for days in (5, 90, 200)
    ]
    passes.revoke(conn, made[2].id, "t")
    with pytest.raises(RegistryError, match="only one"):
        key_lives.retire(conn, old.kid, NOW, DAY)
    key_lives.rotate(conn, KeyUse.PASSES, NOW, at_once=True)
    passes.issue(conn, located, kind=PassKind.RESIDENT, compound="hm", name="李晓峰", days=300, by="t")
    with pytest.raises(RegistryError, match=f"2 passes.*until {made[1].expires:%Y-%m-%d}; --anyway"):
        key_lives.retire(conn, old.kid, NOW, DAY)
    with pytest.raises(RegistryError, match="1 passes"):
        key_lives.retire(conn, old.kid, NOW + 6 * DAY, DAY)
    assert key_lives.still_used(conn, old, NOW + 91 * DAY, DAY) is None
    key_lives.retire(conn, old.kid, NOW, DAY, anyway=True)
    assert old.kid not in {key.kid for key in keys.public_keys(conn).passes}
    assert stages(conn, KeyUse.PASSES, NOW)[old.kid] is Stage.RETIRED


def test_a_message_key_is_kept_until_stations_know_the_next(conn: sa.Connection) -> None:
    old = keys.current(conn, KeyUse.MESSAGES)
    new = key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    with pytest.raises(RegistryError, match="in use for messages"):
        key_lives.retire(conn, old.kid, NOW, DAY, anyway=True)
    key_lives.rotate(conn, KeyUse.MESSAGES, NOW, at_once=True)
    with pytest.raises(RegistryError, match=f"{new.kid} took its place"):
        key_lives.retire(conn, old.kid, NOW, DAY)
    key_lives.retire(conn, old.kid, NOW + DAY, DAY)
    assert list(keys.message_keys(conn)) == [new.kid]


def test_a_key_that_is_coming_can_be_given_up(conn: sa.Connection) -> None:
    new = key_lives.rotate(conn, KeyUse.MESSAGES, NOW)
    key_lives.retire(conn, new.kid, NOW, DAY)
    assert key_lives.waiting_for_stations(conn) == []
    key_lives.rotate(conn, KeyUse.MESSAGES, NOW)


def test_a_kit_carries_root_and_certificates_once_every_key_in_use_has_one(
    engine: sa.Engine, located: Located, tmp_path: Path
) -> None:
    places.add_station(engine, Located(HubSettings(), tmp_path), "east-1", "east")
    with engine.begin() as conn:
        with pytest.raises(RegistryError, match=r"keeps out key p\w+ \(passes\): it has no certificate; have it certified"):
            make_kit(conn, located, "east-1")
        plain = make_kit(conn, Located(HubSettings(), tmp_path), "east-1")
        install(conn, located)
        kit = make_kit(conn, located, "east-1")
        key = keys.current(conn, KeyUse.MESSAGES)
    (tmp_path / "kiosk.toml").write_text(kit.config, encoding="utf-8")
    station = load_station(tmp_path / "kiosk.toml")
    assert station.roots == located.roots
    assert station.settings.hub.certificates == {key.kid: key.certificate}
    (tmp_path / "plain.toml").write_text(plain.config, encoding="utf-8")
    assert load_station(tmp_path / "plain.toml").roots == ()


# ---- commands ----

Hub = Callable[..., Result]


@pytest.fixture(scope="module")
def begun_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after `hub init`."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "hub.toml").write_text("[broker]\npassword = 'x'\n", encoding="utf-8")
    made = CliRunner().invoke(main, ["init", "--config", str(folder / "hub.toml")])
    assert made.exit_code == 0, made.output
    assert "secret.key" in made.stdout
    return folder


@pytest.fixture
def hub(begun_once: Path, tmp_path: Path) -> Hub:
    shutil.copytree(begun_once, tmp_path, dirs_exist_ok=True)

    def run(*words: str, code: int = 0, offline: bool = False, env: Mapping[str, str] | None = None, input: str = "") -> Result:
        command = [*words] if offline else [*words, "--config", str(tmp_path / "hub.toml")]
        result = CliRunner().invoke(main, command, env=env, input=input)
        assert result.exit_code == code, result.output
        return result

    return run


def listed(hub: Hub, *more: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in hub("key", "list", "--json", *more).stdout.splitlines()]


PASSPHRASE = "one two three four five"


def test_the_whole_way_from_root_to_rotated_keys(hub: Hub, tmp_path: Path) -> None:
    root, request, certs = tmp_path / "root.pem", tmp_path / "request.json", tmp_path / "certs.json"
    said = hub("key", "root", "--out", str(root), offline=True, input=f"{PASSPHRASE}\n{PASSPHRASE}\n").stdout
    assert stat.S_IMODE(root.stat().st_mode) == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in root.read_bytes()
    (roots,) = [line for line in said.splitlines() if line.startswith("roots = ")]
    assert fingerprint(unb64(json.loads(roots.partition("= ")[2])[0])) in said
    shown = hub("key", "request", "--out", str(request)).stdout
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    made = hub("key", "certify", str(request), "--root", str(root), "--days", "400", "--out", str(certs), "--passphrase-file",
               str(secret), offline=True).stdout  # fmt: skip
    prints = [line for line in shown.splitlines() if line.startswith("  ")]
    assert len(prints) == 3
    assert all(line in made for line in prints)  # the same to compare on both machines
    assert "names no root" in hub("key", "install", str(certs), code=2).stderr
    with (tmp_path / "hub.toml").open("a") as file:
        file.write(f"\n[keys]\n{roots}\n")
    assert len(hub("key", "install", str(certs)).stdout.splitlines()) == 4
    assert all(one["certified_until"] and one["state"] == "in use" for one in listed(hub))
    assert "60 days" in hub("key", "request", "--out", str(tmp_path / "r2"), code=2).stderr
    new = json.loads(hub("key", "rotate", "messages", "--json").stdout)
    assert (new["state"], new["waits"]) == ("coming", "certificate")
    hub("key", "request", "--out", str(tmp_path / "r2"))
    hub("key", "certify", str(tmp_path / "r2"), "--root", str(root), "--days", "400", "--out", str(tmp_path / "c2"),
        "--passphrase-env", "ROOT_PASSPHRASE", offline=True, env={"ROOT_PASSPHRASE": PASSPHRASE})  # fmt: skip
    hub("key", "install", str(tmp_path / "c2"), "--now")
    states = {one["kid"]: one["state"] for one in listed(hub) if one["use"] == "messages"}
    (old,) = [kid for kid, state in states.items() if state == "old"]
    assert states[new["kid"]] == "in use"
    assert "still needed" in hub("key", "retire", old, code=2).stderr
    hub("key", "retire", old, "--anyway")
    assert old not in {one["kid"] for one in listed(hub)}
    assert {one["kid"]: one["state"] for one in listed(hub, "--all")}[old] == "retired"
    engine = open_store(load_hub(tmp_path / "hub.toml").store_url)
    with engine.connect() as conn:
        noted = [(line.action, line.kind) for line in audit.lines(conn, 20) if line.kind == "key"]
    engine.dispose()
    assert noted == [("retire", "key"), ("install", "key"), ("rotate", "key"), *[("install", "key")] * 3]
    assert all(f"audit.line.{action}.{kind}" in TEXTS for action, kind in noted)


def test_root_is_not_made_weak_nor_over_another(hub: Hub, tmp_path: Path) -> None:
    out = str(tmp_path / "root.pem")
    made = hub("key", "root", "--out", out, offline=True, code=2, input="short\nshort\n")
    assert "12 at least" in made.stderr
    made = hub("key", "root", "--out", out, "--json", "--passphrase-env", "P", offline=True, env={"P": PASSPHRASE})
    assert set(json.loads(made.stdout)) == {"file", "public", "fingerprint"}
    again = hub("key", "root", "--out", out, "--passphrase-env", "P", offline=True, env={"P": PASSPHRASE}, code=2)
    assert "there already" in again.stderr


def certified(hub: Hub, folder: Path, passphrase: str, code: int = 0) -> Result:
    """The request `r` certified with the root there, as `c`."""
    files = ("--root", str(folder / "root.pem"), "--out", str(folder / "c"))
    words = ("key", "certify", str(folder / "r"), *files, "--days", "9", "--passphrase-env", "P")
    return hub(*words, offline=True, env={"P": passphrase}, code=code)


@pytest.mark.parametrize(
    ("file", "said"),
    [("{}", "holds no request"), ("x" * 200_000, "too long"), ('{"file":"gatepost-key-certificates"}', "holds no request")],
)
def test_what_is_no_request_is_said(hub: Hub, tmp_path: Path, file: str, said: str) -> None:
    hub("key", "root", "--out", str(tmp_path / "root.pem"), "--passphrase-env", "P", offline=True, env={"P": PASSPHRASE})
    (tmp_path / "r").write_text(file)
    words = (
        "key",
        "certify",
        str(tmp_path / "r"),
        "--root",
        str(tmp_path / "root.pem"),
        "--days",
        "9",
        "--out",
        str(tmp_path / "c"),
    )
    assert said in hub(*words, "--passphrase-env", "P", offline=True, env={"P": PASSPHRASE}, code=2).stderr


def test_another_passphrase_opens_no_root(hub: Hub, tmp_path: Path) -> None:
    hub("key", "root", "--out", str(tmp_path / "root.pem"), "--passphrase-env", "P", offline=True, env={"P": PASSPHRASE})
    hub("key", "request", "--out", str(tmp_path / "r"))
    words = (
        "key",
        "certify",
        str(tmp_path / "r"),
        "--root",
        str(tmp_path / "root.pem"),
        "--days",
        "9",
        "--out",
        str(tmp_path / "c"),
    )
    assert "does not open" in hub(*words, "--passphrase-env", "P", offline=True, env={"P": "x" * 20}, code=2).stderr
    assert not (tmp_path / "c").exists()


def test_init_encrypts_what_was_not_and_never_makes_a_second_secret(hub: Hub, tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert all(one["encrypted"] for one in listed(hub))
    engine = open_store(load_hub(tmp_path / "hub.toml").store_url)
    with engine.begin() as conn:
        kept = secret.read_text()
        raw = keys.make_key(conn, KeyUse.PASSES)  # as a hub of before did
        assert conn.scalar(sa.select(table.c.private).where(table.c.kid == raw.kid)) == raw.private
    engine.dispose()
    assert [one["kid"] for one in listed(hub) if not one["encrypted"]] == [raw.kid]
    assert raw.kid in hub("key", "seal").stdout
    assert all(one["encrypted"] for one in listed(hub))
    assert raw.private not in (tmp_path / "hub.db").read_bytes()
    secret.unlink()
    assert "put back" in hub("init", code=2).stderr
    assert not secret.exists()
    secret.write_text(kept)
    assert "chmod 600" in hub("key", "rotate", "passes", code=2).stderr
    secret.chmod(0o600)
    hub("init")


def test_the_list_says_what_is_awaited(hub: Hub) -> None:
    hub("key", "rotate", "passes")
    table_of_keys = hub("key", "list").stdout
    assert "waits until every directory is published with it" in table_of_keys
    assert table_of_keys.splitlines()[0].split()[:3] == ["kid", "use", "state"]
    assert "coming already" in hub("key", "rotate", "passes", code=2).stderr
    assert json.loads(hub("key", "rotate", "passes", "--now", "--json").stdout)["state"] == "in use"
