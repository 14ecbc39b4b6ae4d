"""Certificates of stations and how they join, keys of badges, what became of unreadable messages."""

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them, all empty."""
    op.add_column("passes", sa.Column("opens", sa.String(64)))
    op.add_column("malformed", sa.Column("settled_at", Instant))
    op.add_column("malformed", sa.Column("settled_by", sa.String(64)))
    op.add_column("malformed", sa.Column("outcome", sa.Text))
    op.create_table(
        "station_certificates", sa.Column("serial", sa.String(40), primary_key=True),
        _station("station_certificates"), sa.Column("pem", sa.Text, nullable=False),
        sa.Column("issued_at", Instant, nullable=False), sa.Column("not_after", Instant, nullable=False),
        sa.Column("revoked_at", Instant), sa.Column("revoked_by", sa.String(64)),
        sa.Column("reason", sa.Text, nullable=False, server_default="")
    )  # fmt: skip
    op.create_index("ix_station_certificates_station", "station_certificates", ["station"])
    op.create_table(
        "enrolments", sa.Column("id", sa.String(64), primary_key=True), _station("enrolments"),
        sa.Column("code", sa.String(64), nullable=False, unique=True), sa.Column("made_at", Instant, nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False), sa.Column("expires", Instant, nullable=False),
        sa.Column("request", sa.Text), sa.Column("asked_at", Instant), sa.Column("asked_from", sa.String(64)),
        sa.Column("compared", sa.String(16)), sa.Column("confirmed_at", Instant), sa.Column("confirmed_by", sa.String(64)),
        sa.Column("kit", sa.Text), sa.Column("ended_at", Instant), sa.Column("outcome", sa.String(16))
    )  # fmt: skip
    op.create_index("ix_enrolments_station", "enrolments", ["station"])


def downgrade() -> None:
    """Back to the fourth schema; certificates and invitations are lost."""
    for table in ("enrolments", "station_certificates"):
        op.drop_table(table)
    for column in ("outcome", "settled_by", "settled_at"):
        op.drop_column("malformed", column)
    op.drop_column("passes", "opens")


def _station(table: str) -> sa.Column[str]:
    foreign = sa.ForeignKey("stations.id", name=f"fk_{table}_station")
    return sa.Column("station", sa.String(64), foreign, nullable=False)
