"""Opens what stations have sealed to the hub: personal fields and photos. Only when somebody who may asks for it."""

import logging

import sqlalchemy as sa

from contract.codec import BadMessage
from contract.sealing import Personal, Sealed, open_bytes, unseal
from hub.registry import keys
from hub.registry.errors import RegistryError
from hub.store.tables import blobs, gates, stations

log = logging.getLogger(__name__)


def personal(conn: sa.Connection, event: str, sealed: Sealed) -> Personal | None:
    """Who it was; None when no key opens it, or when it was sealed for another event than `event`."""
    key = keys.opening_key(conn, sealed.key)
    try:
        opened = None if key is None else unseal(sealed, key.private)
    except BadMessage:
        return None
    except RegistryError as error:
        log.error("nothing can be opened: %s", error)
        return None
    return opened if opened is not None and opened.event == event else None


def photo(conn: sa.Connection, sha: str) -> bytes | None:
    """A JPEG by the SHA-256 of its sealed form; None when it has not arrived, or no key opens it."""
    data: bytes | None = conn.scalar(sa.select(blobs.c.data).where(blobs.c.sha == sha))
    if data is None:
        return None
    for key in keys.opening_keys(conn):
        try:
            return open_bytes(data, key.private)
        except BadMessage:
            continue
        except RegistryError as error:
            log.error("nothing can be opened: %s", error)
            return None
    return None


def photo_of(conn: sa.Connection, sha: str) -> str | None:
    """The compound of the station that took a photo; None when the photo has not arrived or its station is gone."""
    joined = blobs.join(stations, stations.c.id == blobs.c.station).join(gates, gates.c.id == stations.c.gate)
    found: str | None = conn.scalar(sa.select(gates.c.compound).select_from(joined).where(blobs.c.sha == sha))
    return found


def has_arrived(conn: sa.Connection, sha: str) -> bool:
    """Whether the hub has a photo: the event that names it may come first."""
    return conn.scalar(sa.select(blobs.c.sha).where(blobs.c.sha == sha)) is not None
