"""The outbox: every event is sent until it is acknowledged, however the network behaves, and no more than is allowed at once."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract.ranges import merge, missing
from kiosk.outbox import Outbox, Pacing, Parcel
from kiosk.uplink import backoff

PACING = Pacing(batch=10, resend_seconds=10, backlog_flights=2, live_flights=3)


def send_all(outbox: Outbox, outstanding: tuple, now: float) -> tuple[Outbox, list[Parcel]]:
    sent = []
    outbox = outbox.settled(outstanding, now)
    while (parcel := outbox.next(outstanding)) is not None:
        outbox = outbox.sent(parcel, now)
        sent.append(parcel)
    return outbox, sent


def test_the_backlog_goes_in_batches_oldest_first() -> None:
    _, sent = send_all(Outbox(PACING, live_after=100), ((5, 100),), 0)
    assert sent == [Parcel(5, 14, live=False), Parcel(15, 24, live=False)]


def test_live_events_go_before_the_backlog_and_beside_it() -> None:
    outbox, _ = send_all(Outbox(PACING, live_after=100), ((5, 100),), 0)
    outbox, sent = send_all(outbox, ((5, 101),), 1)
    assert sent == [Parcel(101, 101, live=True)]
    _, sent = send_all(outbox, ((15, 102),), 2)
    assert sent == [Parcel(102, 102, live=True), Parcel(25, 34, live=False)]


def test_what_is_under_way_is_sent_again_when_it_is_due_and_is_no_longer_live() -> None:
    outbox, sent = send_all(Outbox(PACING, live_after=4), ((5, 7),), 0)
    assert sent == [Parcel(5, 7, live=True)]
    assert outbox.next_due() == 10
    outbox, sent = send_all(outbox, ((5, 7),), 9.9)
    assert sent == []
    _, sent = send_all(outbox, ((5, 7),), 10)
    assert sent == [Parcel(5, 7, live=False)]


def test_a_parcel_acknowledged_in_part_is_not_sent_again_before_its_time() -> None:
    outbox, _ = send_all(Outbox(PACING, live_after=10), ((1, 10),), 0)
    outbox, sent = send_all(outbox, ((1, 2), (9, 10)), 1)
    assert sent == []
    _, sent = send_all(outbox, ((1, 2), (9, 10)), 10)
    assert sent == [Parcel(1, 2, live=False), Parcel(9, 10, live=False)]


def test_pauses_double_within_their_bounds() -> None:
    assert [backoff(n, 1, 30, draw=1) for n in range(6)] == [2, 4, 8, 16, 30, 30]
    assert backoff(10_000, 1, 30, draw=0) == 1


class Delivery(RuleBasedStateMachine):
    """A station, a network that loses and repeats, and a hub that stores and acknowledges."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.last = 0.0, 1
        self.stored: set[int] = set()
        self.acknowledged: set[int] = set()
        self.network: list[Parcel] = []
        self.outbox = Outbox(PACING, live_after=1)

    @property
    def outstanding(self) -> tuple:
        return missing(merge((n, n) for n in self.acknowledged), 1, self.last)

    @rule(count=st.integers(1, 30))
    def commit(self, count: int) -> None:
        self.last += count

    @rule(seconds=st.floats(0, 20))
    def send(self, seconds: float) -> None:
        self.now += seconds
        self.outbox, sent = send_all(self.outbox, self.outstanding, self.now)
        self.network += sent

    @rule(data=st.data(), repeated=st.booleans())
    def deliver(self, data: st.DataObject, repeated: bool) -> None:
        if self.network:
            index = data.draw(st.integers(0, len(self.network) - 1))
            parcel = self.network[index] if repeated else self.network.pop(index)
            self.stored |= set(range(parcel.first, parcel.last + 1))

    @rule()
    def lose_everything_under_way(self) -> None:
        self.network.clear()

    @rule()
    def reconnect(self) -> None:
        self.network.clear()
        self.outbox = Outbox(PACING, live_after=self.last)

    @rule()
    def acknowledge(self) -> None:
        self.acknowledged |= self.stored

    @rule(kept=st.integers(0, 40))
    def restore_the_hub_from_backup(self, kept: int) -> None:
        self.stored = {n for n in self.stored if n <= kept}
        self.acknowledged = set(self.stored)

    @invariant()
    def no_more_is_under_way_than_allowed(self) -> None:
        for live, most in ((True, PACING.live_flights), (False, PACING.backlog_flights)):
            assert sum(f.parcel.live is live for f in self.outbox.flights) <= most

    @invariant()
    def nothing_is_sent_that_was_never_committed(self) -> None:
        assert all(f.parcel.last <= self.last for f in self.outbox.flights)

    def teardown(self) -> None:
        """From any state at all, a network that works delivers everything."""
        for _ in range(self.last + 10):
            self.send(10)
            for parcel in self.network:
                self.stored |= set(range(parcel.first, parcel.last + 1))
            self.network.clear()
            self.acknowledge()
        assert self.stored >= set(range(1, self.last + 1))
        assert self.outstanding == ()


Delivery.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDelivery = Delivery.TestCase
