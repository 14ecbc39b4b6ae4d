"""What the API does. Everything is read from what the pages are read from."""

from importlib.metadata import version

from flask import Response
from flask.typing import ResponseReturnValue

from hub import alerts as alerting
from hub import audit, metrics
from hub.openapi import Operation, document
from hub.rights import Action
from hub.rules.compliance import GateStatus
from hub.store.writing import writing
from hub.vitals import vitals
from hub.web import rendering
from hub.web.api import reading, types
from hub.web.api.access import BASE, Wrong, answer, api, bearer, operation, operations, query, reach
from hub.web.guard import ANYBODY, needs
from hub.web.live import Picture
from hub.web.sentence import sentence
from hub.web.site import site


@api.get("/openapi.json")
@needs(ANYBODY)
def openapi() -> ResponseReturnValue:
    """The document of all that is below; it is nobody's secret."""
    return answer(document(operations, title="Gatepost hub", version=version("gatepost"), base=BASE))


@operation(Operation(id="status", method="GET", path="/status", answer=types.Status, query=types.InLanguage,
                     summary="All gates in one sentence, how many have which status, and each gate with its five"))  # fmt: skip
def status() -> ResponseReturnValue:
    """All gates."""
    said, picture = query(types.InLanguage).language or site().located.settings.language, _picture()
    seen, now = picture.overview, rendering.as_of(picture)
    blind = seen.blind_since is not None
    return answer(types.Status(
        at=picture.at, sentence=sentence(seen.gates, now, str(said), blind=blind), blind_since=seen.blind_since,
        counts=types.Counts(**seen.counts), gates=tuple(reading.gate(one) for one in seen.gates),
    ))  # fmt: skip


@operation(Operation(id="gate", method="GET", path="/gates/<gate>", answer=types.Gate, failures=(404,),
                     summary="One gate with its five and its stations"))  # fmt: skip
def gate(gate: str) -> ResponseReturnValue:
    """One gate."""
    return answer(reading.gate(_gate(gate)))


@operation(Operation(id="entries", method="GET", path="/gates/<gate>/entries", answer=types.Entries, query=types.Page,
                     failures=(404,), summary="Entries and exits of a gate, newest first, without whose they were"))  # fmt: skip
def entries(gate: str) -> ResponseReturnValue:
    """Entries of a gate."""
    found, page = _gate(gate), query(types.Page)
    with site().engine.connect() as conn:
        return answer(reading.entries(conn, found.gate, page))


@operation(Operation(id="intervals", method="GET", path="/gates/<gate>/intervals", answer=types.Intervals, query=types.Page,
                     failures=(404,), summary="From when until when a gate had which status, and each of its five"))  # fmt: skip
def intervals(gate: str) -> ResponseReturnValue:
    """Intervals of a gate."""
    found, page = _gate(gate), query(types.Page)
    with site().engine.connect() as conn:
        return answer(reading.gate_intervals(conn, found.gate, page))


@operation(Operation(id="rectifications", method="GET", path="/rectifications", answer=types.Rectifications,
                     query=types.RectificationPage, summary="What is to be put right, and was"))  # fmt: skip
def rectifications() -> ResponseReturnValue:
    """Rectifications."""
    page = query(types.RectificationPage)
    with site().engine.connect() as conn:
        return answer(reading.all_rectifications(conn, reach(), page))


@operation(Operation(id="inspections", method="GET", path="/inspections", answer=types.Inspections, query=types.Page,
                     summary="Inspections that were sent, with what they found"))  # fmt: skip
def inspections() -> ResponseReturnValue:
    """Inspections."""
    page = query(types.Page)
    with site().engine.connect() as conn:
        return answer(reading.sent_inspections(conn, reach(), page))


@operation(Operation(id="alerts", method="GET", path="/alerts", answer=types.Alerts, query=types.AlertPage,
                     summary="Alerts, by default those that have not ended"))  # fmt: skip
def alerts() -> ResponseReturnValue:
    """Alerts."""
    page = query(types.AlertPage)
    with site().engine.connect() as conn:
        return answer(reading.all_alerts(conn, reach(), page))


@operation(Operation(id="acknowledge", method="POST", path="/alerts/<alert>/acknowledge", answer=types.Alert, failures=(404,),
                     summary="Say that somebody sees to an alert; harmless when it is said again"), Action.ALERT)  # fmt: skip
def acknowledge(alert: str) -> ResponseReturnValue:
    """Acknowledge an alert, by the token's account."""
    here, who = site(), bearer()
    with writing(here.engine) as conn:
        if not alert.isprintable() or alerting.find(conn, alert, reach()) is None:
            raise Wrong(404, "no such alert")
        if alerting.acknowledge(conn, alert, who.account.id, here.now()):
            audit.note(conn, who.account.id, "acknowledge", "alert", alert, {"token": who.token.id}, at=here.now())
        return answer(reading.alert(conn, alert))


@operation(Operation(id="places", method="GET", path="/places", answer=types.Places,
                     summary="Compounds with their committees and areas, their gates and stations"))  # fmt: skip
def places() -> ResponseReturnValue:
    """Places."""
    here = site()
    with here.engine.connect() as conn:
        return answer(reading.places(conn, reach(), here.located.settings.timezone))


@operation(Operation(id="metrics", method="GET", path="/metrics", answer=None,
                     summary="Figures for Prometheus, in its text format"))  # fmt: skip
def figures() -> ResponseReturnValue:
    """Figures for Prometheus; those of the whole hub only for whoever sees all compounds."""
    here, picture = site(), _picture()
    with here.engine.connect() as conn:
        said = vitals(conn, [one.gate for one in picture.overview.gates])
        hub = metrics.whole_hub(conn, here.located.folder) if reach() is None else None
    return Response(metrics.text(picture.overview, said, hub), content_type=metrics.CONTENT_TYPE)


def _picture() -> Picture:
    return rendering.within_reach(site().watch.picture(), reach())


def _gate(id: str) -> GateStatus:
    for known in _picture().overview.gates:
        if known.gate == id:
            return known
    raise Wrong(404, "no such gate")
