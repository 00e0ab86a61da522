"""Models: what goes in and out, and what they cost."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate, pad

from fercore.errors import ConfigError
from fercore.models import MODELS, build
from fercore.models.cost import count_parameters, flops_per_image
from fercore.models.heads import Recurrent, SelfAttention
from fercore.models.inference import for_inference, predict_logits
from fercore.models.layers import fit_normalisation
from fercore.models.precision import REFERENCE

LSTM = ("weight_hh", "bias_ih", "bias_hh")


def recurrent(name: str, **arguments: Any) -> Recurrent:
    """That model's head, small."""
    head = build(name, **{"width": 4} | arguments).head
    assert isinstance(head, Recurrent)
    return head


@pytest.mark.parametrize("name", MODELS)
def test_seven_logits_for_each_face(name):
    model = build(name, width=4).eval()
    faces = torch.randint(0, 256, (3, 1, 48, 48), dtype=torch.uint8)
    assert model(faces).shape == (3, 7)
    torch.testing.assert_close(model(faces)[:1], model(faces[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name", [name for name, model in MODELS.items() if "trunk" not in model.arguments]
)
def test_heads_on_the_shared_trunk_are_as_large_as_the_cnns(name):
    assert abs(count_parameters(build(name)) / count_parameters(build("cnn")) - 1) < 0.05


def test_flops_are_counted_by_hand():
    stem = 2 * 24**2 * (25 * 4 + 9 * 4 * 4)
    stages = 2 * 9 * (12**2 * (4 * 8 + 8 * 8) + 6**2 * (8 * 16 + 16 * 16))
    dense = 2 * (16 * 50 + 50 * 7)
    assert flops_per_image(build("cnn", width=4, hidden=50)) == stem + stages + dense
    lstm = 2 * 36 * 4 * 20 * (16 + 20) + 2 * 20 * 7
    assert flops_per_image(build("cnn_lstm", width=4, hidden=20)) == stem + stages + lstm
    classified, twice = 2 * 20 * 7, build("cnn_lstm", width=4, hidden=20, views=2)
    assert flops_per_image(twice) == 2 * (stem + stages + lstm - classified) + classified


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cnn_lstm", [[p] for p in range(36)]),
        ("cnn_lstm_snake", [[0], [1], [2], [3], [4], [5], [11], [10], [9], [8], [7], [6], [12]]),
        ("cnn_lstm_rows", [[6 * r + c for c in range(6)] for r in range(6)]),
        ("cnn_lstm_columns", [[6 * r + c for r in range(6)] for c in range(6)]),
        ("cnn_lstm_whole", [[*range(36)]]),
    ],
)
def test_the_lstm_reads_the_map_in_the_order_its_name_says(name, expected):
    places = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 16, 6, 6)
    steps = recurrent(name).steps(places).view(1, -1, len(expected[0]), 16)  # (1, T, P, C)
    assert steps[0, : len(expected), :, 0].tolist() == expected
    assert (steps == steps[..., :1]).all()  # a step holds all channels of its places


def test_random_order_visits_every_place_once_and_is_always_the_same():
    places = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 16, 6, 6)
    first, again = (recurrent("cnn_lstm_shuffled").steps(places) for _ in range(2))
    assert sorted(first[0, :, 0].tolist()) == list(range(36))
    assert first[0, :, 0].tolist() != list(range(36))
    assert torch.equal(first, again)


def test_every_seed_draws_a_random_order_of_its_own():
    places = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 16, 6, 6)
    orders = set()
    for seed in range(8):
        arguments = MODELS["cnn_lstm_shuffled"].drawn({"width": 4}, seed)
        head = recurrent("cnn_lstm_shuffled", **arguments)
        orders.add(tuple(head.steps(places)[0, :, 0].tolist()))
        np.testing.assert_array_equal(head.places(6)[:, 0], head.steps(places)[0, :, 0])
    assert len(orders) == 8
    assert all(sorted(order) == list(range(36)) for order in orders)
    assert MODELS["cnn_lstm_shuffled"].drawn(arguments, 9) == arguments  # a start's order stays
    assert MODELS["cnn_lstm"].drawn({"width": 4}, 1) == {"width": 4}


