"""One entry in full, with what was sealed opened for those who may, and the photos. Who looked is in the log."""

import logging

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import opening, status
from hub.registry.accounts import OPENS_PERSONAL
from hub.rules.compliance import GateStatus
from hub.web import details, rendering
from hub.web.errors import Unknown, UnknownGate
from hub.web.site import language, site
from hub.web.texts import text

log = logging.getLogger(__name__)
entries = Blueprint("entries", __name__)
_JPEG = b"\xff\xd8\xff"


@entries.get("/gate/<gate>/entry/<id>")
def entry(gate: str, id: str) -> ResponseReturnValue:
    """One entry."""
    found, row = _gate(gate), status.gate_entry(site().engine, gate, id)
    if row is None:
        raise Unknown(text(language(), "error.entry"))
    (line,) = details.entry_lines([row], rendering.corrections(gate), language())
    allowed = _allowed()
    with site().engine.connect() as conn:
        personal = opening.personal(conn, row.id, row.sealed) if allowed and row.sealed else None
        photos = [(sha, opening.has_arrived(conn, sha)) for sha in row.photos]
    if personal is not None:
        log.info("account %s looked at the personal fields of entry %s", current_user.id, row.id)
    return render_template(
        "entry.html", found=found, row=row, line=line, allowed=allowed, personal=personal, photos=photos
    )  # fmt: skip


@entries.get("/photo/<sha>")
def photo(sha: str) -> ResponseReturnValue:
    """A photo that a station has sealed."""
    if not _allowed():
        abort(403)
    with site().engine.connect() as conn:
        data = opening.photo(conn, sha)
    if data is None or not data.startswith(_JPEG):
        raise Unknown(text(language(), "error.photo"))
    log.info("account %s looked at photo %s", current_user.id, sha)
    return Response(data, mimetype="image/jpeg")


def _allowed() -> bool:
    return current_user.role in OPENS_PERSONAL


def _gate(gate: str) -> GateStatus:
    for known in site().watch.picture().overview.gates:
        if known.gate == gate:
            return known
    raise UnknownGate(gate)
