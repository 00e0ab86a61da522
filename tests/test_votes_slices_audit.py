"""FER+ votes, slices and the data audit: against brute force, SciPy and FER2013's known counts."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from scipy.stats import binomtest, fisher_exact
from sklearn.metrics import f1_score

from dashboard.compare.audit_view import agreement_figure, copies_sentence, scores_figure
from dashboard.compare.figures import slices_figure
from dashboard.faces.face_grid import FIRST
from fercore.analysis.audit import (
    agreement_by_class,
    audit,
    label_issues,
    near_across,
    near_duplicates,
    scores_by_part,
)
from fercore.analysis.neighbours import (
    NEAR_DUPLICATE,
    ThumbnailIndex,
    near_duplicate_pairs,
    thumbnails,
)
from fercore.data.faceset import face_set
from fercore.data.votes import CATEGORIES, TABLE, Votes, load_votes, votes_for
from fercore.errors import RunError
from fercore.labels import CLASSES, FER2013_COUNTS, USAGES
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.image_properties import measure
from fercore.scoring.predictions import Predictions
from fercore.scoring.slices import (
    FEW,
    SLICES,
    slice_differences,
    slice_mask,
    slice_masks,
    slice_properties,
    slices,
)
from tests.conftest import SHARED
from tests.test_cli import fails, run
from tests.test_pages import as_if_real, open_page, said

USAGE = np.repeat(USAGES, [sum(FER2013_COUNTS[usage]) for usage in USAGES])


def drawn_predictions(n: int = 400, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(7, 0.3), n).astype(np.float32)
    rows = np.arange(n)
    return Predictions(rows, rows * 7 + 1, rng.integers(0, 7, n), probs)


def drawn_votes(n: int = 400, seed: int = 1) -> Votes:
    rng = np.random.default_rng(seed)
    return Votes(rng.multinomial(10, rng.dirichlet(np.full(10, 0.3), n)))


# Votes


def test_the_shipped_votes_are_those_of_the_original_file():
    if not (SHARED / "fer2013new.csv").exists():
        pytest.skip("FER+'s file is not on this machine")
    original = pd.read_csv(SHARED / "fer2013new.csv")
    pd.testing.assert_frame_equal(
        pd.DataFrame(load_votes().counts, columns=list(CATEGORIES)), original[list(CATEGORIES)]
    )
    assert (original["Usage"] == USAGE).all()


def test_the_shipped_votes_come_with_their_notice():
    counts = load_votes().counts
    assert counts.shape == (35887, 10)
    assert counts.sum(1).min() >= 9
    notice = TABLE.with_name("LICENSE").read_text()
    assert "Copyright (c) Microsoft Corporation" in notice
    assert "MIT License" in notice


def votes_of(*lines: dict[str, int]) -> Votes:
    """An image's votes a line, by category."""
    frame = pd.DataFrame(list(lines), columns=list(CATEGORIES)).fillna(0)
    return Votes(frame.to_numpy(np.int64))


