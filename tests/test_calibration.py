"""Calibration agrees with brute force and scikit-learn, and the page says what it shows."""

import time

import numpy as np
import pytest
from sklearn import metrics as reference

from dashboard.compare import calibration_view
from fercore.errors import ConfigError, RunError
from fercore.figures.reliability import reliability_figure
from fercore.files import write_json
from fercore.groups.group import group_of
from fercore.runs.listing import find_run
from fercore.scoring import calibration, ece
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import Predictions, select_part
from fercore.scoring.statistics import wilson_interval
from tests.test_pages import open_page, said


def table(labels, probs) -> Predictions:
    rows = np.arange(len(labels))
    return Predictions(rows, rows, np.asarray(labels, np.int64), np.asarray(probs, np.float32))


def drawn(n: int, *, sharpened: float = 1.0, seed: int = 0) -> Predictions:
    """Labels drawn from probabilities, which are then raised to the power `sharpened`."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.normal(size=(n, 7))
    labels = (logits + rng.gumbel(size=(n, 7))).argmax(1)
    probs = np.exp(sharpened * logits)
    return table(labels, probs / probs.sum(1, keepdims=True))


def shuffled(predictions: Predictions, seed: int = 0) -> Predictions:
    order = np.random.default_rng(seed).permutation(len(predictions))
    return table(predictions.labels[order], predictions.probs[order])


def brute_force_bins(predictions: Predictions, bins: int) -> list[list[int]]:
    """The images of each bin, for confidences that all differ."""
    order = sorted(range(len(predictions)), key=lambda image: predictions.confidence[image])
    members: list[list[int]] = [[] for _ in range(bins)]
    for rank, image in enumerate(order):
        members[int((rank + 0.5) / len(order) * bins)].append(image)
    return members


@pytest.mark.parametrize(("n", "bins"), [(350, 15), (1000, 10), (7, 3)])
def test_reliability_and_ece_agree_with_a_loop(n, bins):
    predictions = drawn(n, sharpened=1.5)
    frame = calibration.reliability(predictions, bins)
    summed = 0.0
    for line, images in zip(frame.itertuples(), brute_force_bins(predictions, bins), strict=True):
        confidence = np.mean([float(predictions.confidence[image]) for image in images])
        right = sum(bool(predictions.correct[image]) for image in images)
        assert line.n == len(images)
        assert line.confidence == pytest.approx(confidence)
        assert line.accuracy == pytest.approx(right / len(images))
        assert (line.accuracy_low, line.accuracy_high) == pytest.approx(
            wilson_interval(right, len(images))
        )
        summed += len(images) / n * abs(right / len(images) - confidence)
    assert frame["n"].max() - frame["n"].min() <= 1
    assert ece.expected_calibration_error(predictions, bins) == pytest.approx(summed)


def test_equal_confidences_stay_together_whatever_the_order_of_rows():
    coarse = np.round(drawn(500).probs, 1)
    predictions = table(drawn(500).labels, coarse)
    frame = calibration.reliability(predictions)
    assert frame["n"].sum() == 500
    assert len(frame) < 15
    for seed in range(3):
        other = shuffled(predictions, seed)
        np.testing.assert_allclose(calibration.reliability(other), frame)
        assert ece.expected_calibration_error(other) == pytest.approx(
            ece.expected_calibration_error(predictions)
        )
        np.testing.assert_allclose(
            calibration.risk_coverage(other), calibration.risk_coverage(predictions)
        )
        assert calibration.area_under_risk_coverage(other) == pytest.approx(
            calibration.area_under_risk_coverage(predictions)
        )


def test_always_equally_sure_is_one_bin():
    probs = np.full((10, 7), 0.05)
    probs[:, 2] = 0.7
    frame = calibration.reliability(table([2] * 6 + [0] * 4, probs))
    assert len(frame) == 1
    assert frame.loc[0, "confidence"] == pytest.approx(0.7)
    assert frame.loc[0, "accuracy"] == pytest.approx(0.6)


def test_chance_error_is_what_calibrated_models_get():
    simulated = [ece.expected_calibration_error(drawn(1000, seed=k)) for k in range(100)]
    assert ece.chance_calibration_error(drawn(1000)) == pytest.approx(np.mean(simulated), rel=0.1)


def overconfident(n: int, by: float, seed: int) -> Predictions:
    """A model whose confidence is `by` too high everywhere."""
    rng = np.random.default_rng(seed)
    probs = drawn(n, seed=seed).probs
    confidence, said = probs.max(1), probs.argmax(1)
    right = rng.random(n) < confidence - by
    return table(np.where(right, said, (said + 1) % 7), probs)


MISCALIBRATED = {
    "not at all": lambda n, seed: drawn(n, seed=seed),
    "sharpened": lambda n, seed: drawn(n, sharpened=1.5, seed=seed),
    "sharpened a little": lambda n, seed: drawn(n, sharpened=1.1, seed=seed),
    "softened": lambda n, seed: drawn(n, sharpened=0.8, seed=seed),
    "five points too sure": lambda n, seed: overconfident(n, 0.05, seed),
}


@pytest.mark.parametrize("how", MISCALIBRATED)
def test_ninety_five_of_a_hundred_intervals_of_the_ece_hold_the_true_one(how):
    """A bootstrap's basic interval held 87 of 100 where the confidence is five points too high."""
    draw = MISCALIBRATED[how]
    true = ece.expected_calibration_error(draw(300_000, 99)) if how != "not at all" else 0
    tables = [draw(1000, seed) for seed in range(600)]
    found = [ece.debiased_ece(table) for table in tables]
    held = np.mean([low <= true <= high for _, (low, high) in found])
    assert 0.93 <= held <= 0.97
    assert all(low <= value <= high for value, (low, high) in found)
    plain = np.mean([ece.expected_calibration_error(table) for table in tables])
    assert abs(np.mean([value for value, _ in found]) - true) < plain - true


