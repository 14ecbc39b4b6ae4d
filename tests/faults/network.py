"""The network between stations and broker, and between hub and broker, fails in one of five ways, again and again, under load."""

import random
import threading
import time
from collections.abc import Callable

from tests.faults import judging
from tests.faults.proxy import Proxy
from tests.faults.rig import rig, until
from tests.faults.rows import Row

STATIONS = 2
_NOTICED_SECONDS = 100
_BETWEEN_SECONDS = (0.3, 1.5)

Fault = Callable[[Proxy, random.Random], None]


def partition(proxy: Proxy, chance: random.Random) -> None:
    """Cut off for some seconds; what was open never comes back to life."""
    proxy.partition()
    _wait(chance.uniform(0.5, 4))
    proxy.heal()
    proxy.half_open()
    _wait(0.1)
    proxy.reset()


def delay(proxy: Proxy, chance: random.Random) -> None:
    """Slow for some seconds."""
    proxy.delay(chance.uniform(0.1, 1))
    _wait(chance.uniform(1, 4))
    proxy.heal()


def duplicate(proxy: Proxy, chance: random.Random) -> None:
    """What is sent arrives and is never answered; after a reset it is sent again."""
    proxy.deafen()
    _wait(chance.uniform(0.2, 2))
    proxy.reset()
    _wait(0.1)
    proxy.heal()


def half_open(proxy: Proxy, chance: random.Random) -> None:
    """Silence both ways on a connection that stands, until whoever is behind it has noticed and connected anew."""
    before = proxy.connections
    proxy.half_open()
    until("a silent connection is noticed", lambda: proxy.connections > before, _NOTICED_SECONDS)


def reset(proxy: Proxy, chance: random.Random) -> None:
    """Every connection reset at once."""
    proxy.reset()


def run(seed: int, many: int, fault: Fault) -> Row:
    """Inject one fault `many` times, now on the one leg, now on the other."""
    chance = random.Random(seed)
    with rig(STATIONS) as made:
        legs = Proxy(made.port), Proxy(made.port)
        try:
            made.connect_through(stations=legs[0].port, hub=legs[1].port)
            made.broker.start()
            made.ingest.start()
            for number, gate in enumerate(made.open_gates()):
                gate.drive(seed + number)
            took = 0.0
            for number in range(many):
                _wait(chance.uniform(*_BETWEEN_SECONDS))
                began = time.monotonic()
                fault(legs[number % 2], chance)
                took = max(took, time.monotonic() - began)
            acts = sum(gate.quiet() for gate in made.gates.values())
            made.settle()
            note = f"{acts} acts at {STATIONS} gates; both legs" + (
                f"; noticed after {took:.0f} s at most" if fault is half_open else ""
            )
            return judging.row(made, f"network: {fault.__name__.replace('_', '-')}", many, note)
        finally:
            for leg in legs:
                leg.close()


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
