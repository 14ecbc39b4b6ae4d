"""Supervision: scopes of accounts, an audit log, colours as data, inspections, rectifications, tasks, alerts, rota, commands."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW = (
    "alerts",
    "audit",
    "channels",
    "colours",
    "failures",
    "pictures",
    "silences",
    "scopes",
    "sendings",
    "tokens",
    "tasks",
    "inspections",
    "rectifications",
    "rota",
    "findings",
    "orders",
    "rectification_steps",
)
_SEALED = """
CREATE FUNCTION audit_is_only_added_to() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'the audit log is only ever added to'; END $$ LANGUAGE plpgsql
"""


def upgrade() -> None:
    """Add what supervisors work with; every account of before keeps what it could see."""
    op.add_column("accounts", _time("expires_at"))
    op.add_column("accounts", sa.Column("life", sa.Integer, nullable=False, server_default="1"))
    op.add_column("accounts", _text("contact", 200, server_default=""))
    op.add_column("compounds", _text("manager", 200, server_default=""))
    _people()
    _registry()
    _supervision()
    _alerts()
    op.execute("INSERT INTO scopes (account, kind, place) SELECT id, 'all', '' FROM accounts")
    op.execute("UPDATE accounts SET role = 'guest' WHERE role = 'reader'")
    _seal_audit()


def downgrade() -> None:
    """Back to the second schema; what supervisors did is lost."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_only_added_to CASCADE")
    for table in reversed(_NEW):
        op.drop_table(table)
    op.execute("UPDATE accounts SET role = 'reader' WHERE role = 'guest'")
    op.drop_column("compounds", "manager")
    for name in ("contact", "life", "expires_at"):
        op.drop_column("accounts", name)