def test_votes_by_hand():
    votes = votes_of(
        {"neutral": 10},
        {"neutral": 1, "anger": 4, "NF": 5},
        {"fear": 5, "sadness": 5},
        {"happiness": 6, "contempt": 4},
        {"surprise": 4, "fear": 3, "unknown": 3},
    )
    everyone = np.arange(5)
    assert votes.not_a_face(everyone).tolist() == [False, True, False, False, False]
    labels, rows = np.array([6, 0, 2, 4]), np.array([0, 1, 2, 2])
    assert votes.agreement_with(labels, rows).tolist() == [True, False, True, True], "ties agree"
    assert votes.majority_for(labels, rows).tolist() == [True, False, False, False]
    np.testing.assert_allclose(votes.share_of(labels, rows), [1, 0.4, 0.5, 0.5])
    assert votes.labels_of(everyone).tolist() == [6, -1, -1, 3, 5]
    assert votes.labels_of(everyone, agreed=True).tolist() == [6, -1, -1, 3, -1]
    expected = np.array([[0.8, 0.0, 0.2], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(votes.shares(np.array([1, 3]))[:, [0, 3, 6]], expected)
    assert np.isnan(votes_of({"NF": 10}).shares(np.array([0]))).all()


def test_a_hash_asks_not_how_an_array_lies(faces):
    votes = drawn_votes()
    assert Votes(np.asfortranarray(votes.counts)).fingerprint == votes.fingerprint
    turned = replace(faces, images=faces.images.transpose(0, 2, 1), row=np.arange(168)[::2])
    straight = replace(turned, images=turned.images.copy(), row=turned.row.copy())
    assert (turned.pixel_hashes() == straight.pixel_hashes()).all()
    assert near_duplicates(turned).equals(near_duplicates(straight))


def test_votes_are_not_given_to_other_rows(faces):
    rows = np.array([0, 28709, 35886])
    assert votes_for("FER2013", rows, USAGE[rows]) is load_votes()
    assert votes_for("FER2013", rows, USAGE[rows][::-1]) is None, "a folder tree's order"
    assert votes_for("FER2013", faces.row, faces.usage) is None
    assert votes_for("FER2013", np.array([35887]), np.array(["PrivateTest"])) is None
    assert votes_for("mine", rows, USAGE[rows]) is None


# Image properties


def test_properties_agree_with_scipy(faces):
    table = measure(faces.images)
    assert len(table) == len(faces)
    for index in (0, 17, 83):
        grey = faces.images[index].astype(float)
        assert table["brightness"][index] == pytest.approx(grey.mean(), rel=1e-4)
        assert table["contrast"][index] == pytest.approx(grey.std(), rel=1e-4)
        laplacian = ndimage.laplace(grey)[1:-1, 1:-1]
        assert table["sharpness"][index] == pytest.approx(laplacian.var(), rel=1e-4)


def test_sharpness_falls_under_blur(faces):
    blurred = ndimage.gaussian_filter(faces.images.astype(float), (0, 1, 1)).astype(np.uint8)
    assert (measure(blurred)["sharpness"] < 0.5 * measure(faces.images)["sharpness"]).all()


def test_a_constant_image_is_told(faces):
    images = faces.images[:3].copy()
    images[1] = 126
    images[1, 0, :40] = 131  # as a JPEG of a grey page
    assert measure(images)["constant"].tolist() == [False, True, False]


# Slices


@pytest.fixture(scope="module")
def everything() -> tuple[Predictions, pd.DataFrame, pd.DataFrame]:
    """Predictions on 400 images, all their properties, and the table of slices."""
    predictions = drawn_predictions()
    rng = np.random.default_rng(2)
    measured = pd.DataFrame(
        rng.integers(0, 60, (400, 3)), columns=["brightness", "contrast", "sharpness"]
    ).set_axis(predictions.pixels[::-1])  # found by hash, not by place
    properties = slice_properties(
        predictions, measured=measured, votes=drawn_votes(), copied_rows=np.arange(0, 400, 7)
    )
    np.testing.assert_array_equal(properties["brightness"], measured["brightness"][::-1])
    return predictions, properties, slices(predictions, properties)


def test_each_slice_agrees_with_brute_force(everything):
    predictions, properties, table = everything
    votes = drawn_votes()
    rows, labels = range(400), predictions.labels
    share = [votes.counts[row, labels[row]] / votes.counts[row].sum() for row in rows]
    quantiles = np.quantile(properties["brightness"], [0.2, 0.4])
    expected = {
        ("class", "sad"): [labels[row] == 4 for row in rows],
        ("duplicate", "exact copy"): [row % 7 == 0 for row in rows],
        ("FER+ agreement", "FER+ disagrees"): [
            max(votes.counts[row]) > votes.counts[row, labels[row]] for row in rows
        ],
        ("face", "not a face"): [int(np.argmax(votes.counts[row])) == 9 for row in rows],
        ("votes for the label", "under 50 %"): [value < 0.5 for value in share],
        ("brightness", "darkest"): [value <= quantiles[0] for value in properties["brightness"]],
        ("brightness", "dark"): [
            quantiles[0] < value <= quantiles[1] for value in properties["brightness"]
        ],
    }
    lines = table.set_index(["property", "slice"])
    for key, values in expected.items():
        mask = np.array(values)
        np.testing.assert_array_equal(slice_mask(properties, *key), mask)
        line = lines.loc[key]
        assert line["n"] == mask.sum()
        assert line["accuracy"] == pytest.approx(predictions.correct[mask].mean())
        assert line["difference"] == pytest.approx(
            predictions.correct[mask].mean() - predictions.correct.mean()
        )
        assert line["accuracy_low"] < line["accuracy"] < line["accuracy_high"]
        if key[0] != "class":
            assert line["macro_f1"] == pytest.approx(
                f1_score(labels[mask], predictions.predicted[mask], average="macro")
            )
            assert line["macro_f1_low"] < line["macro_f1"] < line["macro_f1_high"]
    assert lines.loc["class", "macro_f1"].isna().all()


def test_every_slice_opens_as_many_images_as_the_table_says(everything):
    _, properties, table = everything
    assert len(table) == len(slice_masks(properties)) == 31
    for line in table.itertuples():
        assert slice_mask(properties, line.property, line.slice).sum() == line.n
    for name in ("brightness", "sharpness", "class", "duplicate", "votes for the label"):
        assert table.loc[table["property"] == name, "n"].sum() == 400


def test_the_worst_slice_comes_first_and_small_ones_last(everything):
    predictions, properties, _ = everything
    properties = properties.assign(duplicate=np.arange(400) < 5)
    table = slices(predictions, properties)
    assert (table["few"] == (table["n"] < FEW)).all()
    assert table["few"].iloc[-1]
    assert table["few"].is_monotonic_increasing
    assert table.loc[~table["few"], "accuracy"].is_monotonic_increasing


def test_slices_are_held_against_the_other_images_and_corrected(everything):
    predictions, properties, _ = everything
    table = slices(predictions, properties)
    for line in table.to_dict("records"):
        mask = slice_mask(properties, line["property"], line["slice"])
        right = predictions.correct
        counts = np.array([[right[m].sum(), (~right[m]).sum()] for m in (mask, ~mask)])
        assert line["p_value"] == pytest.approx(fisher_exact(counts)[1])
    order = table["p_value"].sort_values()
    assert table["p_holm"][order.index[0]] == pytest.approx(min(1, len(table) * order.iloc[0]))
    assert (table["p_holm"] >= table["p_value"]).all()


def test_a_against_b_on_slices_is_paired_and_corrected(everything):
    a, properties, _ = everything
    rng = np.random.default_rng(3)
    better = np.where((rng.random(400) < 0.5)[:, None], np.eye(7)[a.labels], a.probs)
    b = replace(a, probs=better.astype(np.float32))
    table = slice_differences(a, b, properties)
    for line in table.to_dict("records"):
        mask = slice_mask(properties, line["property"], line["slice"])
        assert line["n"] == mask.sum()
        gap = a.correct[mask].mean() - b.correct[mask].mean()
        assert line["difference"] == pytest.approx(gap)
        assert line["difference_low"] <= gap <= line["difference_high"]
        only_b = int((b.correct & ~a.correct)[mask].sum())
        assert line["p_value"] == pytest.approx(binomtest(0, only_b).pvalue if only_b else 1)
    assert (table["p_holm"] < 0.05).any()
    same = slice_differences(a, a, properties)
    assert (same["p_holm"] == 1).all()


def test_a_slice_drawn_at_random_is_rarely_marked():
    """Of sixty tables of slices that mean nothing three may mark one; eight would be a miracle."""
    rng, marked = np.random.default_rng(4), 0
    for _ in range(60):
        predictions = drawn_predictions(300, seed=int(rng.integers(1 << 30)))
        properties = slice_properties(predictions, copied_rows=rng.choice(300, 100, False))
        marked += int((slices(predictions, properties)["p_holm"] < 0.05).any())
    assert marked <= 7


def test_without_images_and_votes_classes_and_copies_remain():
    predictions = drawn_predictions()
    properties = slice_properties(predictions, copied_rows=np.array([1, 2]))
    assert set(slices(predictions, properties)["property"]) == {"class", "duplicate"}
    properties = slice_properties(predictions)
    assert set(slices(predictions, properties)["property"]) == {"class"}
    with pytest.raises(RunError, match="no slice 'darkest' by brightness"):
        slice_mask(properties, "brightness", "darkest")


def test_images_that_are_not_here_are_in_no_fifth():
    predictions = drawn_predictions(100)
    measured = measure(np.random.default_rng(0).integers(0, 255, (60, 48, 48)).astype(np.uint8))
    measured = measured.set_axis(predictions.pixels[:60])
    properties = slice_properties(predictions, measured=measured)
    table = slices(predictions, properties)
    assert table.loc[table["property"] == "contrast", "n"].tolist() == [12] * 5


# Neighbours


def test_thumbnails_are_means_of_four_by_four(faces):
    small = faces.images[5].reshape(12, 4, 12, 4).mean((1, 3)).ravel()
    small = (small - small.mean()) / np.linalg.norm(small - small.mean())
    np.testing.assert_allclose(thumbnails(faces.images)[5], small, atol=1e-5)


def test_nearest_finds_an_exact_copy_first(faces):
    training = faces.part("Training")
    index = ThumbnailIndex(training)
    found = index.nearest(training.images[30], 6)
    assert len(found) == 6
    assert (found["position"][0], found["row"][0]) == (30, training.row[30])
    assert found["similarity"][0] == 1
    assert found["exact"].tolist() == [True] + [False] * 5
    assert found["similarity"].is_monotonic_decreasing
    correlations = [
        np.corrcoef(thumbnails(faces.images[:1])[0], thumbnail)[0, 1]
        for thumbnail in thumbnails(training.images)
    ]
    found = index.nearest(faces.images[0], len(training))
    np.testing.assert_allclose(found["similarity"], sorted(correlations)[::-1], atol=1e-5)


def test_an_image_of_one_grey_value_is_like_its_copies_alone(faces):
    images = faces.images.copy()
    images[[7, 33]] = 255
    index = ThumbnailIndex(face_set("drawn", images, faces.labels, faces.usage))
    found = index.nearest(images[7])
    assert found["position"].tolist() == [7, 33]
    assert found["exact"].all()
    assert index.nearest(np.zeros_like(images[7])).empty


def test_near_duplicates_are_looked_for_once(faces, monkeypatch):
    found = near_duplicates(faces)
    monkeypatch.setattr("fercore.analysis.audit.near_duplicate_pairs", None)
    pd.testing.assert_frame_equal(near_duplicates(faces), found)


def test_near_duplicates_of_a_part_are_not_those_of_the_whole(faces):
    images = faces.images.copy()
    images[faces.usage == "PrivateTest"] = images[faces.usage == "PublicTest"] // 2 + 20
    whole = face_set("drawn", images, faces.labels, faces.usage)
    some = near_duplicates(whole.where(whole.labels == 3))
    assert len(near_duplicates(whole)) > len(some) > 0


def test_near_duplicates_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (30, 48, 48)).astype(np.uint8)
    usage = [USAGES[index % 3] for index in range(30)]
    images[4] = images[3] // 2 + 20  # PublicTest like Training
    images[8] = np.clip(images[4].astype(int) + 2, 0, 255)  # PrivateTest like both
    images[9] = images[3]  # within Training
    images[10] = images[0]  # PublicTest, an exact copy
    images[11] = images[12] = 90  # constant: like nothing
    faces = face_set("drawn", images, rng.integers(0, 7, 30), usage)
    pairs = near_duplicate_pairs(ThumbnailIndex(faces))
    found = {(line.first, line.second) for line in pairs.itertuples()}
    vectors, expected = thumbnails(images), set()
    for first in range(30):
        for second in range(30):
            later = USAGES.index(usage[first]) > USAGES.index(usage[second])
            alike = vectors[first] @ vectors[second] >= NEAR_DUPLICATE
            if later and alike and (images[first] != images[second]).any():
                expected.add((first, second))
    assert found == expected == {(4, 3), (4, 9), (8, 3), (8, 9), (8, 4)}


# Audit


def test_audit_of_a_hand_made_set():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (8, 48, 48)).astype(np.uint8)
    images[4] = images[6] = images[0]
    images[7] = images[5]
    images[3] = 200
    labels = [0, 1, 2, 3, 0, 4, 6, 4]
    usage = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    found = audit(face_set("drawn", images, labels, usage))
    assert found.groups["images"].tolist() == [3, 2]
    assert (found.surplus, found.conflicting) == (3, 1)
    assert found.groups["labels"].tolist() == ["angry, neutral", "sad"]
    assert found.across[list(USAGES)].to_numpy().tolist() == [[0, 1, 1], [1, 0, 2], [1, 2, 0]]
    assert found.constant.iloc[0].to_dict() == {
        "row": 3, "usage": "Training", "label": "happy", "grey": 200,
    }  # fmt: skip
    assert found.counts["all"].tolist() == [4, 2, 2]
    assert found.agreement is None


