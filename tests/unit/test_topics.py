"""Topics: built, parsed and refused."""

import pytest

from contract import topics
from contract.topics import Address, BadTopic, StationTopic

BUILT = {
    "gatepost/v1/station/s1/presence": (topics.station("s1", StationTopic.PRESENCE), Address("station", "s1", "presence")),
    "gatepost/v1/station/s1/journal": (topics.station("s1", StationTopic.JOURNAL), Address("station", "s1", "journal")),
    "gatepost/v1/station/s1/blob/ff": (topics.station("s1", StationTopic.BLOB, "ff"), Address("station", "s1", "blob", "ff")),
    "gatepost/v1/station/s1/ack": (topics.station("s1", StationTopic.ACK), Address("station", "s1", "ack")),
    "gatepost/v1/compound/c1/directory/keys": (topics.directory("c1", "keys"), Address("compound", "c1", "directory", "keys")),
    "gatepost/v1/compound/c1/movements": (topics.movements("c1"), Address("compound", "c1", "movements")),
}


@pytest.mark.parametrize("topic", BUILT)
def test_a_topic_is_built_and_parsed(topic: str) -> None:
    built, address = BUILT[topic]
    assert (built, topics.parse(topic)) == (topic, address)


REFUSED = (
    "", "gatepost", "gatepost/v1", "gatepost/v2/station/s1/journal", "other/v1/station/s1/journal", "gatepost/v1/station/s1",
    "gatepost/v1/station/s1/other", "gatepost/v1/gate/s1/journal", "gatepost/v1/station/s1/journal/more",
    "gatepost/v1/station/s1/blob", "gatepost/v1/station/s1/blob/ff/00", "gatepost/v1/station//journal",
    "gatepost/v1/station/+/journal", "gatepost/v1/station/#", "gatepost/v1/station/s 1/journal", "gatepost/v1/station/岗/journal",
    "gatepost/v1/compound/c1/directory", "gatepost/v1/compound/c1/movements/more", "gatepost/v1/compound/c1/journal",
    "/gatepost/v1/station/s1/journal", "gatepost/v1/station/s1/journal/",
)  # fmt: skip


@pytest.mark.parametrize("topic", REFUSED)
def test_a_topic_that_is_none_of_ours_is_refused(topic: str) -> None:
    with pytest.raises(BadTopic):
        topics.parse(topic)


@pytest.mark.parametrize("identifier", ["", "+", "#", "a/b", "a b", "-a", "岗", "a" * 65, "a\0"])
def test_an_identifier_that_would_break_a_topic_is_refused(identifier: str) -> None:
    with pytest.raises(BadTopic):
        topics.station(identifier, StationTopic.JOURNAL)
    with pytest.raises(BadTopic):
        topics.movements(identifier)


@pytest.mark.parametrize("topic", ["gatepost/v1/station/s1\n/journal", "gatepost/v1/compound/c1/directory/keys\n"])
def test_a_newline_at_the_end_of_a_level_is_refused(topic: str) -> None:
    with pytest.raises(BadTopic):
        topics.parse(topic)


def test_the_hub_hears_what_stations_send_and_a_station_what_the_hub_sends() -> None:
    heard = ["presence", "journal", "blob/+", "vitals", "reply"]
    assert [topic for topic, _ in topics.hub_subscriptions()] == [f"gatepost/v1/station/+/{channel}" for channel in heard]
    assert topics.station_subscriptions("s1", "c1") == [
        ("gatepost/v1/station/s1/ack", 1), ("gatepost/v1/station/s1/config", 1), ("gatepost/v1/station/s1/command", 1),
        ("gatepost/v1/compound/c1/directory/+", 1), ("gatepost/v1/compound/c1/movements", 1),
    ]  # fmt: skip


def test_only_what_a_newcomer_needs_is_retained() -> None:
    assert {channel for channel, delivery in topics.DELIVERY.items() if delivery.retain} == {"presence", "config"}
    assert (topics.COMPOUND_DELIVERY.retain, topics.MOVEMENTS_DELIVERY.retain) == (True, False)
    assert {channel for channel, delivery in topics.DELIVERY.items() if delivery.qos == 0} == {"vitals"}
