"""One entry in full, with what was sealed opened for those who may, and the photos. Who looked is in the audit log."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from hub import opening, status
from hub.rights import Action, within
from hub.rules.compliance import GateStatus
from hub.store.writing import writing
from hub.web import details, rendering
from hub.web.errors import Unknown, UnknownGate
from hub.web.guard import allowed, needs, noted, reach, require_compound
from hub.web.site import language, site
from hub.web.texts import text

entries = Blueprint("entries", __name__)
_JPEG = b"\xff\xd8\xff"


@entries.get("/gate/<gate>/entry/<id>")
@needs(Action.VIEW)
def entry(gate: str, id: str) -> ResponseReturnValue:
    """One entry."""
    found, row = _gate(gate), status.gate_entry(site().engine, gate, id)
    if row is None:
        raise Unknown(text(language(), "error.entry"))
    (line,) = details.entry_lines([row], rendering.corrections(gate), language())
    opens, between = allowed(Action.OPEN_PERSONAL), status.entry_span(site().engine, id)
    with writing(site().engine) as conn:
        personal = opening.personal(conn, row.id, row.sealed) if opens and row.sealed else None
        photos = [(sha, opening.has_arrived(conn, sha)) for sha in row.photos]
        if personal is not None:
            noted(conn, "look", "entry", row.id, gate=gate)
    return render_template(
        "entry.html", found=found, row=row, line=line, between=between, allowed=opens, personal=personal, photos=photos
    )


@entries.get("/photo/<sha>")
@needs(Action.OPEN_PERSONAL)
def photo(sha: str) -> ResponseReturnValue:
    """A photo that a station has sealed."""
    with writing(site().engine) as conn:
        compound = opening.photo_of(conn, sha)
        if compound is not None:
            require_compound(compound)
        data = None if compound is None else opening.photo(conn, sha)
        if data is None or not data.startswith(_JPEG):
            raise Unknown(text(language(), "error.photo"))
        noted(conn, "look", "photo", sha)
    return Response(data, mimetype="image/jpeg")


def _gate(gate: str) -> GateStatus:
    for known in site().watch.picture().overview.gates:
        if known.gate == gate and within(reach(), known.compound):
            return known
    raise UnknownGate(gate)
