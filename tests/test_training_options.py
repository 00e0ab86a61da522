"""What a recipe may ask for beyond the first ones: mixup, light, averaged weights, a finer stem."""

import json
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest
from torch.nn.functional import one_hot

from fercore.errors import ConfigError
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare, read_request
from fercore.models import build
from fercore.models.cost import flops_per_image
from fercore.models.inference import predict_probs
from fercore.models.precision import REFERENCE
from fercore.training.augment import random_shades, relight
from fercore.training.batches import Batches, mixed_targets
from fercore.training.optimizer import optimizer
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import RECIPES, Augmentation, Recipe, find_recipe
from fercore.training.settings import with_settings
from tests.conftest import ROOT
from tests.test_cli import fails
from tests.test_training import RECIPE, interrupted_at, same, train

MIXED = replace(RECIPE, mixup=0.4, augmentation=find_recipe("best").augmentation)


FIRST = {
    "name", "summary", "epochs", "batch_size", "learning_rate", "warm_up", "fall", "weight_decay",
    "label_smoothing", "augmentation", "resolutions", "validated", "teacher", "teacher_share",
    "teacher_epochs", "model_arguments",
}  # fmt: skip


def test_what_was_trained_before_is_told_as_it_was():
    """Checkpoints, studies and groups are held against a recipe's JSON."""
    files = list((ROOT / "artifacts").glob("s*/**/run.json"))
    kept = [json.loads(path.read_text("utf-8"))["recipe"] for path in files]
    told = [each for each in kept if each["name"] in RECIPES]
    assert len(told) > 20
    for recipe in told:
        again = json.loads(json.dumps(Recipe.from_json(recipe).to_json()))
        light = {key: again["augmentation"][key] for key in recipe["augmentation"]}
        assert {key: again[key] for key in recipe} | {"augmentation": light} == recipe
        assert again.keys() <= FIRST | recipe.keys()
        assert again["augmentation"].keys() <= {"flip", "degrees", "shift", "scale", "erase"}
    before = [recipe for name, recipe in RECIPES.items() if name != "transfer"]
    assert all(recipe.to_json().keys() == FIRST for recipe in before)
    assert with_settings(RECIPE, ["mixup=0.2"]).to_json()["mixup"] == 0.2


def test_settings_are_given_by_name():
    best = find_recipe("best")
    given = ["augmentation.light=0.1", "resolutions=[]", "model.stem=fine", "averaged=0.2"]
    changed = with_settings(best, given)
    assert changed.augmentation == replace(best.augmentation, light=0.1)
    assert changed.resolutions == ()
    assert changed.model_arguments == best.model_arguments | {"stem": "fine"}
    assert changed.averaged == 0.2
    assert best.model_arguments.get("stem") is None
    for odd, words in {
        "mixup": "sets nothing",
        "model=3": "no setting 'model'",
        "weights.x=3": "sets nothing",
        "mixup=much": "'mixup' is 'much'",
        "momentum=0.9": "no setting 'momentum'",
        "optimizer=sgd": "is one of adamw, muon, not sgd",
        "augmentation.fog=1": "unexpected keyword argument 'fog'",
    }.items():
        with pytest.raises(ConfigError, match=words):
            with_settings(best, [odd])
    for odd, words in {
        'resolutions=[[24, "x"]]': "'resolutions' is",
        "resolutions=[[24, -1]]": "'resolutions' is",
        "model.dropout=7": "cannot be built",
        "model.width=2.5": "cannot be built",
    }.items():
        asked = ("train", "cnn", "--recipe", "quick", "--data", "synthetic", "--set", odd)
        assert words in fails(*asked), odd
    assert "no setting 'colour'" in fails("train", "cnn", "--set", "colour=1")


