"""Clean tables of any size, as text, with numbers, categories, dates and a target; seeded."""

from __future__ import annotations

import numpy as np
import polars as pl

CITIES = (
    *("Amsterdam", "Berlin", "Copenhagen", "Dublin", "Edinburgh", "Frankfurt", "Geneva", "Helsinki", "Istanbul"),
    *("Jakarta", "Kathmandu", "Lisbon", "Madrid", "Nairobi", "Oslo", "Prague", "Quito", "Rotterdam", "Stockholm"),
    *("Toronto", "Utrecht", "Vienna", "Warsaw", "Zurich", "Barcelona", "Budapest", "Chicago", "Dallas", "Houston"),
    *("Melbourne", "Montreal", "Philadelphia", "Singapore", "Vancouver"),
)
PLACES = ("North Gate", "South Gate", "Old Harbour", "City Centre", "Airport Road", "Market Square")
STATES = ("single", "married", "divorced", "widowed", "separated")
COLOURS = ("red", "green", "blue", "yellow", "black", "white", "orange")
ANSWERS = ("yes", "no")
GRADES = ("Fair", "Good", "Very Good", "Premium", "Ideal")


def clean_table(rows: int, seed: int = 0) -> pl.DataFrame:
    """Give a table of text: 6 numbers, 6 categories, 2 dates, a target that hangs on some of them."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 91, rows)
    income = np.round(draw.lognormal(10.2, 0.7, rows), 2)
    share = np.round(draw.beta(2, 5, rows), 3)
    balance = np.round(draw.normal(0, 20_000, rows), 2)
    population = draw.integers(1_000, 5_000_000, rows)
    weight = np.round(draw.normal(75, 12, rows), 1)
    city = draw.choice(CITIES, rows, p=_falling(len(CITIES)))
    place = draw.choice(PLACES, rows)
    state = draw.choice(STATES, rows, p=[0.35, 0.4, 0.15, 0.06, 0.04])
    colour = draw.choice(COLOURS, rows)
    answer = draw.choice(ANSWERS, rows)
    grade = draw.choice(GRADES, rows, p=_falling(len(GRADES)))
    day = np.datetime64("2015-01-01") + draw.integers(0, 3_000, rows)
    moment = np.datetime64("2020-01-01T00:00:00") + draw.integers(0, 86_400 * 700, rows)
    score = (np.log(income) - 10.2) + 0.03 * (age - 50) + (answer == "yes") + draw.normal(0, 0.5, rows)
    return pl.DataFrame(
        {
            "age": _texts(age),
            "income": _texts(income),
            "share": _texts(share),
            "balance": _texts(balance),
            "population": _texts(population),
            "weight": _texts(weight),
            "city": city.tolist(),
            "place": place.tolist(),
            "state": state.tolist(),
            "colour": colour.tolist(),
            "answer": answer.tolist(),
            "grade": grade.tolist(),
            "day": np.datetime_as_string(day).tolist(),
            "moment": [text.replace("T", " ") for text in np.datetime_as_string(moment).tolist()],
            "target": np.where(score > 0.6, "high", "low").tolist(),
        }
    )


def _falling(levels: int) -> np.ndarray:
    weights = 1.0 / np.arange(1, levels + 1)
    return weights / weights.sum()


def _texts(values: np.ndarray) -> list[str]:
    return list(map(str, values.tolist()))
