"""A picture of the address space: where ranges lie, in panels of 256 squares.

A panel is a block of the address space, in sixteen rows of sixteen squares, in address order:
of 40.0.0.0/8 the square in row 5 and column 12 is 40.92.0.0/16. Whatever is smaller than a
square is drawn as the part of it that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

SIDE = 16
MOST_PANELS = 12
SMALLEST = 0.3
"""The width of what would be too small to be seen, in squares."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Mark:
    """A range to draw: what it is drawn as, and what is told of it."""

    cidr: str
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A range in a panel, in squares from the upper left."""

    x: float
    y: float
    width: float
    height: float
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A block of the address space, the prefix length of its squares, and what lies in it."""

    cidr: str
    square: int
    pieces: tuple[Piece, ...]


def panels(marks: Iterable[Mark], version: int) -> list[Panel]:
    """The panels that hold all marks of one IP version, in address order.

    They are as close up as their ranges allow, and wider if there were too many.
    """
    found = [(ip_network(one.cidr), one) for one in marks]
    found = [(network, one) for network, one in found if network.version == version]
    wider = 0
    while True:
        groups: dict[Network, list[tuple[Network, Mark]]] = {}
        for network, one in found:
            groups.setdefault(_panel_of(network, wider), []).append((network, one))
        if len(groups) <= MOST_PANELS or all(one.prefixlen == 0 for one in groups):
            break
        wider += 8
    return [
        Panel(str(block), block.prefixlen + 8, tuple(_piece(block, *one) for one in inside))
        for block, inside in sorted(groups.items(), key=lambda one: one[0].network_address)
    ]


def _panel_of(network: Network, wider: int) -> Network:
    """The block that a range is shown in: it takes at least half a square there."""
    prefix = max(0, (network.prefixlen - 2) // 8 * 8 - wider)
    return network.supernet(new_prefix=prefix)


def _piece(block: Network, network: Network, mark: Mark) -> Piece:
    unit = 1 << (block.max_prefixlen - block.prefixlen - 8)
    offset = int(network.network_address) - int(block.network_address)
    square, rest = divmod(offset, unit)
    row, column = divmod(square, SIDE)
    squares = network.num_addresses / unit
    if squares > SIDE:
        return Piece(0, row, SIDE, squares / SIDE, mark.look, mark.words)
    width = max(squares, SMALLEST)
    x = min(column + rest / unit, SIDE - width)
    return Piece(x, row, width, 1, mark.look, mark.words)
