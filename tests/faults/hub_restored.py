"""The hub is restored from a backup a day old: stations send the day again, directories go up and not back, revocations hold."""

import threading
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from contract.passes import PassKind
from hub.backup import making, restoring
from hub.registry import passes, versions
from hub.store import tables
from hub.vault import open_hub
from tests.faults import judging
from tests.faults.rig import COMPOUND, Rig, rig, until
from tests.faults.rows import Row

STATIONS = 2
_PASSPHRASE = "five words of a passphrase"
_LOAD_SECONDS = 1.5
_CHEAP = 4
"""The backup's scrypt: 2 to this power."""


def run(seed: int, many: int) -> Row:
    """Back up, go on, restore: `many` times, people passing all the while."""
    with rig(STATIONS) as made:
        made.broker.start()
        made.ingest.start()
        for number, gate in enumerate(made.open_gates()):
            gate.drive(seed + number)
        again = sum(_there_and_back(made, number) for number in range(many))
        acts = sum(gate.quiet() for gate in made.gates.values())
        made.settle()
        return judging.row(
            made, "hub restored from a day-old backup", many, f"{acts} acts at {STATIONS} gates; {again} events sent again"
        )


def _there_and_back(made: Rig, number: int) -> int:
    """One backup and its restore; returns how many events the restored store lacked."""
    _load()
    now = datetime.now(UTC)
    kept = _issue(made)
    file = made.folder / f"backup-{number}"
    making.make(made.hub_folder / "hub.toml", file, _PASSPHRASE, now - timedelta(days=1), log_n=_CHEAP)
    _load()
    late = _issue(made)
    with made.engine.begin() as conn:
        for one in (kept, late):
            passes.revoke(conn, one, by="admin")
    made.publish_directory()
    version, before = _version(made), _stored(made)
    made.ingest.stop()
    made.engine.dispose()
    restoring.restore(file, made.hub_folder, _PASSPHRASE, datetime.now(UTC), replace=True)
    made.engine = open_hub(made.located)
    lacked = before - _stored(made)
    with made.engine.connect() as conn:
        revoked = set(conn.scalars(sa.select(tables.passes.c.id).where(tables.passes.c.revoked_at.is_not(None))))
    assert {kept, late} <= revoked, "a revocation was forgotten"
    assert _version(made) > version, "the directory went back"
    made.ingest.start()
    made.publish_directory()
    newest = "SELECT count(DISTINCT station) FROM events WHERE kind = 'directory' AND json_extract(body, '$.body.version') >= ?"
    until("the stations took the restored hub's directory", lambda: made.query(newest, _version(made))[0][0] == STATIONS)
    return lacked


def _issue(made: Rig) -> str:
    with made.engine.begin() as conn:
        return passes.issue(conn, made.located, kind=PassKind.RESIDENT, compound=COMPOUND, name="王明", days=9, by="admin").id


def _version(made: Rig) -> int:
    with made.engine.connect() as conn:
        return versions.version_of(conn, COMPOUND)


def _stored(made: Rig) -> int:
    return int(made.query("SELECT count(*) FROM events")[0][0])


def _load() -> None:
    threading.Event().wait(_LOAD_SECONDS)
