"""Which events to send next: live ones at once, the backlog in batches beside them, none twice within the resend time. Pure."""

from dataclasses import dataclass, replace

from contract.ranges import Range, Ranges, subtract


@dataclass(frozen=True)
class Pacing:
    """How much may be under way at once."""

    batch: int = 50
    resend_seconds: float = 10
    backlog_flights: int = 4
    live_flights: int = 16


@dataclass(frozen=True)
class Parcel:
    """Consecutive events to send as one batch."""

    first: int
    last: int
    live: bool


@dataclass(frozen=True)
class Flight:
    """A parcel that was sent, until it is acknowledged or due again."""

    parcel: Parcel
    sent_at: float


@dataclass(frozen=True)
class Outbox:
    """What is under way on one connection. Only the hub's acknowledgement ends a flight; till then it is sent again and again."""

    pacing: Pacing
    live_after: int
    """Events above it were committed on this connection and never sent: they are live."""
    flights: tuple[Flight, ...] = ()

    def settled(self, outstanding: Ranges, now: float) -> "Outbox":
        """Without the flights that are wholly acknowledged, and without those that are due again."""
        return replace(self, flights=tuple(f for f in self.flights if not self._is_over(f, outstanding, now)))

    def next(self, outstanding: Ranges) -> Parcel | None:
        """The parcel to send now, of what is outstanding and not under way; None if there is none or enough is under way."""
        waiting = subtract(outstanding, [(f.parcel.first, f.parcel.last) for f in self.flights])
        live = [(max(a, self.live_after + 1), b) for a, b in waiting if b > self.live_after]
        backlog = [(a, min(b, self.live_after)) for a, b in waiting if a <= self.live_after]
        if live and self._flying(live=True) < self.pacing.live_flights:
            return self._parcel(live[0], live=True)
        if backlog and self._flying(live=False) < self.pacing.backlog_flights:
            return self._parcel(backlog[0], live=False)
        return None

    def sent(self, parcel: Parcel, now: float) -> "Outbox":
        """With the parcel under way; what was sent live once is backlog from then on."""
        live_after = max(self.live_after, parcel.last) if parcel.live else self.live_after
        return replace(self, live_after=live_after, flights=(*self.flights, Flight(parcel, now)))

    def next_due(self) -> float | None:
        """When the first flight is due again."""
        return min((f.sent_at + self.pacing.resend_seconds for f in self.flights), default=None)

    def _is_over(self, flight: Flight, outstanding: Ranges, now: float) -> bool:
        landed = not any(a <= flight.parcel.last and b >= flight.parcel.first for a, b in outstanding)
        return landed or now - flight.sent_at >= self.pacing.resend_seconds

    def _flying(self, live: bool) -> int:
        return sum(f.parcel.live is live for f in self.flights)

    def _parcel(self, waiting: Range, live: bool) -> Parcel:
        return Parcel(waiting[0], min(waiting[1], waiting[0] + self.pacing.batch - 1), live)
