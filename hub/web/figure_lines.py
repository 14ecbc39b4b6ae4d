"""From a gate's figures of a day to plots with their numbers, and to lines about its stations. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.directory import Thresholds
from contract.events import Band, Clock, Outcome
from contract.messages import Vitals
from hub.figures import GateDay, Telling
from hub.rules.compliance import StationStatus
from hub.rules.figuring import HIGHEST, HOURS, LOWEST, Day, HourCounted, HourPassed, Instrument
from hub.web.charts import Bar, Chart, grouped, stacked
from hub.web.details import StationLine, station_line
from hub.web.report_sections import Words
from hub.web.texts import LANGUAGES

FEVER = Thresholds().fever_celsius
"""°C: the limit that the hub sends to every station."""
_FEVER = round(10 * FEVER)
HOUR_TICKS = tuple((float(hour), f"{hour:02d}:00") for hour in range(0, HOURS, 3))
_WARM_TICKS = tuple((1.0 + tenth - LOWEST, f"{tenth // 10}") for tenth in range(LOWEST, HIGHEST, 10))
_PROMPT = timedelta(minutes=1)


@dataclass(frozen=True)
class Table:
    """The numbers of a chart."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A chart with what its kinds mean and its numbers. `note`: a sentence above it."""

    key: str
    title: str
    chart: Chart
    legend: tuple[tuple[str, str], ...]
    table: Table
    note: str = ""


@dataclass(frozen=True)
class DecidedLine:
    """An outcome; `part` of all entries, 0 to 1."""

    outcome: Outcome
    word: str
    entries: int
    by_volunteer: int
    by_station: int
    part: float
    share: str


@dataclass(frozen=True)
class StationFacts:
    """A station now, and what its journal of the day says of it. `line`: None where it is no longer at the gate."""

    station: str
    line: StationLine | None
    clock: str
    directory: str
    software: str
    disk: str
    faults: tuple[tuple[str, str], ...]
    told: tuple[str, ...]


def hour_said(hour: int, say: Words) -> str:
    """07:00–08:00."""
    return say("figures.hour.said", hour=hour, end=hour + 1)


def lead(known: Day, say: Words) -> str:
    """The day in a sentence."""
    return say("figures.lead", came=known.came, left=known.left, entries=known.entries, kept_out=known.kept_out,
               fever=known.temperatures.bands.get(Band.FEVER, 0))  # fmt: skip


def hours(known: Sequence[HourPassed], say: Words) -> Plot:
    """People in and out by the hour."""
    bars = [
        Bar(say("figures.hours.title", hour=hour_said(one.hour, say), came=one.came, left=one.left),
            (("came", one.came), ("left", one.left)))
        for one in known
    ]  # fmt: skip
    head = (say("figures.hour"), say("figures.came"), say("figures.left"), say("figures.sum"))
    rows = ((hour_said(one.hour, say), str(one.came), str(one.left), str(one.people)) for one in known)
    legend = (("came", say("figures.came")), ("left", say("figures.left")))
    return Plot("hours", say("figures.hours"), stacked(bars, HOUR_TICKS), legend, Table(head, tuple(rows)))


def decided(known: Day, say: Words) -> tuple[DecidedLine, ...]:
    """A line an outcome."""
    return tuple(
        DecidedLine(
            one.outcome, say(f"outcome.{one.outcome}"), one.entries, one.by_volunteer, one.entries - one.by_volunteer, part,
            say.share(part).said if one.entries else "–",
        )
        for one in known.decided
        for part in [one.entries / known.entries if known.entries else 0.0]
    )  # fmt: skip


def warm_note(known: Day, say: Words) -> str:
    """How many readings, and how many typed in."""
    taken = known.temperatures
    share = say.share(taken.typed / taken.measured if taken.measured else None).said
    return say("figures.warm.note", readings=taken.measured, typed=taken.typed, share=share, without=taken.without_figure)


def warm(known: Day, say: Words) -> tuple[Plot, ...]:
    """A histogram of each instrument and quantity."""
    return tuple(_histogram(n, one, say) for n, one in enumerate(known.temperatures.instruments))


def _histogram(n: int, one: Instrument, say: Words) -> Plot:
    body = one.quantity == "body"
    names = (say("figures.warm.below"), *(f"{tenth / 10:.1f}" for tenth in range(LOWEST, HIGHEST)), say("figures.warm.above"))
    kinds = [_kind(LOWEST + place - 1, one.quantity) for place in range(len(names))]
    bars = [
        Bar(say("figures.warm.title", celsius=name, n=count), ((kind, count),))
        for name, kind, count in zip(names, kinds, one.bins(), strict=True)
    ]
    limit = (1.0 + _FEVER - LOWEST, say("figures.warm.limit", limit=f"{FEVER:.1f}")) if body else None
    legend = [(kind, say(f"figures.warm.{kind}")) for kind in dict.fromkeys(kinds)]
    rows = tuple((name, str(count)) for name, count in zip(names, one.bins(), strict=True) if count)
    table = Table((say("figures.celsius"), say("figures.readings")), rows)
    chart = stacked(bars, _WARM_TICKS, limit=limit)
    return Plot(f"warm-{n}", _instrument(one, say), chart, tuple(legend), table, _histogram_said(one, say))


def _kind(tenth: int, quantity: str) -> str:
    if quantity == "skin":
        return "plain"
    return "beyond" if tenth < LOWEST else "fever" if tenth >= _FEVER else "normal"


def _instrument(one: Instrument, say: Words) -> str:
    source = say("figures.warm.typed") if one.typed else one.source
    quantity = "gun" if one.typed and one.quantity == "body" else one.quantity
    return f"{source} · {say(f'figures.warm.{quantity}')}"


