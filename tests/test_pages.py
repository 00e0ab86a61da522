"""Every page opens, with and without images, with no run, one and two, and says what it should."""

import gc
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from types import FunctionType

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.base import image_loading, loading
from dashboard.base.navigation import PAGES
from dashboard.compare.start_here import WAYS
from fercore import jobs
from fercore.files import write_json
from fercore.groups.group import group_of
from fercore.jobs.request import Request, prepare
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.folders import artifacts_folder, local_folder
from fercore.runs.listing import find_run, list_runs, look_through_runs
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.grouped.comparison import crossed_difference
from fercore.training.recipes import find_recipe
from fercore.wording import number, percent, points_interval
from tests.conftest import ROOT
from tests.driving import keyed, press
from tests.seeds import two_groups

ANALYSIS = [
    "overview", "confusion", "per_class", "roc_and_pr", "calibration", "misclassified", "training"
]  # fmt: skip
NAMING_NO_MODEL = {"webcam", "does_the_lstm_lose", "pretraining", "runs", "your_faces"}
EMPTY = {  # what a page says where there is no run
    "does_the_lstm_lose": "The study has not run yet",
    "pretraining": "The study has not run yet",
    "your_faces": "No faces are kept yet",
}
TIMEOUT = 60


@pytest.fixture(autouse=True)
def no_video(monkeypatch):
    """A page under test has no browser to send video from; the end-to-end tests have one."""
    from types import SimpleNamespace

    stopped = SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))
    monkeypatch.setattr("streamlit_webrtc.webrtc_streamer", lambda **_: stopped)


def open_page(name: str, **state) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=TIMEOUT)
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    if name != "overview":
        app.switch_page(str(PAGES[name].path)).run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    """All the words on the page, with spaces that may break; of badges the words."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    words = "\n".join(str(element.value) for kind in kinds for element in kind)
    return without_badges(words).replace("\u00a0", " ")


def without_badges(words: str) -> str:
    return re.sub(r":[a-z]+-badge\[:material/\w+: ([^]]*)]", r"\1", words)


@pytest.mark.parametrize("name", PAGES)
def test_with_two_runs(two_runs, name):
    app = open_page(name)
    assert len(app.title) == 1
    assert "drawn, not photographed" in said(app) or name in NAMING_NO_MODEL


@pytest.mark.parametrize("name", PAGES)
def test_with_one_run(two_runs, name):
    shutil.rmtree(two_runs[1].folder)
    app = open_page(name)
    assert len(app.title) == 1


def copy_of(run: Run, *, seed: int) -> Run:
    """The same run once more, as if it had been another seed's."""
    folder = run.folder.with_name(f"{run.run_id}-{seed}")
    shutil.copytree(run.folder, folder)
    write_json(folder / "run.json", run.info | {"run_id": folder.name, "seed": seed})
    return find_run(folder.name)


@pytest.mark.parametrize("name", PAGES)
def test_with_an_ensemble(two_runs, name):
    make_ensemble("both", [two_runs[0], copy_of(two_runs[0], seed=1)])
    app = open_page(name, a="both")
    assert not app.error
    if name in ("webcam", "training", "robustness", "embedding"):
        assert "an ensemble" in said(app)


def test_a_model_without_weights_is_left_out(two_runs):
    make_ensemble("both", [two_runs[0], copy_of(two_runs[0], seed=1)])
    words = said(open_page("webcam", a="second", b="both"))
    assert "B: 'both' is an ensemble of 2 runs" in words
    assert ":orange[**B**]" not in words


@pytest.fixture
def of_two_groups(run_folders) -> list[Run]:
    """Three seeds each of 'cnn@quick' and 'cnn_lstm@quick'."""
    two_groups(run_folders)
    return [find_run(f"{name}-{seed}") for name in ("cnn", "lstm") for seed in range(3)]


GROUPS = {"a": "cnn@quick", "b": "cnn_lstm@quick"}
OF_ONE_SEED = {"robustness", "embedding", "training", "predict", "what_if", "webcam"}


@pytest.mark.parametrize("name", PAGES)
def test_with_two_groups(of_two_groups, name):
    app = open_page(name, **GROUPS)
    assert not app.error
    words = said(app)
    assert "CNN · synthetic · quick · 3 seeds" in words
    assert ("the median of 3 on PublicTest" in words) == (name in OF_ONE_SEED)


