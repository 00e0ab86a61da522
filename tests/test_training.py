"""Training: reproducible, resumable, honest about what it was chosen on."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import special
from torch.nn.functional import affine_grid, grid_sample, interpolate

from fercore.data import FaceSet
from fercore.errors import ConfigError, DataError, TrainingError
from fercore.models import build
from fercore.models.precision import Precision, choose_precision
from fercore.training.augment import affine_maps, erase, random_boxes, warp
from fercore.training.batches import Batches
from fercore.training.checkpoint import Checkpoints
from fercore.training.fit import fit
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import Augmentation, find_recipe
from fercore.training.records import Interrupted, Progress, Watcher
from fercore.training.teacher import Teacher, share_of_work

RECIPE = replace(find_recipe("quick"), epochs=3, batch_size=16, model_arguments={"width": 4})
FP32 = Precision("cpu", "fp32")
IDENTITY = {"model": "cnn", "recipe": "tiny", "seed": 0}


def train(
    faces: FaceSet,
    checkpoint,
    recipe=RECIPE,
    model=None,
    *,
    on_step=lambda at: None,
    stop_requested=lambda: False,
    checkpoint_seconds=60,
    **options,
):
    torch.manual_seed(0)
    model = model or build("cnn", **recipe.model_arguments)
    result = fit(
        model,
        faces.part("Training"),
        faces.part("PublicTest"),
        recipe,
        seed=0,
        precision=FP32,
        checkpoints=Checkpoints(checkpoint, IDENTITY, seconds=checkpoint_seconds),
        watcher=Watcher(on_step=on_step, stop_requested=stop_requested),
        **options,
    )
    return model.state_dict(), result


def same(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def interrupted_at(step: int, faces: FaceSet, checkpoint, recipe=RECIPE, **options) -> list:
    """Train until so many steps are done; what was told of them."""
    seen: list[Progress] = []
    stop = {"on_step": seen.append, "stop_requested": lambda: len(seen) >= step}
    with pytest.raises(Interrupted):
        train(faces, checkpoint, recipe, **stop, **options)
    return seen


def garbled(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


def test_same_seed_same_weights(faces, tmp_path):
    first, _ = train(faces, tmp_path / "a.pt")
    second, _ = train(faces, tmp_path / "b.pt")
    assert same(first, second)


def test_interrupted_and_resumed_is_uninterrupted(faces, tmp_path):
    whole, expected = train(faces, tmp_path / "a.pt")
    interrupted_at(4, faces, tmp_path / "b.pt")  # in the middle of the second epoch
    resumed, result = train(faces, tmp_path / "b.pt")
    assert same(whole, resumed)
    assert [r.train_loss for r in result.history] == [r.train_loss for r in expected.history]
    assert result.best_epoch == expected.best_epoch


def test_the_best_publictest_epoch_is_kept(faces, tmp_path):
    _, result = train(faces, tmp_path / "a.pt")
    accuracies = [record.val_accuracy for record in result.history]
    assert result.best_epoch == 1 + int(np.argmax(accuracies))


def test_learning_rate_rises_then_falls_to_zero(faces, tmp_path):
    recipe = replace(RECIPE, epochs=20, warm_up=0.1, learning_rate=1e-3)
    _, result = train(faces, tmp_path / "a.pt", recipe)
    rates = [record.learning_rate for record in result.history]  # in the middle of each epoch
    expected = [0.25e-3, 0.75e-3]
    expected += [0.5e-3 * (1 + math.cos(math.pi * (e + 0.5) / 18)) for e in range(18)]
    assert rates == pytest.approx(expected)


def test_a_learning_rate_that_only_rises_ends_at_its_top(faces, tmp_path):
    recipe = replace(RECIPE, epochs=2, warm_up=1.0, learning_rate=1e-3)
    _, result = train(faces, tmp_path / "a.pt", recipe)
    rates = [record.learning_rate for record in result.history]
    assert rates == pytest.approx([0.25e-3, 0.75e-3])


def test_a_flat_learning_rate_stays(faces, tmp_path):
    recipe = replace(RECIPE, epochs=2, warm_up=0.0, fall="flat", learning_rate=1e-3)
    _, result = train(faces, tmp_path / "a.pt", recipe)
    assert [record.learning_rate for record in result.history] == [1e-3, 1e-3]


def test_progress_is_told_and_time_left_falls(faces, tmp_path):
    seen: list[Progress] = []
    train(faces, tmp_path / "a.pt", on_step=seen.append)
    assert (seen[-1].epoch, seen[-1].step) == (3, seen[-1].steps)
    assert seen[-1].seconds_left == pytest.approx(0, abs=1e-6)
    assert all(0 <= at.accuracy <= 1 for at in seen)


def test_a_checkpoint_of_another_training_is_refused(faces, tmp_path, monkeypatch):
    train(faces, tmp_path / "a.pt")
    monkeypatch.setitem(IDENTITY, "seed", 1)
    with pytest.raises(TrainingError, match="another seed"):
        train(faces, tmp_path / "a.pt")


@pytest.mark.parametrize("damage", [lambda content: content[:-100], lambda content: b"", garbled])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(faces, tmp_path, damage):
    whole, _ = train(faces, tmp_path / "a.pt")
    interrupted_at(7, faces, tmp_path / "b.pt")
    (tmp_path / "b.pt").write_bytes(damage((tmp_path / "b.pt").read_bytes()))
    resumed, _ = train(faces, tmp_path / "b.pt")
    assert same(whole, resumed)


def test_without_a_whole_checkpoint_it_says_what_to_do(faces, tmp_path):
    interrupted_at(7, faces, tmp_path / "b.pt")
    for file in tmp_path.iterdir():
        file.write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match="Discard this training"):
        train(faces, tmp_path / "b.pt")


def test_stopping_twice_in_one_epoch_loses_no_step(faces, tmp_path):
    whole, expected = train(faces, tmp_path / "a.pt")
    first = interrupted_at(4, faces, tmp_path / "b.pt")
    second = interrupted_at(1, faces, tmp_path / "b.pt")
    assert (second[0].epoch, second[0].step) == (first[-1].epoch, first[-1].step + 1)
    resumed, result = train(faces, tmp_path / "b.pt")
    assert same(whole, resumed)
    assert [r.train_loss for r in result.history] == [r.train_loss for r in expected.history]


def test_it_is_saved_at_least_as_often_as_asked(faces, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(Checkpoints, "save", lambda _, state: saved.append(state))
    _, result = train(faces, tmp_path / "a.pt", checkpoint_seconds=0)
    steps = math.ceil(len(faces.part("Training")) / RECIPE.batch_size)
    assert len(saved) == (steps + 1) * len(result.history)


def test_the_best_epoch_so_far_can_be_kept(faces, tmp_path):
    interrupted_at(4, faces, tmp_path / "a.pt")
    _, result = train(faces, tmp_path / "a.pt", keep_best=True)
    assert len(result.history) == 1
    with pytest.raises(TrainingError, match="No epoch has been finished"):
        train(faces, tmp_path / "b.pt", keep_best=True)


def test_weights_that_are_not_finite_are_never_saved(faces, tmp_path):
    model = build("cnn", **RECIPE.model_arguments)

    def poison(progress):
        if (progress.epoch, progress.step) == (2, 3):  # the last step: no further loss tells
            next(model.parameters()).data.fill_(math.nan)

    with pytest.raises(TrainingError, match="finite"):
        train(faces, tmp_path / "a.pt", model=model, on_step=poison)
    resumed, result = train(faces, tmp_path / "a.pt")
    assert len(result.history) == RECIPE.epochs
    assert all(value.isfinite().all() for value in resumed.values())


def test_a_loss_that_is_not_finite_ends_the_training(faces, tmp_path):
    with pytest.raises(TrainingError, match="finite"):
        train(faces, tmp_path / "a.pt", replace(RECIPE, learning_rate=1e30))


def test_training_needs_validation_images(faces, tmp_path):
    with pytest.raises(DataError, match="no validation images"):
        train(faces.part("Training"), tmp_path / "a.pt")


def augmented(images, settings, generator):
    return warp(images, affine_maps(len(images), settings, generator), 48)


def test_augmentation_without_settings_changes_nothing(faces):
    images = torch.tensor(faces.images[:8])[:, None]
    still = Augmentation(flip=0, degrees=0, shift=0, scale=0)
    torch.testing.assert_close(
        augmented(images, still, torch.Generator()), images.float(), atol=1e-2, rtol=0
    )


def test_augmentation_is_what_torchs_affine_grid_makes_of_the_maps(faces):
    images = torch.tensor(faces.images[:8])[:, None]
    maps = affine_maps(8, Augmentation(), torch.Generator().manual_seed(1))
    grid = affine_grid(maps, [8, 1, 40, 40], align_corners=False)
    expected = grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(warp(images, maps, 40), expected, atol=0.05, rtol=0)


def test_smaller_images_are_the_full_ones_resampled(faces):
    images = torch.tensor(faces.images[:8])[:, None]
    still = affine_maps(8, Augmentation(flip=0, degrees=0, shift=0, scale=0), torch.Generator())
    for side in (24, 36):
        expected = interpolate(images.float(), (side, side), mode="bilinear")
        torch.testing.assert_close(warp(images, still, side), expected, atol=1e-2, rtol=0)


@pytest.mark.parametrize("model", ["cnn", "cnn_lstm"])
def test_a_training_may_begin_with_small_images(faces, tmp_path, model):
    """Only epochs as large as the model's images are validated, and one of them is chosen."""
    arguments = {"width": 4, "side": 32}
    recipe = replace(RECIPE, resolutions=((16, 0.34), (24, 0.33)), model_arguments=arguments)
    sizes = []
    network = build(model, **arguments)
    network.trunk.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[-1]))
    _, result = train(faces, tmp_path / "a.pt", recipe, network)
    assert list(dict.fromkeys(sizes)) == [16, 24, 32]
    assert [record.val_accuracy is None for record in result.history] == [True, True, False]
    assert result.best_epoch == 3


