"""The study of pretraining: what it declares, and what its table answers."""

from pathlib import Path

import pytest

from fercore.errors import RunError
from fercore.groups.naming import changed_recipe_name
from fercore.study.pretraining import Pretraining, pretraining
from fercore.study.store import StudyStore
from fercore.study.variants import STUDIES, TRANSFER, TRANSFER_HEADS, find_study
from fercore.training.recipes import find_recipe
from tests.simulated_study import simulate, smaller
from tests.test_pages import open_page, said

STUDY = find_study(TRANSFER)


def told(run_folders: Path, accuracies: dict[str, float]) -> tuple[StudyStore, Pretraining]:
    store = simulate(TRANSFER, smaller(STUDY), accuracies, run_folders / "first")
    return store, pretraining(STUDY, store, "clean")


def answers(found: Pretraining) -> dict[str, str]:
    return {one.topic: one.answer.replace("\u00a0", " ") for one in found.answers}


def test_it_declares_equal_steps_and_about_equal_time():
    requests = STUDY.requests(1, find_recipe("transfer"))
    assert {request.recipe.trunk for request in requests} == {"timm:tf_efficientnet_lite0"}
    by_name = {request.run_id.removesuffix("-s0"): request.recipe for request in requests}
    for name, recipe in by_name.items():
        steps = recipe.epochs * recipe.training_share
        long = name.endswith("frozen-long")
        assert steps == pytest.approx(32 if long else 8), name
        assert sum(map(recipe.validates, range(1, recipe.epochs + 1))) == 4, name
        assert recipe.frozen == ("frozen" in name)
        assert recipe.pretrained == ("scratch" not in name)
        model, _, condition = name.partition("-")
        assert changed_recipe_name(recipe, model) == f"transfer-lite0-{condition}"
    pair = by_name["cnn-from-scratch"], by_name["cnn-pretrained"]
    assert pair[0].augmentation == pair[1].augmentation
    assert STUDY.scored_last


def test_the_three_questions_are_answered_from_the_table(run_folders):
    good = {f"{head}-pretrained": 0.8 for head in TRANSFER_HEADS}
    bad = {f"{head}-from-scratch": 0.5 for head in TRANSFER_HEADS}
    few = {"cnn-pretrained-tenth": 0.4, "cnn-pretrained-third": 0.7}
    store, found = told(run_folders, good | bad | few)
    table = store.table().groupby("variant")["clean_accuracy"].mean()
    gain = found.contrasts.set_index("contrast").loc["pretrained"]
    expected = [table[f"{h}-pretrained"] - table[f"{h}-from-scratch"] for h in TRANSFER_HEADS]
    assert gain["difference"] == pytest.approx(sum(expected) / 4)
    said = answers(found)
    assert "it gives that" in said["gain"]
    assert "A third of Training is enough" in said["few images"]
    best = max(TRANSFER_HEADS, key=lambda head: table[f"{head}-pretrained"])
    names = dict(zip(found.variants["variant"], found.variants["title"]))
    assert (
        f"pretrained {names[f'{best}-pretrained'].split(', pretrained')[0]} (" in (said["winner"])
    )
    assert "beyond chance" in said["winner"].lower()
    assert found.curve["title"].tolist() == ["a tenth", "a third", "all"]


def test_its_page_asks_and_answers(run_folders, monkeypatch):
    monkeypatch.setitem(STUDIES, TRANSFER, smaller(STUDY))
    assert "0 of its 40 trainings are finished" in said(open_page("pretraining"))
    told(run_folders, {f"{head}-pretrained": 0.8 for head in TRANSFER_HEADS})
    app = open_page("pretraining")
    words = said(app)
    for part in ("How much does", "Does it change who", "How few images", "a frozen", "begun"):
        assert part in words
    assert len(app.dataframe) == 3
    assert len(app.get("plotly_chart")) == 5


def test_what_is_not_trained_is_not_told(run_folders):
    with pytest.raises(RunError, match="has no results yet"):
        pretraining(STUDY, StudyStore(TRANSFER), "clean")
    store, _ = told(run_folders, {})
    for cell in (store.folder / "cells").glob("cnn_attention-*"):
        for path in cell.iterdir():
            path.unlink()
        cell.rmdir()
    said = answers(pretraining(STUDY, store, "clean"))
    assert said["gain"] == said["freezing"] == "Not trained yet."
    assert "adds to a head's distance to the CNN: " in said["winner"]
    assert "Neither share is enough" in said["few images"] or "is enough" in said["few images"]
