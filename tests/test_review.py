"""Verdicts: kept by several at once, exchanged whole or not at all, laid over the right labels."""

import io
import json
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from fercore.analysis import relabelling, review, review_csv
from fercore.analysis.review import Verdict
from fercore.cli import app as cli
from fercore.errors import ConfigError, DataError
from fercore.labels import CLASSES
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.labelling import relabelled
from fercore.scoring.predictions import Predictions
from tests.conftest import ROOT
from tests.driving import keyed, named, press
from tests.test_pages import TIMEOUT, open_page, said


@pytest.fixture(autouse=True)
def own_reviews(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_REVIEWS", str(tmp_path / "reviews"))


def wrong(pixels: int, should_be: str = "neutral", **more) -> Verdict:
    return Verdict(pixels, 7, "FER2013", "sad", "wrong", should_be, **more)


def of_kind(pixels: int, verdict: str) -> Verdict:
    return Verdict(pixels, 7, "FER2013", "sad", verdict)


def exported() -> str:
    stream = io.StringIO()
    review_csv.export_csv(stream)
    return stream.getvalue()


def imported(text: str) -> review_csv.Imported:
    return review_csv.import_csv(io.BytesIO(text.encode()))


def test_a_verdict_is_kept_replaced_and_removed():
    assert review.find(-5) is None
    assert review.verdicts().empty
    first = review.save(wrong(-5, note="the mouth"))
    assert review.find(-5) == first
    second = review.save(of_kind(-5, "ambiguous"))
    assert review.find(-5) == second
    assert second.updated > first.updated
    assert second.updated.endswith("+00:00")
    review.remove(-5)
    review.remove(-5)
    assert review.find(-5) is None


def test_verdicts_are_filtered_newest_first():
    for pixels, verdict in enumerate(("right", "ambiguous", "right")):
        review.save(of_kind(pixels, verdict))
    review.save(Verdict(2**63 - 1, 0, "mine", "happy", "right"))
    assert review.verdicts()["pixels"].tolist() == [2**63 - 1, 2, 1, 0]
    assert review.verdicts(verdict="right", label="sad")["pixels"].tolist() == [2, 0]
    assert review.verdicts(label="fear").empty


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Verdict(1, 1, "d", "sad", "maybe"), "Choose a verdict"),
        (Verdict(1, 1, "d", "sad", "wrong"), "which expression it should be"),
        (Verdict(1, 1, "d", "sad", "wrong", "sad"), "as it is"),
        (Verdict(1, 1, "d", "sad", "wrong", "bored"), "'bored' is not one of"),
        (Verdict(1, 1, "d", "bored", "right"), "'bored' is not one of"),
        (Verdict(1, 1, "d", "sad", "right", "fear"), "Only where the label is wrong"),
        (Verdict(1, 1, "d", "sad", "right", note="x" * 501), "501 characters"),
        (Verdict(2**63, 1, "d", "sad", "right"), "out of range"),
    ],
)
def test_a_contradictory_verdict_is_refused(bad, words):
    with pytest.raises(ConfigError, match=words):
        review.save(bad)
    assert review.verdicts().empty


def test_processes_that_write_at_once_lose_nothing():
    """Four processes start on an empty folder together; each also rewrites one shared image."""
    code = (
        "import sys\nfrom fercore.analysis import review\n"
        "from fercore.analysis.review import Verdict\n"
        "start = int(sys.argv[1])\n"
        "for pixels in [*range(start, start + 25), 0]:\n"
        "    review.save(Verdict(pixels, pixels, 'FER2013', 'sad', 'right'))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(1000 * k)], stderr=subprocess.PIPE)
        for k in range(1, 5)
    ]
    for writer in writers:
        _, problem = writer.communicate(timeout=120)
        assert writer.returncode == 0, problem.decode()
    wanted = {0} | {1000 * k + i for k in range(1, 5) for i in range(25)}
    assert set(review.verdicts()["pixels"]) == wanted


