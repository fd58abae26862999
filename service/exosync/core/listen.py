"""Where the page is served, and who may be let in there."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

_SHAPE = "must be an address and a port, like 127.0.0.1:8620, 0.0.0.0:8620 or [::1]:8620"

Address = IPv4Address | IPv6Address


def split_listen(text: str) -> tuple[Address, int]:
    """Read `127.0.0.1:8620` or `[::1]:8620`; port 0 lets the system choose. Raises ValueError."""
    host, _, port = text.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if bare.lower() == "localhost":
        bare = "127.0.0.1"
    try:
        address, number = ip_address(bare), int(port)
    except ValueError:
        raise ValueError(_SHAPE) from None
    if not port.isdecimal() or number > 65_535 or (":" in bare) != ("[" in host):
        raise ValueError(_SHAPE)
    return address, number


def check_listen(text: str) -> str:
    """The same text, if it is an address and a port. Raises ValueError."""
    split_listen(text)
    return text.strip()


def listen_problem(listen: str | None, *, guarded: bool, public: bool) -> str | None:
    """What is wrong with listening there; `guarded`: readers must show a token."""
    if listen is None or guarded or public:
        return None
    if split_listen(listen)[0].is_loopback:
        return None
    return (
        f"{listen} can be reached from elsewhere: set web.token, so that readers must show it, or "
        "web.public: true to let everybody read"
    )


def reachable(listen: str) -> tuple[str, int]:
    """Where the server itself is reached from the same machine: host and port."""
    address, port = split_listen(listen)
    if address.is_unspecified:
        return ("127.0.0.1" if address.version == 4 else "::1"), port
    return str(address), port
