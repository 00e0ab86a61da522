"""A table of another program's answers becomes a run; one that cannot be right is told."""

import json
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from fercore import data
from fercore.errors import DataError, FerError, NameTaken
from fercore.groups.finding import find_group
from fercore.groups.group import group_of
from fercore.importing.images import images_of_data, images_of_run, known_images
from fercore.importing.table_file import read_table
from fercore.importing.table_run import Named, import_table
from fercore.labels import CLASSES
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run, list_runs
from fercore.runs.writing import verify_run
from fercore.scoring.evaluation import compare
from fercore.scoring.grouped.evaluation import class_table
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from tests.conftest import ROOT
from tests.test_cli import fails, run

USUAL = ["Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Neutral"]


@pytest.fixture
def images(two_runs):
    return images_of_run(two_runs[0])


@pytest.fixture
def frame(two_runs) -> pd.DataFrame:
    return two_runs[0].prediction_frame.sort_values("row", ignore_index=True)


def brought(table, images, name="theirs", **options):
    """Import a table, or a file's content."""
    content = table if isinstance(table, bytes) else table.to_csv(index=False).encode()
    return import_table(content, images, Named(name), file="answers.csv", **options)


def answers(frame: pd.DataFrame, names=CLASSES) -> pd.DataFrame:
    return frame[PROBABILITY_COLUMNS].set_axis(list(names), axis=1)


def npz(**arrays) -> bytes:
    file = BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def parquet(table: pd.DataFrame) -> bytes:
    file = BytesIO()
    table.to_parquet(file)
    return file.getvalue()


