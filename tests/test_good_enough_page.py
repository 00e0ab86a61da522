"""The page 'Good enough?': what is left is said, of every kind of model, and can be asked again."""

import shlex

import pandas as pd
import pytest
from typer.testing import CliRunner

from fercore.cli import app as command_line
from fercore.files import write_json
from fercore.groups.costs import Cost
from fercore.groups.finding import find_group
from fercore.importing.images import images_of_run
from fercore.importing.table_run import Named, import_table
from fercore.labels import CLASSES, NOT_FOR
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.grouped.thresholds import Wish, choose_thresholds, withhold
from fercore.scoring.statistics import Interval
from fercore.wording import breakable, interval, percent
from tests.seeds import two_groups
from tests.test_pages import open_page, said


def wanting(value: int) -> dict[str, int]:
    return {f"precision-{name}": value for name in CLASSES}


def test_it_says_what_is_left_on_privatetest_by_thresholds_of_publictest(two_runs):
    app = open_page("good_enough", a="first", b="second", **wanting(60))
    words = said(app)
    for key, name in {"A": "first", "B": "second"}.items():
        group = find_group(name)
        wishes = [Wish(k, "precision", 0.6) for k in range(7)]
        chosen = choose_thresholds(group.predictions("public"), wishes)
        left = withhold(group.predictions("private"), chosen)
        for share in (left.coverage(), left.accuracy()):
            told = f"**{percent(share.value)}** {interval(share.interval)}"
            assert breakable(told) in words, key
    assert "chosen on PublicTest" in words
    assert "all figures here are of synthetic faces (PrivateTest)" in words
    assert NOT_FOR in words
    assert "does not say who is in its pictures" in words


def test_the_line_for_a_terminal_gives_the_same_figures(two_runs):
    app = open_page("good_enough", a="first", b="none", part="clean", **wanting(60))
    line = app.code[0].value.replace("\\\n", "")
    program, *arguments = shlex.split(line)
    assert (program, arguments[:2]) == ("fercore", ["check", "first"])
    printed = CliRunner().invoke(command_line, arguments).stdout
    table = app.dataframe[0].value.set_index("class")
    for name in CLASSES:
        (row,) = [row for row in printed.splitlines() if row.startswith(f"precision[{name}]")]
        assert breakable(table["here"][name]) in row
        assert breakable(table["here, 95 %"][name]) in row


def test_false_alarms_may_be_limited_instead(two_runs):
    alarms = {f"alarms-{name}": 1.0 for name in CLASSES}
    app = open_page("good_enough", a="first", b="none", wish="alarms", **alarms)
    assert "--max 'false_alarms[angry]=0.01'" in app.code[0].value
    on_public = app.dataframe[0].value["on PublicTest"]
    assert all(float(told.split("\u00a0")[0]) <= 1 for told in on_public)


def test_surely_leaves_less_and_is_in_the_command(two_runs):
    app = open_page("good_enough", a="first", b="none", **wanting(60))
    plainly = find_left("first", sure=False)
    app.toggle(key="surely").set_value(True).run()
    surely = find_left("first", sure=True)
    assert surely.coverage().value < plainly.coverage().value
    assert percent(surely.coverage().value).replace("\u00a0", " ") in said(app)
    assert app.code[0].value.endswith("--sure")
    assert app.query_params["surely"] == "on"


def find_left(name: str, *, sure: bool):
    group = find_group(name)
    wishes = [Wish(k, "precision", 0.6, sure) for k in range(7)]
    chosen = choose_thresholds(group.predictions("public"), wishes)
    return withhold(group.predictions("private"), chosen)


def test_what_cannot_be_met_is_said(two_runs):
    app = open_page("good_enough", a="first", b="none", **wanting(0) | {"precision-fear": 100})
    table = find_group("first").predictions("public").tables[0]
    fear = CLASSES.index("fear")
    surest = table.confidence.argsort()[::-1]
    first_said = next(image for image in surest if table.predicted[image] == fear)
    met = bool(table.correct[first_said])
    assert ("is not reached on PublicTest at any threshold" in said(app)) != met
    assert list(app.dataframe[0].value["wanted"]).count("–") == 6


def test_without_a_wish_everything_is_answered(two_runs):
    app = open_page("good_enough", a="first", b="none", **wanting(0))
    assert "answers **100.0 %**" in said(app)
    assert not app.code


def test_of_groups_it_shows_means_and_the_weakest_seed(run_folders):
    two_groups(run_folders)
    app = open_page("good_enough", a="cnn@quick", b="cnn_lstm@quick", **wanting(60))
    assert not app.error
    weakest = app.dataframe[1].value
    assert list(weakest["weakest"]).count("seed") == 2
    right = find_group("cnn@quick").predictions("private").correct.mean(1)
    of_a = weakest[(weakest["model"] == "A") & (weakest["weakest"] == "seed")]
    assert percent(right.min()) in of_a["figure"].iloc[0]


def test_on_publictest_it_shows_privatetest_and_says_so(two_runs):
    words = said(open_page("good_enough", a="first", b="none", part="public"))
    assert "not judged on the same images" in words
    assert "all figures here are of synthetic faces (PrivateTest)" in words


def test_without_publictest_no_threshold_can_be_chosen(two_runs):
    run = two_runs[0]
    frame = run.prediction_frame[run.prediction_frame["usage"] == "PrivateTest"]
    frame.to_parquet(run.folder / "predictions.parquet")
    write_json(run.folder / "metrics.json", evaluate_parts(frame))
    words = said(open_page("good_enough", a="first", b="second"))
    assert "A: 'first' was not scored on PublicTest, where thresholds are chosen" in words
    assert ":orange[**B**] answers" in words


def imported(run, columns: pd.DataFrame, name: str) -> None:
    import_table(columns.to_csv(index=False).encode(), images_of_run(run), Named(name))


def test_labels_alone_have_no_threshold_but_weaknesses(two_runs):
    table = two_runs[0].predictions()
    answers = pd.DataFrame({"row": table.rows, "predicted": table.predicted})
    imported(two_runs[0], answers, "labels")
    app = open_page("good_enough", a="labels", b="none")
    assert "is not known, so nothing can be withheld by it" in said(app)
    assert "expression" in list(app.dataframe[0].value["weakest"])


def test_an_imported_run_has_thresholds_and_no_cost(two_runs):
    frame = two_runs[0].prediction_frame
    columns = ["row", *(name for name in frame if name.startswith("p_"))]
    imported(two_runs[0], frame[columns], "theirs")
    app = open_page("good_enough", a="theirs", b="none", **wanting(60))
    assert "**A**] answers" in said(app)
    app.button(key="measure").click().run()
    assert "A: 'theirs' was imported" in said(app)


@pytest.mark.parametrize("memory", [4 * 10**8, None])
def test_the_cost_is_measured_when_asked_for_and_stays(two_runs, monkeypatch, memory):
    asked = []

    def cost(group):
        asked.append(group.name)
        return Cost(3.21, Interval(3.0, 3.5), 1_200_000, memory)

    monkeypatch.setattr("dashboard.compare.good_enough_view.measured_cost", cost)
    app = open_page("good_enough", a="first", b="second", labels="verdicts")
    assert not asked
    app.button(key="measure").click().run()
    app.number_input(key="precision-fear").set_value(50).run()
    assert asked == ["first", "second"]
    (table,) = app.table
    assert list(table.value["one face"]) == ["3.2\u00a0ms"] * 2
    assert table.value["memory"].iloc[0] == ("400.0\u00a0MB" if memory else "–")
