"""Commands that name what went wrong in a run, and mend it: diagnose, treat."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from wellfit.cli.console import noted, print_json, print_lines, print_table, working
from wellfit.cli.summary import evidence_line, finding_lines, fit_lines, graver_first, note_lines

if TYPE_CHECKING:
    from wellfit.artifact import RunFolder
    from wellfit.findings import Finding, Remedy
    from wellfit.treatment import Treatment

__all__ = ["diagnose", "treat"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]

_REFUSED = {"error": ("error",), "warning": ("error", "warning")}


def diagnose(
    run: RunPath,
    fail_on: Annotated[
        Literal["error", "warning"] | None,
        typer.Option("--fail-on", help="Exit with 3 where there is an error, or a warning too."),
    ] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Train on parts of the rows too: what would more of them bring?")
    ] = False,
    json: Json = False,
) -> None:
    """Say what went wrong in a run, on what evidence, and what to change."""
    from dataclasses import replace

    from wellfit.artifact import RunFolder
    from wellfit.diagnosis import judge

    folder = RunFolder(run)
    findings = list(graver_first(_findings(folder)))
    verdict = judge(folder.read_history())
    curve = _learning_curve(folder, quiet=json) if learning_curve else folder.read_learning_curve()
    if verdict is not None:
        verdict = replace(verdict, learning_curve=curve)
    if json:
        record = {"run": str(run), "findings": [finding.as_dict() for finding in findings]}
        print_json({**record, "fit": None if verdict is None else verdict.as_dict(), "learning_curve": curve})
    else:
        print_lines(fit_lines(verdict, curve))
        print_lines(_findings_lines(findings))
    _refuse(findings, fail_on)


def _findings(folder: RunFolder) -> list[Finding]:
    """Give what was found in the data, and what the checks find in the history today."""
    from wellfit.diagnosis import diagnose
    from wellfit.diagnosis.checks import CHECKS

    judged = {check.code for check in CHECKS}
    of_data = [finding for finding in folder.read_findings() if finding.code not in judged]
    return [*of_data, *diagnose(folder.read_history())]


def _learning_curve(folder: RunFolder, *, quiet: bool) -> dict[str, Any]:
    """Measure what more rows bring, and keep it in the run."""
    from wellfit.config import load_config
    from wellfit.errors import RunFolderError
    from wellfit.learning_curve import learning_curve
    from wellfit.report.facts import plain

    folder.expect_finished()
    config = load_config(folder.path / "config.yaml").config
    if config.data.source is None:
        rule = "A learning curve is trained from the run's source, and the rows of this one were in memory."
        raise RunFolderError(rule, got=str(folder.path), do="Train from a file, or use wellfit.learning_curve.")
    with noted(), working("Training on parts of the rows", quiet=quiet):
        measured: dict[str, Any] = plain(learning_curve(config).as_dict())
    folder.write_json("learning_curve.json", measured)
    return measured


def _findings_lines(findings: Sequence[Finding]) -> Iterator[str]:
    grave = [finding for finding in findings if finding.severity != "info"]
    for finding in grave:
        yield ""
        yield from _told(finding)
    if not grave:
        yield "The checks found no error and nothing to warn of."
    notes = note_lines(findings)
    if notes:
        yield ""
        yield from notes


def _told(finding: Finding) -> Iterator[str]:
    """Tell a finding whole: what, where and when, on what evidence, and what to change."""
    yield f"{finding.severity}: {finding.message} [{finding.code}]"
    place = ", ".join(part for part in (finding.where, finding.when) if part)
    if place:
        yield f"    where: {place}"
    if finding.evidence:
        yield f"    evidence: {evidence_line(finding)}"
    for remedy in finding.remedies:
        yield f"    try: {_pasted(remedy)}"


def _pasted(remedy: Remedy) -> str:
    """Give a remedy as an option to paste, where it is a setting of the config; else in words."""
    from wellfit.config import from_mapping
    from wellfit.errors import BadInput

    option = _option(remedy.path, remedy.value)
    try:
        from_mapping({}, [option])
    except BadInput:
        return f"{remedy.why} ({option})"
    return f"-o {shlex.quote(option)}    {remedy.why}"


def _option(key: str, value: Any) -> str:
    from wellfit.report.sections import setting

    return f"{key}={setting(value)}"


def _refuse(findings: Sequence[Finding], fail_on: str | None) -> None:
    """Refuse a run that has findings of a severity or a graver one."""
    from wellfit.errors import CheckRefused

    refused = [finding.code for finding in findings if finding.severity in _REFUSED.get(fail_on or "", ())]
    if refused:
        kinds = " or ".join(_REFUSED[str(fail_on)])
        codes = ", ".join(dict.fromkeys(refused))
        raise CheckRefused(f"A run with --fail-on {fail_on} must have no finding that is an {kinds}.", got=codes)


def treat(
    run: RunPath,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the config with what helped, and train it into a new run.")
    ] = False,
    json: Json = False,
) -> None:
    """Try the remedies for what went wrong, and say which of them are proved to help."""
    from wellfit.artifact import RunFolder
    from wellfit.treatment import treat_run

    RunFolder(run).expect_finished()
    with noted(), working(f"Trying remedies on {run}", quiet=json) as trying:
        treatment = treat_run(run, apply=apply, report=trying)
    made = treatment.result.path if apply and treatment.cured else None
    if json:
        print_json({**treatment.as_dict(), "run": None if made is None else str(made)})
        return
    print_lines(finding_lines(finding for finding in treatment.findings if finding.severity != "info"))
    if treatment.trials:
        _print_trials(treatment)
    print_lines([*treatment.advice, *_concluded(run, treatment, made)])


def _print_trials(treatment: Treatment) -> None:
    columns = ["remedy", f"effect on {treatment.metric}", "seconds", "helps", "why"]
    rows = (
        [
            trial.remedy,
            "-" if trial.effect is None else str(trial.effect),
            f"{trial.seconds:.1f}",
            "yes" if trial.accepted else "no",
            trial.why,
        ]
        for trial in treatment.trials
    )
    print_table("", columns, rows, right_from=len(columns))


def _concluded(run: Path, treatment: Treatment, made: Path | None) -> Iterator[str]:
    """Say what is proved, and how to have it."""
    if not treatment.trials:
        return
    if not treatment.cured:
        yield "No remedy is proved to help."
        return
    if treatment.proved:
        yield f"Proved: {treatment.proved}, on seeds that did not choose the remedy."
    if made is not None:
        yield f"Run:    {made}"
        return
    if "model.members" in treatment.options:
        # The networks of an ensemble, each with all of its settings, are no line to be pasted.
        yield f"Train:  wellfit treat {shlex.quote(str(run))} --apply"
        return
    options = " ".join(f"-o {shlex.quote(_option(key, value))}" for key, value in treatment.options.items())
    yield f"Train:  wellfit train -c {shlex.quote(str(run / 'config.yaml'))} --out NEW_RUN {options}"
    yield f"Or:     wellfit treat {shlex.quote(str(run))} --apply"
