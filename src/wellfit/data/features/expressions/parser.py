"""Tokens to a tree, by the grammar:

comparison  sum [(< | <= | > | >= | == | !=) sum]
sum         product {(+ | -) product}
product     signed {(* | /) signed}
signed      [- | +] signed  |  power
power       atom [** signed]
atom        number | column | function ( comparison ) | ( comparison )
"""  # noqa: D415

from __future__ import annotations

from typing import cast

from wellfit.data.features.expressions.tokens import Token, broken, tokens
from wellfit.data.features.expressions.tree import FUNCTIONS, Binary, Call, Column, Negate, Node, Number, Sign
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["parse"]

DEEPEST = 20
"""How deep brackets, signs and powers may stand in one another."""


def parse(text: str) -> Node:
    """Read an expression.

    >>> parse("-a ** 2")
    Negate(inner=Binary(sign='**', left=Column(name='a', place=2), right=Number(value=2.0)))

    Raises:
        ConfigError: It isn't one, with the place where it stops to be.
    """
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._comparison()
        if self._token.kind != "end":
            raise self._unexpected("an operator or the end")
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _taken(self, *signs: str) -> Token | None:
        """Take the next token if it is one of these signs."""
        token = self._token
        if token.kind != "sign" or token.text not in signs:
            return None
        self._next += 1
        return token

    def _unexpected(self, wanted: str, do: str = "") -> ConfigError:
        return broken(f"There must be {wanted}", self._token.place, self.text, do)

    def _comparison(self) -> Node:
        left = self._sum()
        sign = self._taken("<", "<=", ">", ">=", "==", "!=")
        if sign is None:
            return left
        compared = Binary(cast(Sign, sign.text), left, self._sum())
        if self._taken("<", "<=", ">", ">=", "==", "!="):
            self._next -= 1
            raise self._unexpected("one comparison, and this is the second", "Multiply two: (0 < a) * (a < 1).")
        return compared

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._taken("+", "-"):
            node = Binary(cast(Sign, sign.text), node, self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while sign := self._taken("*", "/"):
            node = Binary(cast(Sign, sign.text), node, self._signed())
        return node

    def _signed(self) -> Node:
        sign = self._taken("-", "+")
        if sign is None:
            return self._power()
        inner = self._deeper(self._signed)
        return Negate(inner) if sign.text == "-" else inner

    def _power(self) -> Node:
        base = self._atom()
        return Binary("**", base, self._deeper(self._signed)) if self._taken("**") else base

    def _atom(self) -> Node:
        token = self._token
        if self._taken("("):
            return self._closed(token)
        if token.kind not in ("number", "name", "quoted"):
            raise self._unexpected("a column, a number or a bracket")
        self._next += 1
        if token.kind == "number":
            return self._number(token)
        if token.kind == "name" and (bracket := self._taken("(")):
            return self._call(token, bracket)
        return Column(token.text, token.place)

    def _number(self, token: Token) -> Node:
        value = float(token.text)
        if value > 1e100:
            raise broken("Numbers go up to 1e100, and there is a larger one", token.place, self.text)
        return Number(value)

    def _call(self, token: Token, bracket: Token) -> Node:
        if token.text not in FUNCTIONS:
            raise broken("There is no such function", token.place, self.text, did_you_mean(token.text, FUNCTIONS))
        return Call(token.text, self._closed(bracket))

    def _closed(self, bracket: Token) -> Node:
        """Read what stands in brackets, the first of which was taken."""
        inner = self._deeper(self._comparison)
        if not self._taken(")"):
            do = f"The bracket at character {bracket.place} is open." if self._token.kind == "end" else ""
            raise self._unexpected("an operator or ')'", do)
        return inner

    def _deeper(self, read: object) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise broken(f"Brackets are at most {DEEPEST} deep, and there is one more", self._token.place, self.text)
        node: Node = read()  # type: ignore[operator]
        self._depth -= 1
        return node