def test_light_and_contrast_change_as_far_as_asked():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 1, 8, 8)).astype(np.float32)
    settings = Augmentation(light=0.2, contrast=0.5)
    shades = random_shades(200, settings, torch.Generator().manual_seed(0))
    light, contrast = shades.numpy().T.reshape(2, 200, 1, 1, 1)
    mean = images.mean((2, 3), keepdims=True)
    expected = np.clip(contrast * images + (1 - contrast) * mean + 255 * light, 0, 255)
    assert relight(torch.from_numpy(images), shades).numpy() == pytest.approx(expected, abs=1e-3)
    assert np.abs(light).max() <= 0.2 < np.abs(light).max() + 0.02
    assert 0.5 <= contrast.min() < 0.52
    assert 1.48 < contrast.max() <= 1.5


def batches(faces, recipe, rank: int = 0, size: int = 1):
    group = ProcessGroup(alone=True)
    group.rank, group.size = rank, size
    return list(Batches(faces, recipe, seed=1, device="cpu", group=group).of(1))


def test_mixup_mixes_faces_and_labels_alike(faces):
    """Held against the formula of torchvision's `v2.MixUp`, whose neighbours are rolled by 1."""
    plain, mixed = batches(faces, replace(MIXED, mixup=0.0)), batches(faces, MIXED)
    assert len({batch.weight for batch in mixed}) == len(mixed) > 4
    for own, batch in zip(plain, mixed):
        lam = batch.weight
        rolled = own.images.roll(1, 0).mul(1 - lam).add(own.images.mul(lam))
        assert torch.allclose(batch.images, rolled, atol=1e-4)
        labels = one_hot(own.labels, 7).float()
        soft = labels.roll(1, 0).mul(1 - lam).add(labels.mul(lam))
        assert torch.allclose(mixed_targets(batch.targets, batch.other.targets, lam), soft)
        assert torch.equal(batch.labels, own.labels)


def test_mixup_draws_from_the_beta_distribution(faces):
    recipe = replace(MIXED, batch_size=1)
    many = Batches(faces, recipe, seed=1, device="cpu", group=ProcessGroup())
    drawn = [weight for epoch in range(1, 13) for weight in many._draws(epoch).weights]
    assert min(drawn) >= 0.5

    def folded(weight):  # of the larger of the two parts
        return beta.cdf(weight, 0.4, 0.4) - beta.cdf(1 - np.asarray(weight), 0.4, 0.4)

    assert kstest(drawn, folded).pvalue > 0.01


def test_processes_that_share_a_batch_mix_it_as_one_does(faces):
    for whole, *parts in zip(
        batches(faces, MIXED), batches(faces, MIXED, 0, 2), batches(faces, MIXED, 1, 2)
    ):
        assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
        others = torch.cat([part.other.labels for part in parts])
        assert torch.equal(others, whole.other.labels)


AVERAGED = replace(RECIPE, epochs=4, validated=0.0, averaged=0.5, average_decay=0.8)


def test_the_mean_of_the_weights_is_a_plain_exponential_one(faces, tmp_path):
    torch.manual_seed(0)
    model = build("cnn_lstm", **RECIPE.model_arguments)
    steps: list[dict] = []

    def keep(at) -> None:
        if at.epoch > 2:
            steps.append({name: value.clone() for name, value in model.state_dict().items()})

    found, _ = train(faces, tmp_path / "a.pt", AVERAGED, model, on_step=keep)
    mean = steps[0]
    for weights in steps[1:]:
        for name, value in weights.items():
            mean[name] = 0.8 * mean[name] + 0.2 * value if value.is_floating_point() else value
    assert any(name.endswith("running_var") for name in mean)
    assert len(steps) > 4
    for name, value in found.items():
        assert torch.allclose(value, mean[name], rtol=1e-4, atol=1e-6), name
    assert not same(found, steps[-1])


@pytest.mark.parametrize("step", [4, 9])
def test_the_mean_outlives_an_interruption(faces, tmp_path, step):
    whole, _ = train(faces, tmp_path / "a.pt", AVERAGED)
    interrupted_at(step, faces, tmp_path / "b.pt", AVERAGED)
    assert same(whole, train(faces, tmp_path / "b.pt", AVERAGED)[0])