def test_the_interval_of_the_ece_of_odd_tables():
    certain = table([0] * 5 + [1], [[1, 0, 0, 0, 0, 0, 0]] * 6)  # one bin
    value, (low, high) = ece.debiased_ece(certain)
    assert low <= value <= 1 / 6 <= high
    perfect = table([0] * 6, [[1, 0, 0, 0, 0, 0, 0]] * 6)
    assert ece.debiased_ece(perfect).value == ece.debiased_ece(perfect).interval.low == 0
    value, (low, high) = ece.debiased_ece(drawn(2))
    assert 0 <= low <= value <= high


def test_the_interval_of_the_ece_is_quick():
    predictions = drawn(3589)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        ece.debiased_ece(predictions)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.2  # of this process, whatever else the machine does


def test_brier_and_nll_agree_with_scikit_learn():
    predictions = drawn(300)
    probs = predictions.probs.astype(np.float64)
    per_class = [reference.brier_score_loss(predictions.labels == k, probs[:, k]) for k in range(7)]
    assert calibration.brier_score(predictions) == pytest.approx(sum(per_class))
    probs /= probs.sum(1, keepdims=True)
    assert calibration.negative_log_likelihood(predictions) == pytest.approx(
        reference.log_loss(predictions.labels, probs, labels=range(7)), rel=1e-6
    )


@pytest.mark.parametrize("sharpened", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_recovered(sharpened):
    assert calibration.fit_temperature(drawn(20_000, sharpened=sharpened)) == pytest.approx(
        sharpened, rel=0.03
    )


def test_the_temperature_is_the_best_of_a_grid():
    predictions = drawn(500, sharpened=1.7)
    fitted = calibration.fit_temperature(predictions)

    def nll(temperature):
        return calibration.negative_log_likelihood(
            calibration.with_temperature(predictions, temperature)
        )

    assert all(nll(fitted) <= nll(other) + 1e-7 for other in np.geomspace(0.2, 5, 60))
    assert nll(1.0) == pytest.approx(calibration.negative_log_likelihood(predictions), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 3.0, 20.0])
