"""挂墙: every gate at once, by compound, for a screen on the wall. Each of the five is told by shape as well as by colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.rules.compliance import GateStatus, Status
from hub.web import board

_WEIGHT = (Status.NON_COMPLIANT, Status.UNREACHABLE, Status.COMPLIANT, Status.CLOSED)


@dataclass(frozen=True)
class Block:
    """One compound and its gates."""

    compound: str
    name: str
    status: Status
    """The worst of its gates'."""
    gates: tuple[board.Row, ...]


def blocks(gates: Sequence[GateStatus], now: datetime, language: str) -> tuple[Block, ...]:
    """The compounds, the worst first: those that lack something, those that nobody hears, then the rest by name."""
    compounds: dict[str, list[GateStatus]] = {}
    for gate in gates:
        compounds.setdefault(gate.compound, []).append(gate)
    made = [_block(found, now, language) for found in compounds.values()]
    return tuple(sorted(made, key=lambda one: (_WEIGHT.index(one.status), one.name, one.compound)))


def _block(gates: Sequence[GateStatus], now: datetime, language: str) -> Block:
    first = gates[0]
    worst = min((gate.status for gate in gates), key=_WEIGHT.index)
    ordered = sorted(gates, key=lambda gate: (_WEIGHT.index(gate.status), gate.gate_name, gate.gate))
    return Block(first.compound, first.compound_name, worst, tuple(board.row(gate, now, language) for gate in ordered))