def test_scrambled_is_what_a_channels_last_reshape_does_to_a_channels_first_map():
    feature_map = torch.randn(2, 16, 6, 6)
    steps = recurrent("cnn_lstm_scrambled").steps(feature_map)
    np.testing.assert_array_equal(steps, feature_map.numpy().reshape(2, 36, 16))


def test_one_step_is_the_pooled_map():
    feature_map = torch.randn(2, 16, 6, 6)
    steps = recurrent("cnn_lstm_one").steps(feature_map)
    torch.testing.assert_close(steps[:, 0], feature_map.mean((2, 3)))
    assert steps.shape == (2, 1, 16)


def test_summaries_of_the_states():
    feature_map = torch.randn(3, 16, 6, 6)
    for name in ("cnn_lstm", "cnn_lstm_mean", "cnn_lstm_attention", "cnn_lstm_flattened"):
        head = recurrent(name)
        states, _ = head.lstm(head.steps(feature_map))
        vector = head(feature_map)
        if name == "cnn_lstm_flattened":
            expected = torch.cat([states[:, step] for step in range(36)], dim=1)
        elif name == "cnn_lstm_attention":
            weights = torch.softmax(head.query(states), dim=1)
            expected = torch.einsum("bto,bth->bh", weights, states)
        else:
            expected = states[:, -1] if name == "cnn_lstm" else states.mean(1)
        torch.testing.assert_close(vector, expected)


def test_a_second_lstm_reads_the_states_of_the_first():
    feature_map = torch.randn(3, 16, 6, 6)
    arguments = {"width": 4, "reading": "rows", "hidden": 10, "upper": 5}
    model = build("cnn_lstm_flattened", **arguments)
    head = recurrent("cnn_lstm_flattened", **arguments)
    states, _ = head.upper(head.lstm(head.steps(feature_map))[0])
    torch.testing.assert_close(head(feature_map), states.reshape(3, 6 * 5))
    below, above = 4 * 10 * (6 * 16 + 10), 4 * 5 * (10 + 5)
    plain = build("cnn", width=4, hidden=50)
    same = flops_per_image(plain) - 2 * (16 * 50 + 50 * 7)
    assert flops_per_image(model) == same + 2 * 6 * (below + above) + 2 * 30 * 7


@pytest.mark.parametrize("trunk", ["vgg", "valid", "deep"])
def test_without_norms_the_weights_are_drawn_as_keras_does(trunk):
    model = build("cnn_lstm", trunk=trunk, norm=False)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    kernel = [layer.weight for layer in model.trunk.children() if isinstance(layer, nn.Conv2d)][-1]
    outputs, inputs, high, wide = kernel.shape
    bound = (6 / ((inputs + outputs) * high * wide)) ** 0.5
    assert 0.99 * bound < kernel.abs().max() <= bound
    lstm = {name: model.get_parameter(f"head.lstm.{name}_l0") for name in LSTM}
    square = lstm["weight_hh"].T @ lstm["weight_hh"]
    torch.testing.assert_close(square, torch.eye(128), rtol=0, atol=1e-5)
    bias = (lstm["bias_ih"] + lstm["bias_hh"]).unflatten(0, (4, -1)).mean(1)
    assert bias.tolist() == [0, 1, 0, 0]  # torch's order of gates: input, forget, cell, output


@pytest.mark.parametrize(("trunk", "side"), [("vgg", 6), ("resnet", 6), ("valid", 4), ("deep", 6)])
def test_the_map_is_as_large_as_the_trunk_says(trunk, side):
    model = build("cnn", trunk=trunk, width=4)
    faces = torch.zeros(1, 1, 48, 48)
    assert model.map_side == side
    assert model.feature_map(faces).shape == (1, 16, side, side)