def test_audit_of_fer2013(fer2013):
    found = audit(fer2013, load_votes())
    assert (len(found.groups), found.surplus, found.conflicting) == (1514, 1841, 46)
    across = found.across.set_index("usage")
    assert across.loc["PrivateTest", "Training"] == 287
    assert across.loc["PublicTest", "Training"] == 278
    assert across.loc["PrivateTest", "PublicTest"] == 44
    assert len(found.constant) == 2
    assert found.not_a_face["images"].tolist() == [150, 11, 16]
    shares = found.agreement.set_index(["usage", "class"])["share"]
    private = [100 * shares["PrivateTest", name] for name in CLASSES]
    np.testing.assert_allclose(private, [53.2, 36.4, 16.9, 93.2, 41.8, 76.7, 86.9], atol=0.06)
    near = near_duplicates(fer2013)
    assert (near["similarity"] >= NEAR_DUPLICATE).all()
    assert 200 < near_across(near)["images"][1] < 500


def test_agreement_is_that_of_the_ranks_of_the_votes(fer2013):
    """Computed again by pandas from the file itself: first by votes, ties with others included."""
    table = pd.read_csv(SHARED / "fer2013new.csv")[list(CATEGORIES)]
    of_label = pd.Series(np.array(CATEGORIES)[fer2013.labels])
    ranks = table.rank(axis=1, method="min", ascending=False)
    first = ranks.stack().eq(1)[list(zip(table.index, of_label))].to_numpy()
    votes_of_label = table.stack()[list(zip(table.index, of_label))].to_numpy()
    most = votes_of_label / table.sum(axis=1).to_numpy() > 0.5
    found = agreement_by_class(fer2013.labels, fer2013.usage, fer2013.row, load_votes())
    every = found[found["class"] == "all"].set_index("usage")
    for usage in USAGES:
        mine = fer2013.usage == usage
        assert every.loc[usage, "share"] == pytest.approx(first[mine].mean())
        assert every.loc[usage, "majority_share"] == pytest.approx(most[mine].mean())
    overall = every.loc["PrivateTest", ["share", "majority_share"]].to_numpy(float)
    assert (100 * overall).round(1).tolist() == [64.1, 54.8]


