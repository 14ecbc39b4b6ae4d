"""The appliance: units that systemd takes without a word and that are tight, scripts that parse, and what they do to files."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hub.broker import free_port

HERE = Path(__file__).parents[2]
SYSTEMD = HERE / "systemd"
UNITS = sorted(path.name for kind in ("service", "path", "target") for path in SYSTEMD.glob(f"gatepost-*.{kind}"))
SCRIPTS = sorted(path.name for path in SYSTEMD.glob("*.sh"))
MOST_EXPOSED = {"gatepost-kiosk.service": 2.0, "gatepost-screen.service": 3.0}
HUB_MOST_EXPOSED = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here: sh systemd/packages.sh test"
)
needs_shellcheck = pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="no shellcheck here: sh systemd/packages.sh test"
)


def run(*command: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], input=given, capture_output=True, text=True, check=False)


def sourced(script: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a line of shell with the functions of the install script."""
    parts = "".join(f". {SYSTEMD}/{name}.sh; " for name in ("common", "pi", "readonly", "steps"))
    return run("sh", "-c", f"set -eu; here={SYSTEMD}; {parts}{script}", given=given)


def unit(name: str) -> dict[str, list[str]]:
    """Key → values of a unit, its lines joined."""
    text = (SYSTEMD / name).read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a machine with our units, the system's own, and something at the path of each program."""
    root = tmp_path_factory.mktemp("machine")
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    etc = root / "etc/systemd/system"
    etc.mkdir(parents=True)
    for name in UNITS:
        shutil.copy(SYSTEMD / name, etc)
        for line in [v for key, values in unit(name).items() if key.startswith("Exec") for v in values]:
            program = root / line.split()[0].lstrip("/")
            program.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy("/bin/true", program)
    shutil.copytree(SYSTEMD / "gatepost-.service.d", etc / "gatepost-.service.d")
    return root


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say_of_a_unit(machine: Path, name: str) -> None:
    """It exits with 0 on a key that it doesn't know, so any word is a failure."""
    verified = run("systemd-analyze", "verify", f"--root={machine}", name)
    assert (verified.stdout + verified.stderr, verified.returncode) == ("", 0)


@needs_systemd
def test_verify_would_say_something__of_a_key_that_does_not_exist(machine: Path) -> None:
    broken = machine / "etc/systemd/system/broken.service"
    broken.write_text("[Service]\nExecStart=/usr/bin/systemctl\nRestartt=always\n")
    verified = run("systemd-analyze", "verify", f"--root={machine}", broken.name)
    broken.unlink()
    assert "Restartt" in verified.stderr


