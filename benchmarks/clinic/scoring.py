"""Findings to the clinic's score, and the score to tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from figures import show
from source import Case, Run

BARS = {"detected": 0.98, "recall": 0.90, "precision": 0.85, "false alarms": 0.02}
Raised = Mapping[tuple[str, int], Sequence[str]]


def codes(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the codes at warning or error level, each once, in the order raised."""
    return list(dict.fromkeys(f["code"] for f in findings if f["severity"] in ("warning", "error")))


def interval(figures: Sequence[float]) -> str:
    return f"{figures[0]:.3f}-{figures[1]:.3f}"


MAIN_HEAD = [
    "",
    "detected",
    "recall (95 %)",
    "precision",
    "alarms, runs",
    "alarms, cases (95 %)",
    "strict p.",
    "first r/p",
]


def main_row(name: str, report: Mapping[str, Any]) -> list[str]:
    """Give a tool's row of the table that all tools share; ``r`` is recall, ``p`` precision."""
    said, alarms = report["diagnosis"], report["false_alarms"]
    cases = alarms["by_case"]
    return [
        name,
        f"{report['detection']['rate']:.3f}",
        f"{said['recall']:.3f} ({interval(said['interval'])})",
        f"{said['precision']:.3f}",
        f"{alarms['rate']:.3f} ({alarms['count']}/{report['runs']['healthy']})",
        f"{cases['rate']:.3f} ({cases['count']}, {interval(cases['interval'])})",
        f"{said['strict']['precision']:.3f}",
        f"{said['first']['recall']:.3f}/{said['first']['precision']:.3f}",
    ]


def bars_met(report: Mapping[str, Any]) -> dict[str, bool]:
    """Tell for each bar whether it is met."""
    said = report["diagnosis"]
    return {
        "detected": report["detection"]["rate"] >= BARS["detected"],
        "recall": said["recall"] >= BARS["recall"],
        "precision": said["precision"] >= BARS["precision"],
        "false alarms": report["false_alarms"]["rate"] <= BARS["false alarms"],
    }


def bars_line(met: Mapping[str, bool]) -> str:
    return ", ".join(name for name, good in met.items() if not good) or "none"


def show_faults(arm: str, report: Mapping[str, Any]) -> None:
    """Print the recall of every fault, with counts."""
    rows = []
    for code, figures in report["per_fault"].items():
        runs = figures["runs"]
        shares = [f"{round(figures[name] * runs)} ({figures[name]:.2f})" for name in ("detected", "diagnosed", "exact")]
        rows.append([code, str(runs), *shares])
    show(f"{arm}: faulty runs by their cause", ["cause", "runs", "detected", "diagnosed", "exact"], rows)


def mistakes(raised: Raised, runs: Sequence[Run]) -> dict[str, list[dict[str, Any]]]:
    """Give the missed, the false alarms and the wrong findings on faulty runs, each with what was raised."""
    lists: dict[str, list[dict[str, Any]]] = {"missed": [], "false_alarms": [], "wrong": []}
    for run in runs:
        codes_raised = list(raised.get(run.key, ()))
        case = run.case
        line = {"case": case["id"], "seed": run.seed, "truth": case["truth"], "raised": codes_raised}
        beside = [code for code in codes_raised if code not in case["accept"] and code not in case["symptoms"]]
        if run.healthy:
            if beside:
                lists["false_alarms"].append(line)
            continue
        if not set(codes_raised) & set(case["accept"]):
            lists["missed"].append(line)
        if beside:
            lists["wrong"].append({**line, "wrong": beside})
    return lists


def show_mistakes(arm: str, lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    titles = {"missed": "missed", "false_alarms": "false alarms", "wrong": "wrong beside the cause or instead of it"}
    for name, title in titles.items():
        rows = []
        for line in lists[name]:
            said = " ".join(line.get("wrong", line["raised"])) or "-"
            rows.append([line["case"], str(line["seed"]), line["truth"], said])
        if rows:
            show(f"{arm}: {title}: {len(rows)} runs", ["case", "seed", "truth", "raised"], rows)


def scored(module: ModuleType, raised: Raised, cases: Sequence[Case]) -> dict[str, Any]:
    """Give the clinic's report; cases of which no run was made are left out."""
    made = {name for name, _ in raised}
    report: dict[str, Any] = module.score(dict(raised), [case for case in cases if case["id"] in made])
    return report
