"""Addresses of inputs and results: what may be shown of them, and which may be asked.

Owns leaving secrets out of URIs, and telling public IP addresses from others. Must not connect to
anything.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

#: The only part of IPv6 that hosts of the Internet have addresses in (RFC 4291, section 2.4).
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
#: Addresses that a router turns into IPv4 ones, whichever these are (RFC 3056, deprecated).
_6TO4: Final = ipaddress.IPv6Network("2002::/16")
#: Addresses that stand for IPv4 ones where a network has no IPv4 (RFC 6052, section 2.1).
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def redacted(uri: str) -> str:
    """Return a URI without what may be secret in it: user, password, query and fragment."""
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("", "file"):
            return uri
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", ""))
    except ValueError:
        return f"{uri.partition(':')[0]}:…"


def without_secrets(document: Any) -> Any:
    """Take users, passwords and queries, which may be signatures, out of all addresses."""
    if isinstance(document, Mapping):
        return {key: without_secrets(value) for key, value in document.items()}
    if isinstance(document, list):
        return [without_secrets(item) for item in document]
    return (
        redacted(document) if isinstance(document, str) and _ADDRESS.match(document) else document
    )


def is_elsewhere(host: str) -> bool:
    """Whether a host may be a public one, as far as can be told without asking anybody.

    Numbers are read in all the ways that a connection reads them: ``127.1``, ``0x7f000001``.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return False
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return True  # a name: it is looked up when it is asked
    return all(is_public(str(one[4][0])) for one in found)


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody may be sent to.

    IPv6 has several ways to say an IPv4 address; those that lead to one are judged by it, and all
    that are no longer in use are refused.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _GLOBAL_UNICAST or ip in _6TO4:
            return False
    return ip.is_global and not ip.is_multicast
