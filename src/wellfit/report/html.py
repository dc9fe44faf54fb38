"""Writing HTML that is safe by construction: whatever is not markup made here is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

from wellfit.report.facts import plain

__all__ = ["Markup", "embedded_json", "fold", "join", "script_text", "table", "tag"]

_VOID = frozenset({"meta", "link", "br", "hr", "img"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> str:
    """Give a value as text for HTML, in an element or in a quoted attribute.

    >>> escaped('<b a="1">'), escaped(tag("b"))
    ('&lt;b a=&quot;1&quot;&gt;', '<b></b>')
    """
    if isinstance(value, Markup):
        return str(value)
    text = str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return html.escape(text, quote=True)


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Make an element; ``class_`` is the class, ``data_x`` is data-x, an attribute of None is left out.

    >>> tag("td", "a<b", class_="best", title=None)
    '<td class="best">a&lt;b</td>'
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escaped(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[object], between: str = "") -> Markup:
    """Put children behind each other, leaving out those that are None."""
    return Markup(between.join(escaped(child) for child in children if child is not None))


def fold(summary: object, *children: object) -> Markup:
    """Make a part that is closed until it is asked for."""
    return tag("details", tag("summary", summary), *children)


def table(head: Sequence[object], rows: Iterable[Sequence[object]], *, caption: str, numeric: bool = False) -> Markup:
    """Make a table that scrolls by itself on a narrow screen; the first cell of a row is its heading.

    A cell that is a ``td`` already is taken as it is.
    """
    body = [tag("tr", tag("th", first, scope="row"), *[_cell(cell) for cell in rest]) for first, *rest in rows]
    made = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *[tag("th", name, scope="col") for name in head])),
        tag("tbody", *body),
        class_="numeric" if numeric else None,
    )
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(cell: object) -> Markup:
    return cell if isinstance(cell, Markup) and cell.startswith("<td") else tag("td", cell)


def embedded_json(value: Any) -> Markup:
    r"""Give a value as JSON that can stand inside a script element, whatever strings are in it.

    >>> embedded_json({"a": "</script><!--"})
    '{"a":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def script_text(source: str) -> Markup:
    """Give JavaScript of ours as it can stand inside a script element."""
    return Markup(source.replace("</script", "<\\/script").replace("<!--", "<\\!--"))