def json_lines(records) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def csv_of(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def logits(frame: pd.DataFrame) -> np.ndarray:
    return np.log(frame[PROBABILITY_COLUMNS].to_numpy(np.float64)) + 3


def pixel_text(frame: pd.DataFrame) -> list[str]:
    faces = data.synthetic()
    place = faces.positions(frame["pixels"].to_numpy())
    return [" ".join(map(str, faces.images[k].ravel())) for k in place]


# Each the same answers in another dress: from the stored table to a table or a file's content, and
# what the import says of it.
DRESSES = {
    "row, in any order": (
        lambda f: answers(f).assign(row=f["row"]).sample(frac=1, random_state=0), "by row",
    ),
    "usual names, sorted": (
        lambda f: answers(f, USUAL)[sorted(USUAL)].assign(row=f["row"]), "by row",
    ),
    "wrapped": (
        lambda f: answers(f, [f"Prob({name}) %" for name in USUAL]).assign(Index=f["row"]),
        "by row",
    ),
    "numbers": (lambda f: answers(f, range(7)).assign(row=f["row"]), "read as angry, disgust"),
    "class_3": (lambda f: answers(f, map("class_{}".format, range(7))).assign(id=f["row"]), "row"),
    "position": (lambda f: answers(f), "by position, PublicTest's images first"),
    "place in a usage": (
        lambda f: answers(f).assign(
            split=f["usage"].map({"PublicTest": "val", "PrivateTest": "test"}),
            row=f.groupby("usage").cumcount(),
        ),
        "place within the usage",
    ),
    "usage alone": (
        lambda f: answers(f).assign(Usage=f["usage"]).sort_values("Usage", kind="stable"),
        "place within the usage",
    ),
    "hash": (
        lambda f: answers(f).assign(pixels=[f"0x{p % 2**64:016x}" for p in f["pixels"]])[::-1],
        "by the pixels' hash",
    ),
    "pixels": (lambda f: answers(f).assign(pixels=pixel_text(f)), "by the pixels' hash"),
    "file names": (
        lambda f: answers(f).assign(
            file=[f"test\\sad\\{usage}_{row}.jpg" for usage, row in zip(f["usage"], f["row"])]
        ),
        "by file name, its number as row",
    ),
    "with Training": (
        lambda f: pd.concat(
            [answers(f).assign(row=f["row"]), answers(f.head(9)).assign(row=range(9))]
        ),
        "9 lines are of no test image",
    ),
    "headless": (lambda f: answers(f).to_csv(index=False, header=False).encode(), "are numbers"),
    "hash, unsigned": (
        lambda f: csv_of(answers(f).assign(pixels=[f"{p % 2**64}" for p in f["pixels"]])),
        "by the pixels' hash",
    ),
    "exponents": (
        lambda f: answers(f).map("{:.8e}".format).to_csv(index=False, sep=";").replace(".", ",")
        .encode(),
        "each line sums to 1",
    ),
    "semicolons": (
        lambda f: b"sep=;\n" + answers(f).to_csv(index=False, sep=";", decimal=",").encode("utf-8"),
        "each line sums to 1",
    ),
    "UTF-16": (lambda f: answers(f).to_csv(index=False, sep="\t").encode("utf-16"), "sums to 1"),
    "percentages": (lambda f: (100 * answers(f)).assign(row=f["row"]), "each line sums to 100"),
    "Parquet": (lambda f: parquet(answers(f).assign(row=f["row"])), "by row"),
    "NPZ": (lambda f: npz(probs=answers(f).to_numpy(), row=f["row"]), "by row"),
    "NPZ, named": (
        lambda f: npz(probs=answers(f).to_numpy()[:, ::-1], classes=np.array(CLASSES[::-1])),
        "each line sums to 1",
    ),
    "logits": (lambda f: npz(logits=logits(f)), "logits, negative ones"),
    "log-probabilities": (lambda f: npz(answers=logits(f) - 3), "logarithms of probabilities"),
    "JSON lines": (
        lambda f: json_lines(
            {"row": int(row), "emotions": dict(zip(USUAL, map(float, probs)))}
            for row, probs in zip(f["row"], answers(f).to_numpy())
        ),
        "by row",
    ),
    "JSON, lists": (
        lambda f: json.dumps([{"probs": p} for p in answers(f).to_numpy().tolist()]).encode(),
        "read as angry",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRESSES)
def test_a_table_in_any_dress_is_the_same_run(frame, images, name):
    dressed, told = DRESSES[name]
    made = brought(dressed(frame), images)
    assert told in " ".join(made.notes)
    for part in ("public", "private", "clean"):
        theirs, ours = made.run.predictions(part), find_run("first").predictions(part)
        assert compare(theirs, ours).n == len(ours)
        np.testing.assert_allclose(theirs.probs, ours.probs, atol=2e-4)
    assert verify_run(made.run) == []


def spoiled(frame: pd.DataFrame, **cells) -> pd.DataFrame:
    """The table by rows, with its third line's cells replaced."""
    table = answers(frame).assign(row=frame["row"]).astype(object)
    for column, value in cells.items():
        table.loc[2, column] = value
    return table


ODD = {
    "empty": (lambda f: b"", "the file is empty"),
    "a header alone": (lambda f: answers(f).head(0), "no line of answers"),
    "a picture": (lambda f: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no CSV in UTF-8"),
    "a pickle": (lambda f: b"\x80\x04\x95abc", "a pickle, which can run anything"),
    "an Excel workbook": (lambda f: workbook(), "an Excel workbook"),
    "cut short": (lambda f: parquet(answers(f))[:500], "cannot be read"),
    "an object array": (lambda f: objects(), "cannot be read"),
    "a broken line of JSON": (lambda f: b'{"row": 1}\n{"row": ', "line 2: this is no JSON"),
    "numbers in JSON": (lambda f: b"[1, 2, 3]", "one JSON object for each image"),
    "a cell too many": (
        lambda f: answers(f).to_csv(index=False).encode() + b"1,0,0,0,0,0,0,0,0\n",
        "not as many cells",
    ),
    "no answers": (lambda f: f[["row", "label"]], "no columns of answers"),
    "a class is missing": (lambda f: spoiled(f).drop(columns="sad"), "no column for sad"),
    "a class twice": (lambda f: spoiled(f).assign(anger=0), "are both angry"),
    "columns of one name": (
        lambda f: b"a,a,row\n1,2,3\n", "several columns are called 'a'",
    ),
    "from 1": (lambda f: answers(f, range(1, 8)).assign(row=f["row"]), "are numbers, but not"),
    "NaN": (lambda f: spoiled(f, fear=float("nan")), "no number in line 3"),
    "a word": (lambda f: spoiled(f, fear="much"), "no number in line 3"),
    "infinite": (lambda f: spoiled(f, fear="inf"), "no number in line 3"),
    "a wrong sum": (lambda f: spoiled(f, fear=0.9, sad=0.9), "but not in line 3: there the sum is"),
    "a negative share": (lambda f: spoiled(f, fear=-0.5), "but not in line 3"),
    "scores": (lambda f: answers(f) ** 0.5, "neither probabilities"),
    "two lists of seven": (
        lambda f: json_lines({"probs": p, "target": p} for p in answers(f).to_numpy().tolist()),
        "several blocks of answers, 'target'",
    ),
    "millions of empty cells": (lambda f: many_cells(), "5000000 cells"),
    "a line twice": (lambda f: pd.concat([spoiled(f), spoiled(f).head(1)]), "several lines of one"),
    "a line is missing": (
        lambda f: spoiled(f).iloc[np.r_[1:349, 351:700]], "no part of synthetic is whole",
    ),
    "rows of nothing": (lambda f: answers(f).assign(row=f["row"] + 10**6), "none of synthetic's"),
    "rows in another part": (
        lambda f: answers(f).assign(row=f["row"], usage=f["usage"].to_numpy()[::-1]),
        "the row is in another part|no part of synthetic",
    ),
    "a usage of nothing": (lambda f: answers(f).assign(usage="somewhere"), "is not a usage"),
    "too few by position": (lambda f: answers(f).head(340), "without a column that says of which"),
    "either part": (lambda f: answers(f).head(350), "nothing tells whether its lines"),
    "shuffled by position": (
        lambda f: answers(f).sample(frac=1, random_state=0), "no better than chance",
    ),
    "other labels": (
        lambda f: answers(f).assign(row=f["row"], label=f["label"].to_numpy()[::-1] // 2),
        "its column 'label' agrees",
    ),
    "another order": (
        lambda f: answers(f, [*CLASSES[1:], CLASSES[0]]).assign(row=f["row"]),
        "cannot be in this order .* --order disgust,fear|cannot be in this order",
    ),
    "other pixels": (lambda f: answers(f).assign(pixels="0x" + 16 * "a"), "none of its pixels"),
    "file names that say nothing": (
        lambda f: answers(f).assign(file=[f"{k}.jpg" for k in range(10**6, 10**6 + len(f))]),
        "file names do not say which",
    ),
    "labels of nothing": (
        lambda f: pd.DataFrame({"row": f["row"], "predicted": "bored"}), "'bored' is none of",
    ),
}  # fmt: skip


def many_cells() -> bytes:
    """60 kilobytes that read as 30 million cells."""
    nothing = pa.nulls(300_000)
    file = BytesIO()
    pq.write_table(pa.table({str(k): nothing for k in range(100)}), file)
    return file.getvalue()


def workbook() -> bytes:
    import zipfile

    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def objects() -> bytes:
    file = BytesIO()
    np.savez(file, probs=np.array([{"a": 1}], dtype=object))
    return file.getvalue()


def packed_badly() -> bytes:
    """An NPZ whose one array is packed, and was damaged."""
    file = BytesIO()
    np.savez_compressed(file, probs=np.random.default_rng(0).random((700, 7)))
    content = bytearray(file.getvalue())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    return bytes(content)


def array_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


DAMAGED = {
    "packed": packed_badly,
    "header": lambda: array_header("{'descr': '<f8', 'shape': (7,"),
    "terabytes": lambda: array_header(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (7000000000000, 7)}"
    ),
    "one long cell": lambda: b'"' + 200_000 * b"x" + b'",1\n1,2\n',
    "no line": lambda: b"sep=;\n\n",
}


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_table_ends_in_a_sentence(images, damaged):
    with pytest.raises(DataError, match="Save it again"):
        read_table(DAMAGED[damaged](), "answers")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_table_ends_in_a_sentence_and_nothing_is_written(frame, images, name):
    table, told = ODD[name]
    with pytest.raises(FerError, match=told) as raised:
        brought(table(frame), images)
    assert len(str(raised.value)) < 500
    assert [each.run_id for each in list_runs()] == ["second", "first"]


def test_rows_of_all_images_that_count_from_one_are_positions(images):
    """Where Training is answered too, the numbers from 1 on are no rows of the original table."""
    faces = data.synthetic()
    perfect = pd.DataFrame(np.eye(7)[faces.labels], columns=list(CLASSES))
    for first, told in ((0, "by row"), (1, "by position in the whole dataset")):
        made = brought(perfect.assign(id=np.arange(len(faces)) + first), images, f"from-{first}")
        assert told in " ".join(made.notes)
        assert made.run.predictions().correct.all()


def test_half_a_table_keeps_the_whole_part(frame, images):
    half = answers(frame).assign(row=frame["row"])[10:]
    made = brought(half, images)
    assert list(made.run.metrics()) == ["private", "clean"]
    assert "PublicTest is left out: 340 of its 350 images" in " ".join(made.notes)


def test_which_part_is_meant_is_found_by_what_fits(monkeypatch, tmp_path):
    """FER2013's images are known from a shipped run, without FER2013."""
    folder = tmp_path / "known" / "shipped"
    folder.mkdir(parents=True)
    (folder / "cnn-s0").symlink_to(ROOT / "artifacts" / "shipped" / "cnn-s0")
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(folder.parent))
    ours = find_run("cnn-s0")
    private = ours.prediction_frame[ours.prediction_frame["usage"] == "PrivateTest"]
    made = brought(answers(private), known_images())
    assert made.notes[0] == "3\u202f589 images of FER2013 found by position in PrivateTest."
    assert compare(made.run.predictions(), ours.predictions()).difference == 0


def test_an_order_is_given_by_name_or_alphabetically(frame, images):
    turned = frame[[f"p_{name}" for name in sorted(CLASSES)]]
    numbered = turned.set_axis([str(k) for k in range(7)], axis=1).assign(row=frame["row"])
    made = brought(numbered, images, order="alphabetical")
    np.testing.assert_array_equal(
        made.run.predictions().predicted, find_run("first").predictions().predicted
    )


def test_labels_alone_give_accuracy_and_no_curve(frame, images):
    said = find_run("first").predictions().predicted
    private = frame[frame["usage"] == "PrivateTest"]
    table = pd.DataFrame({"row": private["row"], "y_pred": [USUAL[k] for k in said]})
    made = brought(table, images)
    scores, ours = made.run.metrics()["private"], find_run("first").metrics()["private"]
    assert scores["accuracy"] == ours["accuracy"]
    assert scores["macro_f1"] == pytest.approx(ours["macro_f1"])
    assert scores["macro_auc"] is None
    assert "ROC curves" in " ".join(made.notes)
    assert verify_run(made.run) == []


def test_seeds_of_one_recipe_are_an_ensemble(frame, images):
    table = answers(frame).assign(row=frame["row"]).to_csv(index=False).encode()
    members = [
        import_table(table, images, Named(f"vgg-{seed}", "VGG19", "mine", seed, "vgg")).run
        for seed in (0, 1)
    ]
    assert group_of(members[1]).title.startswith("VGG19 · synthetic · vgg · imported · seed 1")
    assert members[0].note == "mine"
    group = find_group("imported@vgg")
    assert [run.run_id for run in group.members] == ["vgg-0", "vgg-1"]
    assert group.title == "VGG19 · synthetic · vgg · imported · 2 seeds"
    both = make_ensemble("both", members)
    assert both.predictions().same_images(members[0].predictions())
    assert group_of(both).title.startswith(
        "VGG19 · synthetic · vgg · imported · ensemble of 2 seeds"
    )


def test_a_name_that_is_taken_is_refused(frame, images):
    with pytest.raises(NameTaken):
        brought(answers(frame), images, name="first")


def test_a_tree_of_files_is_joined_by_their_names(tmp_path):
    from PIL import Image

    rng, names = np.random.default_rng(0), []
    for k, name in enumerate(CLASSES):
        for number in range(2):
            place = tmp_path / "tree" / "test" / name
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (48, 48), dtype=np.uint8)).save(
                place / f"im{10 * k + number}.png"
            )
            names.append(f"somewhere/{name}/im{10 * k + number}.png")
    probs = pd.DataFrame(np.eye(7)[np.repeat(np.arange(7), 2)] * 0.93 + 0.01, columns=CLASSES)
    table = probs.assign(file=names)[::-1]
    made = brought(table, images_of_data(tmp_path / "tree"))
    assert "14 images of tree found by file name." in made.notes
    assert made.run.predictions().correct.all()


