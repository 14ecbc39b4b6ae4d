"""The first schema: registry, journals as they come from the stations, and the picture made of them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UNSYNCED = "clock = 'unsynced'"


def upgrade() -> None:
    """Make every table."""
    _places()
    _registry()
    _journals()
    _picture()


def downgrade() -> None:
    """Remove every table, those that name others first."""
    for table in (
        "stations", "day_codes", "passes", "gates", "compounds", "committees", "areas", "ranges", "journals", "events",
        "malformed", "blobs", "pulses", "evidence", "intervals", "accounts", "keys", "meta",
    ):  # fmt: skip
        op.drop_table(table)


def _places() -> None:
    op.create_table("areas", _key("id"), _text("name", 200))
    op.create_table("committees", _key("id"), _text("name", 200), _reference("committees", "area", "areas"))
    op.create_table(
        "compounds", _key("id"), _text("name", 200), _reference("compounds", "committee", "committees"),
        _text("liaison", 200, server_default=""),
    )  # fmt: skip
    op.create_table(
        "gates", _key("id"), _text("name", 200), _reference("gates", "compound", "compounds"),
        sa.Column("schedule", sa.JSON, nullable=False, server_default="[]"), _flag("closed", sa.false()),
    )  # fmt: skip
    op.create_table(
        "stations", _key("id"), _reference("stations", "gate", "gates"), _text("lane", 64, server_default="1"),
        _text("password", 200, server_default=""), _flag("in_service", sa.true()), _time("added_at", nullable=False),
    )  # fmt: skip


def _registry() -> None:
    op.create_table(
        "accounts", _key("id"), _text("name", 200), _text("password", 200), _text("role", 32),
        _time("created_at", nullable=False), _time("disabled_at"),
    )  # fmt: skip
    op.create_table(
        "keys", _key("kid"), _text("use", 16), _bytes("public"), _bytes("private"),
        _time("created_at", nullable=False), _time("retired_at"),
    )  # fmt: skip
    op.create_table(
        "passes", _key("id"), _text("kind", 16), _reference("passes", "compound", "compounds"), _text("name", 200),
        _text("dwelling", 200, server_default=""), _text("plate", 32, server_default=""), _long("token"),
        _text("pin", 200, nullable=True), _text("colour", 16, nullable=True), _flag("isolating", sa.false()),
        _time("not_before", nullable=False), _time("expires", nullable=False), _time("issued_at", nullable=False),
        _text("issued_by", 64), _time("revoked_at"), _text("revoked_by", 64, nullable=True),
    )  # fmt: skip
    op.create_index("ix_passes_compound", "passes", ["compound"])
    op.create_table(
        "day_codes", _reference("day_codes", "gate", "gates", primary_key=True), _key("day", 10), _text("desk", 64),
        _text("register", 64),
    )  # fmt: skip
    op.create_table("meta", _key("key", 100), _long("value"))


def _journals() -> None:
    op.create_table(
        "journals", _key("id"), _text("station", 64), _time("first_heard", nullable=False), _number("fork_at", nullable=True)
    )
    op.create_index("ix_journals_station", "journals", ["station"])
    op.create_table(
        "ranges", _reference("ranges", "journal", "journals", primary_key=True), _number("first", primary_key=True),
        _number("last"),
    )  # fmt: skip
    op.create_table(
        "events", _key("journal"), _number("seq", primary_key=True), _text("id", 64), _text("station", 64),
        _text("gate", 64, nullable=True), _time("at", nullable=False), _time("received_at", nullable=False), _text("boot", 64),
        _number("mono_ns"), _text("clock", 16), _text("kind", 32), _long("body"), _long("error", nullable=True),
    )  # fmt: skip
    for columns in (["gate", "at"], ["id"], ["kind", "at"], ["kind", "received_at"]):
        op.create_index(f"ix_events_{'_'.join(columns)}", "events", columns)
    where = sa.text(_UNSYNCED)
    op.create_index("ix_events_unsynced", "events", ["station", "boot"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "malformed", sa.Column("id", sa.Integer, primary_key=True), _time("received_at", nullable=False),
        _text("station", 64, server_default=""), _text("topic", 300), _bytes("payload"), _long("reason"),
    )  # fmt: skip
    op.create_index("ix_malformed_station", "malformed", ["station"])
    op.create_table(
        "blobs", _key("sha"), _text("station", 64), _time("received_at", nullable=False), _bytes("data")
    )  # fmt: skip


def _picture() -> None:
    op.create_table(
        "pulses", _key("station"), _text("birth", 64, nullable=True), _flag("online", sa.false()), _time("heard_at"),
        _long("vitals", nullable=True),
    )  # fmt: skip
    op.create_table(
        "evidence", _key("station"), _key("item", 16), _key("basis", 16), sa.Column("present", sa.Boolean, nullable=False),
        _time("observed_at", nullable=False), _time("valid_until"), _text("by", 64, nullable=True),
        _text("reason", 64, nullable=True), _text("photo", 64, nullable=True),
    )  # fmt: skip
    op.create_table(
        "intervals", _key("gate"), _key("what", 16), _time("began_at", primary_key=True, nullable=False), _time("ended_at"),
        _text("state", 16), _text("basis", 16, nullable=True), _text("reason", 64, nullable=True),
    )  # fmt: skip


def _key(name: str, length: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def _text(name: str, length: int, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable, **options)


def _long(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _number(name: str, nullable: bool = False, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable, primary_key=primary_key, autoincrement=False)


def _flag(name: str, default: Any) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=default)


def _time(name: str, nullable: bool = True, primary_key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, primary_key=primary_key)


def _reference(table: str, name: str, target: str, primary_key: bool = False) -> sa.Column[str]:
    foreign = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}")
    return sa.Column(name, sa.String(64), foreign, nullable=False, primary_key=primary_key)
