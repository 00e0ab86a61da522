"""The dialog about one face: from one to the next in the page's order, and what it asks for."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from dashboard.base.image_loading import Images
from dashboard.compare.audit_view import rows_by_place, rows_of_pairs
from dashboard.faces import face_loading
from dashboard.faces.face_row import Place, place_of
from fercore.analysis import review
from fercore.runs.artifacts import Run
from fercore.scoring.samples import sample_table
from tests.driving import press_keyed
from tests.test_pages import open_page, said

PER_PAGE = 60


def opened(app: AppTest, row: int) -> AppTest:
    app.session_state["face"] = int(row)
    app.run()
    assert not app.exception
    return app


def surest_mistakes(run) -> pd.DataFrame:
    samples = sample_table(run.predictions())
    wrong = samples[~samples["a_correct"]]
    return wrong.sort_values("a_confidence", ascending=False, kind="stable")


def test_one_goes_on_in_the_order_of_the_page_past_its_first_sixty(two_runs):
    mistakes = surest_mistakes(two_runs[0])
    assert len(mistakes) > PER_PAGE
    rows = mistakes["row"].tolist()
    app = opened(open_page("misclassified", a="first", b="second"), rows[PER_PAGE - 1])
    assert f"**60 of {len(rows)}**" in said(app)
    press_keyed(app, "go-next")
    assert f"**61 of {len(rows)}**" in said(app)
    assert f"Row {rows[PER_PAGE]} of the dataset" in said(app)
    assert app.query_params["face"] == str(rows[PER_PAGE])
    link = next(code.value for code in app.code if "face=" in code.value)
    assert link.endswith(f"face={rows[PER_PAGE]}")
    press_keyed(press_keyed(app, "go-previous"), "go-previous")
    assert f"Row {rows[PER_PAGE - 2]} of the dataset" in said(app)

    opened(app, rows[-1])
    assert app.button(key="go-next").disabled
    right = sample_table(two_runs[0].predictions()).query("a_correct")["row"].iloc[0]
    assert f"not among these {len(rows)}" in said(opened(app, right))
    press_keyed(app, "go-next")
    assert f"**1 of {len(rows)}**" in said(app)


def test_a_verdict_is_kept_and_the_next_face_opens(two_runs):
    mistakes = surest_mistakes(two_runs[0]).head(2)
    app = opened(open_page("misclassified", a="first", b="second"), mistakes["row"].iloc[0])
    press_keyed(app, "verdict-ambiguous")
    first, second = mistakes["pixels"]
    kept = review.find(first)
    assert kept is not None
    assert kept.verdict == "ambiguous"
    assert f"Saved. Row {mistakes['row'].iloc[0]}: Ambiguous" in said(app)
    assert f"Row {mistakes['row'].iloc[1]} of the dataset" in said(app)
    assert review.find(second) is None


def test_faces_are_gone_through_where_no_verdict_may_be_given(two_runs, monkeypatch):
    monkeypatch.setenv("FERCORE_ALLOW_WRITE", "0")
    first, second = surest_mistakes(two_runs[0])["row"].head(2)
    app = opened(open_page("misclassified", a="first", b="second"), first)
    assert not [button for button in app.button if (button.key or "").startswith("verdict-")]
    assert f"Row {second} of the dataset" in said(press_keyed(app, "go-next"))


def test_what_takes_time_is_asked_only_where_its_tab_is_open(two_runs, monkeypatch):
    asked: list[NDArray[np.uint8]] = []
    nearest = face_loading.nearest_training

    def counted(run: Run, face: NDArray[np.uint8]) -> pd.DataFrame | None:
        asked.append(face)
        return nearest(run, face)

    monkeypatch.setattr(face_loading, "saliency", lambda *_: pytest.fail("a model was asked"))
    monkeypatch.setattr(face_loading, "nearest_training", counted)
    app = open_page("misclassified", a="first", b="second")
    opened(app, surest_mistakes(two_runs[0])["row"].iloc[0])
    press_keyed(app, "go-next")
    assert not asked
    app.session_state["face-tab"] = "Alike"
    app.run()
    press_keyed(app, "go-next")
    assert len(asked) == 2
    assert "Similarity is the correlation" in said(app)


def test_the_slice_and_the_verdicts_have_orders_of_their_own(two_runs):
    samples = sample_table(two_runs[0].predictions())
    chosen = samples.head(3)
    for pixels, row, label in zip(chosen["pixels"], chosen["row"], chosen["label"], strict=True):
        review.save(review.Verdict(pixels, row, "synthetic", label, "ambiguous"))
    app = opened(open_page("review", a="first", b="second"), samples["pixels"].iloc[2])
    assert "**1 of 3**" in said(app)  # the newest stands first
    press_keyed(press_keyed(app, "go-next"), "go-next")
    assert f"Row {samples['row'].iloc[0]} of the dataset" in said(app)

    happy = samples[samples["label"] == "happy"]
    app = open_page("slices", a="first", b="none", slice="class: happy")
    assert f" of {len(happy)}**" in said(opened(app, happy["row"].iloc[0]))


def test_place_and_pairs():
    assert place_of(7, [5, 7, 9]) == Place(2, 3, 5, 9)
    assert place_of(4, []) == Place(None, 0, None, None)
    images = Images(np.zeros((9, 48, 48), np.uint8), {30: 3, 90: 8})
    samples = pd.DataFrame({"pixels": [30, 40, 90], "row": [700, 701, 702]})
    rows = rows_by_place(samples, images)  # the dataset that is here lacks one, and is another copy
    assert rows == {3: 700, 8: 702}
    pairs = pd.DataFrame([(8, 1), (3, 2), (4, 8)], columns=["first", "second"])
    assert rows_of_pairs(pairs, rows) == [702, 700]
    assert rows_of_pairs(pairs.iloc[:0], rows) == []
