"""Fixtures that every folder of tests shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.broker import Login, Mosquitto

HUB_PASSWORD = "hub-secret"
LOGINS = (Login("s1", "c1", "s1-secret"), Login("s2", "c1", "s2-secret"), Login("s3", "c2", "s3-secret"))


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto with the hub's and three stations' credentials: s1 and s2 in compound c1, s3 in c2."""
    with Mosquitto(tmp_path / "mosquitto", HUB_PASSWORD, LOGINS) as broker:
        yield broker
