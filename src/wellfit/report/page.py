"""The page of one run, or of several side by side: the answer first, then the reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from wellfit.errors import BadInput
from wellfit.report.comparison import comparison_parts, run_titles
from wellfit.report.curves_section import curves_section
from wellfit.report.diagnosis_section import diagnosis_section
from wellfit.report.document import document
from wellfit.report.errors_section import errors_section
from wellfit.report.facts import ReportFacts, number, section
from wellfit.report.html import Markup, join, tag
from wellfit.report.images_section import mistakes_section
from wellfit.report.importance_section import importance_section
from wellfit.report.scores import main_metric, verdict
from wellfit.report.sections import data_section, model_section, scores_section
from wellfit.report.tuning_section import tuning_section

__all__ = ["render_page"]

_FIT_CODES = ("not_learning", "overfitting", "underfitting", "good_fit")


def render_page(facts: Sequence[ReportFacts]) -> str:
    """Give the report as one HTML page that loads nothing: of one run, or of several side by side.

    No run at all is a `BadInput`.
    """
    if not facts:
        raise BadInput("A report is of one run or more.", got=0, do="Name a run folder.")
    if len(facts) > 1:
        return _comparison(facts)
    (only,) = facts
    parts = _parts(only)
    return document(f"wellfit report: {only.name}", _opening(only, parts), _main(parts), _closing())


def _parts(facts: ReportFacts) -> dict[str, tuple[str, Markup]]:
    """Give the sections by their anchor, in the order in which a reader asks."""
    errors = errors_section(facts.evaluation)
    parts = {
        "scores": ("Scores", scores_section(facts)),
        "diagnosis": ("Diagnosis", diagnosis_section(facts)),
        "learning": ("How learning went", curves_section(facts)),
        "errors": ("How it errs", errors),
        "mistakes": ("Its worst mistakes", mistakes_section(facts.evaluation)),
        "importance": ("What it hangs on", importance_section(facts.explanation)),
        "tuning": ("Tuning", tuning_section(facts.tuning)),
        "data": ("Data", data_section(facts)),
        "model": ("Model and settings", model_section(facts)),
    }
    return {anchor: (title, content) for anchor, (title, content) in parts.items() if content is not None}


def _opening(facts: ReportFacts, parts: Mapping[str, tuple[str, Markup]]) -> Markup:
    about = [
        f"{facts.task} model" if facts.task else None,
        join([" for ", tag("code", facts.target)]) if facts.target else None,
        join([", from ", tag("code", facts.source)]) if facts.source else None,
    ]
    said = _margin(facts)
    fit = next((finding.message for code in _FIT_CODES for finding in facts.findings if finding.code == code), None)
    return tag(
        "header",
        tag("a", "To the scores", href="#scores", class_="skip"),
        tag("h1", facts.name),
        tag("p", _capital(join(about)), class_="about"),
        tag("p", verdict(facts), class_="verdict"),
        None if said is None else tag("p", said, class_="note"),
        None if fit is None else tag("p", fit),
        _contents({anchor: title for anchor, (title, _) in parts.items()}),
    )


def _capital(text: Markup) -> Markup:
    """Begin with a capital letter, unless it begins with an element."""
    return Markup(text[:1].upper() + text[1:]) if not text.startswith((" ", "<", "&")) else text


def _margin(facts: ReportFacts) -> str | None:
    """Say how exact an accuracy is: Wilson's 95 % interval for the share of right answers."""
    rows = facts.rows("test")
    accuracy = number(section(facts.metrics, "test").get("accuracy"))
    if main_metric(facts) != "accuracy" or accuracy is None or not rows or not 0 <= accuracy <= 1:
        return None
    z = 1.96
    middle = (accuracy + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(accuracy * (1 - accuracy) / rows + z * z / (4 * rows * rows))
    return f"With this many rows the accuracy lies between {middle - half:.3f} and {middle + half:.3f} (95 % interval)."


def _contents(titles: Mapping[str, str]) -> Markup:
    links = [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in titles.items()]
    return tag("nav", tag("ul", *links), aria_label="Parts of this page")


def _main(parts: Mapping[str, tuple[str, Markup]]) -> Markup:
    made = [
        tag("section", tag("h2", title, id=f"{anchor}-title"), content, id=anchor, aria_labelledby=f"{anchor}-title")
        for anchor, (title, content) in parts.items()
    ]
    return tag("main", *made)


def _closing() -> Markup:
    return tag("footer", tag("p", "Written by wellfit. This page is one file: it loads nothing and sends nothing."))


def _comparison(facts: Sequence[ReportFacts]) -> str:
    runs = run_titles(facts)
    parts = comparison_parts(runs)
    opening = tag(
        "header",
        tag("h1", f"{len(runs)} runs side by side"),
        tag("p", join([tag("code", name) for name in runs], ", "), class_="about"),
        _contents({anchor: title for anchor, (title, _) in parts.items()}),
    )
    return document(f"wellfit report: {len(runs)} runs", opening, _main(parts), _closing())