@pytest.mark.parametrize("name", [*ANALYSIS, "slices"])
@pytest.mark.parametrize("pair", [("cnn@quick", "lstm-1"), ("lstm-1", "cnn@quick")])
def test_with_a_group_and_a_run(of_two_groups, name, pair):
    app = open_page(name, a=pair[0], b=pair[1])
    assert not app.error
    assert "3 seeds" in said(app)


def test_the_app_opens_on_two_groups_of_one_recipe(of_two_groups):
    app = open_page("overview")
    assert (app.selectbox(key="a").value, app.selectbox(key="b").value) == tuple(GROUPS.values())
    assert app.selectbox(key="a").options[:2] == list(GROUPS.values())
    made_here = {run.run_id for run in list_runs()}
    assert set(app.selectbox(key="a").options[2 : 2 + len(made_here)]) == made_here


def test_overview_compares_groups_over_seeds_and_images(of_two_groups):
    words = said(open_page("overview", **GROUPS))
    right = {key: np.stack([run.predictions().correct for run in own])
             for key, own in (("a", of_two_groups[:3]), ("b", of_two_groups[3:]))}  # fmt: skip
    expected = crossed_difference(right["a"], right["b"])
    assert f"{100 * right['a'].mean():.1f} %" in words
    assert points_interval(expected.interval).replace("\u00a0", " ") in words
    assert f"{number(100 * expected.detectable)} points or more" in words
    assert "exact McNemar p" not in words
    assert "3 seeds each" in words
    seeds, images, rest = (percent(share, 0) for share in expected.shares)
    told = f"{seeds} comes from the seeds, {images} from the images, and {rest} is the rest"
    assert told.replace("\u00a0", " ") in words


def test_misclassified_counts_the_seeds_that_are_wrong(of_two_groups):
    app = open_page("misclassified", **GROUPS, order="seeds")
    wrong = sum((~run.predictions().correct).astype(int) for run in of_two_groups[:3])
    faces = [button.label for button in app.button if "→" in button.label]
    assert all("wrong in 3 of 3" in label for label in faces[: (wrong == 3).sum()])
    app.segmented_control(key="which").set_value("all")
    app.slider(key="seeds-wrong").set_value((30, 40)).run()
    assert f"{int((wrong == 1).sum())} faces**" in said(app)
    app.slider(key="seeds-wrong").set_value((0, 100))
    app.segmented_control(key="which").set_value("all seeds of both wrong").run()
    every = np.all([~run.predictions().correct for run in of_two_groups], axis=0)
    words = said(app)
    assert f"{every.sum()} faces** of 350" in words
    assert f"No seed of A or of B is right on {every.sum()} faces" in words


def test_confusion_says_how_many_faces_a_cell_of_means_opens(of_two_groups):
    cell = GROUPS | {"true": "sad", "predicted": "neutral"}
    (found,) = re.findall(r"Most of them say so of (\d+) im", said(open_page("confusion", **cell)))
    faces = re.search(r"(\d+) faces\*\* of", said(open_page("misclassified", **cell, which="all")))
    assert found == faces[1]


def test_a_face_of_groups_says_how_many_seeds_are_wrong(of_two_groups):
    row = int(of_two_groups[0].predictions().rows[0])
    app = open_page("misclassified", **GROUPS, which="all")
    app.session_state["face"] = row
    words = said(app.run())
    wrong = sum(int(not run.predictions().correct[0]) for run in of_two_groups[:3])
    assert f"in most seeds: wrong in {wrong} of 3" in words


@pytest.mark.parametrize("name", PAGES)
def test_with_no_run(name):
    assert EMPTY.get(name, "There is no run yet") in said(open_page(name))


@pytest.mark.parametrize("name", ANALYSIS)
@pytest.mark.parametrize("part", ["clean", "public"])
def test_other_parts(two_runs, name, part):
    open_page(name, part=part)


def test_overview_gives_the_verdict(two_runs):
    words = said(open_page("overview", a="first", b="second"))
    accuracy = find_run("first").predictions().correct.mean()
    assert f"{100 * accuracy:.1f} %" in words
    assert "exact McNemar" in words
    assert "n = 350" in words


def test_overview_links_to_the_most_frequent_confusions(two_runs):
    from fercore.scoring.evaluation import confusions

    app = open_page("overview", a="first", b="second")
    first = confusions(find_run("first").predictions()).iloc[0]
    labels = [link.proto.label for link in app.get("page_link") if "→" in link.proto.label]
    assert len(labels) == 3
    assert labels[0].startswith(f"{first['label']} → {first['predicted']}: A {first['count']} · B ")
    link = next(link for link in app.get("page_link") if link.proto.label == labels[0])
    assert "which=a" in link.proto.query_string  # as many as it says, whatever was chosen


