"""The parts of a run's page that are told in words and tables: scores, findings, data, settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from wellfit.findings import Finding
from wellfit.report.columns_table import columns_table
from wellfit.report.facts import ReportFacts, flat, inside, masked, number, plain, section
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.images_section import images_table
from wellfit.report.scores import METRICS, Column, best_of, columns, figure, metric_names

__all__ = [
    "data_section",
    "findings_section",
    "model_section",
    "pairs",
    "scores_section",
    "setting",
]

_CLASSES = 10
_SEVERITIES = ("error", "warning", "info")


def pairs(entries: Iterable[tuple[str, object]]) -> Markup:
    """Make a list of names and values, leaving out what is not known."""
    made = [join([tag("dt", name), tag("dd", value)]) for name, value in entries if value not in (None, "")]
    return tag("dl", *made, class_="pairs")


def setting(value: Any) -> str:
    """Write a setting as YAML on one line, secrets masked.

    >>> setting(None), setting([256, 256]), setting("relu")
    ('null', '[256, 256]', 'relu')
    """
    text = yaml.safe_dump(plain(value), default_flow_style=True, width=10_000, allow_unicode=True)
    return masked(text.strip().removesuffix("\n...").strip())


def scores_section(facts: ReportFacts) -> Markup:
    """Show test and validation beside both baselines, the best of those on equal rows marked."""
    own = columns(facts)
    if not own:
        return tag("p", "No rows were held back: there are no scores of unseen rows.")
    rows = [_score_row(name, own) for name in metric_names(own)]
    split = "test" if any(column.key == "test" for column in own) else "validation"
    note = f"The baselines are scored on the {split} rows; the best of each line there is marked."
    if split == "validation":
        note += " There are no test rows: validation rows chose the kept epoch, so their score is a little flattering."
    made = table(
        ["Score", *[column.title for column in own]], rows, caption="The model beside the baselines", numeric=True
    )
    return join([made, tag("p", note, class_="note")])


def _score_row(name: str, own: Sequence[Column]) -> list[object]:
    known = METRICS.get(name)
    way = None if known is None else f"{'higher' if known.higher_is_better else 'lower'} is better; {known.meaning}"
    heading = join([name if known is None else known.label, None if way is None else tag("span", way, class_="unit")])
    rivals = {column.key: column.scores.get(name) for column in own}
    if "test" in rivals:
        rivals.pop("valid", None)
    best = best_of(name, rivals)
    return [heading, *[_score(column.scores.get(name), column.key == best) for column in own]]


def _score(value: Any, best: bool) -> Markup:
    if not best:
        return tag("td", figure(value))
    return tag("td", figure(value), tag("span", " (best)", class_="hidden"), class_="best")


def findings_section(findings: Sequence[Finding]) -> Markup:
    """List what the checks found, the gravest first; what is only to be known is folded."""
    grave = [finding for level in _SEVERITIES[:2] for finding in findings if finding.severity == level]
    known = [finding for finding in findings if finding.severity == "info"]
    said = None if grave else tag("p", "The checks found no error and nothing to warn of.")
    listed = tag("ul", *[_finding(finding) for finding in grave], class_="findings") if grave else None
    rest = tag("ul", *[_finding(finding) for finding in known], class_="findings")
    folded = fold(f"{len(known)} more to know", rest) if known else None
    return join([said, listed, folded])


def _finding(finding: Finding) -> Markup:
    place = ", ".join(part for part in (finding.where, finding.when) if part)
    evidence = ", ".join(
        f"{str(name).replace('_', ' ')} {figure(value) if number(value) is not None else value}"
        for name, value in finding.evidence.items()
    )
    remedies = [
        tag("li", tag("code", f"{remedy.path}: {setting(remedy.value)}"), f": {remedy.why}")
        for remedy in finding.remedies
    ]
    return tag(
        "li",
        tag("p", tag("span", finding.severity.capitalize(), class_="severity"), ": ", finding.message),
        tag("p", tag("code", finding.code), f" at {place}" if place else None, class_="evidence"),
        tag("p", f"Evidence: {evidence}", class_="evidence") if evidence else None,
        tag("ul", *remedies, class_="remedies") if remedies else None,
        class_=finding.severity,
    )


def data_section(facts: ReportFacts) -> Markup:
    """Say what was read, which rows were set aside and why, and what was decided for each column."""
    return join([_source(facts), _rows(facts), columns_table(facts), images_table(facts)])


def _source(facts: ReportFacts) -> Markup:
    source = section(facts.plan, "source")
    size = [f"{figure(source.get(key))} {key}" for key in ("rows", "columns") if number(source.get(key)) is not None]
    details = section(source, "details")
    checksum = source.get("checksum")
    return pairs(
        [
            ("Source", tag("code", facts.source) if facts.source else None),
            ("Kind", source.get("kind")),
            ("Read", ", ".join(size) + (f", {source['read_at']}" if source.get("read_at") else "")),
            *[(str(key).replace("_", " ").capitalize(), masked(str(value))) for key, value in details.items()],
            ("Checksum", tag("code", checksum) if checksum else None),
            ("Target in training", _target(section(facts.plan, "target"))),
        ]
    )


def _target(target: Mapping[str, Any]) -> str:
    """Say how often each class is, or between which values the target lies."""
    counts = [number(count) or 0.0 for count in target.get("counts") or ()]
    shares = zip(target.get("classes") or (), counts, strict=False)
    shown = [f"{label}: {count / sum(counts):.1%}" for label, count in shares if sum(counts)]
    if shown:
        return ", ".join(shown[:_CLASSES]) + (f" and {len(shown) - _CLASSES:,} more" if len(shown) > _CLASSES else "")
    low, high = number(target.get("low")), number(target.get("high"))
    return "" if low is None or high is None else f"{figure(low)} to {figure(high)}"


_ROWS = {
    "read": ("Read", "rows of the source"),
    "duplicates_dropped": ("Set aside: duplicates", "equal in every cell to an earlier row"),
    "without_target": ("Set aside: no target", "nothing to learn from or to score against"),
    "train": ("Training", "everything learnt comes from these"),
    "valid": ("Validation", "chose the epoch that was kept"),
    "test": ("Test", "scored once, at the end"),
}


def _rows(facts: ReportFacts) -> Markup | None:
    counts = section(facts.plan, "rows")
    named = {**_ROWS, **{key: (str(key).replace("_", " ").capitalize(), "") for key in counts if key not in _ROWS}}
    rows = [
        [title, figure(counts.get(key)), tag("td", why, class_="note")]
        for key, (title, why) in named.items()
        if number(counts.get(key)) is not None
    ]
    return table(["Rows", "Count", "Meaning"], rows, caption="What became of the rows") if rows else None


def model_section(facts: ReportFacts) -> Markup:
    """Show the model, how it was trained, the whole config and what a repetition needs."""
    parameters = number(facts.model.get("parameters"))
    options = ", ".join(f"{key} {setting(value)}" for key, value in section(facts.model, "options").items())
    made = pairs(
        [
            (
                "Model",
                facts.model.get("summary") or (tag("code", facts.model["type"]) if facts.model.get("type") else None),
            ),
            ("Options", None if facts.model.get("summary") else options),
            ("Parameters", None if parameters is None else figure(parameters)),
            *_training(section(facts.config, "train")),
        ]
    )
    text = masked(yaml.safe_dump(plain(facts.config), sort_keys=False, allow_unicode=True))
    whole = fold("The whole config, as it was resolved", tag("pre", text)) if facts.config else None
    return join([made, _differences(facts), whole, tag("h3", "To repeat this run"), _repeat(facts)])


def _training(train: Mapping[str, Any]) -> list[tuple[str, object]]:
    names = {
        "loss": "Loss",
        "optimizer": "Optimizer",
        "batch_size": "Batch size",
        "epochs": "Epochs, at most",
        "schedule": "Schedule",
        "early_stopping": "Early stopping",
        "metric": "Metric",
    }
    return [(title, _worded(train[key])) for key, title in names.items() if train.get(key) is not None]


def _worded(value: Any) -> str:
    if not isinstance(value, Mapping):
        return setting(value)
    options = [f"{key} {setting(item)}" for key, item in value.items() if key != "name" and item is not None]
    return ", ".join([*([str(value["name"])] if "name" in value else []), *options])


def _differences(facts: ReportFacts) -> Markup | None:
    """List the settings that are not the defaults; folded, those that are settled from the data unless given."""
    if not facts.defaults:
        return None
    usual = dict(flat(facts.defaults))
    stated: list[list[object]] = []
    settled: list[list[object]] = []
    for key, value in flat(facts.config):
        default = _default(usual, key)
        if default == value or key.startswith(("data.", "output.", "version")):
            continue
        row: list[object] = [tag("code", key), tag("code", setting(value))]
        if default == "auto":
            settled.append(row)
        else:
            stated.append([*row, tag("code", setting(default))])
    title = "Settings that differ from the defaults"
    shown = table(["Setting", "This run", "Default"], stated, caption=title) if stated else None
    folded = table(["Setting", "This run"], settled, caption="Settings that are auto unless given")
    said = None if stated else tag("p", "No setting differs from its default.")
    return join([said, shown, fold("What auto became", folded) if settled else None])


def _default(usual: Mapping[str, Any], key: str) -> Any:
    """Give the default of a dotted key, that of the nearest part above where there is none of its own."""
    while key not in usual and "." in key:
        key = key.rpartition(".")[0]
    return usual.get(key)


def _repeat(facts: ReportFacts) -> Markup:
    held = next(
        (found for record in (facts.model, facts.plan, facts.history.meta) if (found := section(record, "versions"))),
        {},
    )
    seeds = [
        f"{part}.seed {seed}" for part in ("split", "train") if (seed := inside(facts.config, part, "seed")) is not None
    ]
    return pairs(
        [
            ("Command", tag("code", "wellfit train -c config.yaml")),
            ("Seeds", ", ".join(seeds)),
            ("Versions", ", ".join(f"{name} {version}" for name, version in held.items())),
        ]
    )