def test_the_latest_epoch_is_kept_before_any_is_validated(faces, tmp_path):
    recipe = replace(RECIPE, resolutions=((24, 0.9),), epochs=9)
    steps = math.ceil(len(faces.part("Training")) / recipe.batch_size)
    interrupted_at(2 * steps + 1, faces, tmp_path / "a.pt", recipe)
    _, result = train(faces, tmp_path / "a.pt", recipe, keep_best=True)
    assert result.best_epoch == len(result.history) == 2


def test_weights_decay_and_biases_and_norms_do_not(faces, tmp_path):
    recipe = replace(RECIPE, epochs=1, learning_rate=0.05, weight_decay=10.0)
    model = build("cnn", **RECIPE.model_arguments)
    for parameter in model.parameters():
        torch.nn.init.ones_(parameter)
        parameter.register_hook(torch.zeros_like)  # the gradient leaves them alone
    train(faces, tmp_path / "a.pt", recipe, model)
    assert all((p < 1).all() for p in model.parameters() if p.ndim > 1)
    assert all((p == 1).all() for p in model.parameters() if p.ndim < 2)


def test_augmentation_mirrors(faces):
    images = torch.tensor(faces.images[:8])[:, None]
    mirror = Augmentation(flip=1, degrees=0, shift=0, scale=0)
    torch.testing.assert_close(
        augmented(images, mirror, torch.Generator()), images.flip(3).float(), atol=1e-2, rtol=0
    )


