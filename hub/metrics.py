"""The hub's figures in Prometheus' text format 0.0.4: what is not known is left out, and never told as well.

Read from the store when asked for, so that it does not matter which process is asked.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contract.events import Clock
from contract.messages import Vitals
from hub.rules.compliance import GateStatus, StationStatus, Status
from hub.status import Overview
from hub.store.supervision import alerts, sendings
from hub.store.tables import journals, malformed, ranges

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_STATION = ("station", "gate")


class WholeHub(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the hub itself. Counters are of the store's whole life."""

    events: int
    refused: int
    forks: int
    alerts_open: dict[str, int]
    """By level."""
    sendings_owed: int
    disk_free_bytes: int
    disk_bytes: int


def whole_hub(conn: sa.Connection, folder: Path) -> WholeHub:
    """What the ingest has taken in, what alerts are owed, and the disk that `folder` is on."""
    disk = shutil.disk_usage(folder)
    still = sa.select(alerts.c.level, sa.func.count().label("number")).where(alerts.c.ended_at.is_(None)).group_by(alerts.c.level)
    return WholeHub(
        events=int(conn.scalar(sa.select(sa.func.sum(ranges.c.last - ranges.c.first + 1))) or 0),
        refused=int(conn.scalar(sa.select(sa.func.max(malformed.c.id))) or 0),
        forks=_count(conn, sa.select(sa.func.count()).select_from(journals).where(journals.c.fork_at.is_not(None))),
        alerts_open={row.level: row.number for row in conn.execute(still)},
        sendings_owed=_count(conn, sa.select(sa.func.count()).select_from(sendings).where(sendings.c.sent_at.is_(None))),
        disk_free_bytes=disk.free, disk_bytes=disk.total,
    )  # fmt: skip


def text(seen: Overview, said: dict[str, Vitals], hub: WholeHub | None) -> bytes:
    """The figures of the gates seen, of their stations, and of the hub itself where it is given."""
    return generate_latest(_Figures([*_of_gates(seen), *_of_stations(seen.gates, said), *_of_hub(seen, hub)]))


class _Figures(Collector):
    def __init__(self, made: Iterable[Metric]) -> None:
        self._made = list(made)

    def collect(self) -> Iterable[Metric]:
        return self._made


def _of_gates(seen: Overview) -> Iterator[Metric]:
    gates = GaugeMetricFamily("gatepost_gates", "Gates by status.", labels=("status",))
    for status in Status:
        gates.add_metric((status.value,), seen.counts[status])
    items = GaugeMetricFamily(
        "gatepost_gate_item_present", "1: the gate has this one of its five; 0: it is missing; no line: nobody knows, or closed.",
        labels=("gate", "compound", "item"),
    )  # fmt: skip
    known = (one for one in seen.gates if seen.blind_since is None and one.status in (Status.COMPLIANT, Status.NON_COMPLIANT))
    for gate in known:
        for name, item in gate.items.items():
            items.add_metric((gate.gate, gate.compound, name), int(item.present))
    yield from (gates, items)


def _of_stations(gates: Sequence[GateStatus], said: dict[str, Vitals]) -> Iterator[Metric]:
    serving = [(one, gate.gate) for gate in gates for one in gate.stations if one.in_service]
    yield _each("heard_age_seconds", "Seconds since the station was last heard.", serving, lambda s: s.heard_seconds_ago)
    yield _each("backlog_events", "Events that the station has not yet seen acknowledged.", serving, lambda s: s.backlog)
    yield _each("directory_version", "The directory by which the station decides.", serving, lambda s: s.directory_version)
    yield _each("clock_synced", "1: the station's clock is in step with a time service.", serving, _synced)
    yield _each("disk_free_bytes", "Free on the station's disk.", serving, lambda s: _disk(said.get(s.station)))
    software = GaugeMetricFamily("gatepost_station_software", "Always 1; the label says which.", labels=(*_STATION, "software"))
    for one, gate in serving:
        if one.station in said:
            software.add_metric((one.station, gate, said[one.station].software), 1)
    ages = [one.heard_seconds_ago for one, _ in serving if one.heard_seconds_ago is not None]
    oldest = GaugeMetricFamily("gatepost_oldest_pulse_seconds", "The longest that any station in service has been silent.")
    if ages:
        oldest.add_metric((), max(ages))
    never = GaugeMetricFamily("gatepost_stations_never_heard", "Stations in service that were never heard.")
    never.add_metric((), len(serving) - len(ages))
    yield from (software, oldest, never)


def _of_hub(seen: Overview, hub: WholeHub | None) -> Iterator[Metric]:
    blind = seen.blind_since is not None
    yield GaugeMetricFamily("gatepost_hub_blind", "1: the hub has lost the broker, and hears no station.", value=int(blind))
    if hub is None:
        return
    yield CounterMetricFamily("gatepost_events_stored", "Events of stations in the store.", value=hub.events)
    yield CounterMetricFamily("gatepost_messages_refused", "Messages that could not be used.", value=hub.refused)
    yield CounterMetricFamily("gatepost_journals_forked", "Journals that told two stories.", value=hub.forks)
    alerts_open = GaugeMetricFamily("gatepost_alerts_open", "Alerts that have not ended.", labels=("level",))
    for level, count in hub.alerts_open.items():
        alerts_open.add_metric((level,), count)
    yield alerts_open
    yield GaugeMetricFamily("gatepost_alerts_unsent", "Alerts that channels have not been told.", value=hub.sendings_owed)
    yield GaugeMetricFamily("gatepost_hub_disk_free_bytes", "Free on the hub's disk.", value=hub.disk_free_bytes)
    yield GaugeMetricFamily("gatepost_hub_disk_bytes", "The size of the hub's disk.", value=hub.disk_bytes)


def _each(
    name: str, told: str, serving: Iterable[tuple[StationStatus, str]], value: Callable[[StationStatus], float | None]
) -> Metric:
    """One line a station, of those that have the figure."""
    made = GaugeMetricFamily(f"gatepost_station_{name}", told, labels=_STATION)
    for one, gate in serving:
        figure = value(one)
        if figure is not None:
            made.add_metric((one.station, gate), figure)
    return made


def _synced(station: StationStatus) -> float | None:
    return None if station.clock is None else float(station.clock != Clock.UNSYNCED)


def _disk(said: Vitals | None) -> float | None:
    return None if said is None or said.disk_free_bytes is None else float(said.disk_free_bytes)


def _count(conn: sa.Connection, query: sa.Select[Any]) -> int:
    return int(conn.scalar(query) or 0)
