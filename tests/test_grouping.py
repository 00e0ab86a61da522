"""Which runs make a group, what it is called, and what a damaged member does to it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fercore.errors import RunError
from fercore.files import read_json, write_json
from fercore.groups import tables
from fercore.groups.accuracies import group_accuracies
from fercore.groups.cells import Damaged, scored_cells, stored_accuracy
from fercore.groups.finding import find_group, list_groups
from fercore.groups.group import group_of
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run
from fercore.scoring.grouped.evaluation import evaluate
from fercore.study import variants
from fercore.study.standing import provenance, times_scored
from fercore.study.store import StudyStore
from fercore.study.variants import STUDIES
from tests.seeds import another_seed, two_groups
from tests.test_cli import run


@pytest.fixture
def groups(run_folders):
    two_groups(run_folders)
    return {group.name: group for group in list_groups()}


def names():
    return [group.name for group in list_groups()]


def changed(source, **settings):
    """The recipe of a run with other settings, as JSON."""
    return read_json(source / "run.json")["recipe"] | settings


def test_runs_that_differ_in_the_seed_alone_are_a_group(groups):
    assert list(groups) == ["cnn@quick", "cnn_lstm@quick"]
    group = groups["cnn@quick"]
    assert group.seeds == [0, 1, 2]
    assert [run.run_id for run in group.members] == ["cnn-0", "cnn-1", "cnn-2"]
    assert group.title == "CNN · synthetic · quick · 3 seeds"
    predictions = group.predictions("private")
    assert predictions.probs.shape == (3, 350, 7)
    own = [find_run(name).predictions().correct.mean() for name in ("cnn-0", "cnn-1", "cnn-2")]
    assert predictions.correct.mean(1) == pytest.approx(own)
    assert predictions.wrong_share.mean() == pytest.approx(1 - np.mean(own))
    assert set(group.histories()["seed"]) == {0, 1, 2}


def test_what_groups_score_is_kept_until_their_answers_change(groups):
    def public():
        lines = group_accuracies(list_groups()).set_index(["group", "part"])
        return lines.loc[("cnn@quick", "public"), "accuracy"]

    scores = evaluate(groups["cnn@quick"].predictions("private"))
    line = group_accuracies(groups.values()).iloc[0]
    assert (line["group"], line["part"]) == ("cnn@quick", "private")
    assert line["accuracy"] == pytest.approx(scores["accuracy"])
    bounds = line["accuracy_low"], line["accuracy_high"]
    assert bounds == pytest.approx(tuple(scores["accuracy_interval"]))
    assert public() == pytest.approx(groups["cnn@quick"].predictions("public").correct.mean())
    path = groups["cnn@quick"].members[0].folder / "predictions.parquet"
    table = pd.read_parquet(path)
    table[table["usage"] != "PublicTest"].to_parquet(path)
    others = [find_run(name).predictions("public").correct.mean() for name in ("cnn-1", "cnn-2")]
    assert public() == pytest.approx(np.mean(others))


def test_one_run_is_a_group_of_one_and_an_ensemble_too(groups):
    first = find_run("cnn-1")
    group = find_group("cnn-1")
    assert (group.name, group.single, group.run.run_id) == ("cnn-1", True, "cnn-1")
    assert group.title == group_of(first).title
    assert group.predictions().single.same_images(first.predictions())
    make_ensemble("both", [find_run("cnn-0"), find_run("cnn-1")])
    assert names() == ["cnn@quick", "cnn_lstm@quick"]
    assert find_group("both").seeds == [None]


def test_what_differs_in_more_than_the_seed_is_another_group(groups, run_folders):
    source = run_folders / "first"
    for seed in (5, 6):
        other = {"learning_rate": 1e-4}  # a hundredth: a change that studies name
        another_seed(source, f"slow-{seed}", seed, recipe=changed(source, **other))
        another_seed(source, f"short-{seed}", seed, recipe=changed(source, epochs=2))
        another_seed(source, f"cut-{seed}", seed, epochs_done=3)
        another_seed(source, f"from-{seed}", seed, start_from={"run_id": "cnn-0", "dataset": None})
        another_seed(source, f"told-{seed}", seed, verdicts={"hash": "ab", "count": 2})
        images = read_json(source / "run.json")["dataset"] | {"fingerprint": "0123456789abcdef"}
        another_seed(source, f"else-{seed}", seed, dataset=images)
    assert set(names()) == {
        "cnn@quick", "cnn_lstm@quick", "cnn@quick-low-rate", "cnn@quick,epochs=2",
        "cnn@quick,ended=3", "cnn@quick,from=cnn-0", "cnn@quick,verdicts", "cnn@quick@synthetic",
    }  # fmt: skip
    assert find_group("cnn@quick").seeds == [0, 1, 2]
    assert find_group("cnn@quick-low-rate").seeds == [5, 6]


def test_two_seeds_of_a_random_order_are_one_group(run_folders):
    for seed in (1, 2):
        arguments = {"width": 8, "side": 40, "dropout": 0.0, "order": seed}
        another_seed(
            run_folders / "second", f"s-{seed}", seed, model="cnn_lstm_shuffled",
            model_arguments=arguments,
        )  # fmt: skip
    assert names() == ["cnn_lstm_shuffled@quick"]


def test_an_unknown_group_is_answered_with_those_there_are(groups):
    with pytest.raises(RunError, match=r"no group 'cnn@paper'\. Groups here: cnn@quick, cnn_lstm"):
        find_group("cnn@paper")
    with pytest.raises(RunError, match="no complete run 'nothing'"):
        find_group("nothing")
    with pytest.raises(RunError, match="no training 'lstm/cnn-s3' that is finished and scored"):
        find_group("lstm/cnn-s3")


def test_where_weights_are_needed_the_median_on_publictest_is_asked(groups):
    group = groups["cnn@quick"]
    ranked = sorted(group.members, key=lambda run: run.predictions("public").correct.mean())
    assert group.run.run_id == ranked[1].run_id
    (ranked[1].folder / "weights.safetensors").unlink()
    assert find_group("cnn@quick").run.run_id == ranked[0].run_id  # the lower of two


def test_a_damaged_member_is_left_out_and_named(groups):
    folder = find_run("cnn-1").folder
    (folder / "predictions.parquet").write_bytes(b"half")
    predictions = find_group("cnn@quick").predictions("private")
    assert predictions.names == ("cnn-0", "cnn-2")
    (sentence,) = predictions.left_out
    assert "cnn-1: its predictions.parquet cannot be read" in sentence
    (folder / "run.json").write_text("{")
    assert find_group("cnn@quick").seeds == [0, 2]
    shutil.rmtree(find_run("cnn-0").folder)
    assert names() == ["cnn_lstm@quick"]


def test_a_member_with_other_images_is_left_out_whichever_it_is(groups):
    frame = find_run("cnn-0").prediction_frame
    path = find_run("cnn-0").folder / "predictions.parquet"
    frame.assign(pixels=frame["pixels"] + 1).to_parquet(path)
    predictions = find_group("cnn@quick").predictions()
    assert predictions.names == ("cnn-1", "cnn-2")
    assert predictions.left_out == ("cnn-0 was scored on other images than the others.",)


def test_a_group_of_which_nothing_can_be_read_says_why(groups):
    for seed in range(3):
        (find_run(f"cnn-{seed}").folder / "predictions.parquet").write_bytes(b"")
    with pytest.raises(RunError, match=r"cnn-0: its predictions\.parquet cannot be read"):
        find_group("cnn@quick").predictions()


@pytest.fixture
def study(groups):
    """A study of the same recipe: the CNN's seed 2, which is a run as well, and 7."""
    store = StudyStore("best-quick-synthetic")
    store.add(find_run("cnn-2"), variant="cnn")
    source = find_run("cnn-0")
    run = another_seed(source.folder, "cnn-s7", 7)
    store.add(run, variant="cnn")
    shutil.rmtree(run.folder)
    _rename(store, "cnn-2", "cnn-s2")
    store.write_table()
    return store


