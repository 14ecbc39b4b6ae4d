"""What a fault came to: one row of the table and of `docs/reliability/faults.json`."""

from dataclasses import dataclass
from typing import Any

_FIGURES = ("injected", "confirmed", "lost", "doubled", "misdated")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault. `lost`, `doubled` and `misdated` are to be zero."""

    fault: str
    injected: int
    """How often it was injected."""
    confirmed: int
    """Entries that were shown as done to a person."""
    lost: int
    """Confirmed, and not at the hub at the end."""
    doubled: int
    """More than once at the hub: by its id, or one act as two entries."""
    misdated: int
    """At the hub with a time at which it can't have been, or with none that is honest."""
    note: str = ""
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled or misdated, and the fault was there at all."""
        return not (self.lost or self.doubled or self.misdated) and self.injected > 0 and self.confirmed > 0

    def as_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"fault": self.fault, **{name: getattr(self, name) for name in _FIGURES}, "note": self.note}


HEAD = f"{'fault':<44}" + "".join(f"{name:>10}" for name in _FIGURES) + f"{'seconds':>9}  note"


def line(row: Row) -> str:
    """A row as a line of the table; one that is not clean ends in red words."""
    figures = "".join(f"{getattr(row, name):>10}" for name in _FIGURES)
    return f"{row.fault:<44}{figures}{row.seconds:>9.0f}  {row.note}" + ("" if row.is_clean else "  <<< NOT CLEAN")
