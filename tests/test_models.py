"""Models: what goes in and out, and what they cost."""

import pytest
import torch

from fercore.errors import ConfigError
from fercore.models import MODELS, build
from fercore.models.cost import count_parameters, flops_per_image
from fercore.models.layers import fit_normalisation


@pytest.mark.parametrize("name", MODELS)
def test_seven_logits_for_each_face(name):
    model = build(name, width=4).eval()
    faces = torch.randint(0, 256, (3, 1, 48, 48), dtype=torch.uint8)
    assert model(faces).shape == (3, 7)
    torch.testing.assert_close(model(faces)[:1], model(faces[:1]), rtol=1e-4, atol=1e-5)


def test_both_heads_have_about_as_many_parameters():
    cnn, lstm = (count_parameters(build(name)) for name in ("cnn", "cnn_lstm"))
    assert abs(cnn / lstm - 1) < 0.05


def test_flops_are_counted_by_hand():
    widths, sides = [1, 4, 8, 16, 32], [48, 24, 12, 6]
    convolutions = sum(
        2 * 9 * side**2 * (before * after + after * after)
        for side, before, after in zip(sides, widths[:-1], widths[1:], strict=True)
    )
    dense = 2 * (32 * 50 + 50 * 7)
    assert flops_per_image(build("cnn", width=4, hidden=50)) == convolutions + dense
    lstm = 2 * 36 * 4 * 20 * (32 + 20) + 2 * 20 * 7
    assert flops_per_image(build("cnn_lstm", width=4, hidden=20)) == convolutions + lstm


def test_the_lstm_reads_the_map_row_by_row():
    model = build("cnn_lstm", width=4).eval()
    seen = []
    model.lstm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    trunk_out = torch.arange(36.0).view(1, 1, 6, 6).expand(1, 32, 6, 6)
    model.trunk.forward = lambda pixels: trunk_out
    model(torch.zeros(1, 1, 48, 48))
    assert seen[0][0, :, 0].tolist() == list(range(36))


def test_normalisation_travels_with_the_weights(faces):
    model = build("cnn", width=4)
    fit_normalisation(model, faces.images)
    copy = build("cnn", width=4)
    copy.load_state_dict(model.state_dict())
    pixels = torch.tensor(faces.images)[:, None]
    normal = copy.trunk[0](pixels)
    assert normal.mean().abs() < 1e-3
    assert (normal.std() - 1).abs() < 1e-3


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="no model 'vgg'"):
        build("vgg")
    with pytest.raises(ConfigError, match="cannot be built"):
        build("cnn", depth=3)
