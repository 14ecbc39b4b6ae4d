"""The tables of supervision (SQLAlchemy Core): who may what, what was found, what is to be put right, what alarmed."""

from typing import Any

import sqlalchemy as sa

from hub.store.tables import Instant, metadata


def _id(name: str = "id", **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), **options)


def _word(name: str, length: int = 32) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _maybe(name: str, length: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(length))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, Instant, nullable=False)


def _since(name: str) -> sa.Column[object]:
    return sa.Column(name, Instant)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _numbered() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


scopes = sa.Table(  # what an account answers for: hub.rights.Scope; no row: nothing at all
    "scopes", metadata, sa.Column("account", sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # all, area, committee, compound
    sa.Column("place", sa.String(64), primary_key=True),  # "" with all
)  # fmt: skip

failures = sa.Table(  # wrong passwords, counted for every process of the hub
    "failures", metadata, _id("account", primary_key=True), sa.Column("address", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False), _at("last_at"),
)  # fmt: skip

audit = sa.Table(  # only ever added to: triggers refuse a change, and each line's hash covers the line before
    "audit", metadata, _numbered(), sa.Column("at", Instant, nullable=False, index=True),
    _id("account", nullable=False, index=True),
    _word("action", 64), _word("kind"), _word("object", 200), sa.Column("detail", sa.JSON, nullable=False), _word("address", 64),
    _word("hash", 64),
)  # fmt: skip

tokens = sa.Table(  # for other programs; the token itself is kept nowhere
    "tokens", metadata, _id(primary_key=True), _word("name", 200), _word("hash", 64),
    sa.Column("account", sa.ForeignKey("accounts.id"), nullable=False), sa.Column("actions", sa.JSON, nullable=False),
    _at("made_at"), _since("expires_at"), _since("used_at"), _since("revoked_at"),
)  # fmt: skip

colours = sa.Table(  # 七色管理: names and gate rule are data (contract.directory.ColourRule)
    "colours", metadata, _id(primary_key=True), _word("label", 60), _word("gate", 16),
    sa.Column("quota", sa.Boolean, nullable=False), sa.Column("ask_symptoms", sa.Boolean, nullable=False), _count("place"),
)  # fmt: skip

inspections = sa.Table(  # 督查; nobody but its maker sees one before sent_at
    "inspections", metadata, _id(primary_key=True), sa.Column("gate", sa.ForeignKey("gates.id"), nullable=False, index=True),
    _word("method", 16), _id("by", nullable=False), _at("observed_at"), sa.Column("sent_at", Instant, index=True),
    sa.Column("conduct", sa.Boolean), _text("note"),  # conduct: NULL: not looked at
    _maybe("rechecks"),  # the rectification that this looks at again
    sa.Column("actor", sa.JSON(none_as_null=True)),  # 演员查: what the actor tried and what the journal says of it
)  # fmt: skip

findings = sa.Table(  # 督查发现, one of an item of the five
    "findings", metadata, sa.Column("inspection", sa.ForeignKey("inspections.id"), primary_key=True),
    sa.Column("item", sa.String(16), primary_key=True), sa.Column("present", sa.Boolean, nullable=False), _text("note"),
)  # fmt: skip

pictures = sa.Table(  # photos taken by people at the hub's own pages: of a finding, of an answer
    "pictures", metadata, _id(primary_key=True), _word("kind", 16),
    sa.Column("object", sa.String(64), nullable=False, index=True),
    sa.Column("jpeg", sa.LargeBinary, nullable=False), _at("added_at"), _id("added_by", nullable=False),
)  # fmt: skip

rectifications = sa.Table(  # 整改
    "rectifications", metadata, _id(primary_key=True), sa.Column("gate", sa.ForeignKey("gates.id"), nullable=False),
    _word("item", 16),  # one of the five, or conduct
    _word("cause", 16), _maybe("inspection"),  # missing, finding; the inspection that found it
    _at("opened_at"), _maybe("owner"), _at("due_at"), _word("state", 16),  # open, answered, closed
    _since("answered_at"), _since("closed_at"), _maybe("closed_by", 16),  # evidence, recheck
    _since("missing_since"), _since("reminded_at"), _since("escalated_at"), _count("reopened"), _count("recurrence"),
    sa.Index(None, "gate", "item", "state"), sa.Index(None, "state", "due_at"),
)  # fmt: skip

rectification_steps = sa.Table(
    "rectification_steps", metadata, _numbered(),
    sa.Column("rectification", sa.ForeignKey("rectifications.id"), nullable=False, index=True),
    _at("at"), _maybe("by"), _word("step", 16), _text("note"), _maybe("picture"),
)  # fmt: skip

tasks = sa.Table(  # 任务分解
    "tasks", metadata, _id(primary_key=True), sa.Column("compound", sa.ForeignKey("compounds.id"), nullable=False, index=True),
    _word("title", 200), _text("note"), _maybe("owner"), _at("due_at"), _at("made_at"), _id("made_by", nullable=False),
    _since("done_at"), _maybe("done_by"), _since("cancelled_at"),
)  # fmt: skip

alerts = sa.Table(
    "alerts", metadata, _id(primary_key=True), _word("kind"),
    _word("key", 200),  # what it is of; while one with this kind and key is open there is no second
    _maybe("gate"), _maybe("compound"), _word("subject", 200), _word("level", 16), _at("first_at"),
    _at("last_at"), _count("count"),
    _maybe("event"), _since("acknowledged_at"), _maybe("acknowledged_by"), _since("escalated_at"), _since("ended_at"),
    sa.Index(None, "kind", "key", "ended_at"), sa.Index(None, "ended_at", "last_at"),
)  # fmt: skip

silences = sa.Table(
    "silences", metadata, _id(primary_key=True), _word("kind"), _maybe("gate"), _at("from_at"), _at("until_at"),
    _id("made_by", nullable=False), _text("note"),
)  # fmt: skip

channels = sa.Table(  # where alerts are sent: an address that apprise understands, sealed at rest
    "channels", metadata, _id(primary_key=True), _word("name", 200), sa.Column("address", sa.LargeBinary, nullable=False),
    _word("role"), _word("place_kind", 16), _word("place", 64), sa.Column("kinds", sa.JSON, nullable=False),
    _at("made_at"), _since("failed_at"), _text("failure"), _since("removed_at"),
)  # fmt: skip

sendings = sa.Table(  # what is owed to a channel, until it is sent
    "sendings", metadata, _numbered(), sa.Column("alert", sa.ForeignKey("alerts.id"), nullable=False),
    sa.Column("channel", sa.ForeignKey("channels.id"), nullable=False), _word("reason", 16), _at("due_at"), _since("sent_at"),
    _count("tries"), _text("failure"), sa.Index(None, "sent_at", "due_at"),
)  # fmt: skip

rota = sa.Table(  # 轮休: who is to be at a gate when
    "rota", metadata, _id(primary_key=True), sa.Column("gate", sa.ForeignKey("gates.id"), nullable=False), _at("begins"),
    _at("ends"), _maybe("badge"), _at("made_at"), _id("made_by", nullable=False), sa.Index(None, "gate", "begins"),
)  # fmt: skip

orders = sa.Table(  # commands to stations, and their answers
    "orders", metadata, _id(primary_key=True), sa.Column("station", sa.ForeignKey("stations.id"), nullable=False, index=True),
    _word("what"), sa.Column("values", sa.JSON, nullable=False), _at("made_at"), _id("made_by", nullable=False),
    _since("sent_at"), _since("answered_at"), sa.Column("ok", sa.Boolean), _text("detail"),
)  # fmt: skip