def test_a_part_without_images_is_a_sentence(two_runs):
    frame = two_runs[0].prediction_frame
    frame = frame[frame["usage"] == "PublicTest"]
    frame.to_parquet(two_runs[0].folder / "predictions.parquet")
    write_json(two_runs[0].folder / "metrics.json", evaluate_parts(frame))
    today = {"created": datetime.now(UTC).isoformat()}
    write_json(two_runs[0].folder / "run.json", two_runs[0].info | today)
    for name in ANALYSIS[:-1]:
        words = said(open_page(name, a="first"))
        assert "A was not scored on these images" in words
        assert "right on synthetic faces (PublicTest)." in words


@pytest.mark.parametrize("name", ["training", "webcam"])
def test_a_damaged_new_run_is_a_sentence_beside_the_page(two_runs, name):
    today = {"created": datetime.now(UTC).isoformat()}
    write_json(two_runs[1].folder / "run.json", two_runs[1].info | today)
    (two_runs[1].folder / "metrics.json").write_text("{")
    (two_runs[1].folder / "predictions.parquet").write_text("{")
    app = open_page(name, a="first", b="first", retrain=True)
    assert any("predictions.parquet" in error.value for error in app.error)
    assert len(app.title) == 1
    assert "Start training" in [button.label for button in app.button]


def test_confusion_names_the_chosen_cell(two_runs):
    app = open_page("confusion", a="first")
    app.selectbox(key="true").select("sad").run()
    app.selectbox(key="predicted").select("neutral").run()
    table = find_run("first").predictions()
    wrong = ((table.labels == 4) & (table.predicted == 6)).sum()
    assert f"says **neutral** where the label says **sad**: {wrong} of 50" in said(app)


def test_confidence_and_label_select_on_misclassified(two_runs):
    app = open_page("misclassified", a="first", b="none", true="happy", confidence=(50, 100))
    table = two_runs[0].predictions()
    wrong = ~table.correct & (table.labels == 3) & (table.confidence >= 0.5)
    assert f"{wrong.sum()} faces" in said(app)
    assert "the label says **happy**, A's confidence **50–100 %**" in said(app)


def test_both_wrong_alike(two_runs):
    app = open_page("misclassified", a="first", b="second", which="both wrong alike")
    a, b = (run.predictions() for run in two_runs)
    assert f"{(~a.correct & ~b.correct & (a.predicted == b.predicted)).sum()} faces" in said(app)


def test_roc_counts_decisions_at_the_threshold(two_runs):
    app = open_page("roc_and_pr", a="first", b="none", true="sad", threshold=0.4)
    table = two_runs[0].predictions()
    called, sad = table.probs[:, 4] >= 0.4, table.labels == 4
    assert f"recall **{100 * (called & sad).sum() / 50:.1f} %**" in said(app)
    decisions = app.table[0].value
    assert decisions.iloc[0, 0] == str((called & sad).sum())
    assert decisions.iloc[1, 0] == str((called & ~sad).sum())


@pytest.mark.parametrize("model", ["cnn", "cnn_lstm"])
def test_the_study_page_opens_after_its_first_training(faces, model):
    from fercore.study.runner import run_study
    from fercore.study.store import StudyStore
    from fercore.study.variants import MAIN, STUDIES

    tiny = replace(find_recipe("quick"), epochs=1, batch_size=64, model_arguments={"width": 4})
    study = next(one for one in STUDIES.values() if one.before == MAIN)
    requests = study.requests(1, tiny, only=[model], threads=1)
    run_study(StudyStore(study.name), requests, faces)
    words = said(open_page("does_the_lstm_lose"))
    assert f"{len(study.variants) - 1} of its variants have no training yet" in words
    assert "Is there a difference?" not in words


def test_per_class_warns_of_few_images(two_runs):
    assert "Few images, wide intervals" in said(open_page("per_class"))


def test_misclassified_shows_the_faces_of_a_cell(two_runs):
    app = open_page("misclassified", a="first", b="second")
    table = find_run("first").predictions()
    assert f"{(~table.correct).sum()} faces" in said(app)
    app.selectbox(key="true").select("happy").run()
    wrong = (~table.correct & (table.labels == 3)).sum()
    assert f"{wrong} faces" in said(app)
    tiles = [b for b in app.button if (b.key or "").startswith("face-")]
    assert len(tiles) == min(wrong, 60)
    assert all(tile.label.startswith("happy → ") for tile in tiles)
    confidences = [float(tile.label.split()[-1]) for tile in tiles]
    assert confidences == sorted(confidences, reverse=True)
    tiles[0].click().run()
    assert not app.exception
    assert "Label: **happy**" in said(app)


