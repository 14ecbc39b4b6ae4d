"""Tables of what the sub-district sets and of what the hub itself went through (SQLAlchemy Core)."""

import sqlalchemy as sa

from hub.store.tables import Instant, metadata

notices = sa.Table(  # 公告 on the waiting screens; no place: the whole sub-district
    "notices", metadata, sa.Column("id", sa.String(64), primary_key=True), sa.Column("zh", sa.String(200), nullable=False),
    sa.Column("en", sa.String(200), nullable=False, server_default=""),
    sa.Column("kind", sa.String(16), nullable=False),  # hub.rights.ScopeKind: all, area, committee, compound
    sa.Column("place", sa.String(64), nullable=False, server_default=""),
    sa.Column("begins", Instant, nullable=False), sa.Column("ends", Instant, nullable=False),
    sa.Column("made_at", Instant, nullable=False), sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("withdrawn_at", Instant), sa.Column("withdrawn_by", sa.String(64)),
)  # fmt: skip

station_settings = sa.Table(  # what stations are told to set (contract.messages.Config); the nearest place wins
    "station_settings", metadata, sa.Column("kind", sa.String(16), primary_key=True),  # all, area, committee, compound, gate
    sa.Column("place", sa.String(64), primary_key=True), sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False), sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", sa.String(64), nullable=False),
)  # fmt: skip

station_configs = sa.Table(  # what was last sent to a station, and what it made of it
    "station_configs", metadata, sa.Column("station", sa.ForeignKey("stations.id"), primary_key=True),
    sa.Column("settings", sa.JSON, nullable=False), sa.Column("sent_at", Instant, nullable=False),
    sa.Column("answered_at", Instant), sa.Column("ok", sa.Boolean),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
)  # fmt: skip

blindnesses = sa.Table(  # when the hub itself had lost the broker, so that no gate is blamed for it
    "blindnesses", metadata, sa.Column("began_at", Instant, primary_key=True), sa.Column("ended_at", Instant),
)  # fmt: skip