def test_export_and_import_give_back_every_character(tmp_path):
    notes = ["=1+1", "'quoted'", 'says "no", then\nlooks away', "-", "été 😀", "a\r\nb", "", "  x "]
    kept = [review.save(wrong((-1) ** k * (2**62 + k), note=note)) for k, note in enumerate(notes)]
    assert review_csv.export_csv(tmp_path / "all.csv") == len(notes)
    assert "'=1+1" in (tmp_path / "all.csv").read_text()  # no spreadsheet computes it
    for verdict in kept:
        review.remove(verdict.pixels)
    assert review_csv.import_csv(tmp_path / "all.csv") == (len(notes), 0, 0)
    assert [review.find(verdict.pixels) for verdict in kept] == kept


def test_only_newer_verdicts_replace():
    review.save(of_kind(1, "right"))
    old = exported()
    review.save(of_kind(1, "ambiguous"))
    review.save(of_kind(2, "right"))
    assert imported(old) == (0, 0, 1)
    assert review.find(1).verdict == "ambiguous"
    now = exported()
    review.remove(2)
    imported(old)
    newer = now.replace("ambiguous", "unusable").replace("+00:00", "-01:00")  # an hour later
    assert imported(newer) == (1, 1, 0)
    assert review.find(1).verdict == "unusable"
    assert review.find(1).updated.endswith("+00:00")


def test_a_file_from_a_spreadsheet_is_read():
    review.save(wrong(1))
    text = "\ufeff" + exported().replace('"', "").replace("\n", "\r\n") + "\r\n"
    review.remove(1)
    assert imported(text) == (1, 0, 0)


GOOD = '"0x00000000000000{}",3,"FER2013","sad","wrong","fear","","2026-11-22T12:00:00+00:00"'
HEADER = ",".join(review.COLUMNS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"0x0000000000000002"', "1.23E+18"), "'1.23E\\+18' is no image hash"),
        ((",3,", ",third,"), "'third' is no row number"),
        (('"sad"', '"bored"'), "'bored' is not one of"),
        (('"wrong"', '"right"'), "Only where the label is wrong"),
        (('"fear"', '"sad"'), "as it is, is not wrong"),
        (('"fear"', '""'), "which expression it should be"),
        (('"",', '"' + "x" * 501 + '",'), "501 characters"),
        (("+00:00", ""), "no time with its zone"),
        (("2026-11-22", "yesterday"), "no time with its zone"),
        (("2026", "0001"), None),  # a time long ago is a time
        (('"",', ""), "7 fields, and 8 columns"),
        (('"0x0000000000000002"', '"0x0000000000000001"'), "on an earlier line"),
        (('"FER2013"', '"FER'), "unexpected end|expected after"),
    ],
)
def test_a_bad_line_is_named_and_nothing_changes(change, words):
    review.save(of_kind(9, "right"))
    before = review.verdicts()
    first = GOOD.format("01").replace('""', '"two\nlines"')  # so the bad line is the fourth
    text = "\n".join([HEADER, first, GOOD.format("02").replace(*change), GOOD.format("03")])
    if words is None:
        assert imported(text).new == 3
        return
    with pytest.raises(DataError, match=f"Line 4: .*({words}).*Nothing was imported"):
        imported(text)
    pd.testing.assert_frame_equal(review.verdicts(), before)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"Line 1: .*pixels, row.* not found"):
        imported("emotion,Usage\n3,Training\n")
    with pytest.raises(DataError, match="Line 1"):
        imported("")
    with pytest.raises(DataError, match="no CSV in UTF-8"):
        review_csv.import_csv(io.BytesIO(b"\xff\xfe\x00"))
    with pytest.raises(DataError, match="cannot be read"):
        review_csv.import_csv(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="cannot be written"):
        review_csv.export_csv(tmp_path / "no" / "folder.csv")


