"""A channel leads nowhere that only the hub itself can reach, unless hub.toml names it."""

import socket
from typing import Any

import pytest

from hub import outward
from hub.registry.errors import RegistryError


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names as a resolver would have them; an address is itself."""
    names = {"public.example.org": "93.184.215.14", "inside.example.org": "10.1.2.3", "both.example.org": "10.1.2.3"}

    def resolve(host: str, *args: Any, **more: Any) -> Any:
        found = [names.get(host, host)] + (["93.184.215.14"] if host.startswith("both") else [])
        if not all(one[0].isdigit() or ":" in one for one in found):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:8800/api", "json://[::1]/x", "jsons://169.254.169.254/latest/meta-data", "xml://10.0.0.1",
        "form://192.168.1.1/cgi", "json://0.0.0.0:1883", "json://inside.example.org/x", "json://both.example.org/x",
        "json://[::ffff:127.0.0.1]/x", "mailto://u:p@public.example.org?smtp=127.0.0.1", "mqtt://127.0.0.1/gatepost/v1/x",
        "gotify://172.16.0.9/token", "json://224.0.0.1/x", "json://100.64.0.1/x", "json://[fe80::1]/x",
    ],
)  # fmt: skip
def test_fail__inside(address: str) -> None:
    with pytest.raises(RegistryError, match="local_hosts"):
        outward.check(address, ())


@pytest.mark.parametrize(
    "address",
    ["json://public.example.org/x", "json://93.184.215.14/x", "wecombot://botkey", "json://unknown.example.org/x",
     "mailto://u:p@public.example.org"],
)  # fmt: skip
def test_ok__outside(address: str) -> None:
    outward.check(address, ())


@pytest.mark.parametrize("listed", ["10.1.2.3", "10.1.0.0/16", "INSIDE.example.org"])
def test_ok__listed(listed: str) -> None:
    outward.check("json://inside.example.org/x", ("192.168.0.0/24", listed))


def test_fail__another_one_is_listed() -> None:
    with pytest.raises(RegistryError):
        outward.check("json://inside.example.org/x", ("10.1.2.4", "fd00::/8", "other.example.org"))
