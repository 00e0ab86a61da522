"""Where labels alone were imported it is not known how sure a model is, and no page says it is."""

import numpy as np
import pandas as pd
import pytest

from dashboard.base import image_loading
from dashboard.base.image_loading import Images
from fercore.errors import RunError
from fercore.groups.finding import find_group
from fercore.importing.images import images_of_run
from fercore.importing.table_run import Named, import_table
from fercore.labels import CLASSES
from fercore.report.faces import faces_section
from fercore.report.parts import Faces
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run
from fercore.scoring.grouped.evaluation import class_table
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.grouped.samples import sample_table
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.scoring.samples import selected_samples
from tests.test_csv import downloads  # noqa: F401
from tests.test_face_row import opened
from tests.test_pages import no_video, open_page, said  # noqa: F401

UNKNOWN = "imported as predicted labels alone: how sure it is of them is not known"
SURENESS = [f"{key}_{name}" for key in "ab" for name in ("confidence", "loss", "margin")]


def imported(run: Run, named: Named, *, probabilities: bool = False) -> Run:
    """The run's answers from elsewhere, by default what it says of each image and no more."""
    frame = run.prediction_frame
    table = frame[["row", *PROBABILITY_COLUMNS]]
    if not probabilities:
        said = frame[PROBABILITY_COLUMNS].to_numpy().argmax(1)
        table = pd.DataFrame({"row": frame["row"], "predicted": np.array(CLASSES)[said]})
    return import_table(table.to_csv(index=False).encode(), images_of_run(run), named).run


@pytest.fixture
def labels(two_runs) -> Run:
    return imported(two_runs[0], Named("labels"))


@pytest.fixture
def group(two_runs) -> str:
    """Two seeds, of which one has its labels alone."""
    imported(two_runs[0], Named("l-0", "L", "", 0, "l"), probabilities=True)
    imported(two_runs[1], Named("l-1", "L", "", 1, "l"))
    return "imported@l"


def tiles(app) -> list[str]:
    return [button.label for button in app.button if (button.key or "").startswith("face-")]


def mistakes(run: Run) -> list[int]:
    table = run.predictions()
    return table.rows[~table.correct].tolist()


@pytest.mark.parametrize("name", ["misclassified", "expression", "slices", "data_audit"])
def test_the_line_that_names_the_models_says_it_once_of_each(labels, name):
    words = said(open_page(name, a="labels", b="second"))
    assert words.count(f":blue[**A**]: 'labels' was {UNKNOWN}.") == 1
    assert f":orange[**B**]: 'second' was {UNKNOWN}" not in words


def test_misclassified_orders_by_what_is_known(labels):
    app = open_page("misclassified", a="labels", b="second")
    assert not [one for one in app.segmented_control if one.key == "order"]
    assert "Order: as in the dataset." in said(app)
    assert "There is no" not in said(app)
    keys = [button.key for button in app.button if (button.key or "").startswith("face-")]
    assert keys == [f"face-{row}" for row in mistakes(labels)[:60]]
    assert all(tile.split(" ")[-1].isalpha() for tile in tiles(app))
    assert f"{len(mistakes(labels))} faces** of {len(labels.predictions())}" in said(app)

    app = open_page("misclassified", a="labels", b="second", order="loss")
    assert "There is no “highest loss” here. Shown instead: as in the dataset." in said(app)

    app = open_page("misclassified", a="second", b="labels")
    assert app.segmented_control(key="order").options[0] == "most confident"
    assert all(tile.split(" ")[-1].startswith(("0.", "1.")) for tile in tiles(app))
    app.segmented_control(key="which").set_value("B wrong").run()
    assert not app.exception
    assert "Order: as in the dataset." in said(app)


def test_the_csv_has_no_figures_of_what_is_not_known(labels, downloads):  # noqa: F811
    open_page("misclassified", a="labels", b="second")
    table = downloads["misclassified_labels_second_private.csv"]
    assert table[SURENESS[:3]].isna().all(axis=None)
    assert table[SURENESS[3:]].notna().all(axis=None)
    assert table["a_predicted"].notna().all()