def _rename(store, old, new):
    """A study's trainings are called by variant and seed."""
    cell = store.folder / "cells" / old
    write_json(cell / "run.json", read_json(cell / "run.json") | {"run_id": new})
    cell.rename(cell.with_name(new))


def test_a_studys_trainings_are_members_and_one_in_both_places_is_one(study):
    group = find_group("cnn@quick")
    assert [run.run_id for run in group.members] == [
        "cnn-0", "cnn-1", "cnn-2", "best-quick-synthetic/cnn-s7",
    ]  # fmt: skip
    assert not group.left_out
    seven = group.members[-1]
    stored = stored_accuracy(seven, "public")
    assert stored == pytest.approx(seven.predictions("public").correct.mean())
    assert seven.metrics()["private"]["accuracy"] == seven.predictions().correct.mean()
    assert len(seven.history()) == 2
    with pytest.raises(RunError, match="kept its predictions and not its weights"):
        seven.load_model()
    assert find_group("best-quick-synthetic/cnn-s7").members == (seven,)
    assert group.predictions().seeds == 4


def test_a_training_that_the_studys_table_does_not_have_yet_is_scored_by_its_predictions(study):
    seven = find_group("cnn@quick").members[-1]
    stored = stored_accuracy(seven, "public")
    (study.folder / "table.parquet").unlink()
    assert stored_accuracy(seven, "public") == pytest.approx(stored)