def test_augmentation_keeps_faces_in_the_picture_and_differs_by_image(faces):
    images = torch.tensor(faces.images[:1]).expand(16, 48, 48)[:, None]
    changed = augmented(images, Augmentation(), torch.Generator().manual_seed(1))
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert len({round(float(image.mean()), 4) for image in changed}) > 8


def test_a_rectangle_is_blanked_to_the_images_mean(faces):
    images = torch.tensor(faces.images[:64])[:, None].float()
    boxes = random_boxes(64, Augmentation(erase=0.5), torch.Generator().manual_seed(0))
    blanked = erase(images, boxes)
    mean = images.mean((2, 3), keepdim=True).expand_as(images)
    changed = blanked != images
    assert torch.equal(blanked[changed], mean[changed])
    share = changed.float().mean((1, 2, 3))
    assert 0.3 < (share > 0).float().mean() < 0.7
    assert share.max() < 0.45**2
    assert torch.equal(erase(images, random_boxes(64, Augmentation(), torch.Generator())), images)


def test_a_teacher_answers_for_its_share_of_the_labels(faces, tmp_path):
    torch.manual_seed(5)
    teacher = build("cnn", width=4, views=2)
    training = faces.usage == "Training"
    shifted = np.where(training, (faces.labels + 1) % 7, faces.labels)
    relabelled = replace(faces, labels=shifted)

    def taught(share: float, by: FaceSet, name: str, teachers=(teacher,)) -> dict:
        recipe = replace(RECIPE, epochs=1, teacher_share=share)
        return train(by, tmp_path / name, recipe, teachers=teachers)[0]

    assert same(taught(0.0, faces, "a"), taught(0.0, faces, "b", teachers=()))
    assert same(taught(1.0, faces, "c"), taught(1.0, relabelled, "d"))
    assert not same(taught(0.5, faces, "e"), taught(0.5, relabelled, "f"))
    assert teacher.views == 2


