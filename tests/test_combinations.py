"""Models, recipes and starts that make no sense together: not offered, refused by everyone."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dashboard.base.navigation import page_path
from fercore.analysis import review
from fercore.errors import ConfigError, RunError
from fercore.files import write_json
from fercore.jobs.combinations import offered
from fercore.jobs.request import Request, prepare, settled
from fercore.models import MODELS
from fercore.runs.ensemble import make_ensemble
from fercore.runs.folders import artifacts_folder
from fercore.runs.listing import find_run, list_runs
from fercore.runs.words import cut_short
from fercore.training.recipes import RECIPES, find_recipe
from tests.test_cli import fails, run
from tests.test_pages import open_page, said, without_badges


def changed(run_id: str, new_id: str, **info):
    """A copy of a run with another name and other words in its run.json."""
    old = find_run(run_id)
    folder = shutil.copytree(old.folder, old.folder.with_name(new_id))
    write_json(folder / "run.json", old.info | {"run_id": new_id} | info)
    return find_run(new_id)


NONSENSE = {
    "a recipe for another model": (
        Request("", "cnn", find_recipe("small")),
        "'small' is for the model 'cnn_small', not for 'cnn'",
    ),
    "fine-tuning nothing": (
        Request("", "cnn", find_recipe("finetune")),
        "'finetune' goes on from a run's weights",
    ),
    "a start of another model": (
        Request("", "cnn", find_recipe("finetune"), start_from="second"),
        "second is a cnn_lstm",
    ),
    "a teacher that is not here": (
        Request("", "cnn_small", find_recipe("small")),
        "'small' is taught by a run. There is no complete run 'cnn-best'",
    ),
    "its own teacher": (
        Request("", "cnn", replace(find_recipe("quick"), teacher="first"), start_from="first"),
        "taught by first, which it would start from",
    ),
    "images larger than the model sees": (
        Request("", "cnn", replace(find_recipe("quick"), resolutions=((48, 0.5),))),
        "begins with images of 48 pixels, and the model sees 40",
    ),
    "no rate": (
        Request("", "cnn", replace(find_recipe("quick"), learning_rate=0.0)),
        "nothing is learnt",
    ),
    "no model": (Request("", "", find_recipe("quick")), "There is no model ''"),
}


@pytest.mark.parametrize(("request_", "sentence"), NONSENSE.values(), ids=NONSENSE)
def test_it_is_refused_before_anything_is_written(two_runs, request_, sentence):
    with pytest.raises((ConfigError, RunError)) as refused:
        prepare(replace(request_, data="synthetic"))
    assert sentence in str(refused.value)
    assert len(list((artifacts_folder() / "runs").iterdir())) == 2


def test_the_command_refuses_it_in_the_same_words(two_runs):
    assert "'small' is for the model 'cnn_small'" in fails("train", "cnn", "--recipe", "small")
    assert "'finetune' goes on from" in fails("train", "cnn", "--recipe", "finetune")
    assert "second is a cnn_lstm" in fails("train", "cnn", "--from", "second")
    assert "'finetune' goes on from" in fails("train", "cnn", "--recipe", "finetune", "--estimate")
    assert "no verdicts yet" in fails("train", "cnn", "--recipe", "quick", "--verdicts")
    assert "nothing is trained to estimate" in fails("train", "cnn", "--estimate", "--alongside")


def test_what_is_offered_is_what_is_not_refused(two_runs):
    for start in (None, *two_runs):
        for model in [start.info["model"]] if start else MODELS:
            for name, recipe in RECIPES.items():
                asked = Request("", model, recipe, start_from=start and start.run_id)
                try:
                    refused = not settled(asked)
                except (ConfigError, RunError):
                    refused = True
                assert (name not in offered(model, start)) == refused
    assert offered("cnn", None) == ["paper", "fast", "best", "quick"]
    assert offered("cnn_flatten", None) == ["paper", "quick"]
    assert "finetune" in offered("cnn", two_runs[0])


def test_the_form_offers_what_makes_sense(two_runs):
    app = open_page("overview", retrain=True)

    def options(label: str) -> list[str]:
        (box,) = (box for box in app.sidebar.selectbox if box.label == label)
        return box.options

    assert options("Recipe") == ["paper", "fast", "best", "quick"]
    app.selectbox(key="train-model").select("cnn_flatten").run()
    assert options("Recipe") == ["paper", "quick"]
    app.selectbox(key="train-start").select("second").run()
    assert options("Model") == [MODELS["cnn_lstm"].title]
    assert "finetune" in options("Recipe")
    app.selectbox(key="train-start").select("fresh weights").run()
    assert "finetune" not in options("Recipe")


def test_the_form_is_drawn_for_who_opens_it_and_keeps_what_was_chosen(two_runs):
    app = open_page("overview")

    def unfold(*, opened: bool) -> None:
        app.session_state["retrain"] = opened
        app.run()
        assert ("Start training" in [button.label for button in app.button]) == opened

    assert "Start training" not in [button.label for button in app.button]
    unfold(opened=True)
    app.selectbox(key="train-start").select("second").run()
    app.number_input(key="train-epochs").set_value(3)
    app.checkbox(key="train-yields").uncheck().run()
    unfold(opened=False)
    unfold(opened=True)
    assert app.selectbox(key="train-start").value == "second"
    assert app.number_input(key="train-epochs").value == 3
    assert not app.checkbox(key="train-yields").value


def test_verdicts_are_offered_once_there_are_some(two_runs, faces):
    def labels() -> list[str]:
        boxes = open_page("overview", retrain=True).sidebar.selectbox
        return next(box.options for box in boxes if box.label == "Labels to train by")

    assert labels() == ["the dataset's"], "FER+'s raters have not seen the drawn faces"
    pixels = int(faces.pixel_hashes()[0])
    review.save(review.Verdict(pixels, 0, faces.name, "angry", verdict="unusable"))
    assert labels() == ["the dataset's", "my verdicts over the dataset's"]


def test_ferplus_labels_are_offered_for_what_may_be_fer2013(two_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    app = open_page("overview", retrain=True)
    (box,) = (box for box in app.sidebar.selectbox if box.label == "Labels to train by")
    box.select("FER+'s votes")
    asked: list = []
    monkeypatch.setattr("fercore.jobs.start", asked.append)
    app.button(key="train-begin").click().run()
    assert [(request.labels, request.verdicts) for request in asked] == [("votes", False)]


def test_a_run_that_was_cut_short_is_marked_wherever_it_is_shown(two_runs):
    short = changed("first", "short", epochs_done=3)
    assert cut_short(short) == "3 of 4 epochs"
    assert cut_short(find_run("first")) == ""
    overview = open_page("overview", a="short", b="second")
    words = said(overview)
    links = [link.proto.label for link in overview.get("page_link")]
    assert any("learned for 3 of 4 epochs" in label for label in links)
    for place in (words, "\n".join(caption.value for caption in overview.sidebar.caption)):
        told = without_badges(place).replace("\u00a0", " ")
        assert "quick · cut short at 3 of 4 epochs · seed 0" in told
    table = open_page("runs").dataframe[0].value.set_index("run")
    assert table.loc["short", "recipe"] == "quick, cut short at 3 of 4 epochs"
    assert table.loc["first", "recipe"] == "quick"
    longer = find_run("first").recipe.to_json() | {"epochs": 9}
    changed("first", "longer", recipe=longer)  # as its group is called
    table = open_page("runs").dataframe[0].value.set_index("run")
    assert table.loc["longer", "recipe"] == "quick,epochs=9"
    assert "cut short at 3 of 4" in run("runs", "list")


def test_one_that_was_cut_short_differs_in_more_than_the_seed(two_runs):
    other = changed("first", "other", seed=1)
    short = changed("first", "short", seed=2, epochs_done=3)
    make_ensemble("both", [two_runs[0], other])
    assert "Ensemble of 2 runs: both" in said(open_page("overview"))
    with pytest.raises(RunError, match="'short' differs from 'first' in more than the seed"):
        make_ensemble("all", [two_runs[0], short])


def test_all_that_ended_are_announced_until_they_are_put_away(two_runs):
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for name in ("one", "two"):
        changed("first", name, created=now)
    changed("second", "kept", created=now, epochs_done=2)
    app = open_page("overview")
    for words in ("Finished: one", "Finished: two", "Kept at 2 of 4 epochs: kept"):
        assert words in said(app)
    app.button(key="put-away-one").click().run()
    assert "Finished: one" not in said(app)
    app.switch_page(page_path("confusion")).run()
    app.button(key="compare-two").click().run()
    assert app.title[0].value == "Confusion"  # it compares already
    assert (app.session_state["a"], app.session_state["b"]) == ("two", "one")
    app.session_state["finished-runs-seen"] = {"one"}
    app.switch_page(page_path("your_faces")).run()
    app.button(key="compare-two").click().run()
    assert app.title[0].value == "CNN on synthetic faces: two against one"
    app.session_state["finished-runs-seen"] = {"one"}
    app.run()
    assert "Finished: two" in said(app)
    for name in ("three", "four"):
        changed("first", name, created=now)
    app = open_page("overview")
    assert said(app).count("Finished: ") + said(app).count("Kept at") == 3
    assert "Finished before these: " in said(app)
    assert len(list_runs()) == 7
