"""Fixtures that every folder of tests shares."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from hub.broker import Login, Mosquitto

HUB_PASSWORD = "hub-secret"
SPREAD = "tests/e2e/test_station_"
"""Files whose tests wait more than they reckon and share nothing costly: each test goes to whichever worker is free."""
LOGINS = (Login("s1", "c1", "s1-secret"), Login("s2", "c1", "s2-secret"), Login("s3", "c2", "s3-secret"))

settings.register_profile("unhurried", deadline=None)  # no test asserts a time, on however busy a machine
settings.load_profile("unhurried")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto with the hub's and three stations' credentials: s1 and s2 in compound c1, s3 in c2."""
    with Mosquitto(tmp_path / "mosquitto", HUB_PASSWORD, LOGINS) as broker:
        yield broker


class ByFile(LoadScopeScheduling):
    """A file is one worker's (its module's fixtures are made once), but for those that are spread over all."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(SPREAD) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How the tests are shared out among the workers."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers last: their driver's event loop lives on in its worker, where no other may begin then."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/e2e"))
