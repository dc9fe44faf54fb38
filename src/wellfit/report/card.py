"""The model card: what the model predicts, from what, how well, and where it should not be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wellfit.report.columns_table import is_dropped, shown_columns
from wellfit.report.facts import ReportFacts, best_epoch, inside, number, section
from wellfit.report.scores import METRICS, columns, figure, metric_names, verdict
from wellfit.report.sections import setting

__all__ = ["render_card"]

_LISTED = 60


def render_card(facts: ReportFacts) -> str:
    """Give the model card as Markdown; names and labels of the table are escaped."""
    parts = {
        None: [f"# {_text(facts.name)}", _text(verdict(facts))],
        "What it predicts": _target(facts),
        "From what": _inputs(facts),
        "How it was trained": _training(facts),
        "How well": _scores(facts),
        "Limits": _limits(facts),
        "How to use it": _use(facts),
        "Safety": [_SAFETY, _known_rows(facts)],
    }
    blocks = [block for title, lines in parts.items() for block in ([] if title is None else [f"## {title}"]) + lines]
    return "\n\n".join(block for block in blocks if block) + "\n"


_SAFETY = (
    "The folder holds JSON, safetensors, Parquet, YAML, HTML and Markdown only. Nothing in it is run when it is "
    "loaded: no code, no import path, no serialised Python object. `report.html` loads nothing from elsewhere."
)


def _known_rows(facts: ReportFacts) -> str:
    rows = int(number(facts.model.get("known_rows")) or 0)
    if not rows:
        return ""
    return (
        f"Answers are looked up among training rows: its weights hold {rows:,} of them, as scaled numbers and ids, "
        "with their targets. Who gets the folder gets these."
    )


def _text(value: object) -> str:
    r"""Escape what Markdown or HTML would take for markup.

    >>> _text("<b> a_b [x](y)")
    '&lt;b&gt; a\\_b \\[x\\](y)'
    """
    line = " ".join(str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8").split())
    line = re.sub(r"([\\`*_\[\]{}#|~!])", r"\\\1", line)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(value: object) -> str:
    """Quote a name as code, with a fence longer than any in it."""
    line = " ".join(str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8").split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _listed(names: Sequence[object]) -> str:
    shown = ", ".join(_code(name) for name in names[:_LISTED])
    return shown + (f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else "")


def _bullets(entries: Iterable[str | None]) -> str:
    return "\n".join(f"- {entry}" for entry in entries if entry)


def _target(facts: ReportFacts) -> list[str]:
    classes = list(inside(facts.plan, "target", "classes") or ())
    kind = {
        "binary": "one of two classes",
        "multiclass": f"one of {len(classes) or 'several'} classes",
        "regression": "a number",
    }.get(facts.task, "a value")
    named = f"The column {_code(facts.target)}: {kind}." if facts.target else f"{kind.capitalize()}."
    return [named, f"Classes: {_listed(classes)}." if classes else ""]


def _inputs(facts: ReportFacts) -> list[str]:
    source = section(facts.plan, "source")
    rows = {key: figure(count) for key in ("read", "train", "valid", "test") if (count := facts.rows(key)) is not None}
    aside = {
        "equal to an earlier row": facts.rows("duplicates_dropped"),
        "without a target": facts.rows("without_target"),
    }
    kinds: dict[str, list[object]] = {}
    for column in shown_columns(facts):
        if not is_dropped(column):
            kinds.setdefault(str(column.get("kind", "column")), []).append(column.get("name", ""))
    checksum = source.get("checksum")
    entries = [
        f"Source: {_code(facts.source)}" if facts.source else None,
        f"Checksum: {_code(checksum)}" if checksum else None,
        "Rows: " + ", ".join(f"{count} {key}" for key, count in rows.items()) if rows else None,
        *[f"Set aside: {count:,} rows {why}" for why, count in aside.items() if count],
        *[f"Columns read as {_text(kind)}: {_listed(names)}" for kind, names in kinds.items()],
    ]
    return [_bullets(entries)]


def _training(facts: ReportFacts) -> list[str]:
    train = section(facts.config, "train")
    names = ("loss", "optimizer", "batch_size", "schedule", "early_stopping")
    options = ", ".join(f"{key} {setting(value)}" for key, value in section(facts.model, "options").items())
    parameters, last, best = number(facts.model.get("parameters")), facts.epochs, best_epoch(facts)
    summary = facts.model.get("summary")
    made = f"{_code(facts.model.get('type', '?'))}" + (f" ({_text(options)})" if options else "")
    entries = [
        f"Model: {_text(summary) if summary else made}",
        None if parameters is None else f"Parameters: {figure(parameters)}",
        f"Epochs: {int(last[-1]['epoch']):,}" + (f", epoch {best:,} kept" if best else "") if last else None,
        *[
            f"{key.replace('_', ' ').capitalize()}: {_code(setting(train[key]))}"
            for key in names
            if train.get(key) is not None
        ],
        "Everything learnt from data (fill values, vocabularies, scales, weights) was learnt on training rows only."
        if summary is None
        else "Fill values, vocabularies and scales were learnt on training rows only, the networks from these and from "
        "the validation rows.",
        "To repeat: `wellfit train -c config.yaml`",
    ]
    return [_bullets(entries)]


def _scores(facts: ReportFacts) -> list[str]:
    own = columns(facts)
    if not own:
        return ["No rows were held back: there are no scores of unseen rows."]
    head = ["Score", *[_text(column.title) for column in own]]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * len(own)}"]
    for name in metric_names(own):
        known = METRICS.get(name)
        title = (
            _text(name)
            if known is None
            else f"{known.label} ({'higher' if known.higher_is_better else 'lower'} is better)"
        )
        lines.append(f"| {' | '.join([title, *[figure(column.scores.get(name)) for column in own]])} |")
    return ["\n".join(lines)]


def _limits(facts: ReportFacts) -> list[str]:
    dropped = [column for column in shown_columns(facts) if is_dropped(column)]
    grave = [finding for finding in facts.findings if finding.severity != "info"]
    shown = [
        f"{_code(column.get('name', ''))} ({_text(column.get('reason') or 'left out')})" for column in dropped[:_LISTED]
    ]
    more = f" and {len(dropped) - _LISTED:,} more" if len(dropped) > _LISTED else ""
    entries = [
        f"Not used: {', '.join(shown)}{more}" if dropped else None,
        "A category that training never saw counts as unknown; an empty cell gets the fill value learnt in training.",
        *_ranges(facts),
        *[f"{finding.severity.capitalize()} {_code(finding.code)}: {_text(finding.message)}" for finding in grave],
        "The scores hold for rows like those it was tested on; data that has changed since needs `wellfit evaluate`.",
    ]
    return [_bullets(entries)]


def _ranges(facts: ReportFacts) -> list[str]:
    """Say from which values it learnt, where the plan holds them."""
    target, features = section(facts.plan, "target"), section(facts.plan, "features")
    low, high = number(target.get("low")), number(target.get("high"))
    ranges = [
        f"{_code(name)} {figure(ends[0])} to {figure(ends[1])}"
        for name, ends in section(facts.plan, "ranges").items()
        if isinstance(ends, Sequence) and len(ends) == 2
    ]
    middles = zip(features.get("numbers") or (), features.get("medians") or (), strict=False)
    typical = [f"{_code(name)} {figure(median)}" for name, median in middles]
    known = [
        f"{_code(inside(one, 'name'))} {len(inside(one, 'levels') or ())}" for one in features.get("encoded") or ()
    ]
    lists = {
        "Training values, beyond which it extrapolates": ranges,
        "Medians of the training rows, far from which it extrapolates": [] if ranges else typical,
        "Numbers of categories it knows": known,
    }
    said = [f"{title}: {', '.join(held[:_LISTED])}" for title, held in lists.items() if held]
    if facts.task == "regression" and low is not None and high is not None:
        said.insert(0, f"The target lay between {figure(low)} and {figure(high)} in training")
    return said


def _use(facts: ReportFacts) -> list[str]:
    lines = [
        "import wellfit",
        "",
        'run = wellfit.load("RUN")',
        "run.predict(frame)  # raw rows, one prediction each",
    ]
    if facts.task in ("binary", "multiclass"):
        lines.append("run.predict_proba(frame)  # columns as in run.classes_")
    shell = "wellfit predict RUN new.csv -o predictions.parquet\nwellfit evaluate RUN labelled.csv"
    code = "\n".join(lines)
    return [
        "`RUN` is this folder; rows are given raw, as they were in the training data.",
        f"```sh\n{shell}\n```",
        f"```python\n{code}\n```",
    ]
