"""What the planned study answers: its contrasts, its decisions in words, its page."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from fercore.scoring.grouped.comparison import MARGIN, CrossedDifference
from fercore.scoring.groups import group_difference
from fercore.scoring.statistics import Interval, holm
from fercore.study import answers
from fercore.study.contrasts import STATES, contrast_table, holm_levels, primary
from fercore.study.results import pairs_table, study_results
from fercore.study.scored import Scored
from fercore.study.splits import resampled_interval
from fercore.study.standing import can_be_told, own_stores, standing, study_shown, times_scored
from fercore.study.store import StudyStore
from fercore.study.variants import FRESH, MAIN, OTHERS, STUDIES, find_study
from tests.simulated_study import simulate, smaller
from tests.test_groups import drawn, level
from tests.test_pages import open_page, said

SEEING_ALL = ("cnn_lstm_mean", "cnn_lstm_attention", "cnn_lstm_flattened")


@pytest.fixture
def fewer(monkeypatch):
    """The page's planned studies, with fewer seeds than they declare."""
    for name in (MAIN, FRESH, OTHERS):
        monkeypatch.setitem(STUDIES, name, smaller(find_study(name)))


@pytest.fixture(scope="module")
def simulated(run_folders, tmp_path_factory) -> Path:
    """Artifacts with the planned study, scored: a CNN-LSTM that loses by its last state."""
    home = tmp_path_factory.mktemp("planned")
    accuracies = {"cnn": 0.75, **dict.fromkeys(SEEING_ALL, 0.75), "cnn_lstm": 0.5}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_ARTIFACTS", str(home))
        simulate(MAIN, smaller(find_study(MAIN)), accuracies, run_folders / "first")
    return home


@pytest.fixture
def main(fewer, simulated, tmp_path) -> StudyStore:
    shutil.copytree(simulated, tmp_path / "artifacts")
    return StudyStore(MAIN)


def test_each_contrast_is_what_the_plan_declares(main):
    """Each value again, from the trainings' own accuracies."""
    scored = Scored(main, "clean")
    table = main.table().groupby("variant")["clean_accuracy"].mean()
    lines = contrast_table(scored, find_study(MAIN), primary(scored))
    found = lines.set_index(["family", "contrast"])["difference"]
    gap = table["cnn"] - table["cnn_lstm"]
    assert found["primary", "cnn_lstm"] == pytest.approx(gap)
    all_states = table[list(SEEING_ALL)].mean() - table["cnn_lstm"]
    assert found["last state", "all states"] == pytest.approx(all_states)
    order = table["cnn_lstm_shuffled"] - table["cnn_lstm"]
    assert found["order", "cnn_lstm_shuffled"] == pytest.approx(order)
    for head in (*SEEING_ALL, "cnn_lstm_shuffled", "cnn_lstm_one", "cnn_attention"):
        assert found["heads", head] == pytest.approx(table[head] - table["cnn"])
    for change in ("low-rate", "few-epochs", "no-augmentation", "dropout", "no-norm"):
        own = table[f"cnn-{change}"] - table[f"cnn_lstm-{change}"]
        assert found["conditions", change] == pytest.approx(own - gap)
    counts = lines[lines["planned"]].groupby("family").size()
    assert counts.to_dict() == {
        "primary": 1, "last state": 1, "order": 1, "heads": 6, "conditions": 5, "classes": 7
    }  # fmt: skip
    predictions = [main.predictions(f"{name}-s3", "clean") for name in ("cnn", "cnn_lstm")]
    sad = predictions[0].labels == 4
    recalls = [
        np.mean(
            [main.predictions(run_id, "clean").correct[sad].mean() for run_id in scored.runs(m)]
        )
        for m in ("cnn", "cnn_lstm")
    ]
    assert found["classes", "sad"] == pytest.approx(recalls[0] - recalls[1])


def test_the_level_of_each_is_holms():
    rng = np.random.default_rng(3)
    for number in (1, 2, 6, 7) * 50:
        p_values = rng.uniform(0, 0.1, number) ** 2
        levels, corrected = holm_levels(p_values), holm(p_values)
        np.testing.assert_array_equal(p_values < levels, corrected < 0.05)
        assert (levels >= 0.05 / number - 1e-12).all()
        assert (levels <= 0.05 + 1e-12).all()
    np.testing.assert_allclose(holm_levels([0.0, 0.0]), [0.025, 0.05])


