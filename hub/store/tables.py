"""The hub's tables (SQLAlchemy Core). Times are UTC, as ISO 8601 text would be read by no index: stored as timestamps."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
)


class Instant(sa.types.TypeDecorator[datetime]):
    """A time-zone-aware UTC datetime; a naive one is a mistake and refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        known: datetime = value
        return known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)


def _id(name: str = "id", **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), **options)


areas = sa.Table("areas", metadata, _id(primary_key=True), sa.Column("name", sa.String(200), nullable=False))

committees = sa.Table(
    "committees", metadata, _id(primary_key=True), sa.Column("name", sa.String(200), nullable=False),
    sa.Column("area", sa.ForeignKey("areas.id"), nullable=False),
)  # fmt: skip

compounds = sa.Table(
    "compounds", metadata, _id(primary_key=True), sa.Column("name", sa.String(200), nullable=False),
    sa.Column("committee", sa.ForeignKey("committees.id"), nullable=False),
    sa.Column("liaison", sa.String(200), nullable=False, server_default=""),
    sa.Column("manager", sa.String(200), nullable=False, server_default=""),  # 物业
)  # fmt: skip

gates = sa.Table(
    "gates", metadata, _id(primary_key=True), sa.Column("name", sa.String(200), nullable=False),
    sa.Column("compound", sa.ForeignKey("compounds.id"), nullable=False),
    sa.Column("schedule", sa.JSON, nullable=False, server_default="[]"),  # [[from, to] minutes of the local day]; []: always open
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("shut_at", Instant), sa.Column("shut_by", sa.String(64)), sa.Column("shut_event", sa.String(64)),  # NULL: open
)  # fmt: skip

