"""Whether a request means this server: the Host header against the names that it goes by.

A page on the web can have its own name point to a loopback address, and so make a visitor's
browser ask us as if we were it (DNS rebinding). The browser then still sends that name as
Host, so only names that are known here are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from exosync.core.listen import split_listen

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")


def host_of(header: str) -> str | None:
    """The name or address in a Host header, lower case and bare; None if it is none at all."""
    found = _HOST.fullmatch(header)
    return found[1].strip("[]").rstrip(".").lower() if found else None


def is_meant(host: str, *, listen: str, names: Iterable[str]) -> bool:
    """Whether a name or address is one of ours.

    Where other machines may come, any address will do: which of them leads here depends on
    the network, and nobody can rebind an address. A name has to be configured.
    """
    known = {one.strip().strip("[]").rstrip(".").lower() for one in names} | {"localhost"}
    if host in known:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    ours = split_listen(listen)[0]
    return address.is_loopback or not ours.is_loopback
