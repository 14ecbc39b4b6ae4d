"""Tables of how stations come to be let in (SQLAlchemy Core)."""

import sqlalchemy as sa

from hub.store.tables import Instant, metadata

station_certificates = sa.Table(  # X.509 client certificates by which stations are let onto the broker
    "station_certificates", metadata, sa.Column("serial", sa.String(40), primary_key=True),  # hexadecimal
    sa.Column("station", sa.ForeignKey("stations.id"), nullable=False, index=True),
    sa.Column("pem", sa.Text, nullable=False), sa.Column("issued_at", Instant, nullable=False),
    sa.Column("not_after", Instant, nullable=False), sa.Column("revoked_at", Instant), sa.Column("revoked_by", sa.String(64)),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
)  # fmt: skip

enrolments = sa.Table(  # invitations of a station that is to join, and what became of them
    "enrolments", metadata, sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("station", sa.ForeignKey("stations.id"), nullable=False, index=True),
    sa.Column("code", sa.String(64), nullable=False, unique=True),  # SHA-256 of the one-time code, hexadecimal
    sa.Column("made_at", Instant, nullable=False), sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("request", sa.Text), sa.Column("asked_at", Instant), sa.Column("asked_from", sa.String(64)),  # what a station sent
    sa.Column("compared", sa.String(16)),  # the short code that both screens show
    sa.Column("confirmed_at", Instant), sa.Column("confirmed_by", sa.String(64)),
    sa.Column("kit", sa.Text),  # what the station is given, once confirmed; gone once fetched
    sa.Column("ended_at", Instant), sa.Column("outcome", sa.String(16)),  # joined, refused, withdrawn, expired
)  # fmt: skip