@pytest.mark.parametrize("trunk", ["vgg", "resnet"])
def test_a_fine_stem_sees_every_pixel_before_it_halves_the_image(trunk):
    coarse, fine = (build("cnn", trunk=trunk, width=16, **stem) for stem in ({}, {"stem": "fine"}))
    assert flops_per_image(fine) > flops_per_image(coarse)
    assert fine.feature_map(torch.zeros(1, 1, 48, 48)).shape == (1, 64, 6, 6)
    strides = [
        layer.stride for layer in fine.trunk.children() if isinstance(layer, torch.nn.Conv2d)
    ]
    assert set(strides) == {(1, 1)}
    with pytest.raises(ConfigError, match="'halving' or 'fine'"):
        build("cnn", trunk=trunk, stem="thick")
    with pytest.raises(ConfigError, match="'stem'"):
        build("cnn", trunk="valid", stem="fine")


@pytest.mark.parametrize("name", ["cnn", "cnn_lstm", "cnn_attention"])
def test_muon_turns_a_hidden_kernels_gradient_into_its_rotation(name):
    """By LAPACK's singular vectors; the first layer, the last, norms and biases move by AdamW."""
    stepped = {}
    for kind in ("adamw", "muon"):
        torch.manual_seed(0)
        model = build(name, width=16)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        before = deepcopy(dict(model.named_parameters()))
        recipe = replace(RECIPE, optimizer=kind, learning_rate=1e-2, weight_decay=0.0)
        moves = optimizer(model, recipe)
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        moves.step()
        stepped[kind] = {key: before[key] - p.detach() for key, p in model.named_parameters()}
    kernels = [key for key, p in model.named_parameters() if p.ndim > 1]
    for key in before.keys() - kernels[1:-1]:
        assert torch.equal(stepped["muon"][key], stepped["adamw"][key])
    for key in kernels[1:-1]:
        grad = model.get_parameter(key).grad
        assert grad is not None
        left, _, right = torch.linalg.svd(grad.flatten(1), full_matrices=False)
        step = stepped["muon"][key].flatten(1) / (1e-2 * 0.2 * max(grad.flatten(1).shape) ** 0.5)
        turned = left.T @ step @ right.T  # the identity, if the step were the rotation itself
        assert turned.diagonal().min() > 0.3
        assert turned.diagonal().max() < 1.4
        assert (turned - turned.diagonal().diag()).abs().max() < 0.1


def test_with_muon_interrupted_and_resumed_is_uninterrupted(faces, tmp_path):
    recipe = replace(RECIPE, optimizer="muon")
    whole, _ = train(faces, tmp_path / "a.pt", recipe)
    interrupted_at(4, faces, tmp_path / "b.pt", recipe)
    resumed, _ = train(faces, tmp_path / "b.pt", recipe)
    assert same(whole, resumed)
    assert not same(whole, train(faces, tmp_path / "c.pt")[0])


def test_a_run_with_all_of_it_is_recorded_and_asked_again(faces):
    recipe = with_settings(
        find_recipe("quick"),
        [
            "mixup=0.2",
            "averaged=0.5",
            "augmentation.light=0.1",
            "epochs=2",
            "model.stem=fine",
            "optimizer=muon",
        ],
    )
    prepare(Request("all", "cnn", recipe, data="synthetic", threads=1))
    run = run_experiment(read_request("all"), faces=faces)
    assert Recipe.from_json(run.info["recipe"]) == recipe
    scored = faces.where(faces.usage != "Training")
    again = predict_probs(run.load_model(), scored.images, precision=REFERENCE)
    kept = run.prediction_frame.filter(like="p_").to_numpy()
    assert again == pytest.approx(kept, abs=1e-4)
