from __future__ import annotations

import re

from markdown_it import MarkdownIt

from wellfit.history import History
from wellfit.report import ReportFacts, render_card


def test_the_card_says_what_a_user_must_know(binary):
    card = render_card(binary())
    titles = ["What it predicts", "From what", "How it was trained", "How well", "Limits", "How to use it", "Safety"]
    assert re.findall(r"^## (.*)$", card, re.M) == titles
    for said in (
        "The column `income`: one of two classes.",
        "Checksum: `abc123`",
        "1,010 read, 640 train, 160 valid, 200 test",
        "Set aside: 7 rows equal to an earlier row",
        "Columns read as number: `age`",
        "Not used: `id` (it names the row)",
        "| Accuracy (higher is better) | 0.8530 | 0.8600 | 0.7610 | 0.8480 |",
        "Medians of the training rows, far from which it extrapolates: `age` 37",
        "Numbers of categories it knows: `job` 2",
        "Warning `overfitting`: The gap grows.",
        "wellfit predict RUN new.csv",
        'wellfit.load("RUN")',
        "JSON, safetensors, Parquet, YAML",
    ):
        assert said in card


def test_rows_that_the_weights_hold_are_owned_up_to(binary):
    facts = binary()
    assert "training rows: its weights hold" not in render_card(facts)
    assert "its weights hold 1,600 of them" in render_card(binary(model={**facts.model, "known_rows": 1600}))


def test_classes_have_no_range(binary):
    facts = binary()
    target = {**facts.plan["target"], "low": 0.0, "high": 0.0}
    assert "lay between" not in render_card(binary(plan={**facts.plan, "target": target}))


def test_ranges_of_training_are_limits(binary):
    facts = binary()
    plan = {
        **facts.plan,
        "ranges": {"age": [17, 90]},
        "target": {"name": "y", "task": "regression", "low": 0, "high": 9.5},
    }
    card = render_card(binary(plan=plan))
    assert "beyond which it extrapolates: `age` 17 to 90" in card
    assert "The target lay between 0 and 9.500 in training" in card
    assert "predict_proba" not in card


def test_hostile_names_are_quoted(hostile):
    card = render_card(hostile)
    card.encode("utf-8")
    assert "\0" not in card
    parsed = MarkdownIt("commonmark", {"html": True}).enable("table").parse(card)
    inline = [child for token in parsed for child in token.children or ()]
    kinds = {token.type for token in (*parsed, *inline)}
    assert not kinds & {"html_inline", "html_block", "link_open", "image"}
    assert "code_inline" in kinds
    told = "".join(token.content for token in inline)
    assert told.count("<script>alert(1)</script>\"'</script><!--|`[x](javascript:1)&") > 10
    assert [token.content for token in parsed if token.type == "fence"][1].startswith("import wellfit")


def test_secrets_are_not_in_the_card(binary):
    card = render_card(binary(plan={"source": {"uri": "sql:mysql://a:hunter2@h/d"}}))
    assert "hunter2" not in card


def test_a_run_of_which_nothing_is_known_still_has_a_card():
    facts = ReportFacts(name="x", config={}, plan={}, model={}, metrics={}, evaluation={}, history=History())
    assert render_card(facts).startswith("# x\n\nNo rows were held back")
