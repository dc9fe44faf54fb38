from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
import vl_convert

from wellfit.errors import BadInput
from wellfit.history import History
from wellfit.report import ReportFacts, document, render_page

ENGINE = "window.vegaEmbed = () => {};"
VOID = {"meta", "link", "br", "hr", "img"}
LOADING = {"src", "href", "srcset", "action", "data", "poster", "background", "formaction", "xlink:href"}


class Outline(HTMLParser):
    """The tags, the texts and the scripts of a page; a wrongly nested tag fails."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    def within(self, name: str) -> list[str]:
        return [text for tag, text in self.texts if tag == name]

    @property
    def text(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


@pytest.fixture(autouse=True)
def small_engine(monkeypatch):
    """Put a stand-in for the chart engine into the page: only one test needs the real one."""
    monkeypatch.setattr(document, "chart_engine", lambda: document.script_text(ENGINE))


def charts_of(page: Outline) -> list[dict]:
    data = [text for text in page.within("script") if text.startswith("{")]
    return [json.loads(text) for text in data]


def test_the_answer_comes_first(binary):
    page = Outline(render_page([binary()]))
    (verdict,) = [text for _, text in page.texts if text.startswith("Accuracy 0.853")]
    expected = "Accuracy 0.853 on 200 test rows; always answering '<=50K' gives 0.761, a linear model 0.848."
    assert verdict == expected
    assert page.within("h1") == ["adult-1"]
    titles = ["Scores", "Diagnosis", "How learning went", "How it errs", "Data", "Model and settings"]
    assert page.within("h2") == titles
    assert {f"#{attributes['id']}" for attributes in page.named("section")} == {
        attributes["href"] for attributes in page.named("a")
    }


@pytest.mark.parametrize(
    ("linear", "said"), [(0.86, "does not beat the baseline 'linear model'"), (0.853, "does not beat"), (0.8, None)]
)
def test_a_model_that_is_beaten_is_told_so(binary, linear, said):
    metrics = {"test": {"accuracy": 0.853}, "baselines": {"linear": {"accuracy": linear}}}
    text = Outline(render_page([binary(metrics=metrics)])).text
    assert (said or "a linear model") in text
    assert ("does not beat" in text) is (said is not None)


def test_the_better_of_test_and_baselines_is_marked(binary):
    best = re.findall(r'<td class="best">([^<]*)', render_page([binary()]))
    assert best == ["0.8530", "0.9100", "0.3000"]


def test_regression_is_told_in_its_error(binary, evaluation_of):
    facts = binary(
        plan={"target": {"name": "price", "task": "regression"}, "rows": {"test": 1000}},
        metrics={
            "test": {"rmse": 52310.4, "mae": 30000.0, "r2": None},
            "baselines": {"mean": {"rmse": 115000.0}, "linear": {"rmse": float("nan")}},
        },
        evaluation=evaluation_of("regression", []),
    )
    page = Outline(render_page([facts]))
    assert "RMSE 52,310 on 1,000 test rows; always answering the mean gives 115,000." in page.text
    assert {"Predicted and actual", "Errors", "Where the errors are"} <= set(page.within("h3"))


def test_without_test_rows_the_validation_score_is_told_with_care(binary):
    facts = binary(metrics={"valid": {"accuracy": 0.8}, "test": {}}, evaluation={})
    page = Outline(render_page([facts]))
    assert "Accuracy 0.800 on 160 validation rows." in page.text
    assert "a little flattering" in page.text
    assert "How it errs" not in page.within("h2")


def test_an_empty_split_draws_nothing(binary):
    page = Outline(render_page([binary(evaluation={"task": "binary", "rows": 0, "rows_left_out": 0})]))
    assert "How it errs" not in page.within("h2")


def test_a_run_of_which_nothing_is_known_still_has_a_page():
    facts = ReportFacts(name="x", config={}, plan={}, model={}, metrics={}, evaluation={}, history=History())
    text = render_page([facts])
    page = Outline(text)
    assert "No rows were held back" in page.text
    assert "vegaEmbed" not in text
    assert "script-src 'none'" in page.named("meta")[1]["content"]


def test_no_run_is_refused():
    with pytest.raises(BadInput):
        render_page([])


def test_findings_are_sorted_and_the_info_ones_folded(binary):
    page = render_page([binary()])
    levels = re.findall(r'<li class="(error|warning|info)">', page)
    assert levels == ["error", "warning", "info", "info"]
    assert page.index("2 more to know") < page.index('<li class="info">')
    text = Outline(page).text
    assert "gap 0.2500" in text
    assert "model.dropout: 0.3" in text
    assert "units stop relying on each other" in text


def test_every_column_says_what_was_decided(binary):
    rows = re.findall(r'<tr><th scope="row"><code>(\w+)</code></th>(.*?)</tr>', render_page([binary()]))
    told = {name: re.findall(r"<td[^>]*>(.*?)</td>", cells) for name, cells in rows}
    assert told["age"] == ["number", "0 %", "robust scale, missing becomes 37"]
    assert told["job"] == ["category", "5.6 %", "onehot, 2 known values"]
    assert told["id"][2] == "left out: it names the row"
    assert "equal in every cell" in render_page([binary()])


def test_many_columns_are_folded_but_those_left_out_stay_in_sight(binary):
    columns = [{"name": f"c{place}", "kind": "number"} for place in range(40)]
    columns.append({"name": "gone", "kind": "drop", "reason": "one value"})
    page = render_page([binary(plan={"cleaning": {"columns": columns}})])
    assert page.index("left out: one value") < page.index("<summary>41 columns, 1 left out") < page.index("<code>c39<")


def test_settings_beside_the_defaults(binary):
    usual = {"train": {"loss": "auto", "optimizer": {"name": "adam", "lr": "auto"}, "seed": 7, "metric": "accuracy"}}
    config = {"train": {**usual["train"], "loss": {"name": "cce"}, "optimizer": {"name": "nadam", "lr": 0.1}}}
    page = render_page([binary(defaults=usual, config=config)])
    stated, settled = (
        re.findall(r"<th scope=\"row\"><code>([\w.]+)", page.split(f"{title}</caption>")[1].split("</table>")[0])
        for title in ("Settings that differ from the defaults", "Settings that are auto unless given")
    )
    assert stated == ["train.optimizer.name"]
    assert settled == ["train.loss.name", "train.optimizer.lr"]


def test_a_run_of_defaults_says_so(binary):
    facts = binary()
    assert "No setting differs" in render_page([binary(defaults=facts.config)])


def test_what_is_needed_to_repeat_it(binary):
    text = Outline(render_page([binary(model={"versions": {"torch": "2.13.0"}})])).text
    assert "wellfit train -c config.yaml" in text
    assert "split.seed 42, train.seed 7" in text
    assert "torch 2.13.0" in text


def test_secrets_are_not_shown(binary):
    source = "sql:postgresql://ann:hunter2@db/x?table=t&token=hunter3"
    plan = {"source": {"uri": source, "details": {"query": f"{source}"}}}
    page = render_page([binary(config={"data": {"source": source, "url": source}}, plan=plan)])
    assert "hunter" not in page
    assert "postgresql://***@db/x" in page


def test_nothing_is_loaded_and_only_two_scripts_may_run(binary, hostile):
    for facts in ([binary()], [hostile], [binary(), hostile]):
        page = Outline(render_page(facts))
        for tag, attributes in page.tags:
            assert not attributes.keys() & (LOADING - {"href"})
            assert not any(key.startswith("on") for key in attributes)
            assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form")
            assert attributes.get("href", "#").startswith("#")
        policy = page.named("meta")[1]["content"]
        assert policy.startswith("default-src 'none';")
        code = [text for text in page.within("script") if not text.startswith("{")]
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in code]
        assert re.findall(r"'sha256-([^']+)'", policy) == hashes
        assert len(code) == 2
        assert not re.search(r"@import|url\(", page.within("style")[0])


def test_hostile_names_stay_text(hostile, binary):
    for facts in ([hostile], [hostile, binary()]):
        made = render_page(facts)
        page = Outline(made)
        made.encode("utf-8")
        assert "\0" not in made
        kinds = [attributes.get("type") for attributes in page.named("script")]
        assert set(kinds) == {"application/json", "module"}
        assert kinds.count("module") == 2
        assert page.text.count("<script>alert(1)</script>") > 10 - 5 * (len(facts) - 1)
        for text in page.within("script"):
            assert "<" not in text or not text.startswith("{")
    labels = {
        row["class"]
        for spec in charts_of(Outline(render_page([hostile])))
        for row in spec["data"]["values"]
        if "class" in row
    }
    assert any(label.startswith("<script>alert(1)</script>\"'</script><!--") for label in labels)


def test_every_chart_is_described(binary):
    page = Outline(render_page([binary()]))
    holders = [attributes for attributes in page.named("div") if attributes.get("class") == "chart"]
    assert len(holders) == len(charts_of(page)) == 6
    assert all(holder["role"] == "img" and holder["aria-label"] for holder in holders)
    assert page.named("html") == [{"lang": "en"}]


def test_what_is_not_finite_breaks_nothing(binary):
    history = History({"best_epoch": 2})
    for epoch, value in enumerate([float("inf"), 0.5, float("nan"), 0.4], start=1):
        history.add(step=epoch, epoch=epoch, name="train_loss", value=value)
        history.add(step=epoch, epoch=epoch, name="valid_loss", value=value)
    bad = {"accuracy": float("nan"), "log_loss": float("inf"), "auc": 0.5}
    page = Outline(render_page([binary(history=history, metrics={"test": bad}, evaluation={})]))
    assert "AUC 0.500 on 200 test rows." in page.text
    assert "The weights of epoch 2 were kept" in page.text
    (spec,) = charts_of(page)
    assert [row["epoch"] for row in spec["data"]["values"]] == [2, 4, 2, 4]


def test_a_run_that_only_diverged_draws_no_curve(binary):
    history = History()
    history.add(step=1, epoch=1, name="train_loss", value=float("nan"))
    page = Outline(render_page([binary(history=history, evaluation={})]))
    assert charts_of(page) == []


def test_a_long_history_is_thinned(binary, history_of):
    long = binary(history=history_of(5000), evaluation={})
    page = render_page([long])
    for spec in charts_of(Outline(page)):
        assert len(spec["data"]["values"]) <= 2 * 500
    assert "Trained for 5,000 epochs." in page
    assert "epochs; training from 1 to 0.0002" in page


def test_a_constant_rate_is_a_sentence(binary, history_of):
    page = Outline(render_page([binary(history=history_of(9, lr=0.004))]))
    assert "The learning rate was 0.004" in page.text
    assert "Learning rate" not in page.within("h3")


def test_several_runs_stand_side_by_side(binary):
    better = binary(metrics={"test": {"accuracy": 0.9, "auc": 0.8}}, config={"train": {"seed": 8}})
    made = render_page([binary(), better])
    page = Outline(made)
    assert page.within("h1") == ["2 runs side by side"]
    assert re.findall(r'<td class="best">([^<]*)', made) == ["0.9100", "0.9000"]
    first, *_ = charts_of(page)
    assert {row["series"] for row in first["data"]["values"]} == {"adult-1", "adult-1 (2)"}
    assert "train.seed" in page.text
    assert "not scored on the same rows" in page.text


def test_runs_of_the_same_rows_need_no_warning(binary):
    assert "not scored on the same rows" not in render_page([binary(), binary(name="other")])


def test_the_real_engine_fits_the_page(binary, monkeypatch):
    monkeypatch.undo()
    document.chart_engine.cache_clear()
    made = render_page([binary()])
    assert made.count("window.vegaEmbed = ") + made.count("window.vegaEmbed=") == 1
    assert len(made.encode()) < 2_000_000
    Outline(made)
    built = []
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda *_: built.append(1))
    assert render_page([binary()]) == made
    assert built == []


def test_what_was_measured_within_epochs_is_no_epoch(binary, history_of):
    history = history_of(3)
    for epoch, name in [(0, "probe_loss"), (1, "batch_loss"), (3, "noise_scale"), (4, "batch_loss")]:
        history.add(step=epoch, epoch=epoch, name=name, value=1.0)
    page = Outline(render_page([binary(history=history)]))
    assert "Trained for 3 epochs." in page.text
    assert "batch loss" not in page.text
    assert "probe loss" not in page.text