def test_scaling_is_the_power_and_changes_no_class(temperature):
    predictions = drawn(2000)
    scaled = calibration.with_temperature(predictions, temperature)
    assert scaled.probs.dtype == np.float32
    np.testing.assert_allclose(scaled.probs.sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(scaled.predicted, predictions.predicted)
    power = predictions.probs.astype(float) ** (1 / temperature)
    np.testing.assert_allclose(scaled.probs, power / power.sum(1, keepdims=True), atol=1e-6)


def test_scaling_keeps_the_class_that_was_ahead_by_a_hair():
    probs = np.full((1, 7), 0.1, np.float32)
    probs[0, 2] = 0.25
    probs[0, 5] = np.nextafter(np.float32(0.25), np.float32(1))
    predictions = table([5], probs)
    assert predictions.predicted[0] == 5
    assert calibration.with_temperature(predictions, 20.0).predicted[0] == 5


def test_scaling_survives_probabilities_of_zero():
    predictions = table([0, 1], np.eye(7)[[0, 1]])
    for temperature in (0.05, 20.0):
        scaled = calibration.with_temperature(predictions, temperature)
        np.testing.assert_allclose(scaled.probs.sum(1), 1, atol=1e-6)
        assert scaled.correct.all()


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_a_temperature_is_positive(temperature):
    with pytest.raises(ConfigError, match="above 0"):
        calibration.with_temperature(drawn(5), temperature)


def test_risk_coverage_agrees_with_a_loop_and_ends_at_the_accuracy():
    predictions = drawn(200, sharpened=1.3)
    curve = calibration.risk_coverage(predictions)
    assert len(curve) == 200
    for line in curve.to_dict("records"):
        answered = predictions.confidence >= line["threshold"]
        assert line["coverage"] == pytest.approx(answered.mean())
        assert line["accuracy"] == pytest.approx(predictions.correct[answered].mean())
    assert curve["coverage"].iloc[-1] == 1
    assert curve["accuracy"].iloc[-1] == pytest.approx(predictions.correct.mean())
    assert calibration.area_under_risk_coverage(predictions) == pytest.approx(
        (1 - curve["accuracy"]).mean()
    )


def test_area_of_equal_confidences_is_the_mean_over_their_orders():
    coarse = np.round(drawn(60).probs, 1)
    labels = drawn(60).labels
    areas = []
    for seed in range(2000):
        order = np.random.default_rng(seed).permutation(60)
        wrong = (coarse[order].argmax(1) != labels[order]).astype(float)
        ranked = wrong[np.argsort(-coarse[order].max(1), kind="stable")]
        areas.append(np.mean(np.cumsum(ranked) / np.arange(1, 61)))
    assert calibration.area_under_risk_coverage(table(labels, coarse)) == pytest.approx(
        np.mean(areas), abs=3e-3
    )


@pytest.mark.parametrize("coverage", [0.01, 0.5, 0.8, 1.0])
def test_accuracy_at_a_coverage(coverage):
    predictions = drawn(350)
    result = calibration.accuracy_at_coverage(predictions, coverage)
    assert result.answered == int(np.ceil(coverage * 350))
    surest = np.argsort(-predictions.confidence)[: result.answered]
    right = int(predictions.correct[surest].sum())
    assert result.accuracy == pytest.approx(right / result.answered)
    assert result.interval == wilson_interval(right, result.answered)
    assert result.threshold == predictions.confidence[surest].min()
    assert result.threshold == calibration.threshold_at_coverage(predictions, coverage)


@pytest.mark.parametrize("coverage", [0, 1.01, float("nan")])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ConfigError, match="share to answer"):
        calibration.accuracy_at_coverage(drawn(5), coverage)


def test_no_images_are_a_sentence(two_runs):
    frame = two_runs[0].prediction_frame
    none = select_part(frame[frame["usage"] == "PrivateTest"], "public")
    for function in (
        calibration.reliability,
        calibration.calibration_scores,
        calibration.fit_temperature,
        calibration.risk_coverage,
    ):
        with pytest.raises(RunError, match="not scored"):
            function(none)