def test_a_cell_on_the_diagonal_shows_what_is_right(two_runs):
    app = open_page("misclassified", a="first", true="happy", predicted="happy")
    table = find_run("first").predictions()
    assert f"{(table.correct & (table.labels == 3)).sum()} faces" in said(app)
    app.segmented_control(key="order").set_value("margin").run()
    happy = table.probs[table.correct & (table.labels == 3)]
    others = np.delete(happy, 3, axis=1).max(1)
    narrowest = happy[(happy[:, 3] - others).argmin(), 3]
    first = keyed(app.button, "face-")
    assert first.label == f"happy → happy {narrowest:.2f}"


def test_what_is_paged_anew_begins_at_its_first_page(two_runs):
    app = open_page("misclassified", a="first", b="second")
    app.session_state["page"] = 2
    app.run()
    assert app.session_state["page"] == 2
    app.segmented_control(key="order").set_value("loss").run()
    assert app.session_state["page"] == 1
    app.session_state["page"] = 2
    app.run()
    app.selectbox(key="part").select("public").run()
    assert app.session_state["page"] == 1


def test_what_a_face_is_asked_for_first_is_what_the_model_says_of_it(two_runs):
    app = open_page("misclassified", a="first", b="second")
    tiles = [button for button in app.button if (button.key or "").startswith("face-")]
    said_of = {tile.key: tile.label.split()[2] for tile in tiles}
    first = tiles[0].key
    other = next(key for key, expression in said_of.items() if expression != said_of[first])
    app.session_state["face-tab"] = "What they look at"
    for key in (first, other):
        app.button(key=key).click().run()
        (asked,) = (box for box in app.selectbox if box.label == "What speaks for")
        assert asked.value == said_of[key]


def test_misclassified_without_the_images_still_shows_the_table(two_runs, monkeypatch):
    as_if_real(two_runs[0], monkeypatch)
    app = open_page("misclassified", a="first", b="none")
    assert "fercore data download" in said(app)
    shown = app.dataframe[0].value
    assert len(shown) == (~find_run("first").predictions().correct).sum()
    assert {"row", "label", "a_predicted", "a_confidence"} <= set(shown.columns)


def as_if_real(run, monkeypatch) -> None:
    """Give a run FER2013's name, so that its images are looked for and not found."""
    monkeypatch.setattr("fercore.runs.artifacts.Run.dataset", property(lambda self: "FER2013"))


def test_predict_looks_at_an_upload(two_runs):
    from PIL import Image
    from skimage.data import astronaut

    from tests.test_photos_and_faces import encoded

    app = open_page("predict")
    photo = encoded(Image.fromarray(astronaut()), "JPEG")
    app.file_uploader[0].upload("me.jpg", photo, "image/jpeg").run()
    assert not app.exception
    assert "me.jpg" in [heading.value for heading in app.subheader]
    assert any(name in said(app) for name in CLASSES)


def test_predict_says_what_is_wrong_with_a_file_and_goes_on(two_runs):
    app = open_page("predict")
    app.file_uploader[0].upload("bad.jpg", b"nothing", "image/jpeg").run()
    assert "bad.jpg: this is not a picture" in said(app)
    assert not app.exception


def test_predict_with_a_sample(two_runs):
    app = open_page("predict", sample="drawn face")
    assert "the whole of it is taken" in said(app)


def test_a_bad_ice_setting_is_a_sentence(two_runs, monkeypatch):
    monkeypatch.setenv("FERCORE_ICE_SERVERS", "{not json")
    assert "FERCORE_ICE_SERVERS is not JSON" in said(open_page("webcam"))


def test_a_damaged_run_is_a_sentence(two_runs):
    (two_runs[0].folder / "run.json").write_text("{")
    words = said(open_page("overview"))
    assert "first: its run.json cannot be read" in words
    assert group_of(find_run("second")).title in words


