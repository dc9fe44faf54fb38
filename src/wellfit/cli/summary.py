"""What a finished run tells in a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wellfit.cli.cleaning import is_action, setting_of
from wellfit.cli.console import print_json, print_lines, print_table

if TYPE_CHECKING:
    from wellfit.diagnosis import Verdict
    from wellfit.findings import Finding
    from wellfit.run import Run

__all__ = [
    "evidence_line",
    "finding_lines",
    "fit_line",
    "fit_lines",
    "graver_first",
    "note_lines",
    "print_run",
    "rows_line",
    "run_record",
]

_SAID = {"error": "error", "warning": "warning", "info": "note"}

_SHOWN = 8
"""Findings that only inform, in the terminal; the report has all."""


def print_run(run: Run, *, json: bool) -> None:
    """Print rows, network, scores beside the baselines, the verdict, findings, and what to do next."""
    page = run.path / "report.html"
    verdict = run.fit
    if json:
        print_json(run_record(run))
        return
    print_lines(_made(run))
    _print_scores(run.metrics)
    remarks = [*_doubt(run), *finding_lines(_to_be_seen(run.findings), shown=_SHOWN)]
    print_lines([*remarks, ""] if remarks else [])
    print_lines([fit_line(verdict)] if verdict else [])
    if any(finding.severity != "info" for finding in run.findings):
        print_lines([f"Why:     wellfit diagnose {shlex.quote(str(run.path))}"])
    print_lines([f"Run:     {run.path}"])
    if page.exists():
        print_lines([f"Report:  {page}"])
    print_lines([f"Predict: wellfit predict {shlex.quote(str(run.path))} {_new(run)} -o predictions.csv"])


def run_record(run: Run) -> dict[str, Any]:
    """Give a run as ``--json`` prints it."""
    page, verdict = run.path / "report.html", run.fit
    return {
        "run": str(run.path),
        "task": run.plan["target"]["task"],
        "metrics": run.metrics,
        "findings": [finding.as_dict() for finding in run.findings],
        "fit": None if verdict is None else verdict.as_dict(),
        "report": str(page) if page.exists() else None,
    }


def _made(run: Run) -> Iterator[str]:
    """Say what was learned from what."""
    target, cleaning = run.plan["target"], run.plan["cleaning"]
    model = run.folder.read_versioned("model.json")
    used = sum(column["kind"] != "drop" for column in cleaning["columns"])
    kinds = f"{len(target['classes'])} classes, " if target["classes"] else ""
    images = run.plan.get("images")
    shape = "" if images is None else f"{images['height']} x {images['width']}"
    read = f"{used:,} of {len(cleaning['columns']):,} columns" if images is None else f"images of {shape}"
    yield f"Target:  {target['name']} ({target['task']}, {kinds}from {read})"
    yield f"Rows:    {rows_line(run.plan['rows'])}"
    yield f"Network: {model.get('summary') or model['type']}, {model['parameters']:,} weights; {_epochs(run, model)}"


def _new(run: Run) -> str:
    return "NEW_ROWS" if run.plan.get("images") is None else "NEW_IMAGES"


def rows_line(rows: Mapping[str, int]) -> str:
    """Say how the rows were dealt."""
    return f"{rows['train']:,} train, {rows['valid']:,} validation, {rows['test']:,} test"


def _epochs(run: Run, model: dict[str, Any]) -> str:
    trained = len(run.history["train_loss"])
    said = f"{trained:,} epoch{'' if trained == 1 else 's'}"
    return said if model["best_epoch"] is None else f"{said}, of which epoch {model['best_epoch']} is kept"


def _print_scores(metrics: dict[str, Any]) -> None:
    scored = {"test": metrics.get("test"), "validation": metrics.get("valid")}
    baselines = {f"baseline: {name}": scores for name, scores in metrics.get("baselines", {}).items()}
    shown = {name: scores for name, scores in {**scored, **baselines}.items() if scores}
    names = list(next(iter(shown.values()), {}))
    body = ([name, *(_figure(scores.get(metric)) for metric in names)] for name, scores in shown.items())
    print_table("", ["", *names], body)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def _doubt(run: Run) -> Iterator[str]:
    """Say so where the linear model does better by the metric that chose the epoch."""
    from wellfit.metrics import METRICS

    name = run.config["train"]["metric"]
    split = "test" if "test" in run.metrics else "valid"
    own = run.metrics[split].get(name)
    linear = run.metrics["baselines"].get("linear", {}).get(name)
    if own is None or linear is None or name not in METRICS:
        return
    if linear > own if METRICS[name].greater_is_better else linear < own:
        yield f"warning: the linear model's {name} is better than the network's ({linear:.4g} against {own:.4g})."


_GRAVE = {"error": 0, "warning": 1, "info": 2}


def _to_be_seen(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what the diagnosis merely remarks: the verdict says it, and `wellfit diagnose` shows it."""
    from wellfit.diagnosis import CHECKS

    remarks = {check.code for check in CHECKS}
    return [finding for finding in findings if finding.severity != "info" or finding.code not in remarks]


