"""Studies: what is finished is not done again, and what is broken stops no other."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from fercore import data
from fercore.cli import app
from fercore.data.folds import fresh_splits
from fercore.errors import Busy, ConfigError, RunError
from fercore.files import safe_name
from fercore.jobs.locks import held
from fercore.jobs.request import prepare
from fercore.models import build
from fercore.models.cost import flops_per_image
from fercore.models.heads import Recurrent
from fercore.models.inference import predict_probs
from fercore.models.precision import REFERENCE
from fercore.runs.folders import artifacts_folder
from fercore.runs.listing import read_run
from fercore.scoring.groups import group_difference
from fercore.study import analysis, choosing, final_scoring, runner
from fercore.study.cluster import run_on_ray
from fercore.study.contrasts import contrast_table
from fercore.study.runner import Outcome, StudyProgress, run_study, train_cell
from fercore.study.scored import Scored
from fercore.study.standing import provenance, times_scored
from fercore.study.store import StudyStore
from fercore.study.thinning import halved, restored, thinned
from fercore.study.variants import STUDIES, Study, Variant, find_study
from fercore.training.recipes import RECIPES, find_recipe
from tests.conftest import ROOT
from tests.test_data_sources import csv_text

TINY = replace(find_recipe("quick"), epochs=2, batch_size=16, model_arguments={"width": 4})
PAIR = Study("pair", "", "quick", (Variant("cnn"), Variant("cnn_lstm")))


@pytest.fixture
def store() -> StudyStore:
    return StudyStore("pair")


@pytest.fixture
def requests():
    return PAIR.requests(2, TINY, threads=1)


@pytest.mark.parametrize("name", STUDIES)
def test_no_two_variants_of_a_study_are_the_same_training(name):
    study = find_study(name)
    trainings = [(r.model, r.recipe) for r in study.requests(1, find_recipe(study.recipe))]
    assert not [one for k, one in enumerate(trainings) if one in trainings[:k]]


def test_the_sequence_study_declares_what_it_promises():
    study = find_study("sequence")
    requests = study.requests(3, find_recipe("paper"))
    assert len({request.run_id for request in requests}) == len(requests) == 3 * 21
    base = find_recipe("paper")
    changed = {v.name: v.recipe(base) for v in study.variants if v.condition}
    assert all(recipe != base for recipe in changed.values())
    assert all(v.recipe(base) == base for v in study.variants if not v.condition)
    with pytest.raises(ConfigError, match="no variant 'transformer'"):
        study.requests(1, base, only=["transformer"])
    with pytest.raises(ConfigError, match="no study 'width'"):
        find_study("width")


def test_the_study_of_the_lstm_trains_what_its_protocol_declares():
    study, base = find_study("lstm"), find_recipe("paper")
    requests = study.requests(None, base)
    seeds = {
        variant.name: [r.seed for r in requests if r.run_id.startswith(f"{variant.name}-s")]
        for variant in study.variants
    }
    assert seeds["cnn"] == seeds["cnn_lstm"] == list(range(3, 23))
    hypotheses = ("mean", "attention", "flattened", "shuffled", "one")
    for head in (*(f"cnn_lstm_{name}" for name in hypotheses), "cnn_attention"):
        assert seeds[head] == list(range(3, 11))
    for changed in (variant for variant in study.variants if variant.condition):
        assert seeds[changed.name] == list(range(3, 9))
    conditions = {variant.condition for variant in study.variants} - {""}
    assert conditions == {"low-rate", "few-epochs", "no-augmentation", "dropout", "no-norm"}
    assert len(requests) == 2 * 20 + 6 * 8 + 5 * 2 * 6 + 6 * 3
    order = [request.seed for request in requests]
    assert order == sorted(order)
    assert [request.run_id for request in requests[:2]] == ["cnn-s3", "cnn_lstm-s3"]
    by_name = {request.run_id: request.recipe for request in requests}
    assert by_name["cnn-few-epochs-s3"].epochs == 2
    assert by_name["cnn-low-rate-s3"].learning_rate == base.learning_rate / 100
    assert by_name["cnn_lstm-no-norm-s3"].model_arguments == {"norm": False}
    assert study.scored_last
    assert len(study.requests(2, base, only=["cnn"])) == 2


def test_what_others_did_can_be_built_and_is_another_recipe_each():
    study, base = find_study("others"), find_recipe("paper")
    requests = study.requests(None, base)
    assert {request.seed for request in requests} == {3, 4}
    recipes = [(r.model, json.dumps(r.recipe.to_json())) for r in requests if r.seed == 3]
    assert len(set(recipes)) == len(recipes) == len(study.variants)
    both = {variant.name: variant.recipe(base) for variant in study.variants}
    two = both["cnn-few-epochs-no-augmentation"]
    assert (two.epochs, two.augmentation.flip) == (2, 0)
    assert both["cnn_lstm-no-norm-slow"].learning_rate == 2e-4
    plain, deep = (
        build(model, **both[f"{model}-{notebook}"].model_arguments)
        for model, notebook in (
            ("cnn_lstm_whole", "notebook-plain"), ("cnn_lstm_flattened", "notebook-deep"),
        )
    )  # fmt: skip
    assert isinstance(plain.head, Recurrent)
    assert isinstance(deep.head, Recurrent)
    assert (plain.head.lstm.input_size, plain.head.lstm.hidden_size) == (4096, 128)
    assert (deep.head.lstm.hidden_size, deep.head.upper.hidden_size) == (256, 128)
    assert deep.get_buffer("head.order").shape == (6, 6)


@pytest.mark.parametrize(
    ("name", "epochs", "width"),
    [("ablation-fast", 18, 32), ("ablation-best", 20, 32), ("beyond-best", 60, 64)],
)
def test_an_ablation_changes_one_ingredient_at_a_time(name, epochs, width):
    study = find_study(name)
    requests = study.requests(1, RECIPES[study.recipe])
    base, *others = (asdict(request.recipe) for request in requests)
    assert (base["epochs"], base["model_arguments"]["width"]) == (epochs, width)
    for changed in others:
        ingredients = {name for name in base if base[name] != changed[name]}
        # twice the epochs with as many looks at PublicTest
        assert len(ingredients) == 1 or ingredients == {"epochs", "validated"}


def test_two_trunks_are_held_against_each_other_at_equal_flops():
    recipes = {r.run_id: r.recipe for r in find_study("ablation-best").requests(1, RECIPES["best"])}
    ours, equal = (
        flops_per_image(build("cnn", **recipes[name].model_arguments | {"views": 1}))
        for name in ("cnn-s0", "cnn-vgg-equal-s0")
    )
    assert equal == pytest.approx(ours, rel=0.01)


def test_a_study_that_is_chosen_on_publictest_cannot_be_one_that_is_scored_last():
    for more in ({"scored_last": True}, {"whole": frozenset({"cnn"})}, {"folds": 2}):
        with pytest.raises(ConfigError, match="PrivateTest cannot be scored"):
            Study("s", "", "quick", (Variant("cnn"),), public_only=True, **more)
    with pytest.raises(ConfigError, match="PublicTest alone"):
        Study("s", "", "quick", (Variant("cnn"),), candidates=True)


def test_an_ablation_never_sees_privatetest(faces, monkeypatch):
    tiny = Study("tiny", "", "quick", (Variant("cnn"), Variant("cnn", "no-decay")), True)
    monkeypatch.setitem(STUDIES, "tiny", tiny)
    monkeypatch.setitem(RECIPES, "quick", replace(TINY, weight_decay=0.1))
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: faces)
    result = CliRunner().invoke(app, ["study", "tiny", "--seeds", "1"])
    assert result.exit_code == 0, result.output
    assert re.search(r"no weight decay +1 ", result.stdout)
    shown = CliRunner().invoke(app, ["study", "tiny", "--show", "--data", "synthetic"])
    assert shown.stdout == result.stdout
    store = StudyStore(tiny.folder_name(find_recipe("quick"), faces.name))
    assert "private_accuracy" not in store.table()
    assert len(store.predictions("cnn-s0", "public"))
    assert not len(store.predictions("cnn-s0", "private"))


def test_candidates_are_ranked_on_publictest_and_privatetest_is_refused(faces, monkeypatch):
    changes = ("no-decay", "averaged")
    variants = (Variant("cnn", seeds=2), *(Variant("cnn", change, 1) for change in changes))
    choice = Study("choice", "", "quick", variants, public_only=True, candidates=True)
    monkeypatch.setitem(STUDIES, "choice", choice)
    monkeypatch.setitem(RECIPES, "quick", replace(TINY, weight_decay=0.1))
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: faces)
    result = CliRunner().invoke(app, ["study", "choice", "--threads", "1"])
    assert result.exit_code == 0, result.output
    shown = [float(line) for line in re.findall(r" [12] +([\d.]+) \[", result.stdout)]
    assert len(shown) == 3
    assert shown == sorted(shown, reverse=True)
    assert re.search(r"as declared +2 .* – +–", result.stdout)
    assert "Choosing the best of 2 changes flatters it" in " ".join(result.stdout.split())
    assert "4 of 4 declared trainings are finished. PrivateTest scored: never." in result.stdout

    store = StudyStore(choice.folder_name(find_recipe("quick"), faces.name))
    scored = Scored(store, "public")
    table = choosing.ranked_table(scored, choice).set_index("variant")
    gap = group_difference(scored.correct("cnn-averaged"), scored.correct("cnn"))
    assert table.loc["cnn-averaged", "p_value"] == pytest.approx(gap.p_value)

    for ask in ("--score", "--keep-answers"):
        refused = CliRunner().invoke(app, ["study", "choice", ask])
        assert "never scored on PrivateTest" in str(refused.exception)
    requests = choice.requests(1, find_recipe("quick"), threads=1)
    for attempt in (
        lambda: run_study(store, requests, faces),
        lambda: run_on_ray(store, requests, faces),
        lambda: final_scoring.score(store, requests, faces),
        lambda: store.begin_scoring("cnn-s0", commit=None),
    ):
        with pytest.raises(RunError, match="PrivateTest is not scored with it"):
            attempt()
    assert times_scored(store) == []


def test_the_lead_that_choosing_gives_is_what_simulations_give():
    rng, names = np.random.default_rng(6), [f"change-{number}" for number in range(5)]
    study = Study("s", "", "quick", (Variant("cnn"), *(Variant("cnn", name) for name in names)))
    told, seen = [], []
    for _ in range(60):
        hard, right = rng.normal(size=400), {}
        for name, seeds in {"cnn": 4, **{f"cnn-{name}": 2 for name in names}}.items():
            own = hard + 0.3 * rng.normal(size=400)  # a model has images of its own
            skill = 0.6 + 0.05 * rng.normal(size=(seeds, 1))
            right[name] = own + 0.8 * rng.normal(size=(seeds, 400)) < skill
        scored: Any = SimpleNamespace(variants=set(right), correct=right.__getitem__)
        told.append(choosing.chance_lead(scored, study))
        means = {name: own.mean() for name, own in right.items()}
        seen.append(max(mean for name, mean in means.items() if name != "cnn") - means["cnn"])
    assert np.mean(told) == pytest.approx(np.mean(seen), rel=0.25)


def test_a_table_is_filled_and_not_done_again(store, requests, faces, monkeypatch):
    seen: list[StudyProgress] = []
    outcome = run_study(store, requests, faces, on_progress=seen.append)
    assert outcome.finished == ["cnn-s0", "cnn_lstm-s0", "cnn-s1", "cnn_lstm-s1"]
    assert (outcome.broken, outcome.elsewhere) == ({}, [])
    assert seen[-1].finished == seen[-1].total == 4
    assert seen[-1].share == 1
    shares = [at.share for at in seen]
    assert shares == sorted(shares)

    table = store.table()
    for line in table.to_dict("records"):
        run = read_run(store.run_folder(line["run_id"]))
        assert line["private_accuracy"] == run.metrics()["private"]["accuracy"]
        assert line["macro_f1"] == pytest.approx(run.metrics()["private"]["macro_f1"])
        kept, whole = store.predictions(line["run_id"], "clean"), run.predictions("clean")
        assert kept.same_images(whole)
        np.testing.assert_array_equal(kept.probs, whole.probs)
        assert store.history(line["run_id"])["val_loss"].tolist() == (
            run.history()["val_loss"].tolist()
        )
    assert json.loads((store.folder / "table.json").read_text()) == table.to_dict("records")
    assert "NaN" not in (store.folder / "cells" / "cnn-s0" / "history.jsonl").read_text()

    monkeypatch.setattr(runner, "train_cell", lambda *_, **__: pytest.fail("trained again"))
    assert run_study(store, requests, faces).finished == outcome.finished


def test_a_random_order_is_the_seeds_own_and_is_recorded(store, faces):
    shuffled = Study("pair", "", "quick", (Variant("cnn_lstm_shuffled"),))
    run_study(store, shuffled.requests(2, TINY, threads=1), faces)
    runs = [read_run(store.run_folder(f"cnn_lstm_shuffled-s{seed}")) for seed in (0, 1)]
    assert [run.info["model_arguments"]["order"] for run in runs] == [0, 1]
    assert runs[0].recipe == runs[1].recipe == TINY  # one recipe: they differ in the seed alone
    first, second = (run.load_model().get_buffer("head.order") for run in runs)
    assert sorted(first.flatten().tolist()) == sorted(second.flatten().tolist())
    assert not first.equal(second)


def test_a_broken_training_stops_no_other(store, requests, faces):
    requests[0] = replace(requests[0], recipe=replace(TINY, learning_rate=1e10))
    outcome = run_study(store, requests, faces)
    assert list(outcome.broken) == ["cnn-s0"]
    assert "finite" in outcome.broken["cnn-s0"]
    assert len(outcome.finished) == 3


def test_two_runners_share_a_table(store, requests, faces):
    folder = prepare(requests[0], store.run_folder("cnn-s0"), faces)
    with held(folder / "lock"):
        outcome = run_study(store, requests, faces, alongside=True)
        assert outcome.elsewhere == ["cnn-s0"]
        assert len(outcome.finished) == 3
        assert run_study(store, requests, faces).elsewhere == ["cnn-s0"]
    assert len(run_study(store, requests, faces).finished) == 4


def test_what_another_runner_finished_meanwhile_counts(store, requests, faces, monkeypatch):
    def both(request, folder, *rest, **options):
        for each in (request, requests[3]):
            run = train_cell(each, store.run_folder(each.run_id), *rest, **options)
            store.add(run, variant=runner.variant_of(each))
        return run if request is each else read_run(folder)

    monkeypatch.setattr(runner, "train_cell", both)
    seen: list[StudyProgress] = []
    run_study(store, requests, faces, on_progress=seen.append)
    assert (seen[-1].finished, seen[-1].share) == (4, 1)


def test_results_of_another_recipe_or_other_images_are_not_mixed_in(store, requests, faces):
    run_study(store, requests[:1], faces)
    other = replace(requests[0], recipe=replace(TINY, learning_rate=0.5))
    with pytest.raises(RunError, match="cnn-s0: trained with another recipe"):
        run_study(store, [other, requests[1]], faces)
    with pytest.raises(RunError, match="on other images"):
        run_study(store, requests, data.synthetic((6, 2, 3)))
    assert store.finished() == {"cnn-s0"}

    prepare(requests[1], store.run_folder("cnn_lstm-s0"), faces)
    begun = replace(requests[1], recipe=other.recipe)
    assert "another recipe" in run_study(store, [begun], faces).broken["cnn_lstm-s0"]


def test_a_study_that_is_complete_is_left_as_it_is(faces, monkeypatch):
    monkeypatch.setitem(STUDIES, "pair", PAIR)
    monkeypatch.setitem(RECIPES, "quick", TINY)
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: faces)
    command = ["study", "pair", "--seeds", "1"]
    first = CliRunner().invoke(app, command)
    folder = StudyStore(PAIR.folder_name(TINY, faces.name)).folder
    files = {path: path.read_bytes() for path in folder.glob("*.*")}
    assert files[folder / "latency.json"]
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert {path: path.read_bytes() for path in folder.glob("*.*")} == files


def test_a_study_that_came_with_fercore_is_added_to_in_a_copy(tmp_path, monkeypatch):
    """Installed from a wheel, it lies in the package, where nothing is written."""
    package = tmp_path / "package"
    shutil.copytree(ROOT / "artifacts" / "studies" / "best", package / "studies" / "best")
    monkeypatch.setattr("fercore.runs.folders.shipped_artifacts", lambda: package)
    store = StudyStore("best")
    shipped, finished, table = store.digest(), store.finished(), store.table()
    assert finished
    assert not artifacts_folder().exists()
    store.write_latency({"cnn": 1.0, "cnn_lstm": 2.0})
    assert store.run_folder("cnn-s9").is_relative_to(artifacts_folder())
    assert store.finished() == finished
    assert set(store.table()["latency_ms"]) == {1.0, 2.0} != set(table["latency_ms"])
    shutil.rmtree(artifacts_folder())
    assert StudyStore("best").digest() == shipped


def test_results_on_other_images_are_refused(store, requests, faces):
    run_study(store, requests[:1], faces)
    with pytest.raises(RunError, match="other images"):
        store.add(
            train_cell(requests[1], store.run_folder("cnn_lstm-s0"), data.synthetic((6, 2, 3))),
            variant="cnn_lstm",
        )


def copy_of_fer2013(faces, changed: int, seed: int = 0):
    """The faces as a copy of FER2013 in which some images have other pixels, two other labels."""
    images, labels = faces.images.copy(), faces.labels.copy()
    gone = np.random.default_rng(seed).permutation(len(faces))[:changed]
    images[gone] = 255 - images[gone]
    labels[-2:] = labels[:-3:-1]
    return replace(data.face_set("FER2013", images, labels, faces.usage), name="FER2013")


def test_copies_of_fer2013_share_a_study_and_are_compared_where_they_agree(store, requests, faces):
    original, copy = copy_of_fer2013(faces, 0), copy_of_fer2013(faces, 20)
    run_study(store, requests[:1], original)
    before = store.predictions("cnn-s0")
    outcome = run_study(store, requests, copy)
    assert (outcome.broken, len(outcome.finished)) == ({}, 4)
    every = read_run(store.run_folder("cnn-s0")).prediction_frame
    shared = np.isin(every["pixels"], copy.pixel_hashes())
    assert store.scored_everywhere() == (shared.sum(), len(every))
    assert shared.sum() < len(every)
    here = np.isin(before.pixels, copy.pixel_hashes())
    first, other = store.predictions("cnn-s0"), store.predictions("cnn_lstm-s0")
    assert other.same_images(first)  # with the labels that the study began with
    assert first.same_images(before.where(here))
    own = read_run(store.run_folder("cnn_lstm-s0")).predictions()
    wanted = own.where(np.isin(own.pixels, before.pixels))
    np.testing.assert_array_equal(other.probs, wanted.probs)
    line = store.table().set_index("run_id").loc["cnn-s0"]
    assert line["private_accuracy"] == first.correct.mean()
    assert analysis.variant_table(Scored(store, "private"), PAIR)["accuracy"].notna().all()
    with pytest.raises(RunError, match="on other images"):  # an edition with other pixels
        run_study(store, requests, copy_of_fer2013(faces, len(faces)))


def test_what_a_study_is_of_is_told(faces, monkeypatch):
    monkeypatch.setitem(STUDIES, "pair", PAIR)
    monkeypatch.setitem(RECIPES, "quick", TINY)
    store = StudyStore("pair")
    run_study(store, PAIR.requests(1, TINY, only=["cnn"], threads=1), copy_of_fer2013(faces, 0))
    run_study(store, PAIR.requests(1, TINY, threads=1), copy_of_fer2013(faces, 20))
    shared, every = store.scored_everywhere()
    shown = CliRunner().invoke(app, ["study", "pair", "--show"])
    assert f"All of it is on {shared} of {every} test images" in shown.stdout


@pytest.mark.parametrize("chosen", ["gone.csv", "synthetic"])
def test_a_study_is_shown_without_its_dataset(store, requests, faces, monkeypatch, chosen):
    monkeypatch.setitem(STUDIES, "pair", PAIR)
    monkeypatch.setitem(RECIPES, "quick", TINY)
    run_study(store, requests[:1], copy_of_fer2013(faces, 0))
    monkeypatch.setenv("FERCORE_DATA", chosen)
    shown = CliRunner().invoke(app, ["study", "pair", "--show"])
    assert shown.exit_code == 0, shown.output
    assert re.search(r"cnn +1 ", shown.stdout)
    assert "Shown is the study on FER2013." in shown.stderr
    named = CliRunner().invoke(app, ["study", "pair", "--show", "--data", "synthetic"])
    assert isinstance(named.exception, RunError)  # what was asked for by name is not replaced


def test_killed_and_started_again_loses_one_epoch_at_most(tmp_path):
    """A real process, killed in the second epoch; the second start goes on from the first."""
    table = tmp_path / "few.csv"
    table.write_text(csv_text(data.synthetic((100, 10, 10))))
    command = [
        *(sys.executable, "-m", "fercore", "study", "sequence", "--seeds", "1", "--only", "cnn"),
        *("--recipe", "quick", "--data", str(table), "--threads", "1"),
    ]
    store = StudyStore("sequence-quick-few")
    history = store.run_folder("cnn-s0") / "history.jsonl"
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not history.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    kept = pd.read_json(history, lines=True)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    whole = store.history("cnn-s0")
    pd.testing.assert_frame_equal(whole.iloc[: len(kept)], kept)
    assert len(whole) == find_recipe("quick").epochs


def test_ray_trains_as_one_process_does_and_names_the_broken_training(store, requests, faces):
    requests[1] = replace(requests[1], recipe=replace(TINY, learning_rate=1e10))
    seen: list[StudyProgress] = []
    outcome = run_on_ray(store, requests, faces, on_progress=seen.append)
    assert "finite" in outcome.broken.pop("cnn_lstm-s0")
    assert not outcome.broken
    assert sorted(outcome.finished) == ["cnn-s0", "cnn-s1", "cnn_lstm-s1"]
    assert seen[-1].share > 0.75
    for request in (request for request in requests if request.run_id in outcome.finished):
        folder = artifacts_folder() / "alone" / request.run_id
        alone = train_cell(request, folder, faces)
        gathered = read_run(store.run_folder(request.run_id))
        assert (  # the same weights as without Ray, to the bit
            gathered.info["files"]["weights.safetensors"]
            == (alone.info["files"]["weights.safetensors"])
        )


def test_an_address_without_a_cluster_is_one_sentence(store, requests, faces):
    with pytest.raises(ConfigError, match="No Ray cluster answers at"):
        run_on_ray(store, requests, faces, address="127.0.0.1:1")


@pytest.fixture
def finished(store, requests, faces) -> StudyStore:
    run_study(store, requests, faces)
    return store


def test_contrasts_are_those_of_the_predictions(finished):
    scored = Scored(finished, "private")
    right = {
        name: np.stack([finished.predictions(f"{name}-s{seed}").correct for seed in (0, 1)])
        for name in ("cnn", "cnn_lstm")
    }
    line = contrast_table(scored, PAIR, None).iloc[0]
    expected = group_difference(right["cnn"], right["cnn_lstm"])
    assert line["difference"] == pytest.approx(right["cnn"].mean() - right["cnn_lstm"].mean())
    assert line["p_holm"] == pytest.approx(expected.p_value)  # one comparison: no correction
    assert (line["difference_low"], line["difference_high"]) == pytest.approx(expected.interval())
    assert line["of_seeds"] == "2 + 2"
    variants = analysis.variant_table(scored, PAIR).set_index("variant")
    assert variants["accuracy"]["cnn_lstm"] == pytest.approx(right["cnn_lstm"].mean())
    assert variants["seeds"].tolist() == [2, 2]


def test_a_training_by_uncommitted_code_says_so(finished):
    path = finished.folder / "cells" / "cnn-s0" / "run.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps(info | {"git_commit": "0123456789ab-dirty"}))
    others = {run_id for run_id in finished.finished() if run_id != "cnn-s0"}
    for run_id in others:
        path = finished.folder / "cells" / run_id / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"git_commit": "0123456789ab"}))
    made = provenance(finished).set_index("run_id")["uncommitted"]
    assert made["cnn-s0"]
    assert not made[sorted(others)].any()
    counted = analysis.variant_table(Scored(finished, "private"), PAIR).set_index("variant")
    assert counted["uncommitted"].to_dict() == {"cnn": 1, "cnn_lstm": 0}


def test_a_dataset_without_privatetest_has_a_table(faces, monkeypatch):
    monkeypatch.setitem(STUDIES, "pair", PAIR)
    monkeypatch.setitem(RECIPES, "quick", TINY)
    without = faces.where(faces.usage != "PrivateTest")
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: without)
    result = CliRunner().invoke(app, ["study", "pair", "--seeds", "1"])
    assert result.exit_code == 0, result.output
    assert re.search(r"cnn_lstm +1 +[\d.]+ +– +– +[\d.]+ +\d+", result.stdout)


def test_every_variant_passes_through_the_quick_study(monkeypatch):
    monkeypatch.setitem(RECIPES, "quick", replace(find_recipe("quick"), epochs=1))
    few = data.synthetic((20, 10, 10))
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: few)
    command = ["study", "sequence", "--seeds", "1", "--recipe", "quick"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    study, store = find_study("sequence"), StudyStore("sequence-quick-synthetic")
    assert store.finished() == {f"{variant.name}-s0" for variant in study.variants}
    assert store.table()["latency_ms"].gt(0).all()
    for question in ("Is there a difference?", "Does the order", "Which condition widens it?"):
        assert question in result.stdout


LAST = Study("last", "", "quick", PAIR.variants, scored_last=True, whole=frozenset({"cnn"}))


@pytest.fixture
def last(faces, monkeypatch):
    """The command line on a study that is scored last: two variants, one seed."""
    variants = tuple(replace(variant, seeds=1) for variant in LAST.variants)
    monkeypatch.setitem(STUDIES, "last", replace(LAST, variants=variants))
    monkeypatch.setitem(RECIPES, "quick", TINY)
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: faces)

    def command(*more: str):
        threads = () if {"--show", "--score", "--keep-answers"} & set(more) else ("--threads", "1")
        return CliRunner().invoke(app, ["study", "last", *threads, *more])

    return command


def test_privatetest_is_scored_when_every_declared_training_is_finished(last, faces):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    first = last("--only", "cnn")
    assert first.exit_code == 0, first.output
    assert "1 of 2 declared trainings are finished. PrivateTest scored: not yet." in first.stdout
    early = last("--score")
    assert isinstance(early.exception, RunError)
    assert f"1 of 2 declared trainings are not finished ({store.name}/cnn_lstm-s0)" in str(
        early.exception
    )
    assert last().exit_code == 0
    assert store.finished() == {"cnn-s0", "cnn_lstm-s0"}
    assert times_scored(store) == []
    assert not len(store.predictions("cnn-s0", "private"))
    run = read_run(store.run_folder("cnn-s0"))
    assert set(run.prediction_frame["usage"]) == {"PublicTest"}  # nothing of it lies anywhere
    assert run.info["dataset"]["fingerprint"] == faces.fingerprint

    scored = last("--score")
    assert scored.exit_code == 0, scored.output
    assert "PrivateTest scored: 2 times" in scored.stdout
    tests = faces.part("PrivateTest")
    for run_id, off in (("cnn-s0", 0.0005), ("cnn_lstm-s0", 0.005)):
        model = read_run(store.run_folder(run_id)).load_model()
        probs = predict_probs(model, tests.images, precision=REFERENCE)
        kept = store.predictions(run_id, "private")
        np.testing.assert_array_equal(kept.labels, tests.labels)
        np.testing.assert_array_equal(kept.predicted, probs.argmax(1))
        assert np.abs(kept.probs - probs).max() < off
        np.testing.assert_allclose(kept.probs.sum(1), 1, atol=1e-5)
        line = store.table().set_index("run_id").loc[run_id]
        assert line["private_accuracy"] == (probs.argmax(1) == tests.labels).mean()
        assert len(store.info(run_id)["scored"]) == 1
        assert store.info(run_id)["scored"][0]["at"] >= store.info(run_id)["created"]
        assert len(store.predictions(run_id, "public")) == (faces.usage == "PublicTest").sum()
    assert store.table()["latency_ms"].gt(0).all()
    again = last("--score")
    assert again.stdout == scored.stdout  # nothing is scored a second time
    assert len(times_scored(store)) == 2


def test_answers_kept_unread_score_a_training_whose_weights_are_gone(last, faces):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    assert last("--only", "cnn").exit_code == 0
    model = read_run(store.run_folder("cnn-s0")).load_model()
    tests = faces.part("PrivateTest")
    probs = predict_probs(model, tests.images, precision=REFERENCE)
    kept = last("--keep-answers")
    assert kept.exit_code == 0, kept.output
    assert "scored: not yet; answers of 1 are kept unread." in kept.stdout
    assert "1 new" in kept.stderr
    assert "0 new" in last("--keep-answers").stderr
    assert store.answered() == {"cnn-s0"}
    assert not len(store.predictions("cnn-s0", "private"))  # no page or table has them
    assert times_scored(store) == []
    shutil.rmtree(store.run_folder("cnn-s0"))
    assert isinstance(last("--score").exception, RunError)  # the other is not trained
    assert last().exit_code == 0
    assert last("--score").exit_code == 0

    scored = store.predictions("cnn-s0", "private")
    np.testing.assert_array_equal(scored.predicted, probs.argmax(1))
    np.testing.assert_array_equal(scored.labels, tests.labels)
    info = store.info("cnn-s0")
    assert info["created"] <= info["answered"]["at"] <= info["scored"][0]["at"]
    assert "answered" not in store.info("cnn_lstm-s0")  # scored by its weights
    assert store.answered() == set()


def test_answers_that_cannot_be_asked_for_stop_no_other(last, faces):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    assert last().exit_code == 0
    shutil.rmtree(store.run_folder("cnn-s0"))
    kept = last("--keep-answers")
    assert kept.exit_code == 1
    assert "cnn-s0: its weights are not here" in kept.stderr
    assert str(store.folder / "cells" / "cnn-s0") in kept.stderr
    assert store.answered() == {"cnn_lstm-s0"}


def test_options_that_contradict_each_other_are_refused(last, faces):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    assert last().exit_code == 0
    for options in (
        ("--score", "--keep-answers"), ("--show", "--score"), ("--score", "--only", "cnn"),
        ("--keep-answers", "--seeds", "1"), ("--show", "--ray", "local"), ("--gpus", "1"),
    ):  # fmt: skip
        assert last(*options).exit_code == 2, options
    assert times_scored(store) == []
    assert store.answered() == set()
    more = last("--seeds", "2")
    assert "declares 1 seeds there at most" in str(more.exception)


def test_each_variant_with_a_network_of_its_own_has_its_own_latency(store, faces):
    changed = Study("pair", "", "quick", (*PAIR.variants, Variant("cnn", "narrow"),
                                          Variant("cnn", "low-rate")))  # fmt: skip
    run_study(store, changed.requests(1, TINY, threads=1), faces)
    runner.measure_latency(changed, store, TINY)
    latency = store.table().set_index("variant")["latency_ms"]
    assert latency["cnn-low-rate"] == latency["cnn"] > 0
    assert latency["cnn-narrow"] != latency["cnn"]


def test_a_study_runs_on_a_set_whatever_its_name_is():
    quick = find_recipe("quick")
    names = ["für", "fär", "顔", "x" * 200, "x" * 201, "FER2013 (mine)"]
    folders = {PAIR.folder_name(quick, name) for name in names}
    assert len(folders) == len(names)
    assert all(safe_name(name) for name in folders)


def test_of_a_study_with_folds_each_failure_is_named_by_its_fold():
    one, two = (Outcome([], [], {"cnn-s3": reason}) for reason in ("disk full", "no memory"))
    whole = one.named("first/").with_more(two.named("second/"))
    assert whole.broken == {"first/cnn-s3": "disk full", "second/cnn-s3": "no memory"}


def test_a_scoring_that_was_killed_goes_on_and_counts_what_it_asked(last, faces, monkeypatch):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    assert last().exit_code == 0

    def killed(store, request, *rest):
        if request.run_id == "cnn_lstm-s0":
            raise KeyboardInterrupt
        return answers(store, request, *rest)

    answers = final_scoring._answers
    monkeypatch.setattr(final_scoring, "_answers", killed)
    last("--score")
    assert "cnn-s0" in store.scored()
    assert "cnn_lstm-s0" not in store.scored()
    shown = last("--show", "--data", "synthetic")
    assert shown.exit_code == 0  # half scored, it is told by PublicTest
    monkeypatch.setattr(final_scoring, "_answers", answers)
    assert last("--score").exit_code == 0
    assert len(store.predictions("cnn_lstm-s0", "private"))
    assert len(times_scored(store)) == 3  # the one that was broken off had been asked


def test_weights_that_are_gone_or_others_are_named_before_anything_is_scored(last, faces):
    store = StudyStore(LAST.folder_name(find_recipe("quick"), faces.name))
    assert last().exit_code == 0
    weights = store.run_folder("cnn_lstm-s0") / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + b"\0")
    assert "cnn_lstm-s0" in str(last("--score").exception)
    weights.unlink()
    assert "cnn_lstm-s0: its weights are not here" in str(last("--score").exception)
    assert times_scored(store) == []
    weights.write_bytes(content)
    with FileLock(store.folder / "scoring.lock"):
        assert isinstance(last("--score").exception, Busy)
    assert times_scored(store) == []


def test_a_study_of_fresh_splits_is_a_table_for_each_fold(faces, monkeypatch):
    more = data.synthetic((12, 3, 3))
    folded = Study("folded", "", "quick", (Variant("cnn", seeds=1),), scored_last=True, folds=2)
    monkeypatch.setitem(STUDIES, "folded", folded)
    monkeypatch.setitem(RECIPES, "quick", replace(TINY, epochs=1))
    monkeypatch.setattr("fercore.cli.study.load_with_progress", lambda source: more)
    command = ["study", "folded"]
    assert CliRunner().invoke(app, [*command, "--threads", "1"]).exit_code == 0
    result = CliRunner().invoke(app, [*command, "--score", "--json"])
    assert result.exit_code == 0, result.output
    lines = json.loads(result.stdout)["table"]
    names = ["synthetic fold 1 of 2", "synthetic fold 2 of 2"]
    assert [line["dataset"] for line in lines] == names
    splits = list(fresh_splits(more, 2))
    stores = [StudyStore(folded.folder_name(find_recipe("quick"), name)) for name in names]
    tested = [store.predictions("cnn-s0", "private") for store in stores]
    for store, split, part in zip(stores, splits, tested, strict=True):
        assert store.info("cnn-s0")["dataset"]["fingerprint"] == split.fingerprint
        np.testing.assert_array_equal(part.pixels, split.part("PrivateTest").pixel_hashes())
    assert not set(tested[0].pixels) & set(tested[1].pixels)
    shown = CliRunner().invoke(app, [*command, "--show", "--data", "synthetic"])
    assert all(f"{name}:" in shown.stdout for name in names)


@pytest.mark.parametrize("keep", [halved, thinned])
def test_what_is_thinned_keeps_the_most_probable_class(keep):
    probs = np.random.default_rng(0).dirichlet([0.2] * 7, 20_000).astype(np.float32)
    even = np.full((7, 7), 1 / 7, np.float32) + 1e-7 * np.eye(7, dtype=np.float32)
    probs = np.concatenate([probs, even, np.eye(7, dtype=np.float32)])
    kept = restored(keep(probs))
    np.testing.assert_array_equal(kept.argmax(1), probs.argmax(1))
    assert np.abs(kept - probs).max() < 0.006
    np.testing.assert_allclose(kept.sum(1), 1, atol=1e-5)
    assert kept.dtype == np.float32
