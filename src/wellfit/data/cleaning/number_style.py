"""How a column writes its numbers: its decimal mark, thousands, shares and units, told by all of its texts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from wellfit.data.cleaning.numbers import DRESSED, LIMIT, LONGEST, PLAIN, STYLES, NumberReader, parse_number, unit_of
from wellfit.data.cleaning.units import UNITS

_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+")

__all__ = ["decimal_mark", "number_style"]

MOST = 0.95
"""The share of a column's texts with one unit, or none, from which on the unit is that of the column."""

ENOUGH = 4_000
"""So many texts tell the style of a column."""

DEEP = 0.2
"""The share of numbers with three decimals or more from which on a column is one of such numbers."""

UNKNOWN_UNIT_TEXTS = 20
"""An unknown word behind numbers is a unit from so many different texts on: ``1st floor`` is a level."""


def number_style(texts: Sequence[str], *, typed: bool = False) -> NumberReader:
    """Give the reader of a column by the style of its different texts.

    >>> number_style(["5%", "0.5", "0.3"]).percent, number_style(["1.5", "2.25", "12,5"]).decimal
    (0.01, '.')
    >>> number_style([f"{number} kg" for number in range(40)]).units
    {'kg': 1.0}
    """
    dressed = [text for text in texts if not PLAIN.fullmatch(text)]
    if len(texts) > ENOUGH:
        plain = [text for text in texts if PLAIN.fullmatch(text)]
        texts = [*_some(plain, ENOUGH // 2), *_some(dressed, ENOUGH // 2)]
    decimal = decimal_mark(texts)
    if not dressed:
        return NumberReader(decimal=decimal, typed=typed)
    return NumberReader(
        decimal=decimal,
        typed=typed,
        grouped=_grouped(texts, decimal),
        percent=_percent(texts, decimal),
        units=_units(texts),
    )


def _some(texts: Sequence[str], count: int) -> Sequence[str]:
    return texts[:: max(1, len(texts) // count)]


def decimal_mark(texts: Iterable[str]) -> str:
    """Give the decimal mark that explains most of a column's different texts; a point where nothing tells.

    >>> decimal_mark(["1.234,5", "1.234"]), decimal_mark(["1,234"]), decimal_mark(["0,5", "2"])
    (',', '.', ',')
    >>> decimal_mark(["12.500", "7", "980", "1.250", "61.875", "15"])
    ','
    """
    bodies = [body for text in texts if (body := _body(text)) is not None]
    votes = sum(
        (STYLES[","].fullmatch(body) is not None) - (STYLES["."].fullmatch(body) is not None) for body in bodies
    )
    return "," if votes > 0 or _points_group(bodies) else "."


def _points_group(bodies: Sequence[str]) -> bool:
    """Say whether points group thousands in a column of whole numbers.

    Every point then stands before three digits; decimals, of which a tenth ends in a zero that is not written, would
    not all have three.
    """
    pointed = [body for body in bodies if "." in body]
    whole = sum(body.isdigit() for body in bodies)
    return 3 <= len(pointed) <= whole and all(_GROUPED.fullmatch(body) for body in pointed)


def _body(text: str) -> str | None:
    dressed = DRESSED.fullmatch(text.strip()) if len(text) <= LONGEST else None
    return None if dressed is None else dressed["body"].strip()


def _grouped(texts: Sequence[str], decimal: str) -> bool:
    """Say whether the other mark before three digits groups thousands.

    A column of three decimals or more that was partly written with the other mark would gain a factor of a thousand; it
    is known by its plain numbers, most of which have so many decimals.
    """
    other = "," if decimal == "." else "."
    if not any(other in text for text in texts):
        return True
    plain = [body for text in texts if (body := _body(text)) and other not in body]
    return sum(len(body.rpartition(decimal)[2]) >= 3 for body in plain if decimal in body) <= DEEP * len(plain)


def _percent(texts: Sequence[str], decimal: str) -> float:
    """Say what a percent sign stands for beside numbers without one: the reading that is nearer to them.

    >>> _percent(["45%", "0.5"], "."), _percent(["45%", "50"], "."), _percent(["45%"], ".")
    (0.01, 1.0, 1.0)
    """
    read = {text: value for text in texts if (value := parse_number(text, decimal)) and abs(value) < LIMIT}
    shares = [abs(value) for text, value in read.items() if "%" in text]
    others = [abs(value) for text, value in read.items() if "%" not in text]
    fractions = sum(value < 1.0 for value in others)
    if not shares or fractions <= 0.5 * len(others):
        return 1.0
    signed, bare = median(shares), median(others)
    return 0.01 if abs(math.log(signed / 100 / bare)) < abs(math.log(signed / bare)) else 1.0


def _units(texts: Sequence[str]) -> dict[str, float]:
    """Give the one unit that a column's numbers have; none where they are mixed: a person knows."""
    counts = Counter(unit for text in texts if (unit := unit_of(text)) is not None)
    named = Counter({unit: count for unit, count in counts.items() if unit})
    if not named:
        return {}
    unit, count = named.most_common(1)[0]
    if count + counts[""] < MOST * counts.total():
        return {}
    is_unit = unit in UNITS or count >= UNKNOWN_UNIT_TEXTS or counts[""] >= 0.5 * counts.total()
    return {unit: 1.0} if is_unit else {}
