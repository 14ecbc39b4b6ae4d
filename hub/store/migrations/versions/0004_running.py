"""Notices, settings of stations, the hub's own blindnesses, certificates of keys, the entries an actor made."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; the last blindness that was known by itself becomes the first line of its table."""
    op.add_column("keys", sa.Column("not_after", Instant))
    op.add_column("keys", sa.Column("certificate", sa.Text, nullable=False, server_default=""))
    op.add_column("inspections", sa.Column("actor", sa.JSON))
    op.create_table(
        "notices", _text("id", 64, primary_key=True), _text("zh", 200), _text("en", 200, server_default=""), _text("kind", 16),
        _text("place", 64, server_default=""), _time("begins", nullable=False), _time("ends", nullable=False),
        _time("made_at", nullable=False), _text("made_by", 64), _time("withdrawn_at"), _text("withdrawn_by", 64, nullable=True)
    )  # fmt: skip
    op.create_table(
        "station_settings", _text("kind", 16, primary_key=True), _text("place", 64, primary_key=True),
        _text("name", 64, primary_key=True), sa.Column("value", sa.JSON, nullable=False), _time("changed_at", nullable=False),
        _text("changed_by", 64)
    )  # fmt: skip
    op.create_table(
        "station_configs",
        sa.Column("station", sa.String(64), sa.ForeignKey("stations.id", name="fk_station_configs_station"), primary_key=True),
        sa.Column("settings", sa.JSON, nullable=False), _time("sent_at", nullable=False), _time("answered_at"),
        sa.Column("ok", sa.Boolean), sa.Column("detail", sa.Text, nullable=False, server_default="")
    )  # fmt: skip
    op.create_table("blindnesses", _time("began_at", nullable=False, primary_key=True), _time("ended_at"))
    _keep_the_last_blindness()


def downgrade() -> None:
    """Back to the third schema; notices, settings and certificates are lost."""
    for table in ("blindnesses", "station_configs", "station_settings", "notices"):
        op.drop_table(table)
    op.drop_column("inspections", "actor")
    op.drop_column("keys", "not_after")
    op.drop_column("keys", "certificate")


def _keep_the_last_blindness() -> None:
    meta, table = (
        sa.table("meta", sa.column("key"), sa.column("value")),
        sa.table("blindnesses", _time("began_at"), _time("ended_at")),
    )
    known = {row.key: row.value for row in op.get_bind().execute(sa.select(meta.c.key, meta.c.value))}
    stretches = [(known.get("blind_from"), known.get("regained_at")), (known.get("blind_since"), None)]
    for began, ended in stretches:
        if began:
            at = {"began_at": datetime.fromisoformat(began), "ended_at": datetime.fromisoformat(ended) if ended else None}
            op.execute(sa.insert(table).values(**at))


def _text(
    name: str, length: int, *, nullable: bool = False, primary_key: bool = False, server_default: str | None = None
) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable, primary_key=primary_key, server_default=server_default)


def _time(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[object]:
    return sa.Column(name, Instant, nullable=nullable, primary_key=primary_key)
