"""Units that people write behind numbers, and how many of their dimension's basic unit each is."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["UNITS", "factors", "offsets"]

_DIMENSIONS: dict[str, dict[str, float]] = {
    "mass": {
        **{"mg": 1e-6, "g": 1e-3, "gr": 1e-3, "gram": 1e-3, "grams": 1e-3, "kg": 1.0, "kgs": 1.0, "kilo": 1.0},
        **{"kilos": 1.0, "t": 1e3, "lb": 0.45359237, "lbs": 0.45359237, "pound": 0.45359237, "oz": 0.028349523125},
    },
    "length": {
        **{"mm": 1e-3, "cm": 1e-2, "dm": 1e-1, "m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0},
        **{"km": 1e3, "in": 0.0254, "inch": 0.0254, "inches": 0.0254, '"': 0.0254, "ft": 0.3048, "feet": 0.3048},
        **{"foot": 0.3048, "'": 0.3048, "yd": 0.9144, "mi": 1609.344, "mile": 1609.344, "miles": 1609.344},
    },
    "time": {
        **{"ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0},
        **{"minute": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hour": 3600.0, "hours": 3600.0},
        **{"d": 86400.0, "day": 86400.0, "days": 86400.0, "week": 604800.0, "weeks": 604800.0},
    },
    "months": {"month": 1.0, "months": 1.0, "mo": 1.0, "yr": 12.0, "yrs": 12.0, "year": 12.0, "years": 12.0},
    "volume": {"ml": 1e-3, "cl": 1e-2, "dl": 1e-1, "l": 1.0, "liter": 1.0, "liters": 1.0, "litre": 1.0, "litres": 1.0},
    "area": {"cm²": 1e-4, "m²": 1.0, "sqm": 1.0, "qm": 1.0, "sqft": 0.09290304, "ha": 1e4, "km²": 1e6},
    "speed": {"km/h": 1.0, "kmh": 1.0, "mph": 1.609344, "m/s": 3.6, "kn": 1.852},
    "power": {"w": 1.0, "kw": 1e3, "mw": 1e6, "hp": 745.699872, "ps": 735.49875},
    "memory": {"b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
    "temperature": {
        **{"°c": 1.0, "° c": 1.0, "°": 1.0, "celsius": 1.0},
        **{"°f": 5 / 9, "° f": 5 / 9, "fahrenheit": 5 / 9},
    },
    "mileage": {"mpg": 1.0, "kmpl": 2.352145833, "km/l": 2.352145833},
    "displacement": {"cc": 1.0, "ccm": 1.0, "cm³": 1.0},
}
"""Units that can be turned into one another by a factor, in lower case."""

_ZEROS = dict.fromkeys(("°f", "° f", "fahrenheit"), -160 / 9)
"""What zero of a unit is in its dimension's basic unit, where that is not zero."""

UNITS = frozenset(unit for dimension in _DIMENSIONS.values() for unit in dimension)
"""All known units, in lower case."""


def factors(units: Iterable[str], basis: str) -> dict[str, float]:
    """Give the factor that turns each unit of the basis' dimension into the basis; others are left out.

    >>> factors(["g", "kg", "h"], "kg")
    {'g': 0.001, 'kg': 1.0}
    """
    dimension = next((known for known in _DIMENSIONS.values() if basis in known), {basis: 1.0})
    # 10 grams are 0.01 kg to the last digit by a quotient of the factors, which a product of their inverses is not.
    return {unit: dimension[unit] / dimension[basis] for unit in units if unit in dimension}


def offsets(units: Iterable[str], basis: str) -> dict[str, float]:
    """Give what zero of each unit is in the basis; units whose zeros agree are left out.

    >>> offsets(["°c", "°f"], "°f")
    {'°c': 32.0}
    """
    ratio = factors(["°c"], basis).get("°c", 1.0)
    found = {unit: (_ZEROS.get(unit, 0.0) - _ZEROS.get(basis, 0.0)) * ratio for unit in units}
    return {unit: offset for unit, offset in found.items() if offset}
