"""What people know of images: attributes make slices and gaps, and a selection keeps its name."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact
from streamlit.testing.v1 import AppTest

from dashboard.base.navigation import PAGES
from fercore.analysis import marks
from fercore.analysis.attributes import import_attributes
from fercore.analysis.marks import Mark
from fercore.errors import ConfigError, DataError
from fercore.groups import tables
from fercore.groups.group import group_of
from fercore.importing.images import images_of_run
from fercore.labels import CLASSES
from fercore.report.card import card
from fercore.report.page import report_html
from fercore.scoring.gaps import gaps
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.slices import slice_title
from tests.conftest import ROOT
from tests.test_cli import fails, run
from tests.test_pages import TIMEOUT, no_video, open_page, said  # noqa: F401
from tests.test_plain_words import HOSTILE, acted_upon
from tests.test_report import Tables, table_with


@pytest.fixture
def people(two_runs, tmp_path) -> pd.DataFrame:
    """A table about every test image: row, age group, glasses and an age in years."""
    frame = two_runs[0].stored_frame
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "row": frame["row"],
            "age group": rng.choice(["0-19", "20-59", "60+"], len(frame), p=[0.4, 0.5, 0.1]),
            "glasses": rng.random(len(frame)) < 0.3,
            "years": rng.normal(40, 15, len(frame)),
            "who": np.arange(len(frame)).astype(str) + " person",
        }
    )
    table.to_csv(tmp_path / "people.csv", index=False)
    run("attributes", "import", str(tmp_path / "people.csv"), "--data", "synthetic")
    return table.set_index("row")


def test_attributes_are_slices_and_cross(people, two_runs):
    assert [mark.name for mark in marks.marks("attributes")] == ["age group", "glasses", "years"]
    table = tables.slices("first").set_index(["property", "slice"])
    answers = two_runs[0].predictions()
    mine = people.loc[answers.rows]
    young = (mine["age group"] == "0-19").to_numpy()
    assert table.loc[("age group", "0-19"), "n"] == young.sum()
    assert table.loc[("age group", "0-19"), "accuracy"] == pytest.approx(
        answers.correct[young].mean()
    )
    assert len(table.loc["years"]) == 5
    crossed = tables.slices("first", crossed=("glasses", "age group"))
    line = crossed.set_index("slice").loc["yes × 0-19"]
    assert line["n"] == (young & mine["glasses"].to_numpy()).sum()
    assert len(crossed) == 6
    assert not tables.slices("first", crossed=("class", "glasses"))["macro_f1"].notna().any()


def test_a_report_has_the_slices_of_the_page(people, two_runs):
    report = report_html(group_of(two_runs[0]), group_of(two_runs[1]))
    _, rows = table_with(Tables(report).found, "slice", "corrected p")
    of_page = tables.slices("first")[["property", "slice"]].to_numpy()
    assert {row[0] for row in rows} == {slice_title(*each) for each in of_page}


def test_a_card_says_what_is_known_of_the_people_and_who_said_it(two_runs):
    rows = two_runs[0].stored_frame["row"]
    table = pd.DataFrame({"row": rows, "group": np.where(rows % 2, "60 | over", "under")})
    content, images = table.to_csv(index=False).encode(), images_of_run(two_runs[0])
    assert "are not recorded" in card(two_runs[0])
    import_attributes(content, images, file="a.csv", guessed=True)
    told = card(two_runs[0])
    assert "Known of the people: group (guessed by a model)" in told
    assert "are not recorded" not in told


def test_slices_by_what_a_model_guessed_are_called_so(two_runs):
    rows = two_runs[0].stored_frame["row"]
    table = pd.DataFrame({"row": rows, "age_group": np.where(rows % 2, "young", "old")})
    content, images = table.to_csv(index=False).encode(), images_of_run(two_runs[0])
    for guessed in (False, True):
        import_attributes(content, images, file="a.csv", guessed=guessed)
        report = report_html(group_of(two_runs[0]), group_of(two_runs[1]))
        pages = [said(open_page(page, a="first", b="second")) for page in ("slices", "good_enough")]
        for words in (report, *pages):
            assert ("was guessed by a model: its mistakes" in words) == guessed


def test_long_numbers_keep_every_figure(two_runs):
    rows = two_runs[0].stored_frame["row"]
    days = 20260101 + np.arange(len(rows)) % 3
    table = pd.DataFrame({"row": rows, "day": days, "stamp": 1_700_000_000 + np.arange(len(rows))})
    import_attributes(table.to_csv(index=False).encode(), images_of_run(two_runs[0]), file="a.csv")
    known = {mark.name: set(mark.table["value"]) for mark in marks.marks("attributes")}
    assert known["day"] == {"20260101", "20260102", "20260103"}
    assert len(known["stamp"]) == 5


def test_gaps_are_those_of_the_counts(people, two_runs):
    answers = two_runs[0].predictions()
    young = (people.loc[answers.rows, "glasses"]).to_numpy(bool)
    table = gaps(grouped([answers]), {"yes": young, "no": ~young}).table
    for line in table.to_dict("records"):
        k = CLASSES.index(line["class"])
        whole = (answers.labels == k) == (line["metric"] == "recall")
        told = answers.predicted == k
        shares = [told[whole & inside].mean() for inside in (young, ~young)]
        assert line["gap"] == pytest.approx(abs(shares[0] - shares[1]))
        assert line["gap_low"] <= line["gap"] <= line["gap_high"]
        counts = [
            [(told & whole & inside).sum(), (~told & whole & inside).sum()]
            for inside in (young, ~young)
        ]
        assert line["p_value"] == pytest.approx(fisher_exact(np.array(counts)).pvalue)
    assert (table["p_holm"] >= table["p_value"]).all()


def test_small_groups_are_no_worst_and_no_best(two_runs):
    answers = two_runs[0].predictions()
    few = np.zeros(len(answers), bool)
    few[:5] = True
    half = (np.arange(len(answers)) % 2).astype(bool)
    found = gaps(grouped([answers]), {"few": few, "odd": half & ~few, "even": ~half & ~few})
    assert "few" not in {*found.table["worst"], *found.table["best"]}
    assert any(sentence.endswith("of few") for sentence in found.small)


def test_a_gap_of_seeds_crosses_seeds_and_images(two_runs):
    tables_of = [each.predictions() for each in two_runs]
    half = np.arange(350) % 2 == 0
    found = gaps(grouped(tables_of), {"odd": ~half, "even": half}).table
    line = found[found["metric"] == "false alarms"].iloc[0]
    shares = [
        np.mean([(one.predicted == 0)[inside & (one.labels != 0)].mean() for one in tables_of])
        for inside in (half, ~half)
    ]
    assert line["gap"] == pytest.approx(abs(shares[0] - shares[1]))
    assert line["gap_low"] < line["gap"] < line["gap_high"]


def test_the_command_line_lists_them_and_warns_of_guesses(people, tmp_path):
    (listed, *_) = json.loads(run("attributes", "list", "--json"))
    assert listed["name"] == "age group"
    assert sum(listed["values"].values()) == len(set(people.index))
    run("attributes", "import", str(tmp_path / "people.csv"), "--data", "synthetic", "--guessed")
    assert "guessed by a model" in run("attributes", "gaps", "glasses", "first")
    run("attributes", "delete", "glasses", "--yes")
    assert "There is no 'glasses'" in fails("attributes", "gaps", "glasses", "first")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"row": [1, 1], "pose": ["a", "b"]}, "several lines of one image"),
        ({"row": [10**6, 10**6 + 5], "pose": ["a", "b"]}, "none of synthetic's test images"),
        ({"row": [1, 3], "who": ["", ""]}, "no column is an attribute"),
        ({"row": [1, 3], "class": ["a", "b"]}, "cannot be the name"),
    ],
)
def test_an_odd_table_ends_in_a_sentence(table, sentence, two_runs):
    images = images_of_run(two_runs[0])
    rows = images.frame["row"].to_numpy()
    table = {**table, "row": [rows[n] if n < 10**6 else n for n in table["row"]]}
    content = pd.DataFrame(table).to_csv(index=False).encode()
    with pytest.raises((DataError, ConfigError), match=sentence):
        import_attributes(content, images, file="odd.csv")
    assert marks.marks("attributes") == []


def test_a_damaged_attribute_hurts_itself_alone(people):
    path = marks._path("attributes", "glasses")
    path.write_bytes(b"PAR1")
    assert [mark.name for mark in marks.marks("attributes")] == ["age group", "years"]
    assert "is damaged" in marks.problems()[0]
    assert "is damaged" in said(open_page("slices"))


@pytest.fixture
def hard(two_runs) -> Mark:
    answers = two_runs[0].predictions()
    wrong = ~answers.correct
    lines = pd.DataFrame({"row": answers.rows[wrong], "pixels": answers.pixels[wrong]})
    mark = Mark("subsets", "hard ones", lines, "synthetic", "A wrong")
    marks.store(mark)
    return mark


def test_a_subset_is_a_slice_that_travels(hard, tmp_path):
    table = tables.slices("first").set_index(["property", "slice"])
    assert table.loc[("subset", "hard ones"), "n"] == len(hard.table)
    assert table.loc[("subset", "hard ones"), "accuracy"] == 0
    run("subsets", "export", "hard ones", str(tmp_path / "hard.csv"))
    run("subsets", "delete", "hard ones", "--yes")
    assert json.loads(run("subsets", "list", "--json")) == []
    arguments = ["--name", "again", "--data", "synthetic"]
    run("subsets", "import", str(tmp_path / "hard.csv"), *arguments)
    again = marks.find("subsets", "again").table
    assert sorted(again["row"]) == sorted(hard.table["row"])


def test_a_subset_is_chosen_by_a_link_and_missed_when_it_is_gone(hard):
    title = slice_title("subset", "hard ones")
    app = open_page("misclassified", slice=title, which="all")
    assert f"slice **{title}**" in said(app)
    assert f": {len(hard.table)} faces**" in said(app)
    marks.remove("subsets", "hard ones")
    app.run()
    assert "is not here any more" in said(app)


def test_a_link_names_a_subset_by_its_key(hard):
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=TIMEOUT)
    app.query_params["slice"] = "own:subset:hard ones"
    app.run()
    assert app.sidebar.selectbox(key="slice").value == "subset: hard ones"
    assert "is not here" not in said(app)


def test_what_is_selected_is_saved_under_a_name(two_runs):
    app = open_page("misclassified", a="first", true="sad")
    app.text_input(key="subset-name").set_value("sad errors").run()
    app.button(key="subset-save").click().run()
    answers = two_runs[0].predictions()
    wrong = ~answers.correct & (answers.labels == CLASSES.index("sad"))
    assert sorted(marks.find("subsets", "sad errors").table["row"]) == answers.rows[wrong].tolist()
    assert app.sidebar.selectbox(key="slice").options[-1] == "subset: sad errors"


def test_the_page_shows_gaps_and_what_is_crossed(people):
    app = open_page("slices")
    assert "Gaps between groups" in said(app)
    app.selectbox(key="gaps-by").set_value("glasses").run()
    app.selectbox(key="cross-one").set_value("glasses").run()
    app.selectbox(key="cross-other").set_value("age group").run()
    assert not app.exception
    assert any("yes × 0-19" in frame.value.to_string() for frame in app.dataframe)


def slices_by_link(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=TIMEOUT)
    app.switch_page(str(PAGES["slices"].path))
    for key, value in query.items():
        app.query_params[key.replace("_", "-")] = value
    return app.run()


def test_what_is_crossed_and_the_gaps_stand_in_the_link(people):
    app = open_page("slices")
    app.selectbox(key="gaps-by").set_value("glasses").run()
    app.selectbox(key="cross-one").set_value("class").run()
    app.selectbox(key="cross-other").set_value("age group").run()
    link = app.query_params
    expected = {"gaps-by": "own:glasses", "cross-one": "class", "cross-other": "own:age group"}
    assert {key: link[key] for key in expected} == expected
    app.switch_page(str(PAGES["overview"].path)).run()
    app.switch_page(str(PAGES["slices"].path)).run()  # it is kept, and a link restores it
    for again in (app, slices_by_link(**{k.replace("-", "_"): v for k, v in expected.items()})):
        assert again.selectbox(key="gaps-by").value == "glasses"
        assert again.selectbox(key="cross-one").value == "class"
        assert again.selectbox(key="cross-other").value == "age group"
        assert "not here" not in said(again)


def test_a_link_to_what_is_not_crossed_here_says_so(people):
    app = slices_by_link(cross_one="own:nosuch", cross_other="own:glasses", gaps_by="own:nosuch")
    assert not app.exception
    words = said(app).replace("\u2060", "")  # which keeps a colon from being an icon's
    assert "names the property that is crossed “own:nosuch”, which is not here" in words
    assert "names the attribute of the gaps “own:nosuch”" in words
    assert app.selectbox(key="cross-other").value == "glasses"
    app = slices_by_link(cross_one="face")  # of these images it is not known
    assert "There is no “face” here. Shown instead: nothing." in said(app)
    assert app.selectbox(key="cross-one").value == "nothing"


def test_who_may_not_write_saves_nothing(two_runs, monkeypatch):
    monkeypatch.setenv("FERCORE_ALLOW_WRITE", "0")
    app = open_page("misclassified", true="sad")
    assert not [field for field in app.text_input if field.key == "subset-name"]


def test_what_people_wrote_is_shown_and_not_acted_upon(two_runs):
    frame = two_runs[0].stored_frame
    value = HOSTILE[:60]
    table = pd.DataFrame({"row": frame["row"], "pose": np.where(frame["row"] % 2, value, "x")})
    import_attributes(table.to_csv(index=False).encode(), images_of_run(two_runs[0]), file="a.csv")
    for page in ("slices", "misclassified"):
        app = open_page(page, a="first", b="second", slice=slice_title("pose", value))
        active = {at: text for at, text in acted_upon(app).items() if "raw_value" not in at}
        figures = {at for at in active if at.endswith(".spec")}  # what a click gives is as it is
        assert active.keys() <= figures
        assert all("&lt;img" in active[at] for at in figures)
