"""Every CSV: of what it is, in words declared once, with numbers that pandas can compute with."""

import io
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st

from dashboard.base.navigation import PAGES
from fercore.analysis import review
from fercore.csv_tables import COLUMNS, as_text, csv_text, from_text, undeclared
from fercore.data import synthetic
from fercore.groups import tables
from fercore.runs.changes import annotate_run
from fercore.runs.listing import find_run
from tests.conftest import ROOT
from tests.e2e.conftest import place_at_random
from tests.seeds import another_seed
from tests.test_from_weights import robustness_table
from tests.test_pages import no_video, open_page  # noqa: F401

# What is no share or count but a name, or a text of people's.
TEXTS = {
    "model", "run", "run_a", "run_b", "dataset", "part", "usage", "pixels", "label", "class",
    "metric", "probabilities", "property", "slice", "subset", "labels", "kind", "verdict",
    "should_be", "note", "updated", "photo", "predicted", "study", "variant", "title", "condition",
    "architecture", "recipe", "start_from", "fingerprint", "created", "processor",
    "precision_mode", "family", "contrast", "of_seeds", "run_id", "git_commit", "scored",
}  # fmt: skip
OF_IMAGES = {"label", "predicted"}
PLAIN = re.compile(r"^(a|b|other)_")


@pytest.fixture
def downloads(monkeypatch) -> dict[str, pd.DataFrame]:
    """By file name, the CSVs that the pages opened since would give."""
    found: dict[str, pd.DataFrame] = {}

    def keep(label, data, file_name, **options):
        if file_name.endswith(".csv"):
            content = data() if callable(data) else data
            found[file_name] = pd.read_csv(io.BytesIO(content), keep_default_na=True)

    monkeypatch.setattr(st, "download_button", keep)
    return found


def unnamed(figure: go.Figure) -> list[str]:
    """Of 'x' and 'y', what a figure's own CSV would have no name for."""
    axes = [name for name in figure.layout if re.match("[xy]axis", name)]
    titled = {name[0] for name in axes if figure.layout[name].title.text}
    return sorted({"x", "y"} - titled - figure.layout.meta["columns"].keys())


def check(name: str, table: pd.DataFrame) -> None:
    assert not undeclared(table), name
    assert len(table) or name.startswith("exact-copies"), name
    assert {"dataset", "study", "photo"} & set(table.columns), f"{name} does not say of what it is"
    for column in table:
        plain = PLAIN.sub("", str(column))
        if plain in TEXTS or table[column].isna().all():
            continue
        kind = table[column].dtype
        assert pd.api.types.is_numeric_dtype(kind), f"{name}: {column} is {kind}"


@pytest.fixture
def ready(two_runs):
    """Everything that a page can offer: a map, a verdict, a note, a corruption table."""
    for run in two_runs:
        place_at_random(run)
        robustness_table(0.7).to_parquet(run.folder / "robustness.parquet")
    table = two_runs[0].predictions()
    wrong = review.Verdict(
        int(table.pixels[0]), int(table.rows[0]), "synthetic", "angry", "wrong", "sad", "=1+1"
    )
    review.save(wrong)
    annotate_run(two_runs[0], "=HYPERLINK(1)")
    return two_runs


NO_CSV = {"webcam", "your_faces", "predict"}  # without a photo


@pytest.mark.parametrize(
    "name", sorted(PAGES.keys() - NO_CSV - {"does_the_lstm_lose", "pretraining"})
)
def test_every_csv_of_a_page_is_read_by_pandas(ready, downloads, monkeypatch, name):
    figures: list[go.Figure] = []
    monkeypatch.setattr(st, "plotly_chart", lambda figure, **options: figures.append(figure))
    open_page(name, a="first", b="second")
    assert not [figure.layout.meta["title"] for figure in figures if unnamed(figure)]
    assert downloads
    for file_name, table in downloads.items():
        check(file_name, table)
        assert re.fullmatch(r"[\w.-]+", file_name)
        if name in ("review", "runs", "data_audit"):
            continue
        runs = set(table.filter(regex="^run").to_numpy().ravel())
        assert runs == {"first", "second"}, file_name
        assert {"first", "second"} <= set(re.split(r"[_.]", file_name))


@pytest.mark.parametrize("name", ["overview", "confusion", "per_class", "roc_and_pr", "calibration",
                                  "misclassified", "slices"])  # fmt: skip
def test_every_csv_names_the_groups(two_runs, downloads, name):
    another_seed(two_runs[0].folder, "other", 7)
    open_page(name, a="cnn@quick", b="second")
    assert downloads
    for file_name, table in downloads.items():
        check(file_name, table)
        assert set(table.filter(regex="^run").to_numpy().ravel()) == {"cnn@quick", "second"}
        assert "_cnn@quick_second_" in file_name


def test_the_csvs_of_a_study(downloads, monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    open_page("does_the_lstm_lose", a="cnn-s0", b="cnn_lstm-s0")
    of_study = {name: table for name, table in downloads.items() if "sequence" in name}
    assert len(of_study) == 5
    for name, table in of_study.items():
        check(name, table)
        assert set(table["study"]) == {"sequence"}


def test_what_a_page_gives_is_what_the_calls_give(ready, downloads):
    for name in ("per_class", "calibration", "slices", "runs"):
        open_page(name, a="first", b="second")
    given = downloads["per-class_first_second_private.csv"]
    expected = tables.compare("first", "second")
    pd.testing.assert_frame_equal(
        given[list(expected.columns)], expected, check_dtype=False, rtol=1e-9
    )
    given = downloads["reliability_first_second_private_as-trained.csv"]
    expected = tables.reliability("second")
    of_b = given[given["run"] == "second"].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_b[list(expected.columns)], expected, check_dtype=False)
    given = downloads["slices_first_second_private.csv"]
    expected = tables.slices("first", faces=synthetic())
    of_a = given[given["run"] == "first"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        of_a[list(expected.columns)], expected, check_dtype=False, rtol=1e-9
    )
    given = downloads["runs.csv"].set_index("run")
    accuracy = find_run("first").metrics()["private"]["accuracy"]
    assert given.loc["first", "private_accuracy"] == pytest.approx(accuracy)
    assert given.loc["first", "note"] == "'=HYPERLINK(1)"
    assert (given["private_accuracy_high"] - given["private_accuracy_low"]).between(0, 0.2).all()


def test_the_photos_csv_has_the_same_words(downloads, two_runs):
    app = open_page("predict", a="first", b="none", sample="drawn face")
    assert not app.error
    table = downloads["faces-in-photos.csv"]
    check("photos", table)
    assert set(table["run"]) == {"first"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "plain"])
def test_a_spreadsheet_computes_no_ones_words(text):
    written = csv_text(pd.DataFrame({"note": [text], "n": [-1]}), dataset="-d")
    line = written.splitlines()[-1]
    assert line.endswith(",-1")  # a number stays one
    assert not as_text(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert from_text(as_text(text)) == text
    assert "'-d" in written


def test_a_hash_is_written_as_verdicts_write_it():
    written = csv_text(pd.DataFrame({"pixels": np.array([-1, 255])}))
    assert written.split() == ["pixels", "0xffffffffffffffff", "0x00000000000000ff"]


def test_no_two_columns_are_for_people_alone():
    assert all(re.fullmatch(r"[a-zA-Z0-9_]+", name) for name in COLUMNS)
