"""Saliency agrees with derivatives taken by hand, and points at what the class depends on."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.nn import Linear

from fercore.models import MODELS, build
from fercore.models.heads import Flattened, Recurrent
from fercore.models.inference import predict_probs
from fercore.models.precision import REFERENCE
from fercore.models.saliency import grad_cam, step_contributions, steps_on_map


@pytest.fixture
def face(faces):
    return faces.images[3]


@pytest.mark.parametrize("name", MODELS)
def test_maps_of_every_model(name, face):
    torch.manual_seed(0)
    seen = grad_cam(build(name, width=4), face, 3)
    assert seen.shape == (48, 48)
    assert seen.min() >= 0
    assert seen.max() <= 1


def test_grad_cam_finds_the_place_that_decides(face):
    """A classifier of the map's lower right corner alone looks there alone."""
    model = build("cnn_flatten", width=4, hidden=8)
    with torch.no_grad():
        assert isinstance(model.head, Flattened)
        dense = model.head.dense[0]
        assert isinstance(dense, Linear)
        weights = torch.zeros(8, 16, 6, 6)
        weights[:, :, 5, 5] = 1
        dense.weight.copy_(weights.flatten(1))
        dense.bias.fill_(1.0)
        model.classify.weight.fill_(1.0)
    seen = grad_cam(model, face, 0)
    # One weight per channel: Grad-CAM shows those channels everywhere, most where they are active.
    feature_map = model.trunk(torch.from_numpy(face)[None, None])[0].sum(0)
    row, column = divmod(int(feature_map.argmax()), 6)
    assert np.hypot(*(np.array(divmod(int(seen.argmax()), 48)) / 8 - (row + 0.5, column + 0.5))) < 1


@pytest.mark.parametrize("views", [1, 10])
def test_steps_add_up_to_the_change_of_the_logit(face, views):
    """Gradient times input is the logit's change as the steps are scaled, to first order."""
    torch.manual_seed(1)
    model = build("cnn_lstm", width=4, views=views).eval()
    given = step_contributions(model, face, 2)
    assert given.shape == (36,)
    assert isinstance(model.head, Recurrent)
    scale, logits = 1e-3, []
    model.views = 1  # the face as it is, the first of them
    for factor in (1 + scale, 1 - scale):
        hook = model.head.lstm.register_forward_pre_hook(lambda _, x, f=factor: (x[0] * f,))
        with torch.no_grad():
            logits.append(model(torch.from_numpy(face)[None, None])[0, 2].double().item())
        hook.remove()
    assert given.sum() == pytest.approx((logits[0] - logits[1]) / (2 * scale), abs=2e-3)


def test_steps_go_back_to_the_places_they_were_read_from():
    for name, steps in (("cnn_lstm_snake", 36), ("cnn_lstm_rows", 6), ("cnn_lstm_shuffled", 36)):
        model = build(name, width=4)
        places = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 16, 6, 6)
        assert isinstance(model.head, Recurrent)
        first_place = model.head.steps(places)[0, :, 0].numpy()
        laid = steps_on_map(model, np.arange(steps, dtype=np.float32))
        given = laid.ravel()[first_place.astype(int)] * (36 / steps)
        np.testing.assert_allclose(given, np.arange(steps))
    assert steps_on_map(build("cnn_lstm_scrambled", width=4), np.ones(36, np.float32)) is None


def test_without_an_lstm_there_are_no_steps(face):
    assert step_contributions(build("cnn", width=4), face, 0) is None


def test_two_that_look_at_once_see_their_own_face(faces):
    torch.manual_seed(0)
    model = build("cnn", width=4)
    alone = [grad_cam(model, face, 3) for face in faces.images[:16]]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda face: grad_cam(model, face, 3), faces.images[:16]))
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_answers_while_another_thread_asks_where_it_looks(faces):
    """Predict and an open face share a model: neither may see the other's pass."""
    torch.manual_seed(0)
    model = build("cnn_lstm", width=4)
    some = faces.images[:12]

    def ask(face: np.ndarray) -> tuple[np.ndarray, ...]:
        return (
            predict_probs(model, face[None], precision=REFERENCE)[0],
            grad_cam(model, face, 3),
            step_contributions(model, face, 3),
        )

    alone = [ask(face) for face in some]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(ask, [*some, *some]))
    for given, right in zip(together, [*alone, *alone], strict=True):
        for one, other in zip(given, right, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    assert all(weight.grad is None for weight in model.parameters())
