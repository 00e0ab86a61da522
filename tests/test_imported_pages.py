"""An imported run is at home on every page; a page that needs more than answers says so."""

import numpy as np
import pandas as pd
import pytest

from dashboard.base.navigation import PAGES
from fercore.importing.images import images_of_run
from fercore.importing.table_run import Named, import_table
from fercore.runs.artifacts import Run
from fercore.runs.listing import find_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from tests.driving import press
from tests.test_pages import no_video, open_page, said  # noqa: F401


@pytest.fixture
def theirs(two_runs) -> Run:
    """The first run's answers, from elsewhere."""
    table = two_runs[0].prediction_frame[["row", *PROBABILITY_COLUMNS]]
    content = table.to_csv(index=False).encode()
    return import_table(content, images_of_run(two_runs[0]), Named("theirs", "VGG *19*")).run


@pytest.mark.parametrize("name", PAGES)
def test_an_imported_run_is_on_every_page(theirs, name):
    app = open_page(name, a="theirs", b="second")
    assert not app.error
    if name in ("predict", "webcam", "training", "robustness", "embedding"):
        lacks = "history" if name == "training" else "weights"
        assert f"A: 'theirs' was imported: it has predictions, but no {lacks}" in said(app)


def test_the_overview_compares_it_paired(theirs):
    words = said(open_page("overview", a="theirs", b="second"))
    assert "VGG \\*19\\* against CNN-LSTM" in words
    assert "exact McNemar" in words
    assert "A was imported, and how it was trained and chosen is not known here" in words
    assert "no beyond" not in words


def test_labels_alone_have_no_curves(two_runs):
    table = find_run("first").predictions()
    said_alone = pd.DataFrame({"row": table.rows, "predicted": table.predicted})
    content = said_alone.to_csv(index=False).encode()
    import_table(content, images_of_run(two_runs[0]), Named("labels"))
    for name in ("roc_and_pr", "calibration"):
        words = said(open_page(name, a="second", b="labels"))
        assert "B: 'labels' was imported as predicted labels alone" in words
        assert "A" in words
        assert ":orange[**B**]" not in words
    accuracy = float(np.mean(table.correct))
    assert f"{100 * accuracy:.1f} %" in said(open_page("overview", a="labels", b="second"))


def uploaded(table: pd.DataFrame, file: str = "their answers.csv"):
    app = open_page("runs", a="first", b="second")
    app.file_uploader[0].upload(file, table.to_csv(index=False).encode(), "text/csv").run()
    return press(app, "Import")


def test_an_upload_becomes_a_run_in_three_clicks(two_runs):
    app = uploaded(two_runs[0].prediction_frame[["row", *PROBABILITY_COLUMNS]])
    assert (
        "their-answers is imported. 700 images of synthetic found by row." in app.success[0].value
    )
    run = find_run("their-answers")
    assert run.predictions().same_images(two_runs[0].predictions())
    (way,) = (each.proto for each in app.get("page_link") if "image by image" in each.proto.label)
    assert "a=their-answers" in way.query_string
    assert "their-answers" in app.dataframe[0].value["run"].tolist()


def test_an_odd_upload_is_a_sentence(two_runs):
    app = uploaded(two_runs[0].prediction_frame[["row", "label"]])
    assert "no columns of answers" in app.error[0].value
    assert len(app.dataframe[0].value) == 2


def test_where_writing_is_closed_nothing_is_imported(two_runs, monkeypatch):
    monkeypatch.setenv("FERCORE_ALLOW_WRITE", "0")
    assert not open_page("runs").file_uploader
