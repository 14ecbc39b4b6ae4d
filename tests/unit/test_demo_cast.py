"""The demonstration's people and booking give its stations something to show of each kind."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.config import HubSettings, Located
from hub.demo import cast as casting
from hub.demo.faces import drawn_face
from hub.demo.places import COMPOUNDS, book_removal, set_up_registry
from hub.registry import directory
from hub.store import migrate, open_store


def test_the_stations_of_the_demonstration_are_told_of_a_whole_gate(tmp_path: Path) -> None:
    engine, located = open_store(f"sqlite:///{tmp_path}/hub.db"), Located(HubSettings(), tmp_path)
    migrate(engine)
    set_up_registry(engine, located)
    now = datetime.now(UTC)
    book_removal(engine, now)
    book_removal(engine, now + timedelta(minutes=5))
    cast = casting.make(engine, located, [compound.id for compound in COMPOUNDS])
    with engine.begin() as conn:
        told = directory.build(conn, located, "hm", now)
    assert {d.building for d in told.roster.dwellings} == {f"{n}号" for n in range(1, 8)}
    assert {d.room for d in told.roster.dwellings} == {"101", "201", "301", "401", "501", "601"}
    assert len(told.faces.faces) == 2
    (booked,) = told.bookings.bookings
    assert booked.opens < now < booked.closes
    assert len(cast["hm"].residents) == 40
    engine.dispose()


def test_two_drawn_faces_differ_and_one_is_always_the_same() -> None:
    assert drawn_face(0) == drawn_face(0) != drawn_face(1)