def test_the_sidebar_shows_a_broken_off_training(two_runs):
    recipe = replace(find_recipe("quick"), epochs=3)
    prepare(Request("broken", "cnn", recipe, data="synthetic"))
    app = open_page("overview")
    assert "Its process is gone" in said(app)
    app.button(key="discard-broken").click().run()
    assert "Discard broken with its checkpoint? That cannot be undone." in said(app)
    app.button(key="keep-it-broken").click().run()
    assert "cannot be undone" not in said(app)
    assert [job.run_id for job in jobs.list_jobs()] == ["broken"]
    app.button(key="discard-broken").click().run()
    app.button(key="discard-it-broken").click().run()
    assert not (artifacts_folder() / "runs" / "broken").exists()
    assert jobs.list_jobs() == []


def test_the_panel_opens_for_the_first_training_and_stays_when_the_last_one_goes(two_runs):
    app = open_page("overview")

    def form_drawn() -> bool:
        return "Start training" in [button.label for button in app.button]

    assert not form_drawn()
    prepare(Request("broken", "cnn", find_recipe("quick"), data="synthetic"))
    app.run()
    assert form_drawn()
    app.number_input(key="train-seed").set_value(7).run()
    jobs.discard("broken")
    app.run()
    assert form_drawn()
    assert app.number_input(key="train-seed").value == 7
    app.session_state["retrain"] = False
    app.run()
    assert not form_drawn()


def test_the_sidebar_says_what_is_wrong_with_a_dataset(two_runs, tmp_path):
    app = open_page("overview")
    app.text_input(key="data_path").input(str(tmp_path / "nothing.csv")).run()
    press(app, "Use this dataset")
    assert "no such file" in said(app)


def test_the_browser_begins_with_the_models_that_are_shown(two_runs):
    """Where it began with another one, a click before it hears of the value would choose that."""
    for chosen in ({}, {"a": "first", "b": "none"}):
        app = open_page("overview", **chosen)
        for box in (app.selectbox(key="a"), app.selectbox(key="b")):
            assert box.proto.options[box.proto.default] == box.value
    app = open_page("overview", part="public", true="sad", predicted="fear")
    for key, shown in (("part", "PublicTest"), ("true", "sad"), ("predicted", "fear")):
        box = app.selectbox(key=key)
        assert box.proto.options[box.proto.default] == shown


def test_the_choice_of_a_start_outlives_another_run(two_runs, monkeypatch):
    monkeypatch.setattr(jobs, "estimate", lambda request: jobs.Estimate(60, 100))
    app = open_page("overview", retrain=True)
    app.selectbox(key="train-start").select("first")
    press(app, "How long?")
    copy_of(two_runs[0], seed=1)
    app.run()
    assert "first-1" in app.selectbox(key="train-start").options
    assert app.selectbox(key="train-start").value == "first"


def test_the_form_offers_the_dataset_that_was_chosen_meanwhile(two_runs, tmp_path, monkeypatch):
    app = open_page("overview", retrain=True)
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    app.run()
    (recipe,) = (box for box in app.selectbox if box.label == "Recipe")
    (source,) = (box for box in app.selectbox if box.label == "Data")
    assert (recipe.value, source.value) == ("fast", tmp_path)


def test_a_finished_run_is_measured_by_one_of_its_recipe(two_runs):
    from dashboard.sidebar.finished_view import counterpart

    new = two_runs[0]
    others = [copy_of(new, seed=1), copy_of(new, seed=2), two_runs[1]]
    other_recipe = replace(others[0], recipe=find_recipe("best"))
    assert counterpart(new, [other_recipe, *others[1:]]) == others[1]


def test_the_images_of_a_set_without_privatetest_are_found(two_runs):

    run = two_runs[0]
    frame = run.prediction_frame
    frame[frame["usage"] == "PublicTest"].to_parquet(run.folder / "predictions.parquet")
    assert image_loading.images(find_run("first")).missing == ""


def test_another_file_at_the_same_path_is_noticed(tmp_path):
    from dashboard.base.image_loading import stamp

    path = tmp_path / "fer2013.csv"
    assert stamp(path) is None
    path.write_text("one")
    first = stamp(path)
    path.write_text("another")
    assert None is not stamp(path) != first