def test_several_teachers_answer_with_the_mean_of_their_probabilities(faces):
    torch.manual_seed(6)
    first, second = (
        build("cnn", width=4, views=2).eval(),
        build("cnn_lstm", width=4, side=40).eval(),
    )
    recipe = replace(RECIPE, teacher_share=0.7, augmentation=Augmentation(0, 0, 0, 0))
    batch = next(Batches(faces, recipe, seed=0, device="cpu", group=ProcessGroup()).of(1))
    told = Teacher([first, second], recipe, len(faces), FP32).targets(batch)

    seen = torch.from_numpy(faces.images[batch.chosen])[:, None].float()
    small = interpolate(seen, (40, 40), mode="bilinear")
    first.views = 1
    with torch.no_grad():
        logits = [first(seen).numpy(), second(small).numpy()]
    answers = np.mean([special.softmax(each, axis=1) for each in logits], axis=0)
    labels = np.eye(7)[faces.labels[batch.chosen]]
    assert told.numpy() == pytest.approx(0.3 * labels + 0.7 * answers, abs=1e-5)


@pytest.fixture
def teacher():
    """One that answers to every face something else."""
    torch.manual_seed(5)
    model = build("cnn", width=4)
    with torch.no_grad():
        next(p for p in reversed(list(model.parameters())) if p.ndim == 2).mul_(100)
    return model


@pytest.fixture
def asked(monkeypatch):
    """The numbers of faces that a teacher was asked about at a time."""
    numbers, ask = [], Teacher._ask

    def counting(self, faces, maps):
        numbers.append(len(faces))
        return ask(self, faces, maps)

    monkeypatch.setattr(Teacher, "_ask", counting)
    return numbers