def test_label_issues_puts_flipped_labels_on_top():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 7, 700)
    probs = rng.dirichlet(np.full(7, 0.2), 700) * 0.2
    probs[np.arange(700), true] += 0.8
    flipped = rng.choice(700, 25, replace=False)
    labels = true.copy()
    labels[flipped] = (labels[flipped] + 3) % 7
    rows = np.arange(700) + 1000
    predictions = Predictions(rows, rows, labels, probs.astype(np.float32))
    issues = label_issues(predictions)
    assert 20 <= len(issues) <= 25
    assert set(issues["row"]) <= set(rows[flipped])
    assert issues["quality"].is_monotonic_increasing
    first = issues.index[0]
    assert issues.loc[first, "label"] == CLASSES[labels[first]]
    assert issues.loc[first, "predicted"] == CLASSES[true[first]]


def test_label_issues_where_a_class_does_not_occur():
    predictions = drawn_predictions(300)
    labels = np.where(predictions.labels == 1, 0, predictions.labels)
    issues = label_issues(
        Predictions(predictions.rows, predictions.pixels, labels, predictions.probs)
    )
    assert 0 < len(issues) < 300


def test_scores_by_part_are_those_of_brute_force(everything):
    predictions, properties, _ = everything
    scores = scores_by_part(grouped([predictions]), properties).set_index("subset")
    copies = np.arange(400) % 7 == 0
    counts = drawn_votes().counts
    agrees = counts[np.arange(400), predictions.labels] == counts.max(1)
    for part, keep in {
        "all images": np.ones(400, bool),
        "without exact copies": ~copies,
        "the exact copies": copies,
        "FER+ agrees with the label": agrees,
    }.items():
        assert scores.loc[part, "n"] == keep.sum()
        assert scores.loc[part, "accuracy"] == pytest.approx(predictions.correct[keep].mean())