def test_a_database_that_is_not_ours_is_a_sentence(tmp_path):
    path = review.database_path()
    review.save(of_kind(1, "right"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(DataError, match="format 2, and this version of fercore reads 1"):
        review.verdicts()
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    with pytest.raises(DataError, match="no database of verdicts"):
        review.save(of_kind(1, "right"))
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(DataError, match="no database of verdicts"):
        review.find(1)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be used"):
        review.save(of_kind(1, "right"))


def five_images() -> Predictions:
    """Labels sad, sad, happy, fear, sad; predicted neutral, sad, happy, sad, sad."""
    predicted = np.array([6, 4, 3, 4, 4])
    return Predictions(
        rows=np.arange(5),
        pixels=np.array([10, 11, 12, 13, 10]),  # the first and the last are copies
        labels=np.array([4, 4, 3, 2, 4]),
        probs=np.eye(7, dtype=np.float32)[predicted],
    )


def save_all(*verdicts: Verdict) -> pd.DataFrame:
    for verdict in verdicts:
        review.save(verdict)
    return review.verdicts()


def test_verdicts_on_predictions_by_hand():
    table = five_images()
    verdicts = save_all(
        wrong(10), of_kind(11, "ambiguous"), of_kind(12, "right"), of_kind(13, "unusable"),
        wrong(99),
    )  # fmt: skip
    applied = relabelled(table, relabelling.by_verdicts(verdicts)).predictions
    assert applied.rows.tolist() == [0, 2, 4]
    assert [CLASSES[k] for k in applied.labels] == ["neutral", "happy", "neutral"]
    assert applied.predicted.tolist() == [6, 3, 4]
    assert table.labels.tolist() == [4, 4, 3, 2, 4]

    found = relabelling.rescore(grouped([table]), verdicts)
    assert (found.relabelled, found.left_out) == (2, 2)
    assert found.stored.accuracy == pytest.approx(3 / 5)
    assert found.reviewed.accuracy == pytest.approx(2 / 3)
    assert found.reviewed.interval.low < 2 / 3 < found.reviewed.interval.high
    for scores, labels, predicted in (
        (found.stored, table.labels, table.predicted),
        (found.reviewed, [6, 3, 6], [6, 3, 4]),
    ):
        assert scores.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_without_verdicts_nothing_changes_and_with_all_left_out_nothing_remains():
    table = five_images()
    none = relabelling.by_verdicts(review.verdicts())
    assert relabelled(table, none).predictions.same_images(table)
    verdicts = save_all(*(of_kind(pixels, "unusable") for pixels in (10, 11, 12, 13)))
    found = relabelling.rescore(grouped([table]), verdicts)
    assert found.left_out == 5
    assert found.reviewed.n == 0
    assert np.isnan(found.reviewed.accuracy)


def test_two_verdicts_on_one_image_are_refused():
    verdicts = save_all(wrong(10))
    with pytest.raises(DataError, match="two verdicts"):
        relabelling.rescore(grouped([five_images()]), pd.concat([verdicts, verdicts]))


def test_the_hash_tells_what_changes_and_nothing_else():
    verdicts = save_all(wrong(1), of_kind(2, "unusable"))
    told = relabelling.verdicts_hash(verdicts)
    assert relabelling.verdicts_hash(verdicts[::-1].assign(note="other", updated="later")) == told
    assert relabelling.verdicts_hash(save_all(of_kind(3, "right"))) == told
    assert relabelling.verdicts_hash(save_all(of_kind(2, "ambiguous"))) != told
    review.save(of_kind(2, "unusable"))
    assert relabelling.verdicts_hash(save_all(wrong(1, "fear"))) != told


def test_the_training_overlay_never_touches_test_images(faces):
    """Every image of the set is said to be wrong or unusable; only Training's change."""
    hashes = faces.pixel_hashes()
    assert relabelling.apply_to_training(faces, review.verdicts()) is faces
    verdicts = pd.DataFrame(
        {
            "pixels": hashes,
            "verdict": np.where(np.arange(len(faces)) % 2, "wrong", "unusable"),
            "should_be": [
                CLASSES[(label + 1) % 7] if k % 2 else "" for k, label in enumerate(faces.labels)
            ],
        }
    ).drop_duplicates("pixels")
    overlaid = relabelling.apply_to_training(faces, verdicts)
    for usage in ("PublicTest", "PrivateTest"):
        before, after = faces.part(usage), overlaid.part(usage)
        np.testing.assert_array_equal(after.images, before.images)
        np.testing.assert_array_equal(after.labels, before.labels)
        np.testing.assert_array_equal(after.row, before.row)
    kept = (faces.usage == "Training") & (np.arange(len(faces)) % 2 == 1)
    np.testing.assert_array_equal(overlaid.part("Training").row, faces.row[kept])
    np.testing.assert_array_equal(overlaid.part("Training").labels, (faces.labels[kept] + 1) % 7)
    assert overlaid.fingerprint != faces.fingerprint
    assert f"{kept.sum()} images relabelled" in overlaid.notes[-1]
    assert relabelling.verdicts_hash(verdicts) in overlaid.notes[-1]

    only_tests = verdicts[verdicts["pixels"].isin(hashes[faces.usage != "Training"])]
    assert relabelling.apply_to_training(faces, only_tests) is faces


def test_command_line(tmp_path):
    def run(*arguments):
        return CliRunner().invoke(cli, ["review", *arguments])

    review.save(wrong(5, note="[/b] a\nnote"))
    review.save(of_kind(6, "right"))
    assert "[/b] a note" in run("list").stdout
    listed = json.loads(run("list", "--verdict", "wrong", "--json").stdout)
    assert [(one["pixels"], one["should_be"]) for one in listed] == [(5, "neutral")]
    assert isinstance(run("list", "--label", "bored").exception, ConfigError)
    path = str(tmp_path / "all.csv")
    assert "2 verdicts written" in run("export", path).stdout
    review.remove(5)
    assert "2 verdicts read: 1 new, 0 in place" in run("import", path).stdout
    assert review.find(5).note == "[/b] a\nnote"


def form(sample) -> AppTest:
    """The buttons and the note for one line of a sample table, on a page of their own."""

    def page(pixels, row, label):
        from dashboard.faces.verdict_form import Labelled, verdict_buttons, verdict_note

        image = Labelled(pixels, row, "synthetic", label)
        verdict_buttons(image, lambda: None)
        verdict_note(image)

    arguments = {"pixels": int(sample.pixels), "row": int(sample.row), "label": sample.label}
    return AppTest.from_function(page, kwargs=arguments, default_timeout=TIMEOUT).run()


def given(app: AppTest) -> list[str]:
    """The verdicts whose buttons are filled."""
    buttons = [button for button in app.button if (button.key or "").startswith("verdict-")]
    return [button.label for button in buttons if button.proto.type == "primary"]


def first_mistake(run):
    from fercore.scoring.samples import sample_table

    samples = sample_table(run.predictions())
    return next(samples[~samples["a_correct"]].itertuples())


def test_a_verdict_left_in_the_form_changes_the_scores_on_the_page(two_runs):
    sample = first_mistake(two_runs[0])
    app = form(sample)
    app.text_area[0].input("plainly")
    press(app, sample.a_predicted)
    assert f"Saved. Row {sample.row}: Label wrong, should be {sample.a_predicted}" in said(app)
    assert given(app) == [sample.a_predicted]
    kept = review.find(sample.pixels)
    assert (kept.row, kept.label, kept.note) == (sample.row, sample.label, "plainly")

    page = open_page("review", a="first", b="second")
    shown = page.table[0].value.reset_index()
    for line, run in enumerate(two_runs):
        table = run.predictions()
        labels = table.labels.copy()
        labels[table.pixels == sample.pixels] = CLASSES.index(sample.a_predicted)
        for told, truth in (("as stored", table.labels), ("with verdicts", labels)):
            accuracy = accuracy_score(truth, table.predicted)
            assert shown[f"accuracy {told}"][line].startswith(f"{100 * accuracy:.1f}\u00a0% [")
            f1 = f1_score(truth, table.predicted, average="macro")
            assert shown[f"macro F1 {told}"][line] == f"{100 * f1:.1f}\u00a0%"
    assert shown["accuracy as stored"][0] != shown["accuracy with verdicts"][0]
    assert shown["relabelled"][0] == str((table.pixels == sample.pixels).sum())
    assert page.dataframe[0].value["note"].tolist() == ["plainly"]

    tile = keyed(page.button, "review-open")
    assert tile.label == f"{sample.label}: {sample.a_predicted}"
    tile.click().run()
    assert given(page) == [sample.a_predicted]
    assert page.text_area[0].value == "plainly"


def test_what_cannot_be_saved_is_told_and_the_note_is_kept(two_runs, monkeypatch):
    sample = first_mistake(two_runs[0])
    app = form(sample)
    app.text_area[0].input("do not lose me")
    with monkeypatch.context() as patched:
        patched.setattr(review, "save", _broken)
        patched.setattr(review, "find", _broken)
        press(app, "Ambiguous")
    assert "The disk is full." in said(app)
    assert app.text_area[0].value == "do not lose me"
    press(app, "Ambiguous")
    assert "Saved." in said(app)
    assert review.find(sample.pixels).note == "do not lose me"


def test_a_newer_verdict_brings_its_own_note(two_runs, monkeypatch):
    sample = first_mistake(two_runs[0])
    app = form(sample)  # opened and closed, nothing typed
    review.save(of_kind(sample.pixels, "ambiguous"))
    theirs = Verdict(sample.pixels, sample.row, "synthetic", sample.label, "right", note="theirs")
    review.save(theirs)
    app.run()
    assert app.text_area[0].value == "theirs"
    press(app, "Ambiguous")
    assert review.find(sample.pixels).note == "theirs"

    app.text_area[0].input("half wr").run()
    assert app.text_area[0].value == "half wr"
    with monkeypatch.context() as patched:
        patched.setattr(review, "find", _broken)
        app.run()
        assert app.text_area[0].value == "half wr"
    press(app, "Label right")
    assert review.find(sample.pixels).note == app.text_area[0].value == "half wr"
    press(app, "Remove")
    assert app.text_area[0].value == ""


def _broken(*_):
    raise DataError("The disk is full.")


def test_a_verdict_is_removed_with_its_fields(two_runs):
    sample = first_mistake(two_runs[0])
    app = press(form(sample), "Not a usable face")
    press(app, "Remove")
    assert "Removed." in said(app)
    assert review.verdicts().empty
    assert not given(app)
    assert named(app.button, "Remove").disabled


def test_a_copy_with_another_label_starts_without_a_verdict(two_runs):
    sample = first_mistake(two_runs[0])
    other = next(name for name in CLASSES if name != sample.label)
    review.save(Verdict(sample.pixels, 4, "synthetic", other, "wrong", sample.label))
    app = form(sample)
    assert f"labelled **{other}** (row 4)" in said(app)
    assert not given(app)


def test_the_page_without_verdicts_says_where_to_leave_one(two_runs):
    page = open_page("review")
    assert "Open a face on Misclassified" in said(page)
    assert "verdicts" in " ".join(box.label.lower() for box in page.main.file_uploader)


def test_the_page_filters_imports_and_says_what_came(two_runs):
    samples = two_runs[0].predictions()
    for pixels, verdict in zip(samples.pixels[:2].tolist(), ("right", "unusable")):
        review.save(of_kind(pixels, verdict))
    saved = exported()
    review.remove(samples.pixels[0])
    page = open_page("review")
    page.file_uploader[0].upload("verdicts.csv", saved.encode(), "text/csv").run()
    assert "2 verdicts read: 1 new" in said(page)
    assert page.metric[0].value == "2"
    page.selectbox(key="verdict").select("unusable").run()
    assert page.dataframe[0].value["verdict"].tolist() == ["Not a usable face"]
    page.selectbox(key="label").select("fear").run()
    assert "No verdict fits" in said(page)

    page.file_uploader[0].upload(
        "bad.csv", saved.replace("sad", "bored").encode(), "text/csv"
    ).run()
    assert "Line 2: 'bored' is not one of" in said(page)
    assert len(review.verdicts()) == 2


@pytest.mark.parametrize("part", ["clean", "public"])
def test_other_parts_and_one_model(two_runs, part):
    review.save(of_kind(1, "right"))
    page = open_page("review", part=part, b="none")
    assert len(page.table[0].value) == 1
    assert "1 of these 1 images are not in model" in said(page)


def test_a_broken_database_is_a_sentence_on_the_page(two_runs):
    review.database_path().parent.mkdir(exist_ok=True)
    review.database_path().write_bytes(b"no database at all" * 100)
    assert "no database of verdicts" in said(open_page("review"))


def test_reviewing_needs_no_torch():
    modules = "fercore.analysis.review, dashboard.faces.review_panel"
    check = f"import {modules}, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT, env=os.environ)
