"""The parts of a page that puts several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wellfit.report.curves_section import overlay_section
from wellfit.report.facts import ReportFacts, best_epoch, flat, inside, number, section
from wellfit.report.html import Markup, join, table, tag
from wellfit.report.scores import METRICS, UNKNOWN, best_of, figure, verdict
from wellfit.report.sections import findings_section, setting

__all__ = ["comparison_parts", "run_titles"]


def run_titles(facts: Sequence[ReportFacts]) -> dict[str, ReportFacts]:
    """Give the runs by a name that no other run of the page has."""
    titled: dict[str, ReportFacts] = {}
    for run in facts:
        title, count = run.name, 2
        while title in titled:
            title, count = f"{run.name} ({count})", count + 1
        titled[title] = run
    return titled


def comparison_parts(runs: Mapping[str, ReportFacts]) -> dict[str, tuple[str, Markup]]:
    """Give the sections of the comparison by their anchor."""
    curves = overlay_section(runs)
    parts = {
        "scores": ("Scores", join([_warning(runs), _scores(runs)])),
        "learning": ("How learning went", curves),
        "settings": ("Settings that differ", _settings(runs)),
        "runs": ("Each run", _each(runs)),
    }
    return {anchor: (title, content) for anchor, (title, content) in parts.items() if content is not None}


def _warning(runs: Mapping[str, ReportFacts]) -> Markup | None:
    """Say so where the scores are of different rows."""
    seen = {
        (
            facts.task,
            facts.target,
            str(inside(facts.plan, "source", "checksum")),
            setting(section(facts.config, "split")),
            facts.rows("test"),
        )
        for facts in runs.values()
    }
    if len(seen) == 1:
        return None
    return tag(
        "p", tag("strong", "These runs were not scored on the same rows"), ": their data, target or split differ."
    )


def _scored(facts: ReportFacts) -> Mapping[str, object]:
    return section(facts.metrics, "test") or section(facts.metrics, "valid")


def _scores(runs: Mapping[str, ReportFacts]) -> Markup:
    names = [name for name in METRICS if any(number(_scored(facts).get(name)) is not None for facts in runs.values())]
    best = {name: best_of(name, {title: _scored(facts).get(name) for title, facts in runs.items()}) for name in names}
    rows = [
        [title, *[_score(_scored(facts).get(name), best[name] == title) for name in names], *_size(facts)]
        for title, facts in runs.items()
    ]
    arrows = [f"{METRICS[name].label} {'↑' if METRICS[name].higher_is_better else '↓'}" for name in names]
    head = ["Run", *arrows, "Kept epoch", "Parameters", "Errors", "Warnings"]
    made = table(head, rows, caption="Scores of the test rows (↑ higher is better, ↓ lower is better)", numeric=True)
    without = [title for title, facts in runs.items() if not section(facts.metrics, "test")]
    note = tag("p", f"No test rows, validation scores shown: {', '.join(without)}.", class_="note") if without else None
    return join([made, note])


def _score(value: object, best: bool) -> Markup:
    mark = tag("span", " (best)", class_="hidden") if best else None
    return tag("td", figure(value), mark, class_="best" if best else None)


def _size(facts: ReportFacts) -> list[str]:
    levels = [finding.severity for finding in facts.findings]
    counts = [str(levels.count(level)) for level in ("error", "warning")]
    return [figure(best_epoch(facts)), figure(facts.model.get("parameters")), *counts]


def _settings(runs: Mapping[str, ReportFacts]) -> Markup:
    held = {title: {key: setting(value) for key, value in flat(facts.config)} for title, facts in runs.items()}
    keys = dict.fromkeys(key for own in held.values() for key in own if not key.startswith("output."))
    rows = [
        [tag("code", key), *[tag("code", own[key]) if key in own else UNKNOWN for own in held.values()]]
        for key in keys
        if len({own.get(key) for own in held.values()}) > 1
    ]
    if not rows:
        return tag("p", "All settings are equal.")
    return table(["Setting", *runs], rows, caption="Settings that are not the same in all runs")


def _each(runs: Mapping[str, ReportFacts]) -> Markup:
    return join(
        [
            join([tag("h3", title), tag("p", verdict(facts)), findings_section(facts.findings)])
            for title, facts in runs.items()
        ]
    )