def test_agreement_counts_each_class_once():
    labels = np.arange(60) % 7
    usage = np.repeat(USAGES, 20)
    table = agreement_by_class(labels, usage, np.arange(60), drawn_votes())
    single = table[table["class"] != "all"]
    assert single["n"].sum() == 60
    assert table.loc[table["class"] == "all", "n"].tolist() == [20, 20, 20]
    assert single["agreeing"].sum() == (drawn_votes().counts.argmax(1)[:60] == labels).sum()


# Figures


def test_slices_figure_holds_the_table(everything):
    _, _, table = everything
    figure = slices_figure({"A": table, "B": table}, {"A": 0.2, "B": 0.3})
    points = {
        tuple(custom[:2]): x
        for trace in figure.data
        if trace.name == "A"
        for custom, x in zip(trace.customdata, trace.x)
    }
    assert len(points) == len(table)
    for line in table.itertuples():
        assert points[line.property, line.slice] == pytest.approx(100 * line.accuracy)
    ticks = [text for axis in figure.select_yaxes() for text in axis.ticktext]
    assert {"<b>brightness</b>", "<b>class</b>", "<b>votes for the label</b>"} <= set(ticks)


def test_audit_figures_hold_their_tables(everything):
    predictions, properties, _ = everything
    scores = scores_by_part(grouped([predictions]), properties)
    figure = scores_figure({"A": scores, "B": scores})
    np.testing.assert_allclose(figure.data[0].x, 100 * scores["accuracy"])
    sentence = copies_sentence("A", scores)
    assert f"{100 * scores['accuracy'][0]:.1f}\u00a0% of all images" in sentence
    assert copies_sentence("A", scores[:1]) is None
    labels = np.arange(60) % 7
    table = agreement_by_class(labels, np.repeat(USAGES, 20), np.arange(60), drawn_votes())
    bars = agreement_figure(table, "PublicTest").data[0]
    shares = table[(table["usage"] == "PublicTest") & (table["class"] != "all")]["share"]
    np.testing.assert_allclose(bars.y, 100 * shares)