@needs_systemd
@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_no_service_is_more_exposed_than_it_has_to_be(machine: Path, name: str) -> None:
    most = MOST_EXPOSED.get(name, HUB_MOST_EXPOSED)
    options = ("--offline=yes", f"--threshold={round(10 * most)}", "--no-pager", f"--root={machine}")
    judged = run("systemd-analyze", "security", *options, name)
    assert judged.returncode == 0, judged.stdout[-200:] + judged.stderr


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_service_never_gives_up__unless_it_ends_by_itself(name: str) -> None:
    described = unit(name)
    if described["Type"] != ["oneshot"]:
        assert (described["Restart"], described["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_the_station_may_read_the_clock_and_not_set_it() -> None:
    described, common = unit("gatepost-kiosk.service"), unit("gatepost-.service.d/10-hardening.conf")
    assert "ProtectClock" not in described | common
    assert "clock_adjtime" in described["SystemCallFilter"][-1].split()
    assert common["CapabilityBoundingSet"] == [""]


def test_the_browser_keeps_its_sandbox_and_writes_to_memory_alone() -> None:
    described = unit("gatepost-screen.service")
    command = described["ExecStart"][0].split()
    assert "--no-sandbox" not in command
    assert described["RestrictNamespaces"] == ["user pid net"]
    assert f"--user-data-dir=/run/{described['RuntimeDirectory'][0]}/profile" in command


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_parses(name: str) -> None:
    assert run("sh", "-n", SYSTEMD / name).returncode == 0


@needs_shellcheck
def test_shellcheck_has_nothing_to_say() -> None:
    checked = subprocess.run(["shellcheck", "-x", *SCRIPTS], cwd=SYSTEMD, capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.returncode) == ("", 0)


@pytest.mark.parametrize("script", ["install.sh", "uninstall.sh"])
def test_an_unknown_option_is_refused(script: str) -> None:
    refused = run("sh", SYSTEMD / script, "--nonsense")
    assert refused.returncode == 1
    assert "unknown: --nonsense" in refused.stderr


@pytest.mark.parametrize(
    ("architecture", "words"), [("armhf", "needs 64 bits"), ("i386", "needs 64 bits"), ("riscv64", "needs 64 bits")]
)
def test_a_32_bit_system_is_refused_with_words(tmp_path: Path, architecture: str, words: str) -> None:
    dpkg = tmp_path / "dpkg"
    dpkg.write_text(f"#!/bin/sh\necho {architecture}\n")
    dpkg.chmod(0o755)
    refused = sourced(f"PATH={tmp_path}:$PATH; check_machine")
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "64-bit Raspberry Pi OS" in refused.stderr


USERS_LINES = "dtparam=audio=on\n[all]\ndtoverlay=vc4-kms-v3d\n"


def test_config_txt__ours_once_and_the_users_lines_as_they_were(tmp_path: Path) -> None:
    config = tmp_path / "config.txt"
    config.write_text(USERS_LINES)
    texts = []
    for _ in range(2):
        written = sourced(f"pi_lines 'dtoverlay=i2c-rtc,ds3231' | with_block {config}").stdout
        config.write_text(written)
        texts.append(written)
    assert texts[0] == texts[1]
    assert texts[0].startswith(USERS_LINES)
    lines = texts[0].splitlines()
    assert [lines.count(line) for line in ("dtparam=i2c_arm=on", "dtparam=watchdog=on", "enable_uart=1")] == [1, 1, 1]
    assert sourced(f"kept_clock {config}").stdout == "dtoverlay=i2c-rtc,ds3231\n"
    assert sourced(f"with_block {config} </dev/null").stdout == USERS_LINES


def test_an_unknown_clock_is_refused_with_those_that_are_known() -> None:
    refused = sourced("clock_line ds9999")
    assert refused.returncode == 1
    assert "pcf8523" in refused.stderr


@pytest.mark.parametrize(
    ("function", "line", "expected"),
    [
        ("without_serial_console", "console=serial0,115200 console=tty1 root=X", "console=tty1 root=X"),
        ("without_serial_console", "console=tty1 root=X", "console=tty1 root=X"),
        ("without_serial_console", "root=X console=ttyAMA0,115200n8", "root=X "),
        ("root_alone", "overlayroot=tmpfs root=X", "overlayroot=tmpfs:recurse=0 root=X"),
        ("root_alone", "overlayroot=tmpfs:recurse=0 root=X", "overlayroot=tmpfs:recurse=0 root=X"),
        ("root_alone", "root=X overlayroot=tmpfs", "root=X overlayroot=tmpfs:recurse=0"),
        ("without_overlay", "overlayroot=tmpfs:recurse=0 root=X", "root=X"),
        ("without_overlay", "root=X quiet", "root=X quiet"),
    ],
)  # fmt: skip
def test_the_kernels_command_line(function: str, line: str, expected: str) -> None:
    assert sourced(function, given=line + "\n").stdout == expected + "\n"


def test_put__writes_what_differs_and_counts_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    if os.geteuid() != 0:
        pytest.skip("files of root's are made by root alone")
    done = sourced(f"for n in 1 1 2; do echo $n | put {target} 640; done; changes")
    assert done.stdout.split("\n")[:3] == [f"  wrote {target}", f"  wrote {target}", "2"]
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("2\n", 0o640)


@pytest.fixture
def kiosk_toml(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text('[place]\ngate_name = "东门"\n[hub]\nhost = "hub.example.org"\nport = 8883\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("asked", "value"),
    [(["hub.host"], "hub.example.org"), (["hub.port", "1883"], "8883"), (["place.gate_name"], "东门"),
     (["hub.ca_file", "none"], "none"), (["screen.port", "8080"], "8080"), (["hub.host.name"], "")],
)  # fmt: skip
def test_a_setting_is_read_for_the_shell(kiosk_toml: Path, asked: list[str], value: str) -> None:
    assert run(sys.executable, SYSTEMD / "setting.py", kiosk_toml, *asked).stdout == value + "\n"


def test_a_setting_of_a_bad_file__ends_with_the_line(kiosk_toml: Path) -> None:
    kiosk_toml.write_text("[hub\n")
    refused = run(sys.executable, SYSTEMD / "setting.py", kiosk_toml, "hub.host")
    assert refused.returncode == 1
    assert "line 1" in refused.stderr


def pins(path: Path) -> dict[str, set[str]]:
    """Package → its versions, of which there may be several by Python's version."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;]+)", path.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_appliance_runs_what_was_tested__without_the_tools_of_development() -> None:
    appliance, tested = pins(SYSTEMD / "requirements.lock"), pins(HERE / "requirements.lock")
    common = appliance.keys() - {"simplejpeg"}
    assert {name: tested.get(name) for name in common} == {name: appliance[name] for name in common}
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[<>=\[; ]", dependency)[0] for dependency in project["dependencies"]}
    assert needed <= set(appliance)
    assert not {"pytest", "mypy", "playwright"} & set(appliance)


@pytest.mark.parametrize("part", ["ingest", "run"])
def test_the_hub_tells_systemd_when_it_is_ready(tmp_path: Path, part: str) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(f"[broker]\nport = {free_port()}\n[web]\nport = {free_port()}\n")
    hub = [sys.executable, "-m", "hub.cli"]
    subprocess.run([*hub, "init", "--config", config], check=True, capture_output=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        environ = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        process = subprocess.Popen([*hub, part, "--config", config], env=environ, stderr=subprocess.DEVNULL)
        try:
            assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
            process.wait()