def test_a_family_is_seldom_wrong_anywhere():
    """Six heads that equal the CNN, which all of them are held against."""
    rng, wrong = np.random.default_rng(4), []
    for _ in range(150):
        *heads, cnn = drawn((*(8,) * 6, 20), 250, (level(0.6),) * 7, rng)
        wrong.append((holm([group_difference(one, cnn).p_value for one in heads]) < 0.05).any())
    assert np.mean(wrong) <= 0.085  # 5 %, two standard errors of 150


def made(value, half, *, narrow=None, p=0.5) -> CrossedDifference:
    bounds = Interval(value - half, value + half)
    inner = Interval(value - (narrow or 0.84 * half), value + (narrow or 0.84 * half))
    shares, seeds = (0.6, 0.3, 0.1), (20, 20)
    return CrossedDifference(value, bounds, inner, bounds, bounds, p, 0.5, 0.01, shares, seeds, 9)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (made(0.03, 0.01, p=1e-4), "The CNN-LSTM loses, by more than a point."),
        (made(-0.03, 0.01, p=1e-4), "The CNN loses, by more than a point."),
        (made(0.005, 0.004, p=0.01), "but by less than a point: real, and too small"),
        (made(0.012, 0.01, p=0.02), "whether by more or by less than a point is undecided"),
        (made(0.001, 0.005, p=0.7), "The two are equivalent"),
        (made(0.008, 0.02, p=0.4), "Undecided"),
    ],
)
def test_the_decision_is_in_the_protocols_words(result, words):
    assert words in answers.verdict(result)
    told = [answer.answer for answer in answers.primary_answers(result)]
    assert ("there is a difference" in told[0]) == (result.p_value < 0.05)
    low, high = result.interval
    assert told[1].startswith("Yes") == (low > MARGIN or high < -MARGIN)
    assert told[2].startswith("Yes") == (max(map(abs, result.equivalence_interval)) < MARGIN)
    assert ("not 'equal'" in told[2]) == ("Undecided" in words)


def test_fresh_splits_have_nadeau_and_bengios_interval():
    rng, ratio, splits = np.random.default_rng(5), 0.28, 5
    shared = ratio / (1 + ratio)  # the correlation that their correction takes to be there
    covered = []
    for _ in range(2000):
        draws = np.sqrt(shared) * rng.normal() + np.sqrt(1 - shared) * rng.normal(size=splits)
        low, high = resampled_interval(0.01 + 0.005 * draws, ratio)
        covered.append(low <= 0.01 <= high)
    assert 0.93 <= np.mean(covered) <= 0.97
    values = np.array([0.01, 0.02, 0.015, 0.005, 0.012])
    half = t.ppf(0.975, 4) * np.sqrt(values.var(ddof=1) * (1 / 5 + ratio))
    assert resampled_interval(values, ratio) == pytest.approx(
        (values.mean() - half, values.mean() + half)
    )


def test_the_planned_study_is_shown_once_every_training_is_scored(fewer, run_folders):
    study = find_study(MAIN)
    simulate(MAIN, study, {}, run_folders / "first", scored=False)
    at = standing(study)
    assert at.trained == at.declared == sum(variant.seeds for variant in study.variants)
    assert (at.scored, at.complete, can_be_told(study)) == (0, False, False)
    words = said(open_page("does_the_lstm_lose"))
    assert f"{at.declared} of {at.declared} trainings are finished" in words
    assert "Is there a difference?" not in words  # PublicTest answers nothing


def test_the_page_of_the_scored_study_answers_in_order(main, run_folders):
    splits = find_study(FRESH)
    for number, store in enumerate(own_stores(splits)):
        simulate(
            store.name, splits, {"cnn": 0.7, "cnn_lstm": 0.55}, run_folders / "first",
            seed=number, dataset=f"FER2013 fold {number + 1} of 5",
        )  # fmt: skip
    simulate(OTHERS, find_study(OTHERS), {}, run_folders / "first", seed=9)
    assert study_shown().name == MAIN
    app = open_page("does_the_lstm_lose")
    words = said(app)
    results = study_results(find_study(MAIN), main, "clean")
    topics = [answer.topic for answer in results.answers]
    assert topics == [
        "difference", "margin", "equivalence", "last-state", "order", "heads", "conditions",
        "splits", "stronger", "classes", "others",
    ]  # fmt: skip
    places = [words.index(f"**{answer.question}** {answer.answer}") for answer in results.answers]
    assert places == sorted(places)
    assert results.verdict == "The CNN-LSTM loses, by more than a point."
    assert "in the mean, above 0 in 5 of 5" in words
    assert "descriptive" not in words
    scorings = len(times_scored(main))
    assert f"PrivateTest was scored {scorings} times" in words
    assert "None of them is from code that was in no commit" in words
    assert "PrivateTest is not untouched" in words  # the protocol's own words
    clean = main.table().groupby("variant")["clean_accuracy"].mean()
    shown = app.dataframe[1].value.set_index("variant")
    assert shown["accuracy %"]["CNN"] == pytest.approx(100 * clean["cnn"])