def test_a_teacher_is_asked_once_about_each_version_of_a_face(
    faces, tmp_path, teacher, asked, monkeypatch
):
    strong = find_recipe("best").augmentation
    recipe = replace(RECIPE, teacher_share=1.0, teacher_epochs=2, augmentation=strong)
    _, once = train(faces, tmp_path / "a.pt", recipe, teachers=[teacher])
    assert sum(asked) == 2 * (faces.usage == "Training").sum()  # in three epochs
    monkeypatch.setattr(Teacher, "_remembered", lambda self, at: self._ask(at.faces, at.maps))
    _, anew = train(faces, tmp_path / "b.pt", recipe, teachers=[teacher])
    losses = [[record.train_loss for record in result.history] for result in (once, anew)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_with_mixup_a_teacher_is_asked_once_about_either_face(faces, tmp_path, teacher, asked):
    recipe = replace(RECIPE, mixup=0.4, epochs=2, teacher_share=1.0, teacher_epochs=1)
    train(faces, tmp_path / "a.pt", recipe, teachers=[teacher])
    assert sum(asked) == (faces.usage == "Training").sum()


def test_versions_come_back_in_another_order(faces):
    recipe = replace(RECIPE, epochs=4, teacher_epochs=2)
    batches = Batches(faces, recipe, seed=0, device="cpu", group=ProcessGroup())

    def shown(epoch: int) -> tuple[list[int], torch.Tensor]:
        """The faces in their order, and what is seen of the first, the second, …"""
        made = list(batches.of(epoch))
        chosen = torch.cat([batch.chosen for batch in made])
        return chosen.tolist(), torch.cat([batch.images for batch in made])[chosen.argsort()]

    (order, first), (_, second), (later, again), _ = map(shown, range(1, 5))
    assert torch.equal(first, again)
    assert order != later
    assert not torch.equal(first, second)


@pytest.mark.parametrize("step", [4, 7])
def test_a_teachers_answers_outlive_an_interruption(faces, tmp_path, teacher, asked, step):
    recipe = replace(RECIPE, teacher_share=0.5, teacher_epochs=1)
    whole, _ = train(faces, tmp_path / "a.pt", recipe, teachers=[teacher])
    interrupted_at(step, faces, tmp_path / "b.pt", recipe, teachers=[teacher])
    resumed, _ = train(faces, tmp_path / "b.pt", recipe, teachers=[teacher])
    assert same(whole, resumed)
    assert sum(asked) == 2 * (faces.usage == "Training").sum()  # once by either training


def test_a_teachers_work_does_not_shrink_with_the_images():
    teacher, student = build("cnn", width=8, views=10), build("cnn", width=8)
    assert share_of_work([teacher], student) == pytest.approx(0.25, abs=0.001)  # of 1 + 3 passes
    assert share_of_work([], student) == 0
    assert share_of_work([teacher] * 3, student) == pytest.approx(0.5, abs=0.002)
    recipe = replace(RECIPE, epochs=2, resolutions=((24, 0.5),))
    assert [recipe.cost(epoch, teacher=0.25) for epoch in (1, 2)] == [0.25 + 0.75 / 4, 1]
    once = replace(recipe, teacher_epochs=1)
    assert [once.cost(epoch, teacher=0.25) for epoch in (1, 2)] == [0.25 + 0.75 / 4, 0.75]


def test_precision_is_what_the_hardware_gains_by_or_what_is_asked_for():
    assert choose_precision("fp32").dtype == "fp32"
    assert choose_precision("bf16").dtype == "bf16"
    if not torch.cuda.is_available() and Path("/proc/cpuinfo").exists():
        flags = set(Path("/proc/cpuinfo").read_text().split())
        expected = "bf16" if {"amx_bf16", "avx512_bf16"} & flags else "fp32"
        assert choose_precision() == Precision("cpu", expected)
    with pytest.raises(ConfigError, match="no precision"):
        choose_precision("fp8")


def test_bf16_predicts_nearly_what_fp32_does(faces):
    from fercore.models.inference import predict_probs

    torch.manual_seed(0)
    model = build("cnn", width=4)
    full = predict_probs(model, faces.images, precision=FP32)
    half = predict_probs(model, faces.images, precision=Precision("cpu", "bf16"))
    assert np.abs(full - half).max() < 0.05