def test_a_tree_in_jpeg_is_paired_with_the_original(two_runs, frame, tmp_path):
    from PIL import Image

    faces, names = data.synthetic(), {}
    for k, face in enumerate(faces.images):
        part = {"Training": "train", "PublicTest": "val"}.get(faces.usage[k], "test")
        place = tmp_path / "tree" / part / CLASSES[faces.labels[k]]
        place.mkdir(parents=True, exist_ok=True)
        names[int(faces.row[k])] = f"{part}-{k * 7919 % 2801:04}.jpg"
        Image.fromarray(face).save(place / names[int(faces.row[k])], quality=90)
    table = answers(frame).assign(file=frame["row"].map(names)).sample(frac=1, random_state=0)
    made = brought(table, images_of_data(tmp_path / "tree"))
    assert "tree is an edition of synthetic with other pixels" in made.notes[0]
    assert "700 images of synthetic found by file name." in made.notes
    assert compare(made.run.predictions(), two_runs[0].predictions()).difference == 0


def test_the_command(two_runs, frame, tmp_path):
    path = tmp_path / "answers.csv"
    answers(frame).assign(row=frame["row"]).to_csv(path, index=False)
    asked = ["runs", "import", str(path), "--name", "theirs", "--data", "synthetic"]
    printed = run(*asked, "--title", "VGG [b]19[/b]", "--note", "from the lab")
    assert "700 images of synthetic found by row." in printed
    shown = run("runs", "show", "theirs")
    assert "VGG [b]19[/b] · synthetic · imported" in shown
    assert "Imported from answers.csv (probabilities), by row" in shown
    assert "theirs: intact" in run("runs", "verify")
    assert "McNemar" in run("compare", "theirs", "second")
    assert "was imported: it has predictions, but no weights" in fails("train", "--from", "theirs")
    assert "already" in fails(*asked)
    of_onnx = fails(*asked, "--output", "logits", "--side", "0")
    assert "--side, --output: of an ONNX file, and answers.csv is none" in of_onnx
    (tmp_path / "net.onnx").touch()
    asked_of_onnx = ["runs", "import", str(tmp_path / "net.onnx"), "--name", "net"]
    assert "--values is of a table" in fails(*asked_of_onnx, "--values", "logits")
    assert "No run on FER2013" in fails("runs", "import", str(path), "--name", "x")


def test_a_group_that_says_labels_alone_has_no_areas(frame, images):
    said = frame[PROBABILITY_COLUMNS].to_numpy().argmax(1)
    said_alone = pd.DataFrame({"row": frame["row"], "predicted": said})
    content = said_alone.to_csv(index=False).encode()
    for seed in (0, 1):
        import_table(content, images, Named(f"l-{seed}", "L", "", seed, "l"), file="l.csv")
    table = class_table(find_group("imported@l").predictions())
    assert table["auc"].isna().all()
    assert table["recall"].notna().all()