def test_self_attention_is_torchs():
    head = build("cnn_attention", width=4).head
    assert isinstance(head, SelfAttention)
    reference = torch.nn.MultiheadAttention(16, head.heads, batch_first=True)
    reference.load_state_dict(
        {
            "in_proj_weight": head.projections.weight,
            "in_proj_bias": head.projections.bias,
            "out_proj.weight": head.mix.weight,
            "out_proj.bias": head.mix.bias,
        }
    )
    x = torch.randn(2, 36, 16)
    torch.testing.assert_close(head.attend(x), reference(x, x, x)[0], rtol=1e-4, atol=1e-5)


def test_normalisation_travels_with_the_weights(faces):
    model = build("cnn", width=4)
    fit_normalisation(model, faces.images)
    copy = build("cnn", width=4)
    copy.load_state_dict(model.state_dict())
    pixels = torch.tensor(faces.images)[:, None]
    normal = next(copy.trunk.children())(pixels)
    assert normal.mean().abs() < 1e-3
    assert (normal.std() - 1).abs() < 1e-3


def test_two_views_average_the_logits_of_a_face_and_its_mirror_image():
    model, plain = build("cnn_lstm", width=4, views=2), build("cnn_lstm", width=4)
    plain.load_state_dict(model.state_dict())
    faces = torch.randint(0, 256, (3, 1, 48, 48), dtype=torch.uint8)
    model.eval(), plain.eval()
    expected = (plain(faces) + plain(faces.flip(3))) / 2
    torch.testing.assert_close(model(faces), expected, rtol=1e-4, atol=1e-5)


def test_ten_views_are_the_face_moved_and_mirrored():
    model, plain = build("cnn", width=4, views=10).eval(), build("cnn", width=4).eval()
    plain.load_state_dict(model.state_dict())
    face = torch.randint(0, 256, (1, 1, 48, 48)).float()
    wide = pad(face, (2, 2, 2, 2), mode="replicate")
    places = [(0, 0), (0, 4), (2, 2), (4, 0), (4, 4)]
    moved = torch.cat([wide[:, :, y : y + 48, x : x + 48] for y, x in places])
    expected = plain(torch.cat([moved, moved.flip(3)])).mean(0, keepdim=True)
    torch.testing.assert_close(model(face), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn", "cnn_lstm", "cnn_small"])
def test_made_for_inference_it_answers_the_same_without_norms(name):
    model = build(name, width=4, views=10)
    images = np.random.default_rng(0).integers(0, 256, (60, 48, 48), dtype=np.uint8)
    model.train()(torch.from_numpy(images[:, None]))  # norms that are not their fresh selves
    expected = predict_logits(model, images, precision=REFERENCE)
    folded = for_inference(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    torch.testing.assert_close(
        predict_logits(folded, images, precision=REFERENCE), expected, rtol=1e-4, atol=1e-4
    )


def test_the_small_model_is_small():
    assert count_parameters(build("cnn_small")) < 500_000


def test_a_model_of_a_smaller_side_sees_the_face_made_that_small():
    model = build("cnn", width=4, side=32).eval()
    faces = torch.randint(0, 256, (3, 1, 48, 48), dtype=torch.uint8)
    small = interpolate(faces.float(), (32, 32), mode="bilinear")
    torch.testing.assert_close(model(faces), model(small))


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="no model 'vgg'"):
        build("vgg")
    with pytest.raises(ConfigError, match="cannot be built"):
        build("cnn", depth=3)
    with pytest.raises(ConfigError, match="resnext"):
        build("cnn", trunk="resnext")
    with pytest.raises(ConfigError, match="rests on its batch normalisation"):
        build("cnn_small", norm=False)
    with pytest.raises(ConfigError, match="views may be 1, 2 or 10, not 3"):
        build("cnn", views=3)