def _seal_audit() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(_SEALED)
    for what in ("UPDATE", "DELETE"):
        done = "EXECUTE FUNCTION audit_is_only_added_to()"
        if not postgresql:
            done = "BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END"
        op.execute(f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit FOR EACH ROW {done}")


def _people() -> None:
    op.create_table(
        "audit", _numbered(), _time("at", nullable=False), _text("account", 64), _text("action", 64), _text("kind", 32),
        _text("object", 200), sa.Column("detail", sa.JSON, nullable=False), _text("address", 64), _text("hash", 64)
    )  # fmt: skip
    op.create_index("ix_audit_account", "audit", ["account"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "failures", _text("account", 64, primary_key=True), _text("address", 64, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False), _time("last_at", nullable=False)
    )  # fmt: skip
    op.create_table(
        "scopes", _reference("scopes", "account", "accounts", primary_key=True), _text("kind", 16, primary_key=True),
        _text("place", 64, primary_key=True)
    )  # fmt: skip
    op.create_table(
        "tokens", _text("id", 64, primary_key=True), _text("name", 200), _text("hash", 64),
        _reference("tokens", "account", "accounts"), sa.Column("actions", sa.JSON, nullable=False),
        _time("made_at", nullable=False), _time("expires_at"), _time("used_at"), _time("revoked_at")
    )  # fmt: skip


def _registry() -> None:
    op.create_table(
        "colours", _text("id", 64, primary_key=True), _text("label", 60), _text("gate", 16),
        sa.Column("quota", sa.Boolean, nullable=False), sa.Column("ask_symptoms", sa.Boolean, nullable=False),
        _count("place")
    )  # fmt: skip
    op.create_table(
        "rota", _text("id", 64, primary_key=True), _reference("rota", "gate", "gates"), _time("begins", nullable=False),
        _time("ends", nullable=False), _text("badge", 64, nullable=True), _time("made_at", nullable=False),
        _text("made_by", 64)
    )  # fmt: skip
    op.create_index("ix_rota_gate_begins", "rota", ["gate", "begins"])
    op.create_table(
        "orders", _text("id", 64, primary_key=True), _reference("orders", "station", "stations"), _text("what", 32),
        sa.Column("values", sa.JSON, nullable=False), _time("made_at", nullable=False), _text("made_by", 64),
        _time("sent_at"), _time("answered_at"), sa.Column("ok", sa.Boolean), _words("detail")
    )  # fmt: skip
    op.create_index("ix_orders_station", "orders", ["station"])


def _supervision() -> None:
    op.create_table(
        "pictures", _text("id", 64, primary_key=True), _text("kind", 16), _text("object", 64),
        sa.Column("jpeg", sa.LargeBinary, nullable=False), _time("added_at", nullable=False), _text("added_by", 64)
    )  # fmt: skip
    op.create_index("ix_pictures_object", "pictures", ["object"])
    op.create_table(
        "tasks", _text("id", 64, primary_key=True), _reference("tasks", "compound", "compounds"), _text("title", 200),
        _words("note"), _text("owner", 64, nullable=True), _time("due_at", nullable=False),
        _time("made_at", nullable=False), _text("made_by", 64), _time("done_at"), _text("done_by", 64, nullable=True),
        _time("cancelled_at")
    )  # fmt: skip
    op.create_index("ix_tasks_compound", "tasks", ["compound"])
    op.create_table(
        "inspections", _text("id", 64, primary_key=True), _reference("inspections", "gate", "gates"), _text("method", 16),
        _text("by", 64), _time("observed_at", nullable=False), _time("sent_at"), sa.Column("conduct", sa.Boolean),
        _words("note"), _text("rechecks", 64, nullable=True)
    )  # fmt: skip
    op.create_index("ix_inspections_gate", "inspections", ["gate"])
    op.create_index("ix_inspections_sent_at", "inspections", ["sent_at"])
    op.create_table(
        "rectifications", _text("id", 64, primary_key=True), _reference("rectifications", "gate", "gates"), _text("item", 16),
        _text("cause", 16), _text("inspection", 64, nullable=True), _time("opened_at", nullable=False),
        _text("owner", 64, nullable=True), _time("due_at", nullable=False), _text("state", 16), _time("answered_at"),
        _time("closed_at"), _text("closed_by", 16, nullable=True), _time("missing_since"), _time("reminded_at"),
        _time("escalated_at"), _count("reopened"), _count("recurrence")
    )  # fmt: skip
    op.create_index("ix_rectifications_gate_item_state", "rectifications", ["gate", "item", "state"])
    op.create_index("ix_rectifications_state_due_at", "rectifications", ["state", "due_at"])
    op.create_table(
        "findings", _reference("findings", "inspection", "inspections", primary_key=True), _text("item", 16, primary_key=True),
        sa.Column("present", sa.Boolean, nullable=False), _words("note")
    )  # fmt: skip
    op.create_table(
        "rectification_steps", _numbered(), _reference("rectification_steps", "rectification", "rectifications"),
        _time("at", nullable=False),
        _text("by", 64, nullable=True), _text("step", 16), _words("note"), _text("picture", 64, nullable=True)
    )  # fmt: skip
    op.create_index("ix_rectification_steps_rectification", "rectification_steps", ["rectification"])


def _alerts() -> None:
    op.create_table(
        "alerts", _text("id", 64, primary_key=True), _text("kind", 32), _text("key", 200), _text("gate", 64, nullable=True),
        _text("compound", 64, nullable=True), _text("subject", 200), _text("level", 16), _time("first_at", nullable=False),
        _time("last_at", nullable=False), _count("count"), _text("event", 64, nullable=True), _time("acknowledged_at"),
        _text("acknowledged_by", 64, nullable=True), _time("escalated_at"), _time("ended_at")
    )  # fmt: skip
    op.create_index("ix_alerts_ended_at_last_at", "alerts", ["ended_at", "last_at"])
    op.create_index("ix_alerts_kind_key_ended_at", "alerts", ["kind", "key", "ended_at"])
    op.create_table(
        "channels", _text("id", 64, primary_key=True), _text("name", 200), sa.Column("address", sa.LargeBinary, nullable=False),
        _text("role", 32), _text("place_kind", 16), _text("place", 64), sa.Column("kinds", sa.JSON, nullable=False),
        _time("made_at", nullable=False), _time("failed_at"), _words("failure"), _time("removed_at")
    )  # fmt: skip
    op.create_table(
        "silences", _text("id", 64, primary_key=True), _text("kind", 32), _text("gate", 64, nullable=True),
        _time("from_at", nullable=False), _time("until_at", nullable=False), _text("made_by", 64), _words("note")
    )  # fmt: skip
    op.create_table(
        "sendings", _numbered(), _reference("sendings", "alert", "alerts"), _reference("sendings", "channel", "channels"),
        _text("reason", 16), _time("due_at", nullable=False), _time("sent_at"), _count("tries"), _words("failure")
    )  # fmt: skip
    op.create_index("ix_sendings_sent_at_due_at", "sendings", ["sent_at", "due_at"])


def _text(name: str, length: int, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable, **options)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _numbered() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _time(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(table: str, name: str, target: str, primary_key: bool = False) -> sa.Column[str]:
    foreign = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}")
    return sa.Column(name, sa.String(64), foreign, nullable=False, primary_key=primary_key)
