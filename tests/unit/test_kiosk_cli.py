"""The `kiosk` command: what it prints, and how it says what is wrong."""

import json
from pathlib import Path

import cv2
import pytest
import segno
from click.testing import CliRunner

from kiosk.cli import main
from tests.unit.test_settings import STATION


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A station whose devices are emulated."""
    path = tmp_path / "kiosk.toml"
    (tmp_path / "world").mkdir()
    devices = '[camera]\nsource = "emulated:world"\n[thermometer]\nbus = "emulated:world"\n'
    path.write_text('clock = "trusted"\n' + STATION + devices, encoding="utf-8")
    return path


def test_scan_prints_one_json_line_an_image(tmp_path: Path) -> None:
    image = tmp_path / "code.png"
    segno.make_qr("GP1:HELLO").save(str(image), scale=8, border=4)
    done = CliRunner().invoke(main, ["scan", "--json", str(image), str(image)])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["tokens"] for line in lines] == [[{"text": "GP1:HELLO", "bytes_hex": b"GP1:HELLO".hex()}]] * 2
    assert set(lines[0]) == {"image", "tokens", "ms"}


def test_scan_of_a_picture_without_a_code_finds_none(tmp_path: Path) -> None:
    image = tmp_path / "grey.png"
    cv2.imwrite(str(image), cv2.resize(cv2.UMat(8, 8, cv2.CV_8U).get(), (200, 200)))
    assert json.loads(CliRunner().invoke(main, ["scan", "--json", str(image)]).stdout)["tokens"] == []


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.jpg"
    path.write_text("not a picture")
    done = CliRunner().invoke(main, ["scan", str(path)])
    assert done.exit_code == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


def test_selftest_tests_every_device(config: Path) -> None:
    done = CliRunner().invoke(main, ["selftest", "--json", "--config", str(config)])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["device"] for row in rows] == ["camera", "scanner", "mlx90614", "journal", "clock"]
    assert all(row["ok"] for row in rows), rows
    assert done.exit_code == 0


def test_selftest_says_which_device_is_missing(config: Path) -> None:
    (config.parent / "world" / "thermometer.json").write_text('{"connected": false}', encoding="utf-8")
    done = CliRunner().invoke(main, ["selftest", "--config", str(config)])
    assert done.exit_code == 1
    assert "FAIL mlx90614" in done.stdout


def test_journal_commands(config: Path) -> None:
    runner = CliRunner()
    assert "no journal there yet" in runner.invoke(main, ["journal", "tail", "--config", str(config)]).stderr
    runner.invoke(main, ["selftest", "--config", str(config)])  # makes the journal
    tail = runner.invoke(main, ["journal", "tail", "--json", "--config", str(config)])
    assert [json.loads(line)["body"]["kind"] for line in tail.stdout.splitlines()] == ["journal_begun"]
    check = runner.invoke(main, ["journal", "check", "--json", "--config", str(config)])
    assert (json.loads(check.stdout)["faults"], check.exit_code) == ([], 0)
    assert runner.invoke(main, ["journal", "export", "-", "--config", str(config)]).stdout == tail.stdout


def test_verify_says_what_a_token_is_worth(config: Path) -> None:
    runner = CliRunner()
    runner.invoke(main, ["selftest", "--config", str(config)])
    done = runner.invoke(main, ["verify", "https://example.org", "--json", "--config", str(config)])
    assert (json.loads(done.stdout)["problem"], done.exit_code) == ("not_a_pass", 1)


def test_a_wrong_key_in_the_configuration_ends_it_in_one_line(config: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8") + "[screen]\nprot = 1\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["run", "--config", str(config)])
    assert done.exit_code == 2
    assert "'screen.prot'" in done.stderr
    assert "host, port, language" in done.stderr
