"""A whole gate: bookings, policies, holders' photos, photos that follow an event, and gates that a volunteer has locked."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SHUT = ("shut_at", "shut_by", "shut_event")


def upgrade() -> None:
    """Add what the first schema had no place for."""
    for name in _SHUT:
        op.add_column("gates", _time(name) if name.endswith("_at") else _text(name, 64, nullable=True))
    _photos()
    _bookings()
    _policies()


def downgrade() -> None:
    """Back to the first schema; what was booked, set and pictured is lost."""
    for table in ("attachments", "policies", "bookings", "photos"):
        op.drop_table(table)
    for name in reversed(_SHUT):
        op.drop_column("gates", name)


def _photos() -> None:
    op.create_table(
        "photos", _reference("photos", "pass_id", "passes", primary_key=True), sa.Column("jpeg", sa.LargeBinary, nullable=False),
        _time("added_at", nullable=False), _text("added_by", 64),
    )  # fmt: skip
    op.create_table(
        "attachments", _key("event"), _key("sha"), _text("purpose", 64), _text("station", 64), _time("at", nullable=False)
    )


def _bookings() -> None:
    op.create_table(
        "bookings", _key("id"), _reference("bookings", "compound", "compounds"), _text("kind", 16),
        _text("plate", 12, server_default=""), sa.Column("crew", sa.Integer, nullable=False, server_default="0"),
        _text("dwelling", 200, server_default=""), sa.Column("note", sa.Text, nullable=False), _time("opens", nullable=False),
        _time("closes", nullable=False), _time("made_at", nullable=False), _text("made_by", 64), _time("cancelled_at"),
        _text("cancelled_by", 64, nullable=True),
    )  # fmt: skip
    op.create_index("ix_bookings_compound", "bookings", ["compound"])


def _policies() -> None:
    figures = ("question_share", "shift_seconds", "aside_seconds", "taxi_seconds", "visit_seconds")
    op.create_table(
        "policies", _key("scope"), _text("courier", 16, nullable=True), *(sa.Column(name, sa.Float) for name in figures),
        sa.Column("night_begins", sa.Integer), sa.Column("night_ends", sa.Integer), sa.Column("outings", sa.Integer),
        sa.Column("outing_days", sa.Integer), sa.Column("outing_seconds", sa.Float),
        sa.Column("outing_windows", sa.JSON(none_as_null=True)), _time("changed_at", nullable=False), _text("changed_by", 64),
    )  # fmt: skip


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=True)


def _text(name: str, length: int, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable, **options)


def _time(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(table: str, name: str, target: str, primary_key: bool = False) -> sa.Column[str]:
    foreign = sa.ForeignKey(f"{target}.id", name=f"fk_{table}_{name}")
    return sa.Column(name, sa.String(64), foreign, nullable=False, primary_key=primary_key)