def test_another_run_of_the_same_seed_is_left_out_and_named(study, run_folders):
    created = "2026-11-25T01:00:00+00:00"
    another_seed(run_folders / "first", "again", 7, created=created)
    group = find_group("cnn@quick")
    assert [run.run_id for run in group.members if run.info["seed"] == 7] == ["again"]
    assert group.left_out == (
        "best-quick-synthetic/cnn-s7 is not counted: again is of the same seed.",
    )


def test_a_damaged_cell_hurts_itself_alone(study):
    cell = study.folder / "cells" / "cnn-s7"
    (cell / "run.json").write_text("{}")
    group = find_group("cnn@quick")
    assert group.seeds == [0, 1, 2]
    (sentence,) = group.left_out
    assert "cells/cnn-s7/run.json cannot be read" in sentence


def test_a_study_whose_images_cannot_be_read_hurts_itself_alone(study):
    path = study.folder / "images.parquet"
    path.write_bytes(b"")
    assert find_group("cnn@quick").seeds == [0, 1, 2]
    found = scored_cells()
    assert found
    assert all(isinstance(each, Damaged) and each.study == study.name for each in found)


def test_a_declared_studys_seeds_alone_are_the_group(study, monkeypatch):
    """Seeds that had been looked at before the study was declared do not join it."""
    declared = replace(STUDIES["best"], name=study.name, scored_last=True)
    monkeypatch.setitem(variants.STUDIES, study.name, declared)
    another_seed(find_run("cnn-0").folder, "cnn-9", 9)  # something changed on the disk
    group = find_group("cnn@quick")
    assert group.seeds == [2, 7]
    assert group.members[0].run_id == "cnn-2"  # the same training, with weights
    (sentence,) = group.left_out
    others, why = sentence.split(" are not of study ")
    assert len(others.split(", ")) == 3
    assert "declared beforehand" in why


def test_a_listing_reads_no_file_again_that_did_not_change(study, monkeypatch):
    list_groups()
    monkeypatch.setattr("fercore.study.store.read_info", None)
    monkeypatch.setattr("fercore.runs.listing.read_info", None)
    assert len(list_groups()) == 2


def test_a_studys_trainings_are_read_once_for_all_that_is_told_of_them(study, monkeypatch):
    made = provenance(study)
    assert made["scored"].tolist() == times_scored(study)
    monkeypatch.setattr("fercore.study.cells.read_json", None)
    pd.testing.assert_frame_equal(provenance(study), made)
    assert len(times_scored(study)) == 2


def test_the_command_lists_groups_with_the_means_of_their_seeds(groups):
    table = tables.groups().set_index("group")
    own = [find_run(f"cnn-{seed}").predictions().correct.mean() for seed in range(3)]
    line = table.loc["cnn@quick"]
    assert line["private_accuracy"] == pytest.approx(np.mean(own))
    assert line["private_deviation"] == pytest.approx(np.std(own, ddof=1))
    assert line["runs"] == ["cnn-0", "cnn-1", "cnn-2"]
    printed = run("runs", "list", "--groups")
    assert f"{100 * np.mean(own):.1f}" in next(
        text for text in printed.splitlines() if text.startswith("cnn@quick")
    )
    found = json.loads(run("runs", "list", "--groups", "--json"))
    assert [each["group"] for each in found] == ["cnn@quick", "cnn_lstm@quick"]


def test_a_group_without_weights_says_so(study):
    for number in range(3):
        (find_run(f"cnn-{number}").folder / "weights.safetensors").unlink()
    assert not find_group("cnn@quick").has_weights
    assert tables.groups().set_index("group")["asked"]["cnn@quick"] == ""