# The command


def test_audit_command():
    printed = run("audit", "--data", "synthetic")
    assert "synthetic, 2\u202f800 images" in printed
    assert "0 groups of pixel-identical images" in printed
    told = json.loads(run("audit", "--data", "synthetic", "--json"))
    assert told["surplus"] == told["conflicting"] == 0
    assert told["counts"][0]["usage"] == "Training"
    assert told["agreement"] is None
    assert "no such file" in fails("audit", "--data", "nothing.csv")


# The pages


@pytest.fixture
def with_votes(monkeypatch):
    """Votes on the synthetic rows, as if they were FER2013's."""
    monkeypatch.setattr("dashboard.faces.face_loading.votes", lambda run: drawn_votes(2800))


def test_slices_page_opens_a_slice(two_runs):
    app = open_page("slices", a="first", b="second")
    shown = app.dataframe[0].value
    assert {"sad", "darkest", "blurriest"} <= set(shown["slice"])
    app.selectbox(key="slice").select("class: sad").run()
    assert not app.exception
    table = two_runs[0].predictions()
    right = table.correct[table.labels == 4].mean()
    assert f"**{100 * right:.1f} %**" in said(app)
    assert "of 50 images" in said(app)
    tiles = [button for button in app.button if (button.key or "").startswith("face-")]
    assert len(tiles) == FIRST
    assert all(tile.label.startswith("sad → ") for tile in tiles)
    wrong = [not tile.label.startswith("sad → sad") for tile in tiles]
    assert wrong == sorted(wrong, reverse=True), "mistakes first"


