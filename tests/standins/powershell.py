"""As much of PowerShell as exosync's scripts are written in, to try what they do.

No package that the tests could install carries PowerShell itself. So a script is parsed by
tree-sitter's grammar, and this runs what the grammar gives, by PowerShell's rules: names in any
case, what a function sees of its caller's variables, pipelines that unroll lists, null and empty
lists, what counts as true. What it does not know it refuses. Sources: about_Operators,
about_Booleans, about_Scopes, about_Splatting and about_Pipelines on learn.microsoft.com.

    shell = Shell(cmdlets)          # how a command of Exchange's is done
    shell.load(text)                # as a person pastes it
    shell.run("Invoke-ExosyncStep", what_if=True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.standins import powershell_values as values
from tests.standins.powershell_tree import (
    all_of,
    child_of,
    faults,
    found_in,
    is_splat,
    parse,
    text_of,
)
from tests.standins.powershell_values import Thing, Thrown, Value

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Shell", "Thing", "Thrown", "faults", "parse"]

Cmdlets = Callable[[str, dict[str, Value]], list[Value]]
_Own = Callable[..., list[Value]]

COMMON = frozenset({"erroraction", "warningaction"})
"""Parameters of every command that are PowerShell's own."""


class _Returned(Exception):
    def __init__(self, outputs: list[Value]) -> None:
        self.outputs = outputs


@dataclass
class _Scope:
    variables: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, Node] = field(default_factory=dict)
    parent: _Scope | None = None

    def get(self, name: str) -> Value:
        scope: _Scope | None = self
        while scope is not None:
            if name.lower() in scope.variables:
                return scope.variables[name.lower()]
            scope = scope.parent
        return None

    def function(self, name: str) -> Node | None:
        scope: _Scope | None = self
        while scope is not None:
            if name.lower() in scope.functions:
                return scope.functions[name.lower()]
            scope = scope.parent
        return None


@dataclass(frozen=True)
class _Cmdlet:
    """$PSCmdlet: what asks whether to do a thing."""

    shell: Shell

    def should_process(self, target: str, action: str) -> bool:
        self.shell.asked.append((target, action))
        return not self.shell.what_if


