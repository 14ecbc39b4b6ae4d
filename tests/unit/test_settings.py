"""A configuration is read once; what is wrong with it is said by key, value and what may stand there."""

from pathlib import Path

import pytest

from contract.settings import BadSettings
from hub.config import load as load_hub
from kiosk.config import load as load_station

STATION = """
[place]
station = "s1"
gate = "g1"
gate_name = "东门"
compound = "c1"
compound_name = "虹梅小区"
[hub]
keys = { h1 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
sealing_kid = "x1"
sealing = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""


@pytest.mark.parametrize(
    "text, words",
    [
        ("[broker]\nhots = 'x'", ["broker.hots", "host, port, username"]),
        ("[broker]\nport = 'x'", ["broker.port", "'x'", "int"]),
        ("[broker]\nport = 0", ["broker.port", "0"]),
        ("timezone = 'Mars/Base'", ["timezone", "Mars/Base", "Asia/Shanghai"]),
        ("name = [", ["not TOML"]),
        ("nmae = 'x'", ["nmae", "name"]),
    ],
)
def test_hub_settings_say_what_is_wrong(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        load_hub(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "text, words",
    [
        (STATION + "[thermometer]\nemissivty = 0.98", ["thermometer.emissivty", "emissivity"]),
        (STATION + "[thermometer]\nemissivity = 9.8", ["thermometer.emissivity", "9.8"]),
        (STATION.replace('station = "s1"', 'station = "a/b"'), ["place.station", "a/b"]),
        (STATION.replace('sealing = "AAAA', 'sealing = "'), ["hub.sealing", "32-byte"]),
        ("", ["place"]),
    ],
)
def test_station_settings_say_what_is_wrong(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSettings) as caught:
        load_station(path)
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_good_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text(STATION, encoding="utf-8")
    assert load_station(path).hub_keys == {"h1": bytes(32)}


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="can't be read"):
        load_hub(tmp_path / "none.toml")