stations = sa.Table(
    "stations", metadata, _id(primary_key=True), sa.Column("gate", sa.ForeignKey("gates.id"), nullable=False),
    sa.Column("lane", sa.String(64), nullable=False, server_default="1"),
    sa.Column("password", sa.String(200), nullable=False, server_default=""),
    sa.Column("in_service", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("added_at", Instant, nullable=False),
)  # fmt: skip

accounts = sa.Table(
    "accounts", metadata, _id(primary_key=True), sa.Column("name", sa.String(200), nullable=False),
    sa.Column("password", sa.String(200), nullable=False), sa.Column("role", sa.String(32), nullable=False),
    sa.Column("created_at", Instant, nullable=False), sa.Column("disabled_at", Instant), sa.Column("expires_at", Instant),
    sa.Column("life", sa.Integer, nullable=False, server_default="1"),  # a session of an earlier life is over
    sa.Column("contact", sa.String(200), nullable=False, server_default=""),
)  # fmt: skip

keys = sa.Table(
    "keys", metadata, _id("kid", primary_key=True), sa.Column("use", sa.String(16), nullable=False),  # passes, messages, sealing
    sa.Column("public", sa.LargeBinary, nullable=False), sa.Column("private", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False), sa.Column("retired_at", Instant), sa.Column("not_after", Instant),
    sa.Column("certificate", sa.Text, nullable=False, server_default=""),  # by the offline root; "": by none
)  # fmt: skip

passes = sa.Table(
    "passes", metadata, _id(primary_key=True), sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("compound", sa.ForeignKey("compounds.id"), nullable=False, index=True),
    sa.Column("name", sa.String(200), nullable=False), sa.Column("dwelling", sa.String(200), nullable=False, server_default=""),
    sa.Column("plate", sa.String(32), nullable=False, server_default=""),
    sa.Column("token", sa.Text, nullable=False), sa.Column("pin", sa.String(200)),
    sa.Column("colour", sa.String(16)), sa.Column("isolating", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("not_before", Instant, nullable=False), sa.Column("expires", Instant, nullable=False),
    sa.Column("issued_at", Instant, nullable=False), sa.Column("issued_by", sa.String(64), nullable=False),
    sa.Column("revoked_at", Instant), sa.Column("revoked_by", sa.String(64)),
    sa.Column("opens", sa.String(64)),  # of a badge: the public key for which a compound's sealed parts are wrapped
)  # fmt: skip

photos = sa.Table(
    "photos", metadata, sa.Column("pass_id", sa.ForeignKey("passes.id"), primary_key=True),
    sa.Column("jpeg", sa.LargeBinary, nullable=False), sa.Column("added_at", Instant, nullable=False),
    sa.Column("added_by", sa.String(64), nullable=False),
)  # fmt: skip

bookings = sa.Table(
    "bookings", metadata, _id(primary_key=True),
    sa.Column("compound", sa.ForeignKey("compounds.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False), sa.Column("plate", sa.String(12), nullable=False, server_default=""),
    sa.Column("crew", sa.Integer, nullable=False, server_default="0"),
    sa.Column("dwelling", sa.String(200), nullable=False, server_default=""), sa.Column("note", sa.Text, nullable=False),
    sa.Column("opens", Instant, nullable=False), sa.Column("closes", Instant, nullable=False),
    sa.Column("made_at", Instant, nullable=False), sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("cancelled_at", Instant), sa.Column("cancelled_by", sa.String(64)),
)  # fmt: skip

policies = sa.Table(  # contract.directory.Policies; NULL: as the sub-district has it, or else the default
    "policies", metadata, _id("scope", primary_key=True),  # a compound's id; "": the whole sub-district
    sa.Column("courier", sa.String(16)), sa.Column("question_share", sa.Float), sa.Column("shift_seconds", sa.Float),
    sa.Column("aside_seconds", sa.Float), sa.Column("taxi_seconds", sa.Float), sa.Column("visit_seconds", sa.Float),
    sa.Column("night_begins", sa.Integer), sa.Column("night_ends", sa.Integer),  # minutes of the local day
    sa.Column("outings", sa.Integer), sa.Column("outing_days", sa.Integer), sa.Column("outing_seconds", sa.Float),
    sa.Column("outing_windows", sa.JSON(none_as_null=True)),  # [[from, to] minutes of the local day]
    sa.Column("changed_at", Instant, nullable=False), sa.Column("changed_by", sa.String(64), nullable=False),
)  # fmt: skip

day_codes = sa.Table(
    "day_codes", metadata, sa.Column("gate", sa.ForeignKey("gates.id"), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True), sa.Column("desk", sa.String(64), nullable=False),
    sa.Column("register", sa.String(64), nullable=False),
)  # fmt: skip

journals = sa.Table(
    "journals", metadata, _id(primary_key=True), sa.Column("station", sa.String(64), nullable=False, index=True),
    sa.Column("first_heard", Instant, nullable=False), sa.Column("fork_at", sa.BigInteger),
)  # fmt: skip

ranges = sa.Table(
    "ranges", metadata, sa.Column("journal", sa.ForeignKey("journals.id"), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False), sa.Column("last", sa.BigInteger, nullable=False),
)  # fmt: skip

events = sa.Table(
    "events", metadata, sa.Column("journal", sa.String(64), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False), sa.Column("id", sa.String(64), nullable=False),
    sa.Column("station", sa.String(64), nullable=False), sa.Column("gate", sa.String(64)),
    sa.Column("at", Instant, nullable=False), sa.Column("received_at", Instant, nullable=False),
    sa.Column("boot", sa.String(64), nullable=False), sa.Column("mono_ns", sa.BigInteger, nullable=False),
    sa.Column("clock", sa.String(16), nullable=False), sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON as it came
    sa.Column("error", sa.Text),  # why it could not be read: kept raw, for an administrator to see and replay
    sa.Index(None, "gate", "at"), sa.Index(None, "id"), sa.Index(None, "kind", "at"), sa.Index(None, "kind", "received_at"),
    sa.Index("ix_events_unsynced", "station", "boot", sqlite_where=sa.text("clock = 'unsynced'"),
             postgresql_where=sa.text("clock = 'unsynced'")),
)  # fmt: skip

malformed = sa.Table(
    "malformed", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("received_at", Instant, nullable=False),
    _id("station", nullable=False, server_default="", index=True),  # "": of no station that is known
    sa.Column("topic", sa.String(300), nullable=False), sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("settled_at", Instant), sa.Column("settled_by", sa.String(64)),  # read again, or set aside; NULL: waits
    sa.Column("outcome", sa.Text),
)  # fmt: skip

blobs = sa.Table(
    "blobs", metadata, sa.Column("sha", sa.String(64), primary_key=True), sa.Column("station", sa.String(64), nullable=False),
    sa.Column("received_at", Instant, nullable=False), sa.Column("data", sa.LargeBinary, nullable=False),
)  # fmt: skip

attachments = sa.Table(  # which sealed photo belongs to which event; either may come first
    "attachments", metadata, _id("event", primary_key=True), sa.Column("sha", sa.String(64), primary_key=True),
    sa.Column("purpose", sa.String(64), nullable=False), sa.Column("station", sa.String(64), nullable=False),
    sa.Column("at", Instant, nullable=False),
)  # fmt: skip

pulses = sa.Table(
    "pulses", metadata, _id("station", primary_key=True), sa.Column("birth", sa.String(64)),
    sa.Column("online", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("heard_at", Instant), sa.Column("vitals", sa.Text),
)  # fmt: skip

evidence = sa.Table(
    "evidence", metadata, _id("station", primary_key=True), sa.Column("item", sa.String(16), primary_key=True),
    sa.Column("basis", sa.String(16), primary_key=True), sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("observed_at", Instant, nullable=False), sa.Column("valid_until", Instant), sa.Column("by", sa.String(64)),
    sa.Column("reason", sa.String(64)), sa.Column("photo", sa.String(64)),
)  # fmt: skip

intervals = sa.Table(
    "intervals", metadata, sa.Column("gate", sa.String(64), primary_key=True),
    sa.Column("what", sa.String(16), primary_key=True),  # status, or one of the five
    sa.Column("began_at", Instant, primary_key=True), sa.Column("ended_at", Instant),
    sa.Column("state", sa.String(16), nullable=False), sa.Column("basis", sa.String(16)), sa.Column("reason", sa.String(64)),
)  # fmt: skip

meta = sa.Table("meta", metadata, sa.Column("key", sa.String(100), primary_key=True), sa.Column("value", sa.Text, nullable=False))