def test_reliability_figure_holds_the_bins(two_runs):
    models = {
        key: calibration_view.versions(group_of(run), "private")["as trained"]
        for key, run in zip("AB", two_runs)
    }
    figure = reliability_figure(
        {key: one.predictions for key, one in models.items()},
        {key: one.reliability for key, one in models.items()},
    )
    traces = {trace.name: trace for trace in figure.data if trace.type == "scatter"}
    assert list(traces) == ["perfectly calibrated", "A", "B"]
    frame = calibration.reliability(two_runs[1].predictions())
    np.testing.assert_allclose(traces["B"].x, 100 * frame["confidence"])
    np.testing.assert_allclose(
        traces["B"].y - traces["B"].error_y.arrayminus, 100 * frame["accuracy_low"]
    )
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [sum(bar.customdata) for bar in bars] == [350, 350]


def test_risk_coverage_figure_rings_the_choice(two_runs):
    model = calibration_view.versions(group_of(two_runs[0]), "private")["as trained"]
    chosen = calibration.accuracy_at_coverage(model.predictions.single, 0.8)
    figure = calibration_view.risk_coverage_figure({"A": model}, {"A": chosen}, 0.2)
    curve, ring = figure.data
    assert curve.x[-1] == pytest.approx(0)
    assert curve.y[-1] == pytest.approx(100 * model.predictions.correct.mean())
    assert (ring.x[0], ring.y[0]) == (pytest.approx(20), pytest.approx(100 * chosen.accuracy))


def test_the_slider_moves_the_sentence(two_runs):
    app = open_page("calibration", a="first", b="second")
    for unsure in (20, 60):
        app.slider(key="unsure").set_value(unsure).run()
        words = said(app)
        for run_id in ("first", "second"):
            predictions = find_run(run_id).predictions()
            result = calibration.accuracy_at_coverage(predictions, 1 - unsure / 100)
            assert f"'unsure' on {unsure} % of the images" in words
            assert f"right on **{100 * result.accuracy:.1f} %**" in words


def test_the_switch_scales_the_diagram(two_runs):
    app = open_page("calibration", a="first", b="second")
    fitted = calibration.fit_temperature(find_run("first").predictions("public"))
    assert f"T = {fitted:.2f}" in said(app)
    scores = app.table[0].value
    assert list(scores.index) == [
        f"{key} {name}" for key in "AB" for name in ("as trained", "temperature-scaled")
    ]
    trained = app.get("plotly_chart")[0].proto.spec
    app.segmented_control(key="probabilities").set_value("temperature-scaled").run()
    assert not app.exception
    assert app.get("plotly_chart")[0].proto.spec != trained
    scaled = calibration.with_temperature(find_run("first").predictions(), fitted)
    result = calibration.accuracy_at_coverage(scaled, 0.8)
    assert f"confidence of {100 * result.threshold:.1f} % or more" in said(app)


def test_on_public_test_it_warns_that_the_temperature_knows_the_images(two_runs):
    assert "fitted on these very images" in said(open_page("calibration", part="public"))
    assert "fitted on these very images" not in said(open_page("calibration", part="clean"))


def test_without_public_test_it_goes_on_unscaled(two_runs):
    run = two_runs[0]
    frame = run.prediction_frame[run.prediction_frame["usage"] == "PrivateTest"]
    frame.to_parquet(run.folder / "predictions.parquet")
    write_json(run.folder / "metrics.json", evaluate_parts(frame))
    app = open_page("calibration", a="first", b="none")
    assert "was not scored on PublicTest" in said(app)
    assert list(app.table[0].value.index) == ["A as trained"]
    assert "'unsure' on 20 %" in said(app)
    app = open_page("calibration", a="first", b="second", probabilities="temperature-scaled")
    assert len(app.table[0].value) == 3
