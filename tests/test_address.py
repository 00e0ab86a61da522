"""Links: what they name is shown, what is not here is said; a cell opens the faces it counts."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.base.navigation import PAGES
from fercore.labels import CLASSES
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run
from tests.conftest import ROOT
from tests.driving import press
from tests.seeds import another_seed
from tests.test_pages import TIMEOUT, copy_of, no_video, said  # noqa: F401

A, B = "first", "second"


def follow_link(name: str, **query: str | list[str]) -> AppTest:
    """The app as someone finds it who opens a link to that page."""
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=TIMEOUT)
    app.switch_page(str(PAGES[name].path))
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def warned(app: AppTest) -> str:
    return "\n".join(one.value for one in app.warning if "drawn, not" not in one.value)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"a": "nosuch"}, "names the run of A “nosuch”, which is not here"),
        ({"b": "<script>"}, "names the run of B “<script>”"),
        ({"part": "PrivateTest without duplicates"}, "Shown instead: PrivateTest."),
        ({"true": "sadness"}, "names the label “sadness”"),
        ({"slice": "brightness: darkest"}, "names the slice “brightness: darkest”"),
        ({"confidence": "90-10"}, "names the confidence “90-10”"),
        ({"which": "A wrong"}, "names the kind of mistakes “A wrong”"),
        ({"page": "99"}, "There is no page 99 here"),
        ({"order": "seeds"}, "There is no “most seeds wrong” here. Shown instead: most confident."),
        ({"b": "none", "which": "b-alone"}, "There is no “A right, B wrong” here."),
        ({"face": "123456789"}, "names the face of row 123456789"),
        ({"face": "x" * 5000}, "names the face “" + 60 * "x" + "…”"),
        ({"true": ["sad", "happy"]}, "names the label more than once"),
    ],
)
def test_what_a_link_names_and_is_not_here_is_said(two_runs, query, sentence):
    app = follow_link("misclassified", **query)
    assert sentence in warned(app).replace("\\", "")
    assert warned(app.run()).replace("\\", "").count(sentence) == 1
    assert "faces** of 350" in said(app)
    app.selectbox(key="part").select("clean").run()
    assert sentence not in warned(app)


@pytest.mark.parametrize(
    ("page", "query", "instead"),
    [
        ("predict", {"sample": "x"}, "none"),
        ("confusion", {"explain": "x"}, "off"),
        ("misclassified", {"confidence": "x"}, "0 to 100 %"),
        ("webcam", {"models": "b", "b": "none"}, "A"),
    ],
)
def test_what_is_shown_instead_is_said_in_words(two_runs, page, query, instead):
    app = follow_link(page, **query)
    assert f"Shown instead: {instead}." in warned(app)
    assert f"Shown instead: {instead}." in warned(app.run())  # a page may draw itself anew


def test_a_link_says_all_that_decides_the_view(two_runs):
    query = {"a": B, "b": A, "part": "public", "about": "fear", "threshold": "0.3", "curve": "pr"}
    app = follow_link("roc_and_pr", **query)
    table = find_run(B).predictions("public")
    called, fear = table.probs[:, 2] >= 0.3, table.labels == 2
    assert app.table[0].value.iloc[0, 0] == str((called & fear).sum())
    assert not warned(app)
    assert app.query_params == query


def test_groups_stand_in_a_link_by_their_names(two_runs):
    another_seed(two_runs[0].folder, "other", 7)
    app = follow_link("misclassified", a="cnn@quick", b=B, **{"seeds-wrong": "60-100"})
    assert not warned(app)
    assert app.selectbox(key="a").value == "cnn@quick"
    assert app.slider(key="seeds-wrong").value == (60, 100)
    app.selectbox(key="a").select(A).run()
    assert app.query_params["a"] == A
    app.selectbox(key="b").select("cnn@quick").run()
    assert app.query_params["b"] == "cnn@quick"
    assert "names the run of A “cnn@nosuch”" in warned(follow_link("overview", a="cnn@nosuch"))


def test_a_choice_stands_in_the_url_once_and_by_its_key(two_runs):
    app = follow_link("misclassified", a=A, b=B)
    app.selectbox(key="part").select("clean")
    app.selectbox(key="slice").select("votes for the label: over 80 %")
    app.slider(key="confidence").set_value((50, 90))
    app.segmented_control(key="order").set_value("loss").run()
    expected = {"a": A, "b": B, "part": "clean", "slice": "votes:over-80", "confidence": "50-90"}
    assert app.query_params == expected | {"order": "loss"}


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_too_odd(two_runs, name):
    odd = ["", "\0", "x" * 20_000, "🙂‮", "<img src=x onerror=alert(1)>", "../..", "-1", "nan"]
    keys = [
        "a",
        "b",
        "part",
        "true",
        "predicted_b",
        "slice",
        "confidence",
        "face",
        "page",
        "metric",
    ]
    keys += ["threshold", "unsure", "curves", "images", "sample", "smoothing", "verdict", "which"]
    app = follow_link(
        name, **{key: [odd[n % len(odd)], odd[(3 * n) % len(odd)]] for n, key in enumerate(keys)}
    )
    assert len(app.title) == 1
    assert not app.error
    assert "which is not here" in warned(app)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            {"true": "sad", "predicted": "neutral"},
            "A says **neutral** where the label says **sad**",
        ),
        (
            {"true": "sad", "predicted_b": "neutral"},
            "B says **neutral** where the label says **sad**",
        ),
        ({"true": "sad", "predicted_b": "sad"}, "B says **sad** where the label says **sad**"),
        ({"predicted": "sad", "predicted_b": "fear"}, "B says **fear** where A says **sad**"),
        ({"predicted": "sad", "predicted_b": "sad"}, "B says **sad** where A says **sad**"),
    ],
)
def test_a_cell_opens_exactly_the_faces_it_counts(two_runs, query, words):
    tables = {"label": find_run(A).predictions().labels}
    tables |= {key: find_run(run).predictions().predicted for key, run in (("a", A), ("b", B))}
    columns = {"true": "label", "predicted": "a", "predicted_b": "b"}
    in_cell = [tables[columns[key]] == CLASSES.index(name) for key, name in query.items()]
    count = int(np.logical_and(*in_cell).sum())
    app = follow_link("misclassified", a=A, b=B, **query)
    assert f"{words.replace('**', '')}: {count} faces** of 350" in said(app)
    assert f"Selected: {words}: {count} faces" in said(follow_link("confusion", a=A, b=B, **query))
    tiles = [button.key for button in app.button if (button.key or "").startswith("face-")]
    rows = find_run(A).predictions().rows[np.logical_and(*in_cell)]
    assert {int(key.removeprefix("face-")) for key in tiles} == set(
        rows[:60] if count > 60 else rows
    )


def test_a_link_opens_its_face(two_runs):
    row = int(find_run(A).predictions().rows[7])
    app = follow_link("misclassified", a=A, b=B, face=str(row))
    assert f"Row {row} of the dataset" in said(app)


def test_another_cell_is_shown_whole_whatever_was_looked_at(two_runs):
    app = follow_link("misclassified", a=A, b=B, which="both")
    assert app.session_state["which"] == "both wrong"
    app.selectbox(key="predicted_b").select("fear").run()
    assert app.session_state["which"] == "B wrong"


def test_a_run_that_is_deleted_meanwhile_is_said(two_runs):
    make_ensemble("both", [two_runs[0], copy_of(two_runs[0], seed=1)])
    app = follow_link("overview", a="both", b=B)
    find_run("both").folder.rename(find_run("both").folder.with_name("gone.deleted"))
    app.run()
    assert "both” is not here any more" in warned(app)


def test_a_ticked_row_follows_its_line(two_runs):
    app = follow_link("slices", a=A, b=B, slice="class:fear")

    def rows() -> list[int]:
        table = f"slices-table-{app.session_state['slices-table-number']}"
        return app.session_state[table]["selection"]["rows"]

    def ticked() -> list[str]:
        lines = app.dataframe[0].value.iloc[rows()]
        return [f"{line['property']}: {line['slice']}" for _, line in lines.iterrows()]

    assert ticked() == ["class: fear"]
    before = rows()
    for part in ("public", "clean"):
        app.selectbox(key="part").select(part).run()
        assert ticked() == ["class: fear"]
        if part == "public":
            assert rows() != before  # else this test says nothing
    app.selectbox(key="slice").select("any").run()
    assert ticked() == []


def test_photos_stay_while_another_page_is_looked_at_until_they_are_taken_away(two_runs):
    from PIL import Image
    from skimage.data import astronaut

    from tests.test_photos_and_faces import encoded

    app = follow_link("predict")
    app.file_uploader[0].upload("me.jpg", encoded(Image.fromarray(astronaut()), "JPEG")).run()
    app.switch_page(str(PAGES["runs"].path)).run()
    app.switch_page(str(PAGES["predict"].path)).run()
    assert "me.jpg" in [heading.value for heading in app.subheader]
    press(app, "Remove")
    assert "me.jpg" not in [heading.value for heading in app.subheader]


def test_the_oldest_photos_make_room_and_it_is_said(two_runs, monkeypatch):
    monkeypatch.setattr("dashboard.faces.kept_photos.MOST", 1)
    app = follow_link("predict")
    for name in ("one.png", "two.png"):
        app.file_uploader[0].upload(name, b"no picture", "image/png").run()
    assert "The oldest made room: one.png" in warned(app)
    assert "two.png" in said(app)