def _histogram_said(one: Instrument, say: Words) -> str:
    tenth, often = one.commonest
    share = say.share(often / one.readings).said
    said = say("figures.warm.said", readings=one.readings, celsius=f"{tenth / 10:.1f}", n=often, share=share)
    if one.quantity == "skin":
        return f"{said} · {say('figures.warm.no_limit')}"
    fevers = sum(n for at, n in one.tenths.items() if at >= _FEVER)
    return f"{said} · {say('figures.warm.fevers', limit=f'{FEVER:.1f}', n=fevers)}"


def counted(known: Sequence[HourCounted], say: Words) -> Plot:
    """People counted beside people recorded, by the hour; an hour without a count stays empty."""
    by_hour = {one.hour: one for one in known}
    bars = [_counted_bar(hour, by_hour.get(hour), say) for hour in range(HOURS)]
    head = tuple(say(f"figures.{key}") for key in ("hour", "counted.counted", "counted.recorded", "counted.more"))
    rows = tuple(_counted_row(hour, by_hour.get(hour), say) for hour in range(HOURS))
    legend = (("counted", say("figures.counted.counted")), ("recorded", say("figures.counted.recorded")))
    note = say("figures.counted.note", counted=sum(one.counted for one in known), recorded=sum(one.recorded for one in known))
    return Plot("counted", say("figures.counted"), grouped(bars, HOUR_TICKS), legend, Table(head, rows), note)


def _counted_bar(hour: int, one: HourCounted | None, say: Words) -> Bar:
    if one is None:
        return Bar(f"{hour_said(hour, say)} {say('figures.counted.no_count')}", ())
    said = say("figures.counted.title", hour=hour_said(hour, say), counted=one.counted, recorded=one.recorded)
    kind = "past" if one.walked_past else "counted"
    return Bar(said, ((kind, one.counted), ("recorded", one.recorded)))


def _counted_row(hour: int, one: HourCounted | None, say: Words) -> tuple[str, ...]:
    if one is None:
        return (hour_said(hour, say), say("figures.counted.no_count"), "–", "–")
    return (hour_said(hour, say), str(one.counted), str(one.recorded), str(one.counted - one.recorded))


def walked_past(known: Sequence[HourCounted], say: Words) -> tuple[str, ...]:
    """The hours in which many more were counted than recorded, in words."""
    return tuple(
        say("figures.counted.past", hour=hour_said(one.hour, say), counted=one.counted, recorded=one.recorded,
            more=one.walked_past)
        for one in known if one.walked_past
    )  # fmt: skip


def stations(
    now: Sequence[StationStatus], heard: Mapping[str, datetime], pulses: Mapping[str, Vitals], known: GateDay, newest: int,
    say: Words,
) -> tuple[StationFacts, ...]:  # fmt: skip
    """The gate's stations, and those that wrote of the day and have gone since. `newest`: the compound's directory."""
    told = {one.station: one for one in known.stations}
    here = {one.station: one for one in now}
    return tuple(
        _station(id, here.get(id), heard.get(id), pulses.get(id), told.get(id), newest, say)
        for id in [*here, *(id for id in told if id not in here)]
    )


def _station(
    id: str, now: StationStatus | None, heard_at: datetime | None, pulse: Vitals | None, told: Telling | None, newest: int,
    say: Words,
) -> StationFacts:  # fmt: skip
    return StationFacts(
        station=id, line=station_line(now, say.language) if now else None, clock=_clock(pulse, heard_at, say),
        directory=_directory(pulse, newest, say), software=pulse.software or "–" if pulse else "–", disk=_disk(pulse),
        faults=tuple((_device(one.device, say), one.detail) for one in pulse.devices if not one.ok) if pulse else (),
        told=_told(told, say),
    )  # fmt: skip


def _device(name: str, say: Words) -> str:
    key = f"commanding.device.{name}"
    return say(key) if key in LANGUAGES[say.language] else name


def _clock(pulse: Vitals | None, heard_at: datetime | None, say: Words) -> str:
    """How the clock is; of one that is not synced, how far it is from the hub's: a pulse is heard when it is sent."""
    if pulse is None:
        return "–"
    word = say(f"clock.{pulse.clock}")
    if pulse.clock is Clock.SYNCED or heard_at is None:
        return word
    off = (pulse.at - heard_at).total_seconds()
    return say("figures.clock.ahead" if off > 0 else "figures.clock.behind", clock=word, seconds=f"{abs(off):.0f}")


def _directory(pulse: Vitals | None, newest: int, say: Words) -> str:
    if pulse is None:
        return "–"
    version = pulse.directory_version
    return str(version) if version >= newest else say("figures.directory.behind", version=version, n=newest - version)


def _disk(pulse: Vitals | None) -> str:
    return "–" if pulse is None or pulse.disk_free_bytes is None else f"{pulse.disk_free_bytes / 1e9:.1f} GB"


def _told(one: Telling | None, say: Words) -> tuple[str, ...]:
    if one is None:
        return ()
    prompt = one.latest < _PROMPT
    said = [say("figures.station.events.prompt", n=one.events) if prompt
            else say("figures.station.events", n=one.events, lasting=say.lasting(one.latest).said)]  # fmt: skip
    said += [say(f"figures.station.{key}", n=n) for key, n in (("unsynced", one.unsynced), ("unreadable", one.unreadable)) if n]
    if one.steps:
        seconds = say("report.names").join(f"{step:+.1f}" for step in one.steps)
        said.append(say("figures.station.stepped", n=len(one.steps), seconds=seconds))
    if one.started:
        said.append(say("figures.station.started", n=one.started, unclean=one.unclean))
    for key, versions in (("software", one.software), ("applied", one.directory)):
        said += [say(f"figures.station.{key}", versions=say("report.names").join(map(str, versions)))] if versions else []
    return tuple(said)
