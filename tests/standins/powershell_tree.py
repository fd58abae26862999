"""Texts of PowerShell as trees, by tree-sitter's grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def parse(text: str) -> Node:
    """The tree of a text."""
    return _parser().parse(text.encode()).root_node


def faults(node: Node) -> Iterator[str]:
    """What the grammar does not know, or misses."""
    if node.type == "ERROR" or node.is_missing:
        yield f"line {node.start_point.row + 1}: {text_of(node)!r}"
    for child in node.children:
        yield from faults(child)


def is_splat(node: Node) -> bool:
    """Whether it is a table whose entries are parameters."""
    return re.fullmatch(r"@\w+", text_of(node)) is not None


def text_of(node: Node) -> str:
    """The text that a node stands for."""
    return (node.text or b"").decode()


def all_of(node: Node, type_: str) -> list[Node]:
    """The nodes of a type right below a node."""
    return [one for one in node.named_children if one.type == type_]


def child_of(node: Node, type_: str) -> Node:
    """The first of them."""
    return all_of(node, type_)[0]


def found_in(node: Node, type_: str) -> Iterator[Node]:
    """The nodes of a type; of a function, without those of functions inside."""
    for one in node.named_children:
        if one.type == type_:
            yield one
        elif one.type not in ("script_block", "hash_literal_expression"):
            yield from found_in(one, type_)