def test_slices_page_shows_both_models(two_runs):
    app = open_page("slices", a="first", b="second")
    shown = app.dataframe[0].value
    assert set(shown["model"]) == {"A", "B"}
    assert len(shown) == 2 * (7 + 3 * 5)


def test_slices_page_by_votes(two_runs, with_votes):
    app = open_page("slices", a="first", b="none", slice="FER+ agreement: FER+ disagrees")
    assert "**FER+ agreement: FER+ disagrees**" in said(app)
    assert "under 50 %" in set(app.dataframe[0].value["slice"])


def test_a_slice_that_is_not_there_is_a_sentence(two_runs):
    assert "no slice “face: not a face”" in said(open_page("slices", slice="face: not a face"))
    assert "no slice 'not a face' by face" in said(
        open_page("misclassified", slice="face: not a face")
    )


def test_a_slice_selects_on_other_pages(two_runs):
    table = two_runs[0].predictions()
    wrong = (~table.correct & (table.labels == 4)).sum()
    app = open_page("misclassified", a="first", slice="class: sad")
    assert f"all classes: {wrong} faces" in said(app)
    assert "Selected: slice **class: sad**" in said(app)
    app.button(key="chip-slice").click().run()
    assert f"{(~table.correct).sum()} faces" in said(app)


def test_every_slice_has_a_name_in_the_list(two_runs, with_votes):
    shown = open_page("slices", a="first").dataframe[0].value
    for property, name in zip(shown["property"], shown["slice"]):
        assert name in SLICES[property]


def test_slices_page_without_the_images(two_runs, monkeypatch):
    as_if_real(two_runs[0], monkeypatch)
    app = open_page("slices", a="first", b="second", slice="class: fear")
    assert "fercore data download" in said(app)
    assert "rows of the original fer2013.csv" in said(app)
    faces = app.dataframe[2].value  # below the tables of slices
    assert len(faces) == 50
    assert (faces["label"] == "fear").all()


def test_audit_page(two_runs, with_votes):
    app = open_page("data_audit", a="first", b="second")
    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Rows that are copies"] == "0"
    counts = app.dataframe[0].value
    assert counts["all"].tolist() == [2100, 350, 350]
    words = said(app)
    assert "0 of 350 PrivateTest images (0.0 %)" in words
    assert "Near duplicates across usages" in words
    issues = label_issues(two_runs[0].predictions())
    assert f"{len(issues)} of 350 labels" in words
    tiles = [button.key for button in app.button if (button.key or "").startswith("face-")]
    assert tiles == [f"face-{row}" for row in issues["row"][:FIRST]]


def test_audit_page_without_the_images(two_runs, monkeypatch):
    as_if_real(two_runs[0], monkeypatch)
    app = open_page("data_audit", a="first", b="second")
    assert "fercore data download" in said(app)
    assert "rows of the original fer2013.csv" in said(app)
    assert len(app.dataframe[0].value) == len(label_issues(two_runs[0].predictions()))


@pytest.mark.parametrize("name", ["slices", "data_audit"])
@pytest.mark.parametrize("part", ["clean", "public"])
def test_other_parts(two_runs, name, part):
    open_page(name, part=part)


@pytest.mark.parametrize("name", ["slices", "data_audit"])
def test_with_one_run(two_runs, name):
    app = open_page(name, a="first", b="none")
    assert len(app.title) == 1