class Shell:
    """One console. `said` is what was written for people, `asked` what ShouldProcess was asked."""

    def __init__(self, cmdlets: Cmdlets) -> None:
        self.said: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.what_if = False
        self._cmdlets = cmdlets
        self._top = _Scope({"true": True, "false": False, "null": None})

    def load(self, text: str) -> None:
        """Run a text as it is pasted."""
        self._block(parse(text), self._top)

    def run(self, function: str, *, what_if: bool = False) -> list[Value]:
        """Call a function; gives what it puts out. Raises Thrown."""
        node = self._top.function(function)
        assert node is not None, f"the text defines no {function}"
        self.what_if = what_if
        scope = {"pscmdlet": _Cmdlet(self), "whatifpreference": what_if}
        return self._call(node, [], {}, _Scope(scope, parent=self._top))

    # Statements

    def _block(self, node: Node, scope: _Scope) -> list[Value]:
        out: list[Value] = []
        for one in node.named_children:
            out += self._statement(one, scope)
        return out

    def _statement(self, node: Node, scope: _Scope) -> list[Value]:
        match node.type:
            case "comment" | "param_block":
                return []
            case "statement_list" | "script_block_body" | "script_block" | "statement_block":
                return self._block(node, scope)
            case "function_statement":
                scope.functions[text_of(child_of(node, "function_name")).lower()] = node
                return []
            case "if_statement" | "elseif_clauses":
                return self._if(node, scope)
            case "foreach_statement":
                return self._foreach(node, scope)
            case "flow_control_statement":
                return self._leave(node, scope)
            case "pipeline":
                return self._pipeline(node, scope)
        raise NotImplementedError(f"{node.type}: {text_of(node)}")

    def _if(self, node: Node, scope: _Scope) -> list[Value]:
        clauses = [
            node,
            *(one for each in all_of(node, "elseif_clauses") for one in each.named_children),
        ]
        for one in clauses:
            if values.truth(self._value(child_of(one, "pipeline"), scope)):
                return self._block(child_of(one, "statement_block"), scope)
        for one in all_of(node, "else_clause"):
            return self._block(child_of(one, "statement_block"), scope)
        return []

    def _foreach(self, node: Node, scope: _Scope) -> list[Value]:
        name, among = text_of(child_of(node, "variable"))[1:].lower(), child_of(node, "pipeline")
        out: list[Value] = []
        for one in values.unrolled(self._value(among, scope)):
            scope.variables[name] = one
            out += self._block(child_of(node, "statement_block"), scope)
        return out

    def _leave(self, node: Node, scope: _Scope) -> list[Value]:
        given = [one for one in node.named_children if one.type == "pipeline"]
        if node.children[0].type.lower() == "throw":
            raise Thrown(values.string(self._value(given[0], scope)))
        raise _Returned(self._pipeline(given[0], scope) if given else [])

    def _pipeline(self, node: Node, scope: _Scope) -> list[Value]:
        inner = node.named_children[0]
        if inner.type == "assignment_expression":
            self._assign(inner, scope)
            return []
        flowing: list[Value] | None = None
        for part in inner.named_children:
            if part.type == "command":
                flowing = self._command(part, scope, flowing or [])
            else:
                flowing = values.unrolled(self._value(part, scope))
        return flowing or []

    def _assign(self, node: Node, scope: _Scope) -> None:
        left, sign, right = node.named_children
        name, value = text_of(left)[1:].lower(), self._value(right, scope)
        if text_of(sign) == "+=":
            value = [*values.unrolled(scope.get(name)), *values.unrolled(value)]
        scope.variables[name] = value

    # Commands

    def _command(self, node: Node, scope: _Scope, flowing: list[Value]) -> list[Value]:
        name = text_of(child_of(node, "command_name"))
        arguments, named = self._arguments(node, scope)
        function = scope.function(name)
        if function is not None:
            return self._call(function, arguments, named, scope)
        own: dict[str, _Own] = {
            "where-object": self._where,
            "foreach-object": self._for_each,
            "sort-object": self._sort,
            "select-object": self._select,
            "format-list": lambda some, *_: some,
            "set-strictmode": lambda *_: [],
            "write-host": self._write,
        }
        if name.lower() in own:
            return own[name.lower()](flowing, arguments, named, scope)
        plain = {key: one for key, one in named.items() if key.lower() not in COMMON}
        return self._cmdlets(name, plain)

    def _arguments(self, node: Node, scope: _Scope) -> tuple[list[Value], dict[str, Value]]:
        plain: list[Value] = []
        named: dict[str, Value] = {}
        waiting = ""
        elements = [one for each in all_of(node, "command_elements") for one in each.named_children]
        for one in (each for each in elements if each.type != "command_argument_sep"):
            if one.type == "command_parameter":
                named[text_of(one)[1:]] = True
                waiting = text_of(one)[1:]
            elif text_of(one).startswith("@") and one.type != "generic_token" and is_splat(one):
                named |= scope.get(text_of(one)[1:])
            elif waiting:
                named[waiting], waiting = self._argument(one, scope), ""
            else:
                plain.append(self._argument(one, scope))
        return plain, named

    def _argument(self, node: Node, scope: _Scope) -> Value:
        return text_of(node) if node.type == "generic_token" else self._value(node, scope)

    def _call(
        self, function: Node, arguments: list[Value], named: dict[str, Value], scope: _Scope
    ) -> list[Value]:
        inner = _Scope(parent=scope)
        assert not named, "functions of the scripts are called by position"
        parameters = list(found_in(function, "script_parameter"))
        assert len(arguments) <= len(parameters)
        for index, one in enumerate(parameters):
            value = arguments[index] if index < len(arguments) else None
            is_string = "[string]" in text_of(one).lower()
            inner.variables[text_of(child_of(one, "variable"))[1:].lower()] = (
                values.string(value) if is_string else value
            )
        try:
            return self._block(child_of(function, "script_block"), inner)
        except _Returned as left:
            return left.outputs

    def _where(self, flowing: list[Value], arguments: list[Value], *rest: Any) -> list[Value]:
        return [
            one
            for one in flowing
            if values.truth(values.one(self._with(one, arguments[0], rest[-1])))
        ]

    def _for_each(self, flowing: list[Value], arguments: list[Value], *rest: Any) -> list[Value]:
        return [out for one in flowing for out in self._with(one, arguments[0], rest[-1])]

    def _with(self, item: Value, block: Node, scope: _Scope) -> list[Value]:
        before = scope.variables.get("_")
        scope.variables["_"] = item
        try:
            return self._block(child_of(block, "script_block"), scope)
        finally:
            scope.variables["_"] = before

    def _sort(
        self, flowing: list[Value], _: list[Value], named: dict[str, Value], _scope: _Scope
    ) -> list[Value]:
        by = named.get("Property")
        ordered = sorted(
            flowing, key=lambda one: values.string(values.member(one, by) if by else one).lower()
        )
        if not named.get("Unique"):
            return ordered
        found = {
            values.string(values.member(one, by) if by else one).lower(): one
            for one in reversed(ordered)
        }
        return list(reversed(found.values()))

    def _select(
        self, flowing: list[Value], _: list[Value], named: dict[str, Value], _scope: _Scope
    ) -> list[Value]:
        names = values.unrolled(named["Property"])
        return [Thing({name: values.member(one, name) for name in names}) for one in flowing]

    def _write(self, _: list[Value], arguments: list[Value], *_rest: Any) -> list[Value]:
        self.said.append(" ".join(map(values.string, arguments)))
        return []

    # Expressions

    def _value(self, node: Node, scope: _Scope) -> Value:
        known = _EXPRESSIONS.get(node.type)
        if known is not None:
            return known(self, node, scope)
        found = node.named_children
        if len(found) == 1:
            return self._value(found[0], scope)
        if node.type == "array_literal_expression":
            return [self._value(one, scope) for one in found]
        return self._binary(node, scope)

    def _inner(self, node: Node, scope: _Scope) -> Value:
        """A pipeline as a value: an expression as it is, what commands put out unrolled."""
        parts = node.named_children[0].named_children
        if len(parts) == 1 and parts[0].type != "command":
            return self._value(parts[0], scope)
        return values.one(self._pipeline(node, scope))

    def _variable(self, node: Node, scope: _Scope) -> Value:
        return scope.get(text_of(node)[1:])

    def _array(self, node: Node, scope: _Scope) -> list[Value]:
        return [out for one in node.named_children for out in self._block(one, scope)]

    def _table(self, node: Node, scope: _Scope) -> dict[str, Value]:
        entries = found_in(node, "hash_entry")
        return {
            text_of(one.named_children[0]): self._value(one.named_children[1], scope)
            for one in entries
        }

    def _of(self, node: Node, scope: _Scope) -> Value:
        base, *rest = node.named_children
        of = self._value(base, scope)
        if node.type == "element_access":
            return values.element(of, self._value(rest[0], scope))
        named = rest[0].named_children[0]
        name = (
            values.string(self._value(named, scope)) if named.type == "variable" else text_of(named)
        )
        if node.type == "member_access":
            return values.member(of, name)
        inside = [one for each in rest[1:] for one in found_in(each, "argument_expression")]
        given = [self._value(one, scope) for one in inside]
        if isinstance(of, _Cmdlet):
            assert name == "ShouldProcess"
            return of.should_process(*given)
        return values.method(of, name, given)

    def _unary(self, node: Node, scope: _Scope) -> Value:
        casts = all_of(node, "cast_expression")
        if not casts:
            inner, sign = self._value(node.named_children[0], scope), node.children[0].type.lower()
            assert sign in ("-", "-not"), text_of(node)
            return -inner if sign == "-" else not values.truth(inner)
        type_, inner = casts[0].named_children
        value = self._value(inner, scope)
        match text_of(type_).lower():
            case "[string]":
                return values.string(value)
            case "[char]":
                return chr(value)
            case "[int]":
                return ord(value) if isinstance(value, str) else int(value)
        raise NotImplementedError(text_of(type_))

    def _binary(self, node: Node, scope: _Scope) -> Value:
        left, right = node.named_children[0], node.named_children[-1]
        sign = (
            next(text_of(one) for one in node.children if one not in (left, right)).lower().strip()
        )
        if sign in ("-and", "-or"):
            first = values.truth(self._value(left, scope))
            return first if first == (sign == "-or") else values.truth(self._value(right, scope))
        return values.OPERATORS[sign](self._value(left, scope), self._value(right, scope))


_EXPRESSIONS: dict[str, Callable[[Shell, Node, _Scope], Value]] = {
    "pipeline": Shell._inner,
    "variable": Shell._variable,
    "string_literal": lambda _shell, node, _scope: values.unquoted(text_of(node)),
    "integer_literal": lambda _shell, node, _scope: int(text_of(node), 0),
    "script_block_expression": lambda _shell, node, _scope: node,
    "array_expression": Shell._array,
    "hash_literal_expression": Shell._table,
    "member_access": Shell._of,
    "element_access": Shell._of,
    "invokation_expression": Shell._of,
    "expression_with_unary_operator": Shell._unary,
}
