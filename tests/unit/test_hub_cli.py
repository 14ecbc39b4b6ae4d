"""The command `hub`: what it prints, and that an error is one line its reader can act on."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from hub import sheets
from hub.cli import main
from hub.config import load
from hub.demo.faces import drawn_face
from hub.store import open_store, tables
from kiosk.config import load as load_station

Hub = Callable[..., Result]
HOURS = ("--opens", "2999-01-01 09:00", "--closes", "2999-01-01 12:00")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration that needs no broker on this machine."""
    (tmp_path / "hub.toml").write_text("[broker]\npassword = 'x'\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def hub(folder: Path) -> Hub:
    def run(*words: str, code: int = 0, input: str | None = None) -> Result:
        command = [*words, "--config", str(folder / "hub.toml")]
        result = CliRunner().invoke(main, command, input=input)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def furnished(hub: Hub) -> Hub:
    """A hub with one gate."""
    hub("init")
    hub("place", "add", "area", "north", "北片区")
    hub("place", "add", "committee", "hm-c", "虹梅居委", "--in", "north")
    hub("place", "add", "compound", "hm", "虹梅小区", "--in", "hm-c")
    hub("place", "add", "gate", "east", "东门", "--in", "hm")
    return hub


def test_init_makes_what_is_missing_and_the_password_is_shown_once(tmp_path: Path) -> None:
    command = ["init", "--config", str(tmp_path / "new" / "hub.toml"), "--account", "li"]
    first = CliRunner().invoke(main, command)
    assert first.exit_code == 0, first.output
    assert "li" in first.output
    assert "password" in first.output
    second = CliRunner().invoke(main, command)
    assert second.exit_code == 0
    assert "password" not in second.stdout
    for name in ("hub.toml", "hub.db"):
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600
    assert len(load(tmp_path / "new" / "hub.toml").settings.broker.password) >= 32


def test_places_are_listed_as_a_table_and_as_json_lines(furnished: Hub) -> None:
    assert furnished("place", "list", "gate").stdout.splitlines()[1].split() == ["east", "东门", "hm"]
    assert json.loads(furnished("place", "list", "gate", "--json").stdout) == {"id": "east", "name": "东门", "in": "hm"}


def test_a_station_gets_a_configuration_it_can_read(furnished: Hub, folder: Path) -> None:
    path = folder / "kiosk.toml"
    furnished("station", "add", "east-1", "--gate", "east", "--broker-host", "hub.example", "--output", str(path))
    station = load_station(path).settings
    assert (station.place.station, station.place.gate_name, station.hub.host) == ("east-1", "东门", "hub.example")
    again = furnished("station", "add", "east-2", "--gate", "east", "--output", str(path), code=2)
    assert "there already" in again.stderr
    listed = furnished("station", "list", "--json").stdout
    assert json.loads(listed)["id"] == "east-1"
    assert station.hub.password not in listed
    kit = furnished("station", "kit", "east-1").stdout
    assert station.hub.password in kit


def test_a_pass_is_issued_listed_and_revoked(furnished: Hub) -> None:
    issued = json.loads(furnished("pass", "issue", "--compound", "hm", "--name", "王小明", "--json").stdout)
    assert issued["token"].startswith("GP1:")
    assert issued["name"] == "王*明"
    revoked = json.loads(furnished("pass", "revoke", issued["token"], "--json").stdout)
    assert revoked["revoked_at"] is not None
    assert json.loads(furnished("pass", "list", "--compound", "hm", "--json").stdout)["id"] == issued["id"]
    furnished("pass", "set", issued["id"], "--isolating", "--colour", "yellow")
    assert json.loads(furnished("pass", "list", "--json").stdout)["colour"] == "yellow"
    assert "is revoked" in furnished("pass", "pin", issued["id"], "--pin", "2468", code=2).stderr


def test_a_badge_of_before_is_told_in_the_list_and_mended_by_a_new_pin(furnished: Hub, folder: Path) -> None:
    words = ("--kind", "volunteer", "--compound", "hm", "--name", "孙桂兰", "--pin", "2468")
    issued = json.loads(furnished("pass", "issue", *words, "--json").stdout)
    engine = open_store(f"sqlite:///{folder / 'hub.db'}")
    with engine.begin() as conn:
        conn.execute(sa.update(tables.passes).values(opens=None))
    engine.dispose()
    assert json.loads(furnished("pass", "list", "--json").stdout)["opens_roster"] is False
    assert json.loads(furnished("pass", "pin", issued["id"], "--pin", "1357", "--json").stdout)["opens_roster"] is True
    listed = furnished("pass", "list").stdout.splitlines()
    assert (listed[0].split()[-1], listed[1].split()[-1]) == ("opens_roster", "True")
    assert "4 to 8 digits" in furnished("pass", "pin", issued["id"], "--pin", "x", code=2).stderr


def test_a_booking_is_made_listed_and_cancelled(furnished: Hub) -> None:
    words = ("--compound", "hm", "--kind", "removal", "--plate", "沪A·12345", "--crew", "3", "--dwelling", "3号502", *HOURS)
    made = json.loads(furnished("booking", "add", *words, "--json").stdout)
    assert (made["plate"], made["crew"], made["made_by"], made["cancelled_at"]) == ("沪A12345", 3, "cli", None)
    assert made["opens"] == "2999-01-01T09:00:00+08:00"
    assert json.loads(furnished("booking", "list", "--compound", "hm", "--json").stdout)["id"] == made["id"]
    assert "2999-01-01 09:00" in furnished("booking", "list").stdout
    cancelled = json.loads(furnished("booking", "cancel", made["id"], "--json").stdout)
    assert cancelled["cancelled_by"] == "cli"
    assert furnished("booking", "list", "--json").stdout == ""
    assert json.loads(furnished("booking", "list", "--all", "--json").stdout)["id"] == made["id"]


def test_policies_are_set_for_all_or_for_one_and_shown_with_whose_word_they_are(furnished: Hub) -> None:
    furnished("policy", "set", "courier=visitor", "night=21:30-06:00")
    told = json.loads(furnished("policy", "set", "taxi_seconds=900", "--compound", "hm", "--json").stdout)
    assert (told["compound"], told["courier"], told["night"], told["taxi_seconds"]) == ("hm", "visitor", [1290, 360], 900)
    lines = [line.split() for line in furnished("policy", "show", "--compound", "hm").stdout.splitlines()]
    assert ["courier", "visitor", "sub-district"] in lines
    assert ["taxi_seconds", "900", "hm"] in lines
    assert ["visit_seconds", "14400", "default"] in lines
    assert ["night", "21:30-06:00", "sub-district"] in lines
    back = json.loads(furnished("policy", "set", "courier=default", "--json").stdout)
    assert (back["compound"], back["courier"]) == (None, "shelf")


def test_a_picture_becomes_a_passs_photo(furnished: Hub, folder: Path) -> None:
    issued = json.loads(furnished("pass", "issue", "--compound", "hm", "--name", "王小明", "--json").stdout)
    picture = folder / "face.png"
    picture.write_bytes(drawn_face(1))
    kept = json.loads(furnished("pass", "photo", issued["id"], str(picture), "--json").stdout)
    assert (kept["id"], kept["name"]) == (issued["id"], "王*明")
    assert 1000 < kept["photo_bytes"] <= 12_000
    picture.write_text("no picture")
    assert "not a picture" in furnished("pass", "photo", issued["id"], str(picture), code=2).stderr
    furnished("pass", "photo", issued["id"], "--remove")
    assert "no photo" in furnished("pass", "photo", issued["id"], "--remove", code=2).stderr


def test_a_badge_asks_for_its_pin(furnished: Hub) -> None:
    words = ("pass", "issue", "--kind", "volunteer", "--compound", "hm", "--name", "孙桂兰")
    shown = furnished(*words, input="2468\n2468\n").stdout
    assert "2468" not in shown
    assert "GP1:" in shown
    assert "4 to 8 digits" in furnished(*words, "--pin", "1", code=2).stderr


@pytest.mark.skipif(not any(Path(name).is_file() for name, _ in sheets.FONTS), reason="no font with Chinese characters")
def test_sheets_and_codes_are_written_for_their_owner_alone(furnished: Hub, folder: Path) -> None:
    furnished("pass", "issue", "--compound", "hm", "--name", "王小明")
    furnished("pass", "sheet", "--compound", "hm", "--output", str(folder / "sheet.pdf"))
    furnished("pass", "codes", "east", "--output", str(folder / "codes.pdf"))
    for name in ("sheet.pdf", "codes.pdf"):
        assert (folder / name).read_bytes().startswith(b"%PDF")
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert "exists" in furnished("pass", "codes", "east", "--output", str(folder / "codes.pdf"), code=2).stderr


def test_status_is_a_line_a_gate_and_a_gate_nobody_heard_of_is_not_compliant(furnished: Hub) -> None:
    furnished("station", "add", "east-1", "--gate", "east")
    seen = json.loads(furnished("status", "--json").stdout)
    assert (seen["gate"], seen["compound"], seen["status"]) == ("east", "hm", "unreachable")
    assert set(seen["items"]) == {"volunteer", "desk", "register", "passes", "temperature"}
    assert "unreachable" in furnished("status").stdout


def test_an_account_is_added_and_its_password_not_listed(furnished: Hub) -> None:
    password = furnished("account", "add", "li", "--role", "liaison").stdout.strip()
    assert password
    assert password not in furnished("account", "list").stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (("place", "add", "gate", "south", "南门", "--in", "nowhere"), "no compound 'nowhere'"),
        (("station", "add", "s1", "--gate", "nowhere"), "no gate 'nowhere'"),
        (("pass", "issue", "--compound", "nowhere", "--name", "x"), "no compound 'nowhere'"),
        (("pass", "revoke", "GP1:NONSENSE"), "no pass"),
        (("pass", "sheet", "--compound", "hm", "--output", "never.pdf"), "no pass to print"),
        (("pass", "photo", "0" * 32, "--remove"), "no pass"),
        (("pass", "photo", "0" * 32), "a picture's file, or --remove"),
        (("booking", "cancel", "b0"), "no booking 'b0'"),
        (("booking", "add", "--compound", "nowhere", "--kind", "removal", "--plate", "x", *HOURS), "no compound 'nowhere'"),
        (("booking", "add", "--compound", "hm", "--kind", "removal", *HOURS), "plate or a dwelling"),
        (("policy", "set", "courier=street"), "shelf or visitor"),
        (("policy", "set", "pizza=yes"), "no policy 'pizza'"),
        (("policy", "show", "--compound", "nowhere"), "no compound 'nowhere'"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(furnished: Hub, words: tuple[str, ...], said: str) -> None:
    result = furnished(*words, code=2)
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_bad_configuration_names_the_key(hub: Hub, folder: Path) -> None:
    (folder / "hub.toml").write_text("[broker]\nprot = 1\n", encoding="utf-8")
    said = hub("place", "list", "gate", code=2).stderr
    assert "hub.toml: unknown key 'broker.prot'" in said
    assert len(said.splitlines()) == 1


def test_a_store_that_was_never_made_is_not_made_by_looking(hub: Hub, folder: Path) -> None:
    assert "hub init" in hub("place", "list", "gate", code=2).stderr
    (folder / "hub.db").touch()
    assert "hub init" in hub("place", "list", "gate", code=2).stderr