def test_on_images_that_are_not_the_plans_nothing_is_decided(main):
    results = study_results(find_study(MAIN), main, "private")
    assert results.verdict == ""
    assert not results.contrasts["planned"].any()
    assert not any(answer.planned for answer in results.answers)
    words = said(open_page("does_the_lstm_lose", images="private"))
    assert "nothing is decided: all of it is exploratory" in words
    assert "Is there a difference?" in words.partition("Exploratory: not in the plan")[2]
    assert "loses, by more than a point" not in words


def test_the_macro_f1_is_of_the_chosen_images(main):
    for part in ("private", "clean"):
        found = study_results(find_study(MAIN), main, part).variants.set_index("variant")
        by_seed = [
            _macro_f1(main.predictions(run_id, part)) for run_id in Scored(main, part).runs("cnn")
        ]
        assert found["macro_f1"]["cnn"] == pytest.approx(np.mean(by_seed))


def _macro_f1(predictions) -> float:
    from sklearn.metrics import f1_score

    return f1_score(predictions.labels, predictions.predicted, average="macro")


def test_the_earlier_study_is_told_as_a_description_and_how_far_the_new_one_is(fewer, run_folders):
    earlier = next(study for study in STUDIES.values() if study.before == MAIN)
    pair = tuple(v for v in earlier.variants if v.name in ("cnn", "cnn_lstm"))
    simulate(earlier.name, replace(earlier, variants=pair), {}, run_folders / "first")
    begun = replace(find_study(MAIN), variants=find_study(MAIN).variants[:1])
    simulate(MAIN, begun, {}, run_folders / "first", scored=False)
    words = said(open_page("does_the_lstm_lose"))
    declared = standing(find_study(MAIN)).declared
    assert "3 seeds, seen before the plan: descriptive" in words
    assert f"3 of {declared} trainings are finished" in words
    assert "Is there a difference?" in words
    assert "Not trained yet." in words
    told = study_results(earlier, StudyStore(earlier.name), "clean")
    assert len(told.contrasts)
    assert not told.contrasts["planned"].any()


def test_a_page_under_its_former_name(main):
    from dashboard.base.navigation import PAGES, page_at

    assert page_at("why_the_lstm_loses") == "does_the_lstm_lose"
    assert page_at("") == ""
    assert [entry.name for entry in PAGES.values()].count("does_the_lstm_lose") == 1


def test_a_model_whose_twin_is_in_the_planned_study_is_held_against_that(main, run_folders):
    others = find_study(OTHERS)
    simulate(OTHERS, others, {}, run_folders / "first", seed=9)
    pairs = pairs_table(others, "clean").set_index("title")["cnn"]
    recurrent = {v.name: v.title for v in others.variants if v.recurrent}
    assert set(pairs.index) == set(recurrent.values())
    table = main.table().groupby("variant")["clean_accuracy"].mean()
    for change in ("no-norm", "few-epochs", "no-augmentation", "dropout"):
        twin = pairs[recurrent[f"cnn_lstm_one-{change}"]]
        assert twin == pytest.approx(table[f"cnn-{change}"])


def test_the_last_state_may_gain_too(main):
    lines = contrast_table(Scored(main, "clean"), find_study(MAIN), None)
    own = lines["family"] == STATES
    lines.loc[own, ["difference", "difference_low", "difference_high"]] = -0.02, -0.03, -0.01
    lines.loc[own, ["p_value", "p_holm"]] = 0.001
    told = next(one for one in answers.family_answers(lines) if one.topic == "last-state")
    assert "the last state alone gains that" in told.answer


def test_pairs_near_the_papers_figures_are_named():
    pairs = pd.DataFrame({"title": ["far", "near"], "cnn": [0.55, 0.63], "cnn_lstm": [0.5, 0.48]})
    told = answers.others_answer(pairs)
    assert "'near': 63.0 % beside 48.0 %, both within 3 points" in told.answer
    assert not told.planned