def test_where_the_images_are_not_here_the_columns_are_left_out(labels, monkeypatch):
    missing = Images(np.empty((0, 48, 48), np.uint8), {}, "They are not here.")
    monkeypatch.setattr(image_loading, "images", lambda _: missing)
    for name in ("misclassified", "slices"):
        columns = list(open_page(name, a="labels", b="none").dataframe[-1].value)
        assert "a_predicted" in columns
        assert not set(columns) & set(SURENESS)


def test_a_face_has_bars_of_the_model_that_is_known(labels, downloads):  # noqa: F811
    row = mistakes(labels)[0]
    app = opened(open_page("misclassified", a="labels", b="second"), row)
    assert "A**] says" in said(app)
    assert "B**] says" in said(app)
    (name,) = (name for name in downloads if name.startswith(f"face-{row}"))
    assert name == f"face-{row}_second_private.csv"
    assert "b_probability" in downloads[name]
    assert "a_probability" not in downloads[name]

    downloads.clear()
    app = opened(open_page("misclassified", a="labels", b="none"), row)
    assert "A**] says" in said(app)
    assert not [name for name in downloads if name.startswith("face-")]


def test_an_expressions_faces_are_not_the_surest(labels):
    words = said(open_page("expression", a="labels", b="none", expression="sad"))
    assert "**Never right (" in words
    assert "Always right: what the models take for sad with every seed" in words
    assert "surest" not in words
    words = said(open_page("expression", a="labels", b="second", expression="sad"))
    assert "Never right, B's surest mistakes first" in words
    assert "Most typical: what B takes for sad most surely" in words


def test_a_slice_is_not_ordered_by_it(labels):
    app = open_page("slices", a="labels", b="second")
    assert "A's mistakes first." in said(app)
    assert tiles(app)
    assert all(tile.split(" ")[-1].isalpha() for tile in tiles(app))


def test_labels_alone_dispute_no_label(labels, downloads):  # noqa: F811
    words = said(open_page("data_audit", a="labels", b="second"))
    assert f"{UNKNOWN}, so which labels it disputes cannot be told: import its prob" in words
    assert "cleanlab" not in words
    assert not [name for name in downloads if name.startswith("label-issues")]
    assert "cleanlab" in said(open_page("data_audit", a="second", b="labels"))


def test_labels_have_no_mean(group):
    members = list(find_group(group).members)
    with pytest.raises(RunError, match="'l-1' says a class of each image and not how sure it is"):
        make_ensemble("both", members)


def test_one_seed_of_labels_alone_makes_the_group_unknown(group):
    predictions = find_group(group).predictions()
    assert [table.labels_only for table in predictions.tables] == [False, True]
    assert predictions.labels_only
    assert class_table(predictions)["auc"].isna().all()
    samples = sample_table(predictions)
    assert samples[SURENESS[:3]].isna().all(axis=None)
    assert samples["a_wrong"].notna().all()

    app = open_page("misclassified", a=group, b="second")
    words = said(app)
    assert f"'{group}' has seeds that were {UNKNOWN}." in words
    assert "Order: most seeds wrong." in words
    assert "means over seeds" not in words
    assert "There is no" not in words
    assert "wrong in 2 of 2" in tiles(app)[0]
    words = said(open_page("data_audit", a=group, b="none"))
    assert "which labels it disputes cannot be told" in words


def test_an_unknown_confidence_lies_in_the_whole_range_alone(labels):
    samples = sample_table(grouped([labels.predictions()]))
    assert selected_samples(samples).all()
    assert not selected_samples(samples, confidence=(0.5, 1.0)).any()


def test_a_reports_faces_have_no_confidence_either(labels):
    a, b = (grouped([find_run(name).predictions()]) for name in ("labels", "second"))
    _, of_a, of_b, _ = faces_section(a, b, image_loading.dataset(labels)).parts
    assert isinstance(of_a, Faces)
    assert isinstance(of_b, Faces)
    assert of_a.tiles
    assert of_b.tiles
    assert "most confident" not in of_a.title
    assert not any("%" in tile.words for tile in of_a.tiles)
    assert "most confident" in of_b.title
    assert all("%" in tile.words for tile in of_b.tiles)
