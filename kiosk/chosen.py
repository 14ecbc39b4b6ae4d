"""Who set what of a station's settings: on its own screen or by the hub, and whose word is the newer one. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contract.events import SettingsChanged

Values = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Chosen:
    """What was set on the station's own screen and what the hub decided; of one setting the newer word counts."""

    here: Values = field(default_factory=dict)
    config: str | None = None
    """The id of the hub's last `Config`."""
    hub: Values = field(default_factory=dict)
    """All that it decides."""
    refused: Mapping[str, str] = field(default_factory=dict)
    overruled: frozenset[str] = frozenset()
    """Of the hub's, those that were set here since."""
    since: datetime | None = None
    """When the oldest event was written that this rests on."""

    @property
    def in_force(self) -> Values:
        """What counts; what is not in it is as the station was configured."""
        return {**self.here, **{name: value for name, value in self.hub.items() if name not in self.overruled}}


def fold(known: Chosen, body: SettingsChanged, at: datetime) -> Chosen:
    """What is chosen after an event that was written at `at`."""
    new = _decided(known, body) if body.config else _set_here(known, body)
    return replace(new, since=at if body.renewed or new.since is None else new.since)


def renewal(known: Chosen) -> tuple[SettingsChanged, ...]:
    """Events that by themselves lead to what is chosen, whatever went before."""
    newest = {name: known.here[name] for name in sorted(known.overruled)}
    said = [SettingsChanged(settings=dict(known.here), renewed=True)] if known.here else []
    if known.config:
        hub, refused = dict(known.hub), dict(known.refused)
        said.append(SettingsChanged(settings=hub, config=known.config, refused=refused, renewed=True))
    if newest:
        said.append(SettingsChanged(settings=newest, renewed=True))
    return tuple(said)


def _set_here(known: Chosen, body: SettingsChanged) -> Chosen:
    overruled = known.overruled | (body.settings.keys() & known.hub.keys())
    return replace(known, here={**known.here, **body.settings}, overruled=overruled)


def _decided(known: Chosen, body: SettingsChanged) -> Chosen:
    """What the hub says as before is no newer than what was set here since."""
    same = () if body.renewed else (name for name, value in body.settings.items() if known.hub.get(name) == value)
    return replace(
        known, config=body.config, hub=body.settings, refused=body.refused, overruled=known.overruled.intersection(same)
    )
