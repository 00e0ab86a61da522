"""Extras: corruptions that do what they say, and what is stored with a run from its weights."""

import base64
import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboard.base import index_sets
from dashboard.base.navigation import PAGES
from dashboard.base.parameters import COLOURINGS
from dashboard.compare import extras_view
from dashboard.faces.face_grid import FIRST
from fercore.analysis import from_weights, review
from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from fercore.cli import app
from fercore.errors import ConfigError, RunError
from fercore.figures.colours import CLASS_COLOURS
from fercore.labels import CLASSES
from fercore.models import build
from fercore.models.inference import for_inference, predict_logits
from fercore.models.precision import Precision
from fercore.runs.listing import find_run
from fercore.runs.writing import verify_run
from fercore.scoring.predictions import prediction_frame
from fercore.scoring.samples import sample_table
from tests.conftest import ROOT
from tests.test_pages import TIMEOUT, open_page, said

FP32 = Precision("cpu", "fp32")


@pytest.fixture
def small_run(two_runs, faces):
    """The run 'first', as if it had been scored on the small synthetic set."""
    run = two_runs[0]
    probs = np.full((int((faces.usage != "Training").sum()), 7), 1 / 7)
    prediction_frame(faces, probs).to_parquet(run.folder / "predictions.parquet")
    return find_run("first")


@pytest.fixture
def with_extras(two_runs):
    """The two runs with tables of extras, made by hand."""
    for run, clean in zip(two_runs, (0.7, 0.6)):
        robustness_table(clean).to_parquet(run.folder / from_weights.ROBUSTNESS)
        frame = run.prediction_frame[["usage", "row", "pixels", "label"]].copy()
        places = np.random.default_rng(0).normal(size=(len(frame), 2)).astype(np.float32)
        frame[["x", "y"]] = places
        frame.to_parquet(run.folder / from_weights.EMBEDDING)
    return two_runs