def test_the_sidebar_says_where_a_variable_names_the_dataset(two_runs, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", "synthetic")
    app = open_page("overview")
    assert "`FERCORE_DATA` names the dataset" in said(app)
    assert not any(field.key == "data_path" for field in app.text_input)


def test_what_is_selected_is_told_from_what_the_figures_show(two_runs):
    everything = "the figures here are of all images"
    assert everything in said(open_page("calibration", true="sad"))
    assert everything not in said(open_page("calibration"))
    assert everything not in said(open_page("misclassified", true="sad"))


def test_the_decisions_follow_the_label_in_the_sidebar(two_runs):
    app = open_page("roc_and_pr", a="first", b="none")
    app.selectbox(key="true").select("fear").run()
    assert "called fear" in app.table[0].value


def test_a_late_look_at_publictest_is_explained(two_runs):
    history = two_runs[0].history()
    history.loc[0, ["val_loss", "val_accuracy"]] = None
    history.to_json(two_runs[0].folder / "history.jsonl", orient="records", lines=True)
    words = said(open_page("training", a="first", b="second"))
    assert "PublicTest was asked late: A from epoch 2 on." in words


def test_the_worst_class_of_the_overview_is_selected_by_its_link(two_runs):
    links = open_page("overview", a="first", b="second").get("page_link")
    link = next(link for link in links if "A finds" in link.proto.label)
    weakest = min(
        find_run("first").metrics()["private"]["per_class"], key=lambda row: row["recall"]
    )
    assert link.proto.label.startswith(weakest["class"])
    assert f"true={weakest['class']}" in link.proto.query_string


def test_a_row_of_the_samples_opens_its_face_where_the_images_are_not_here(two_runs, monkeypatch):
    as_if_real(two_runs[0], monkeypatch)
    app = open_page("misclassified", a="first", b="none")
    first = app.dataframe[0].value.iloc[0]
    app.session_state["face"] = int(first["row"])
    app.run()
    assert not app.exception
    assert f"Row {first['row']} of the dataset" in said(app)


def test_the_parts_of_the_audit_are_slices_that_there_are():
    from dashboard.compare.audit_view import SLICE_OF_PART
    from fercore.scoring.slices import SLICES, slice_title

    known = {slice_title(name, part) for name, parts in SLICES.items() for part in parts}
    assert set(SLICE_OF_PART.values()) <= known


def test_one_model_alone_has_no_differences(two_runs):
    app = open_page("per_class", a="first", b="none")
    assert list(app.dataframe[0].value.columns)[2:] == ["A F1", "A, 95 %"]


def test_per_class_leads_to_one_class_in_depth(two_runs):
    def ways(**selected: str) -> list[str]:
        links = open_page("per_class", a="first", b="second", **selected).get("page_link")
        return [link.proto.label for link in links if link.proto.label.endswith(" in depth")]

    scores = find_run("first").metrics()["private"]["per_class"]
    assert ways() == [f"{min(scores, key=lambda row: row['f1'])['class']} in depth"]
    assert ways(true="sad") == ways(true="sad", predicted="happy") == ["sad in depth"]


def test_a_session_keeps_nothing_of_the_pages_it_has_left(two_runs):
    """A page's function holds all that the page held, and a figure holds on to what it calls."""

    def held() -> int:
        gc.collect()
        functions = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
        own = [one for one in functions if one.__code__.co_filename.endswith("pages/confusion.py")]
        return len([function for function in own if function.__name__ == "take_click"])

    app = open_page("confusion")
    figures = held()
    for normalise in ("column", "count", "row"):
        app.session_state["normalise"] = normalise
        for a, b in (("first", "second"), ("second", "first")):
            app.session_state["a"], app.session_state["b"] = a, b
            app.run()
    assert held() <= 2 * figures  # those shown, and perhaps those shown before


def test_overview_says_what_the_models_cannot_do_and_where_to_begin(two_runs):
    app = open_page("overview")
    scores = find_run("second").metrics()["private"]
    worst = min(scores["per_class"], key=lambda row: row["recall"])
    told = f"A is wrong on {percent(1 - scores['accuracy'])}", f"{worst['class']} A finds"
    assert all(words.replace("\u00a0", " ") in said(app) for words in told)
    ways = {link.proto.label: link.proto for link in app.get("page_link")}
    assert "explain=on" in str(ways["What does a confusion matrix say?"])
    assert {way.question for way in WAYS} <= set(ways)


def test_a_page_looks_through_the_runs_once(two_runs, monkeypatch):
    looks = []

    def counted():
        looks.append(1)
        return look_through_runs()

    app = open_page("misclassified")
    monkeypatch.setattr(loading, "look_through_runs", counted)
    app.run()
    assert len(looks) == 1
    third = local_folder("third")
    shutil.copytree(two_runs[0].folder, third)
    write_json(third / "run.json", two_runs[0].info | {"run_id": "third"})
    app.run()
    assert "third" in app.selectbox(key="a").options
