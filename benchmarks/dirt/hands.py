"""Two hands that write the same cells in different ways: one that most people have, and one of other habits.

Every function changes how a cell is written and not what it says, or gives None where it has no way to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

__all__ = ["HANDS", "MISSING", "Draw", "Hand"]

MISSING = ("", "?", "na", "nan", "unknown", "none")
"""Cells of the clean tables that are dirtied with nothing: they are missing already, or may be."""

Draw = np.random.Generator


@dataclass(frozen=True)
class Hand:
    """One way to write each kind of dirt."""

    disguises: tuple[str, ...]
    number: Callable[[str, Draw], str | None]
    typo: Callable[[str, Draw], str | None]
    form: Callable[[str, Draw], str | None]
    date: Callable[[str, Draw], str | None]


def _picked(forms: list[str], text: str, draw: Draw) -> str | None:
    others = [form for form in forms if form != text]
    return str(draw.choice(others)) if others else None


def _parts(text: str) -> tuple[bool, str, str, str] | None:
    """Give sign, digits, whole part grouped by commas, decimals; None for powers."""
    plain = text.strip()
    digits = plain.lstrip("+-")
    whole, _, part = digits.partition(".")
    return None if "e" in plain.lower() else (plain.startswith("-"), digits, f"{int(whole or 0):,}", part)


def _number_one(text: str, draw: Draw) -> str | None:
    parts = _parts(text)
    if parts is None:
        return None
    plain, (negative, digits, grouped, part) = text.strip(), parts
    forms = [f"${plain}", f"{plain} USD", f"€{plain}", f" {plain} ", f"{plain}%", f"EUR {plain}"]
    forms += [f"({digits})"] * 2 if negative else [f"+{plain}"]
    signed = ("-" if negative else "") + grouped + (f".{part}" if part else "")
    if "," in grouped:
        forms += [signed, f"${signed}", signed.replace(",", " ") if not part else signed] * 2
    if part:
        forms += [plain.replace(".", ",")] * 2
    return _picked(forms, text, draw)


def _number_other(text: str, draw: Draw) -> str | None:
    parts = _parts(text)
    if parts is None:
        return None
    negative, digits, grouped, part = parts
    point = f".{part}" if part else ""
    forms = [
        f"{digits} €",
        f"US${digits}",
        f"£ {digits}",
        f"Rs. {digits}",
        f"{digits} kg",
        f"{digits}*",
        f"{digits}\u00a0",
    ]
    if part:
        forms += [f"{grouped.replace(',', '.')},{part}"] * 3
    if "," in grouped:
        forms += [grouped.replace(",", "'") + point, grouped.replace(",", "\u202f") + point] * 2
    form = str(draw.choice(forms))
    if not negative:
        return str(draw.choice([form, f"~{form}", f"'{digits}"]))
    return str(draw.choice([f"-{form}", f"({digits})", f"{digits}-", f"\u2212{digits}"]))


def _words(text: str, least: int) -> list[re.Match[str]]:
    """Give the words of a level in which a slip can be told: no codes, no short ones."""
    if any(map(str.isdigit, text)):
        return []
    found = list(re.finditer(rf"[^\W\d_]{{{least},}}", text))
    return [word for word in found if not (word[0].isupper() and len(word[0]) == 4)]


def _typo_one(text: str, draw: Draw) -> str | None:
    """Swap, drop, double or replace one letter, not the first."""
    plain = text.strip()
    words = _words(plain, 4)
    if not words or re.search("[a-z][A-Z]", plain):
        return None
    at = int(draw.choice([at for word in words for at in range(word.start() + 1, word.end())]))
    how = draw.integers(4)
    if how == 0 and at + 1 < len(plain) and plain[at + 1].isalpha() and plain[at] != plain[at + 1]:
        return plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
    if how == 1:
        return plain[:at] + plain[at + 1 :]
    if how == 2:
        return plain[:at] + plain[at] + plain[at:]
    other = _letter(draw)
    return None if other == plain[at].lower() else plain[:at] + other + plain[at + 1 :]


def _typo_other(text: str, draw: Draw) -> str | None:
    """Put in, drop, replace or swap any letter, the first too, or double the last."""
    plain = text.strip()
    words = _words(plain, 5)
    if not words:
        return None
    word = words[int(draw.integers(len(words)))]
    letters, at, other = word[0], int(draw.integers(len(word[0]))), _letter(draw)
    swapped = letters[:at] + letters[at + 1 : at + 2] + letters[at] + letters[at + 2 :]
    ways = [letters[:at] + other + letters[at:], letters[:at] + letters[at + 1 :], letters + letters[-1], swapped]
    if other != letters[at].lower():
        ways.append(letters[:at] + other + letters[at + 1 :])
    new = str(draw.choice(ways))
    return None if new.lower() == letters.lower() else plain[: word.start()] + new + plain[word.end() :]


def _letter(draw: Draw) -> str:
    return chr(ord("a") + int(draw.integers(26)))


def _form_one(text: str, draw: Draw) -> str | None:
    """Write a level in another case, with other blanks, joints, quotes or wide letters."""
    plain = text.strip()
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in plain)
    forms = [plain.upper(), plain.lower(), plain.title(), plain.swapcase(), f" {plain}", f"{plain}  ", f"\t{plain}"]
    forms += [f"{plain}\u00a0", f"{plain}.", f"'{plain}'", wide]
    if " " in plain:
        hyphened = re.sub(r"(?<=[^\W\d_]) (?=[^\W\d_])", "-", plain)
        forms += [plain.replace(" ", "_"), hyphened, plain.replace(" ", "  ")] * 2
    if "-" in plain:
        forms += [plain.replace("-", " "), plain.replace("-", "_")] * 2
    return _picked(forms, text, draw)


def _form_other(text: str, draw: Draw) -> str | None:
    """Write a level with accents, lookalike letters, hidden ones, without its blanks."""
    plain = text.strip()
    forms = [plain.capitalize(), plain.upper(), f"{plain} ", f"\u200b{plain}", f'"{plain}"', f"{plain};"]
    forms += [plain.replace(" ", "\u00a0"), plain.replace("e", "é", 1), plain.replace("o", "ö", 1)]
    if re.search("[b-zA-Z]", plain):
        forms.append(plain.replace("a", "\u0430", 1))
    if not any(map(str.isdigit, plain)):
        forms.append(plain.replace(" ", "").replace("-", ""))
    return _picked(forms, text, draw)


def _date(formats: tuple[str, ...], clocks: tuple[str, ...]) -> Callable[[str, Draw], str | None]:
    def write(text: str, draw: Draw) -> str | None:
        plain = text.strip()
        try:
            moment = datetime.fromisoformat(plain)
        except ValueError:
            return None
        clock = "" if len(plain) == 10 else moment.strftime(str(draw.choice(clocks)))
        return moment.strftime(str(draw.choice(formats))) + clock

    return write


HANDS = {
    "one": Hand(
        disguises=(
            *("?", "NA", "N/A", "n/a", "null", "NULL", "None", "none", "unknown", "Unknown", "-", "--", "", " "),
            *("missing", "#N/A", "nan", "NaN", "not available", "<NA>", "(blank)", "n.a.", "not_available", "???"),
        ),
        number=_number_one,
        typo=_typo_one,
        form=_form_one,
        date=_date(
            ("%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%d %B %Y", "%b %d, %Y", "%d-%b-%Y", "%B %d, %Y", "%Y.%m.%d"),
            (" %H:%M:%S",),
        ),
    ),
    "other": Hand(
        disguises=(
            *("N.A.", "na", "Null", "NONE", "nil", "MISSING", "Not Available", "not applicable", "no data", "#VALUE!"),
            *("..", "***", "_", "UNK", "(null)", "[missing]", "tbd", "Not Known", "n/d", "\\N", " - ", "<none>", "NaT"),
            *("Unspecified", "N/A ", "\u2014", "missing value", "undefined"),
        ),
        number=_number_other,
        typo=_typo_other,
        form=_form_other,
        date=_date(
            ("%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%A, %B %d, %Y", "%d %b %Y", "%B %d %Y", "%d. %B %Y", "%Y/%m/%d"),
            (" %H:%M:%S", "T%H:%M:%S", " %I:%M:%S %p"),
        ),
    ),
}
"""The hands by name."""