def robustness_table(clean: float) -> pd.DataFrame:
    """Every corruption costs 2 points a strength, and noise 4."""
    tasks = [(from_weights.CLEAN, 0), *((kind, s) for kind in CORRUPTIONS for s in STRENGTHS[1:])]
    rows = []
    for kind, strength in tasks:
        accuracy = clean - (0.04 if kind == "noise" else 0.02) * strength
        rows.append((kind, strength, 1.0, accuracy, accuracy - 0.05, accuracy + 0.05, 0.5, 350))
    columns = ["kind", "strength", "value", "accuracy", "low", "high", "macro_f1", "n"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruptions_get_worse_with_strength_and_start_from_nothing(faces, kind):
    before = faces.images.copy()
    corrupted = [corrupt(faces.images, kind, strength) for strength in STRENGTHS]
    np.testing.assert_array_equal(corrupted[0], faces.images)
    assert all(images.dtype == np.uint8 for images in corrupted)
    assert all(images.shape == faces.images.shape for images in corrupted)
    distances = [np.abs(images.astype(float) - before).mean() for images in corrupted]
    assert (np.diff(distances) > 0.2).all()
    np.testing.assert_array_equal(faces.images, before)
    np.testing.assert_array_equal(corrupt(faces.images, kind, 5), corrupted[5])
    # An example picture shows what the model was scored on.
    np.testing.assert_array_equal(corrupt(faces.images[:5], kind, 5), corrupted[5][:5])


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_the_value_of_strength_0_changes_nothing(faces, kind):
    corruption = CORRUPTIONS[kind]
    untouched = corruption.apply(faces.images, corruption.values[0])
    np.testing.assert_array_equal(untouched, faces.images)


def test_blur_agrees_with_a_convolution_by_hand(faces):
    face = faces.images[0]
    offsets = np.arange(-12, 13)
    sigma = CORRUPTIONS["blur"].values[5]
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    padded = np.pad(face.astype(float), 12, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (25, 25))
    expected = np.einsum("ijkl,k,l->ij", windows, weights, weights) / weights.sum() ** 2
    blurred = corrupt(face[None], "blur", 5)[0]
    assert np.abs(blurred - expected).max() <= 1


def test_noise_and_darkness_have_the_size_they_say():
    grey = np.full((20, 48, 48), 128, np.uint8)
    for strength in STRENGTHS[1:]:
        deviation = CORRUPTIONS["noise"].values[strength]
        assert corrupt(grey, "noise", strength).std() == pytest.approx(deviation, rel=0.03)
        left = 128 * (1 - CORRUPTIONS["darkness"].values[strength] / 100)
        assert np.abs(corrupt(grey, "darkness", strength) - left).max() <= 0.5


def test_rotation_agrees_with_pillow_where_the_border_is_out_of_reach(faces):
    y, x = np.mgrid[:48, :48] - 23.5
    inside = np.hypot(x, y) < 22
    turns = []
    for face, turned in zip(faces.images, corrupt(faces.images, "rotation", 4)):
        degrees = CORRUPTIONS["rotation"].values[4]
        both = [
            np.asarray(Image.fromarray(face).rotate(angle, Image.Resampling.BILINEAR), float)
            for angle in (degrees, -degrees)
        ]
        off = [np.abs(turned - expected)[inside].max() for expected in both]
        assert min(off) <= 2 < max(off)
        turns.append(int(np.argmin(off)))
    assert 0.3 < np.mean(turns) < 0.7


def test_shift_moves_whole_pixels_and_repeats_the_border(faces):
    directions = set()
    for face, moved in zip(faces.images, corrupt(faces.images, "shift", 2)):
        padded = np.pad(face, 4, mode="edge")
        fits = {
            (up, left)
            for up, left in ((4, 0), (-4, 0), (0, 4), (0, -4))
            if (padded[4 + up : 52 + up, 4 + left : 52 + left] == moved).all()
        }
        assert len(fits) == 1
        directions |= fits
    assert len(directions) == 4


def test_occlusion_covers_a_whole_square(faces):
    for strength in STRENGTHS[1:]:
        side = CORRUPTIONS["occlusion"].values[strength]
        black = corrupt(np.zeros((30, 48, 48), np.uint8), "occlusion", strength)
        assert ((black == 128).sum((1, 2)) == side**2).all()
        assert ((black == 128).any(1).sum(1) == side).all()


def test_lower_resolution_keeps_the_mean_of_a_block():
    halves = np.zeros((1, 48, 48), np.uint8)
    halves[:, :, 24:] = 200
    low = corrupt(halves, "resolution", 5)[0]
    assert (low[:, :20] == 0).all()
    assert (low[:, 28:] == 200).all()
    assert (np.diff(low[0].astype(int)) >= 0).all()
    checks = np.indices((48, 48)).sum(0)[None] % 2 * 200
    assert (corrupt(checks.astype(np.uint8), "resolution", 1) == 100).all()


def test_unknown_corruptions_are_a_sentence(faces):
    with pytest.raises(ConfigError, match="no corruption 'fog'"):
        corrupt(faces.images, "fog", 1)
    with pytest.raises(ConfigError, match="no strength 6"):
        corrupt(faces.images, "blur", 6)


def test_robustness_scores_what_the_model_says(small_run, faces):
    table = from_weights.compute_robustness(small_run, faces)
    private, model = faces.part("PrivateTest"), small_run.load_model()
    assert len(table) == 36
    for _, row in table.iloc[[0, 5, 17, 35]].iterrows():
        images = private.images
        if row["kind"] != from_weights.CLEAN:
            images = corrupt(images, row["kind"], row["strength"])
            assert row["value"] == CORRUPTIONS[row["kind"]].values[row["strength"]]
        right = predict_logits(model, images, precision=FP32).argmax(1).numpy() == private.labels
        assert row["accuracy"] == right.mean()
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
        assert row["n"] == 21


@pytest.mark.parametrize("name", ["cnn", "cnn_lstm", "cnn_attention"])
def test_penultimate_features_times_the_classifier_are_the_logits(faces, name):
    model = build(name, width=4)
    features, logits = from_weights.penultimate_features(model, faces.images)
    weight, bias = (value.detach().numpy() for value in model.classify.parameters())
    np.testing.assert_allclose(features @ weight.T + bias, logits, atol=1e-4)
    expected = predict_logits(model, faces.images, precision=FP32).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert not model.classify._forward_pre_hooks


def test_analyse_stores_both_and_says_where_it_stands(small_run, faces):
    told: list[from_weights.Progress] = []
    from_weights.analyse_weights(small_run, faces, told.append)
    scores, places = from_weights.robustness(small_run), from_weights.embedding(small_run)
    pd.testing.assert_frame_equal(scores, from_weights.compute_robustness(small_run, faces))
    stored = small_run.prediction_frame[["usage", "row", "pixels", "label"]]
    pd.testing.assert_frame_equal(places[stored.columns.tolist()], stored)
    assert places[["x", "y"]].dtypes.eq("float32").all()
    assert np.isfinite(places[["x", "y"]]).all(axis=None)
    again = from_weights.compute_embedding(small_run, faces)
    np.testing.assert_allclose(again[["x", "y"]], places[["x", "y"]], atol=1e-3)
    assert len(told) == 37
    assert all(0 < at.share <= 1 and at.seconds_left >= 0 for at in told)
    assert "features" in told[-1].doing


def test_neighbours_on_the_map_are_neighbours_among_the_features(small_run, faces):
    from sklearn.manifold import trustworthiness

    places = from_weights.compute_embedding(small_run, faces)
    scored = faces.where(faces.usage != "Training")
    features, _ = from_weights.penultimate_features(small_run.load_model(), scored.images)
    assert trustworthiness(features, places[["x", "y"]], n_neighbors=5) > 0.8


def test_extras_do_not_change_a_run(with_extras):
    assert verify_run(with_extras[0]) == []


def test_nothing_is_there_before_it_is_computed(two_runs):
    assert from_weights.robustness(two_runs[0]) is None
    assert from_weights.embedding(two_runs[0]) is None


def test_a_damaged_file_is_a_sentence(with_extras):
    run = with_extras[0]
    (run.folder / from_weights.ROBUSTNESS).write_bytes(b"PAR1 nothing")
    with pytest.raises(RunError, match=r"first: its robustness\.parquet cannot be read"):
        from_weights.robustness(run)
    pd.DataFrame({"x": [1.0]}).to_parquet(run.folder / from_weights.EMBEDDING)
    with pytest.raises(RunError, match=r"first: its embedding\.parquet cannot be read"):
        from_weights.embedding(run)
    assert "fercore analyse first" in said(open_page("robustness", a="first"))


def test_other_images_are_refused(small_run, faces):
    other = replace(faces, images=np.ascontiguousarray(faces.images[:, :, ::-1]), name="mirrored")
    for compute in (
        from_weights.analyse_weights,
        from_weights.compute_robustness,
        from_weights.compute_embedding,
    ):
        with pytest.raises(RunError, match="other images than those of mirrored"):
            compute(small_run, other)
    without = faces.where(faces.usage != "PrivateTest")
    with pytest.raises(RunError, match="other images"):
        from_weights.compute_robustness(small_run, without)


def test_images_that_are_here_are_analysed_with_the_labels_of_the_run(small_run, faces):
    """A copy with some other pixels, other labels and another order is worth what it holds."""
    private = small_run.prediction_frame.query("usage == 'PrivateTest'")
    whole = from_weights.compute_robustness(small_run, faces)
    images = faces.images.copy()
    gone = private["row"].to_numpy()[::3]
    images[gone] = 255 - images[gone]
    copy = replace(faces, images=images, labels=(faces.labels + 1) % 7)
    copy = copy.where(np.random.default_rng(0).permutation(len(faces)))
    kept = private[~private["row"].isin(gone)]
    table = from_weights.compute_robustness(small_run, copy)
    assert (table["n"] == len(kept)).all()
    model = for_inference(small_run.load_model())

    def right(images, lines):
        logits = predict_logits(model, images[lines["row"] - private["row"].min()], precision=FP32)
        return (logits.argmax(1).numpy() == lines["label"]).mean()

    untouched = faces.part("PrivateTest").images
    assert table["accuracy"][0] == right(untouched, kept)
    noisy = table.query("kind == 'noise' and strength == 5")["accuracy"].iloc[0]
    assert noisy == right(corrupt(untouched, "noise", 5), kept)  # the noise that the whole set has
    assert whole["n"].iloc[0] == len(private)
    embedding = from_weights.compute_embedding(small_run, copy)
    assert sorted(embedding["row"]) == sorted(set(small_run.prediction_frame["row"]) - set(gone))


def test_a_map_of_two_images_is_a_sentence(small_run, faces):
    with pytest.raises(RunError, match="needs 3 images or more, and there are 2"):
        from_weights.compute_embedding(small_run, faces.part("PublicTest").where(np.arange(21) < 2))
    three = faces.part("PublicTest").where(np.arange(21) < 3)
    assert len(from_weights.compute_embedding(small_run, three)) == 3


def test_analyse_from_the_command_line(small_run, faces, monkeypatch):
    result = CliRunner().invoke(app, ["analyse", "first", "--json"])
    assert result.exit_code == 0, result.output
    assert re.search(r"36 of 36 versions of PrivateTest scored, .+ left", result.stderr)
    told = json.loads(result.stdout)["robustness"]
    assert told[0]["accuracy"] == from_weights.robustness(small_run)["accuracy"][0]
    printed = CliRunner().invoke(app, ["analyse", "first"]).stdout
    assert "n = 21" in printed
    assert all(kind in printed for kind in CORRUPTIONS)
    part = faces.where(np.arange(len(faces)) % 2 == 0)
    monkeypatch.setattr("fercore.cli.data.load_with_progress", lambda source: part)
    some = CliRunner().invoke(app, ["analyse", "first", "--data", "half"]).stdout
    assert "n = 10\nThe other 11 of its 21 images are not in the copy here." in some


def test_drops_are_against_the_untouched_images():
    drops = from_weights.robustness_drops(robustness_table(0.7)).set_index("kind")
    assert list(drops.index) == list(CORRUPTIONS)
    assert drops.loc["noise", "mean_drop"] == pytest.approx(0.12)
    assert drops.loc["blur", "last_drop"] == pytest.approx(0.10)
    assert drops.loc["blur", "mean_f1_drop"] == pytest.approx(0)


def test_robustness_figure_has_a_panel_per_corruption_with_its_unit():
    names = {"low": "accuracy_low", "high": "accuracy_high"}
    tables = {key: robustness_table(clean) for key, clean in (("A", 0.7), ("B", 0.6))}
    tables = {key: table.rename(columns=names) for key, table in tables.items()}
    figure = extras_view.robustness_figure(tables)
    assert [note.text for note in figure.layout.annotations] == [
        corruption.title for corruption in CORRUPTIONS.values()
    ]
    assert len(figure.data) == 14
    noise = figure.data[3]
    assert (noise.name, list(noise.x)) == ("B", list(STRENGTHS))
    np.testing.assert_allclose(noise.y, [60, 56, 52, 48, 44, 40])
    np.testing.assert_allclose(noise.error_y.array, 5)
    assert figure.layout.xaxis2.title.text == CORRUPTIONS["noise"].unit
    assert list(figure.layout.xaxis7.ticktext) == ["48", "24", "16", "12", "8", "6"]


def test_the_map_shows_every_image_once_in_its_class_colour(with_extras):
    a, b = (run.predictions("public") for run in with_extras)
    samples = from_weights.placed(sample_table(a, b), from_weights.embedding(with_extras[0]))
    assert len(samples) == 350
    for colouring in COLOURINGS.values():
        figure = extras_view.embedding_figure(samples, "b", colouring)
        shown = np.concatenate([trace.customdata[:, 0] for trace in figure.data])
        assert sorted(shown) == list(samples.index)
    by_prediction = extras_view.embedding_figure(samples, "b", "prediction")
    happy = next(trace for trace in by_prediction.data if trace.name.startswith("happy"))
    assert happy.marker.color == CLASS_COLOURS["happy"]
    assert len(happy.x) == (b.predicted == 3).sum()


def test_the_map_steps_back_from_what_is_selected(with_extras):
    samples = from_weights.placed(
        sample_table(with_extras[0].predictions()), from_weights.embedding(with_extras[0])
    )
    marked = samples["a_predicted"] == "sad"
    figure = extras_view.embedding_figure(samples, "a", "label", marked=marked)
    lit = [trace.customdata[index, 0] for trace in figure.data for index in trace.selectedpoints]
    assert sorted(lit) == list(samples.index[marked])


def test_pages_say_what_to_do_before_anything_is_computed(two_runs):
    for name in ("robustness", "embedding"):
        words = said(open_page(name, a="first", b="second"))
        assert "fercore analyse first" in words
    assert "fercore analyse second" in said(open_page("robustness", a="first", b="second"))


def test_robustness_page(with_extras):
    (with_extras[1].folder / from_weights.ROBUSTNESS).unlink()
    page = open_page("robustness", a="first", b="second")
    assert "fercore analyse second" in said(page)
    drops = page.dataframe[0].value.set_index("corruption")
    assert drops.loc["Noise", "A mean"] == pytest.approx(-12)
    assert drops.loc["Blur", "A strongest"] == pytest.approx(-10)
    assert len(page.image) == len(CORRUPTIONS)
    open_page("robustness", a="first", b="none", part="clean")


def test_robustness_page_draws_a_face_where_the_images_are_not_here(with_extras, monkeypatch):
    monkeypatch.setattr("fercore.runs.artifacts.Run.dataset", property(lambda self: "FER2013"))
    page = open_page("robustness", a="first", b="none")
    assert "A drawn face" in said(page)
    assert len(page.image) == len(CORRUPTIONS)


@pytest.mark.parametrize("part", ["private", "clean", "public"])
def test_embedding_page_describes_the_part(with_extras, part):
    words = said(open_page("embedding", a="first", b="second", part=part))
    table = find_run("first").predictions(part)
    assert f"All: {len(table)} faces" in words
    assert f"{100 * table.correct.mean():.1f} %" in words


def test_embedding_page_shows_the_selected_faces_of_b(with_extras):
    page = open_page("embedding", a="first", b="second", true="happy", features="B")
    table = find_run("second").predictions()
    assert f"{(table.labels == 3).sum()} faces" in said(page)
    tiles = [button for button in page.button if (button.key or "").startswith("face-")]
    assert len(tiles) == FIRST
    assert all(tile.label.startswith("happy → ") for tile in tiles)


def lassoed(chosen: tuple[int, ...]) -> AppTest:
    """The map, with a lasso around these of its points."""
    page = open_page("embedding", a="first", b="second")
    page.session_state["lasso"] = chosen
    return page.run()


def test_embedding_page_shows_what_a_lasso_holds(with_extras):
    points = [{"customdata": [index, "", "", 0.0]} for index in (3, 5, 8)]
    lasso = {"selection": {"points": points, "point_indices": [], "box": [], "lasso": []}}
    chosen = extras_view.picked(lasso)
    page = lassoed(chosen)
    page.segmented_control(key="colouring").set_value("right or wrong").run()
    words = said(page)
    table = find_run("first").predictions()
    assert "On the map: 3 faces" in words
    assert f"{100 * table.correct[[3, 5, 8]].mean():.1f} %" in words
    tiles = {button.key for button in page.button if (button.key or "").startswith("face-")}
    assert tiles == {f"face-{table.rows[index]}" for index in (3, 5, 8)}
    page.button(key="clear-lasso").click().run()
    assert "All: 350 faces" in said(page)


def test_a_lasso_holds_the_same_faces_after_a_verdict_that_leaves_an_image_out(with_extras):
    table = find_run("first").predictions()
    of_first = (int(table.pixels[0]), int(table.rows[0]), "synthetic")
    review.save(review.Verdict(*of_first, CLASSES[table.labels[0]], "ambiguous"))
    page = open_page("embedding", a="first", b="second", labels="verdicts")
    page.session_state["lasso"] = (3, 5, 8)
    page.run()
    tiles = {button.key for button in page.button if (button.key or "").startswith("face-")}
    assert tiles == {f"face-{table.rows[index]}" for index in (3, 5, 8)}


def test_a_lasso_that_holds_nothing_can_be_cleared(with_extras):
    page = lassoed((100_000,))
    assert any("No image fits" in info.value for info in page.info)
    page.button(key="clear-lasso").click().run()
    assert not any("No image fits" in info.value for info in page.info)


def test_a_link_marks_what_a_lasso_held(with_extras):
    link = dict(lassoed((3, 5, 8)).query_params)
    assert len(link["lasso"]) < 40

    def follow(**named: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=TIMEOUT)
        page.run()
        page.query_params.update(named)
        return page.switch_page(str(PAGES["embedding"].path)).run()

    page = follow(**link)
    assert "On the map: 3 faces" in said(page)
    page.selectbox(key="part").select("public").run()  # of other images it says nothing
    assert "All: " in said(page)
    assert "lasso" not in page.query_params
    assert "which is not here" in said(follow(**link | {"lasso": "eJxjY"}))


def test_the_letters_of_a_lasso_are_few_and_those_of_others_refused():
    half = sorted(np.random.default_rng(0).choice(3589, 1800, replace=False).tolist())
    text = index_sets.written(half)
    assert index_sets.read(text) == tuple(half)
    assert len(text) < 620
    assert re.fullmatch(r"[\w-]+", text)
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(10**8))).decode()
    for odd in ("", "x", "née", "AAAA", text[:-9], bomb):
        with pytest.raises(ValueError, match=re.escape(odd) or None):
            index_sets.read(odd)


def test_a_map_of_other_images_is_a_sentence(with_extras):
    path = with_extras[0].folder / from_weights.EMBEDDING
    table = pd.read_parquet(path)
    table.assign(pixels=table["pixels"] + 1).to_parquet(path)
    assert "is of other images" in said(open_page("embedding", a="first", b="second"))
