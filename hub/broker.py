"""A Mosquitto of our own for the demonstration and the tests, and the access files that any Mosquitto of a hub needs."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from contract import topics

HUB_USER = "hub"


@dataclass(frozen=True)
class Login:
    """A station on the broker: its user name is its id, by a password or, without one, by its certificate."""

    station: str
    compound: str
    password: str = ""


@dataclass(frozen=True)
class Trust:
    """By what the broker knows stations' certificates, and which it is to refuse; in PEM."""

    authorities: str
    revoked: str


class BrokerMissing(RuntimeError):
    """No Mosquitto on this machine, or it did not start."""


def acl(logins: Iterable[Login], mark: str = "") -> str:
    """The ACL file: the hub all of gatepost/, each station only its own name and its own compound.

    `mark`: to `mark_topic` of it the hub may write once the broker has read this file, and no sooner.
    """
    lines = [f"user {HUB_USER}", f"topic readwrite {topics.ROOT}/#", *([f"topic write {mark_topic(mark)}"] if mark else []), ""]
    for login in logins:
        own, compound = f"{topics.ROOT}/station/{login.station}", f"{topics.ROOT}/compound/{login.compound}"
        channels = [(c, d.from_station) for c, d in topics.DELIVERY.items()]
        lines.append(f"user {login.station}")
        lines += [f"topic {'write' if up else 'read'} {own}/{c}{'/#' if c == 'blob' else ''}" for c, up in channels]
        lines += [f"topic read {compound}/#", ""]
    return "\n".join(lines)


def mark_topic(mark: str) -> str:
    """The topic by which the hub finds out whether the broker has read its access files."""
    return f"gatepost/access/{mark}"


def write_access(folder: Path, hub_password: str, logins: Iterable[Login], trust: Trust | None = None, mark: str = "") -> None:
    """Write `passwords`, `acl` and, with `trust`, `stations-ca.pem` and `stations.crl` for Mosquitto, for their owner alone.

    Each is there whole or not at all; `acl` is the last, since its change has the broker read all of them again.
    """
    logins = list(logins)
    plain = [(HUB_USER, hub_password), *((x.station, x.password) for x in logins if x.password)]
    if trust is not None:
        _put(folder / "stations-ca.pem", trust.authorities)
        _put(folder / "stations.crl", trust.revoked)
    fresh = _write_private(folder / "passwords.new", "".join(f"{user}:{password}\n" for user, password in plain))
    subprocess.run([_program("mosquitto_passwd"), "-U", str(fresh)], check=True, capture_output=True)
    fresh.replace(folder / "passwords")
    _put(folder / "acl", acl(logins, mark))


def free_port() -> int:
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """A Mosquitto process on 127.0.0.1, with everything of it in one folder; ended by its process id."""

    def __init__(self, folder: Path, hub_password: str, logins: Iterable[Login], port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        write_access(folder, hub_password, logins)
        (folder / "mosquitto.conf").write_text(self._configuration(), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once it takes connections; raises `BrokerMissing`."""
        with (self.folder / "mosquitto.log").open("ab") as log:
            command = [_program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(100):
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise BrokerMissing(f"Mosquitto did not start; see {self.folder / 'mosquitto.log'}")

    def reload(self) -> None:
        """Have it read passwords and ACL again (SIGHUP)."""
        if self._process is not None:
            self._process.send_signal(1)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def stop(self, kill: bool = False) -> None:
        """End it and wait until it has ended; `kill` as a power cut would (SIGKILL)."""
        if self._process is None:
            return
        self._process.kill() if kill else self._process.terminate()
        self._process.wait(timeout=10)
        self._process = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _configuration(self) -> str:
        return "\n".join(
            [
                f"listener {self.port} 127.0.0.1",
                "allow_anonymous false",
                f"password_file {self.folder.resolve() / 'passwords'}",
                f"acl_file {self.folder.resolve() / 'acl'}",
                "persistence false",  # nothing rests on it: stations send again, the hub publishes the directory again
                "max_queued_messages 0",
                "max_inflight_messages 100",
                "log_type error",
                "log_type warning",
                "log_dest stderr",
                *(["user root"] if os.geteuid() == 0 else []),
                "",
            ]
        )


def _put(path: Path, text: str) -> None:
    _write_private(path.with_name(f"{path.name}.new"), text).replace(path)


def _write_private(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerMissing(f"{name} is not installed: apt-get install mosquitto mosquitto-clients")
    return found
