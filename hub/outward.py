"""Where channels may lead: not into the hub's own machine and network, unless hub.toml says so.

Whoever may add a channel could otherwise have the hub knock on doors that only the hub reaches, such as its broker, its database
or a router's pages (server-side request forgery, CWE-918).
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable

from hub import channels
from hub.registry.errors import RegistryError

_HOSTS = ("host", "smtp_host")
"""Under which names the services of apprise keep the host that they connect to."""


def check(address: str, local_hosts: Collection[str]) -> None:
    """Raises `RegistryError` for an address whose host is, or resolves to, one that is not public and not among `local_hosts`
    (names, addresses, networks). Asks the resolver: blocks. A host that does not resolve is left to the service to complain of.
    """
    service = channels.services().Apprise.instantiate(address)
    for host in _hosts(service):
        inside = [one for one in _addresses(host) if not _is_public(one)]
        if inside and not _is_listed(host, inside, local_hosts):
            raise RegistryError(
                f"the address leads to {host[:80]}, inside of the hub's own network: "
                "if that is meant, name it in hub.toml under [alerts] local_hosts"
            )


def _hosts(service: object) -> Iterable[str]:
    """The hosts that a service connects to; one that is known by its own name alone, such as wecombot, has none."""
    if "host" not in getattr(service, "template_tokens", {}):
        return ()
    named = (getattr(service, name, None) for name in _HOSTS)
    return [host for host in named if isinstance(host, str) and host]


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_global and not inner.is_multicast


def _is_listed(
    host: str, inside: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address], local_hosts: Collection[str]
) -> bool:  # fmt: skip
    if host.lower() in {one.lower() for one in local_hosts}:
        return True
    networks = [network for one in local_hosts if (network := _network(one)) is not None]
    return all(any(one in network for network in networks if network.version == one.version) for one in inside)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