def graver_first(findings: Iterable[Finding]) -> list[Finding]:
    """Put errors before warnings before what only informs; among equals the order stays."""
    return sorted(findings, key=lambda finding: _GRAVE[finding.severity])


def finding_lines(findings: Iterable[Finding], *, shown: int | None = None) -> list[str]:
    """Give one line a finding, the gravest first; of those that only inform, ``shown`` at most."""
    ordered = graver_first(findings)
    lines = [f"{_SAID[finding.severity]}: {finding.message}{_setting(finding)} [{finding.code}]" for finding in ordered]
    informing = sum(finding.severity == "info" for finding in ordered)
    if shown is not None and informing > shown:
        left = informing - shown
        return [*lines[:-left], f"note: {left:,} more in the report."]
    return lines


def _setting(finding: Finding) -> str:
    """Say how an action of cleaning is undone, or one that is proposed is done."""
    setting = setting_of(finding) if is_action(finding) else ""
    if not setting:
        return ""
    return f" ({'To leave it' if finding.evidence['applied'] == 'yes' else 'To do it'}: {setting}.)"


def note_lines(findings: Iterable[Finding]) -> list[str]:
    """Give one line for each of the first findings that only inform."""
    return finding_lines([finding for finding in findings if finding.severity == "info"], shown=_SHOWN)


def evidence_line(finding: Finding) -> str:
    """Give the numbers of a finding.

    >>> from wellfit.findings import Finding
    >>> evidence_line(Finding(code="overfitting", severity="warning", message="", evidence={"valid_gap": 0.1234567}))
    'valid gap 0.1235'
    """
    return ", ".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in finding.evidence.items())


def _number(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


def fit_line(verdict: Verdict) -> str:
    """Give the verdict and its first reason."""
    return f"Fit:     {_named(verdict)}. {' '.join(verdict.reasons[:1])}".rstrip()


def _named(verdict: Verdict) -> str:
    return verdict.verdict.replace("_", " ")


def fit_lines(verdict: Verdict | None, curve: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Give the verdict with its figures, their intervals, all its reasons, and what more rows would bring."""
    if verdict is None:
        yield "Fit:     not judged: the run recorded too little of its training."
    else:
        yield f"Fit:     {_named(verdict)}"
        yield from (f"    {reason}" for reason in verdict.reasons)
        yield from _figures(verdict)
    if curve is not None:
        yield from (f"    {sentence}" for sentence in curve.get("reasons", ()))


def _figures(verdict: Verdict) -> Iterator[str]:
    """Say what is judged on training and validation rows, the gap, and the baselines beside it."""
    name = verdict.main
    sides = {"training": verdict.train, "validation": verdict.valid, "gap": verdict.gap}
    told = [f"{side} {figures[name]}" for side, figures in sides.items() if name in figures]
    if told:
        yield f"    {name}, with 95 % intervals: {', '.join(told)}"
    baselines = [f"{kind} {figures[name].value:.3g}" for kind, figures in verdict.baselines.items() if name in figures]
    if baselines:
        yield f"    baselines: {', '.join(baselines)}"
    if verdict.best_epoch is not None:
        yield f"    least validation loss: epoch {verdict.best_epoch}"
