"""Datasets as other people and programs leave them: read, or refused with what to do."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercore import data
from fercore.data.class_names import class_names
from fercore.errors import ConfigError, DataError
from fercore.labels import CLASSES, class_index, usage_name
from tests.test_data_sources import as_zip, csv_text, write_tree
from tests.test_photo_kinds import heic
from tests.test_photos_and_faces import encoded


def said(faces) -> str:
    return " ".join(faces.notes)


@pytest.fixture
def tree(tmp_path, faces) -> Path:
    write_tree(tmp_path / "mine", faces, kaggle=False)
    return tmp_path / "mine"


@pytest.fixture
def few(faces):
    """Fourteen faces, two of each class, all in Training but for three."""
    chosen = faces.where(np.isin(np.arange(len(faces)) % 6, [0, 1]) & (faces.usage == "Training"))
    usage = chosen.usage.copy()
    usage[[0, 4, 8]] = ["PublicTest", "PublicTest", "PrivateTest"]
    return data.face_set("few", chosen.images, chosen.labels, usage)


def table(tmp_path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_jpegs_and_heics_of_every_suffix_are_read(tree, faces):
    pictures = sorted(tree.rglob("*.png"))
    for picture, suffix in zip(pictures, (".jfif", ".JPE", ".HEIC", ".avif", ".TIFF")):
        face = Image.open(picture)
        form = {".avif": "AVIF", ".TIFF": "TIFF"}.get(suffix, "JPEG")
        content = heic(face.convert("RGB")) if suffix == ".HEIC" else encoded(face, form)
        picture.with_suffix(suffix).write_bytes(content)
        picture.unlink()
    assert data.load(tree).counts() == faces.counts()


def test_what_is_passed_over_is_counted_and_named(tree, faces):
    for name in (
        "readme.txt",
        "train/happy/list.csv",
        "Thumbs.db",
        "train/sad/._1.png",
        ".DS_Store",
    ):
        (tree / name).write_bytes(b"x")
    loaded = data.load(tree)
    assert loaded.counts() == faces.counts()
    assert "2 files are no pictures and are passed over: readme.txt, train/happy/list.csv." in said(
        loaded
    )


@pytest.mark.parametrize("packed", [False, True])
def test_a_tree_within_itself_is_counted_once(tmp_path, tree, faces, packed):
    write_tree(tree / "mine", faces, kaggle=False)
    source = as_zip(tmp_path / "mine.zip", tree) if packed else tree
    loaded = data.load(source)
    assert loaded.counts() == faces.counts()
    assert f"{len(faces)} images lie here twice" in said(loaded)


def test_two_trees_with_equal_names_and_other_images_are_both_read(tmp_path, faces):
    for number in (0, 1):
        other = data.synthetic((6, 3, 3), seed=number)
        write_tree(tmp_path / "both" / str(number), other, kaggle=False)
    assert len(data.load(tmp_path / "both")) == 2 * len(faces)


def test_missing_parts_are_said(tree):
    assert "no validation images" not in said(data.load(tree))
    for part, words in (("val", "no validation images"), ("test", "no test images")):
        for picture in (tree / part).rglob("*.png"):
            picture.unlink()
        assert words in said(data.load(tree))
    assert "--validation 0.1" in said(data.load(tree))


def test_an_odd_picture_is_read_and_one_that_is_none_left_out(tree, faces):
    first, second = sorted(tree.rglob("*.png"))[:2]
    first.write_bytes(encoded(Image.open(first), "JPEG")[:-2])
    second.write_bytes(b"no picture")
    loaded = data.load(tree)
    assert len(loaded) == len(faces) - 1
    assert f"One image cannot be read and is left out: {second.relative_to(tree)}." in said(loaded)
    assert f"{first.relative_to(tree)}: The end of its file is missing" in said(loaded)


def test_a_zip_as_powershell_writes_it(tmp_path, tree, faces):
    with zipfile.ZipFile(tmp_path / "win.zip", "w") as archive:
        archive.writestr("mine\\train\\", b"")
        for file in tree.rglob("*.png"):
            archive.writestr(str(file.relative_to(tmp_path)).replace("/", "\\"), file.read_bytes())
    loaded = data.load(tmp_path / "win.zip")
    assert loaded.counts() == faces.counts()
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("..\\train\\happy\\1.png", b"")
    with pytest.raises(DataError, match="climbs out"):
        data.load(tmp_path / "evil.zip")


def test_names_that_are_not_utf_8(tmp_path, tree, faces):
    picture = next((tree / "train/happy").iterdir())
    picture.rename(picture.with_name("b\udcff.png"))
    (tree / "n\udcff.txt").write_text("x")
    loaded = data.load(tree)
    assert loaded.counts() == faces.counts()
    assert "n\\udcff.txt" in said(loaded)


def test_links_to_folders_are_followed(tmp_path, tree, faces):
    (tree / "train").rename(tmp_path / "elsewhere")
    (tree / "train").symlink_to(tmp_path / "elsewhere")
    (tree / "loop").symlink_to(tree)
    loaded = data.load(tree)
    assert loaded.counts() == faces.counts()
    assert "'loop' is a link to a folder that is read already" in said(loaded)
    (tmp_path / "elsewhere/happy").rename(tmp_path / "elsewhere/anger")
    assert data.load(tree).counts() != faces.counts()  # what lies behind a link is watched too


def test_links_in_a_tar_are_told(tmp_path, tree):
    (tree / "train/sad/link.png").symlink_to(next((tree / "train/happy").iterdir()))
    with tarfile.open(tmp_path / "mine.tar.gz", "w:gz") as archive:
        archive.add(tree, "mine")
    assert "links, which are passed over: mine/train/sad/link.png" in said(
        data.load(tmp_path / "mine.tar.gz")
    )


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\0", "RAR"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh9", "bz"),
    ],
)
def test_archives_that_are_not_read_are_named(tmp_path, head, kind):
    (tmp_path / "faces.zip").write_bytes(head + bytes(100))
    with pytest.raises(DataError, match=rf"of the kind {kind}.* are not read.*Unpack it"):
        data.load(tmp_path / "faces.zip")


def test_archives_within_an_archive_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("train.zip", b"x")
        archive.writestr("test.7z", b"x")
    with pytest.raises(DataError, match=r"It holds archives: test\.7z, train\.zip\. Unpack"):
        data.load(tmp_path / "a.zip")


def excel(text: str) -> str:
    """As Excel saves it where the comma is a decimal mark."""
    return "\ufeff" + text.replace(",", ";").replace("\n", "\r\n") + ";;\r\n"


def other_order(text: str) -> str:
    _head, *rows = (line.split(",") for line in text.splitlines())
    lines = (
        f"{usage},{number},{pixels},{label}" for number, (label, pixels, usage) in enumerate(rows)
    )
    return "\n".join(["SPLIT,,Pixel,Label", *lines])


def decimals(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *(row.replace(",", ".0,", 1) + "  " for row in rows)])


def words(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *(f"{CLASSES[int(row[0])].upper()}{row[1:]}" for row in rows)])


def lists(text: str) -> str:
    head, *rows = text.splitlines()
    split = [row.split(",") for row in rows]
    return "\n".join([head, *(f'{a},"[{", ".join(b.split())}]",{c}' for a, b, c in split)])


def unquoted(text: str) -> str:
    head, *rows = text.splitlines()
    return "\n".join([head, *(row.replace(" ", ",") for row in rows)])


TABLES = {
    "Excel's": (excel, "utf-8", "One row is empty"),
    "tabs": (lambda text: text.replace(",", "\t"), "utf-8", ""),
    "UTF-16": (lambda text: text, "utf-16", ""),
    "other names and order": (other_order, "utf-8", ""),
    "decimal labels": (decimals, "utf-8", ""),
    "words for labels": (words, "utf-8", ""),
    "pixels as lists": (lists, "utf-8", ""),
    "pixels without quotes": (unquoted, "utf-8", ""),
    "header twice": (lambda text: text + text.splitlines()[0] + "\n,,\n", "utf-8", "2 rows are"),
    "old Mac's lines": (lambda text: text.replace("\n", "\r"), "utf-8", ""),
    "a line for Excel": (lambda text: "sep=,\n\n" + text, "utf-8", ""),
    "pixels with a point": (lambda text: text.replace(" ", ".0 "), "utf-8", ""),
    "commas at the end": (lambda text: text.replace("\n", ",\n"), "utf-8", ""),
}


@pytest.mark.parametrize(("change", "encoding", "note"), TABLES.values(), ids=TABLES)
def test_tables_that_went_through_other_programs(tmp_path, few, change, encoding, note):
    loaded = data.load(table(tmp_path, change(csv_text(few)), encoding))
    assert np.array_equal(loaded.images, few.images)
    assert np.array_equal(loaded.labels, few.labels)
    assert loaded.fingerprint == few.fingerprint
    assert note in said(loaded)


def test_class_and_part_names_as_others_write_them():
    for name, label in (
        ("Anger", "angry"),
        ("0_angry", "angry"),
        ("3 - Happiness", "happy"),
        ("Surprised", "surprise"),
        ("SADNESS ", "sad"),
    ):
        assert CLASSES[class_index(name)] == label
    for name, usage in (
        ("Test", "PrivateTest"),
        ("train_set", "Training"),
        ("eval", "PublicTest"),
        ("Validation Data", "PublicTest"),
        ("public_test", "PublicTest"),
    ):
        assert usage_name(name) == usage


def test_folders_between_the_class_and_its_images(tmp_path, few):
    write_tree(tmp_path / "mine", few, kaggle=False)
    folder = tmp_path / "mine/train/happy"
    (folder / "subject 1").mkdir()
    picture = next(folder.glob("*.png"))
    picture.rename(folder / "subject 1" / picture.name)
    assert data.load(tmp_path / "mine").counts() == few.counts()


@pytest.fixture
def numbered(tmp_path, faces) -> Path:
    """RAF-DB's shape: folders 1 to 7, in its order."""
    order = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    write_tree(tmp_path / "rafdb", faces, kaggle=False)
    for part in (tmp_path / "rafdb").iterdir():
        for number, name in enumerate(order, start=1):
            (part / name).rename(part / str(number))
    return tmp_path / "rafdb"


def test_numbered_classes_need_a_word_and_are_read_with_it(numbered, faces):
    with pytest.raises(DataError, match=r"RAF-DB has such ones.*--classes raf-db"):
        data.load(numbered)
    loaded = data.load(numbered, names="raf-db")
    assert loaded.counts() == faces.counts()
    spelt = "1=surprise,2=fear,3=disgust,4=happy,5=sad,6=angry,7=Neutral"
    assert data.load(numbered, names=spelt).fingerprint == loaded.fingerprint
    turned = data.load(numbered, names="raf-db,1=fear,2=surprise")
    assert turned.fingerprint != loaded.fingerprint


def test_numbers_from_zero_are_nobodys(tmp_path, numbered):
    (numbered / "train" / "7").rename(numbered / "train" / "0")
    with pytest.raises(DataError, match=r"differently.*--classes fer2013.*--classes affectnet"):
        data.load(numbered)


def test_contempt_is_left_out_or_mapped(tmp_path, tree, faces):
    (tree / "train/disgust").rename(tree / "train/Contempt")
    with pytest.raises(DataError, match=r"'Contempt' is not one of.*--leave-out Contempt"):
        data.load(tree)
    without = data.load(tree, names=class_names(leave_out=["contempt"]))
    assert without.name == "mine without contempt"
    assert len(without) == len(faces) - 6
    assert "Left out as asked: Contempt (6)." in said(without)
    assert data.load(tree, names="contempt=disgust").counts() == faces.counts()
    assert "no class called bored to leave out" in said(data.load(tree, names="contempt=,bored="))


def test_contempt_in_a_table_is_seven(tmp_path, few):
    lines = csv_text(few).splitlines()
    path = table(tmp_path, "\n".join([*lines, "7" + lines[-1][1:]]))
    with pytest.raises(DataError, match=r"label 7, which is contempt.*--leave-out contempt"):
        data.load(path)
    without = data.load(path, names="contempt=")
    assert (len(without), without.fingerprint) == (len(few), few.fingerprint)
    assert "Left out as asked: 7 (1)." in without.notes
    assert len(data.load(path, names="7=disgust")) == len(few) + 1


def test_not_all_classes_can_be_left_out(tree):
    with pytest.raises(DataError, match="no image remains"):
        data.load(tree, names=class_names(leave_out=CLASSES))


@pytest.mark.parametrize("text", ["happy", "1=joyous", "=sad"])
def test_a_specification_that_says_nothing_is_refused(tree, text):
    with pytest.raises(ConfigError):
        data.load(tree, names=text)


@pytest.mark.parametrize("form", ['"{}"', " {} ", "file://{}", "“{}”"])
def test_a_path_as_it_is_pasted(monkeypatch, tree, faces, form):
    assert len(data.load(form.format(tree))) == len(faces)
    monkeypatch.setenv("FERCORE_DATA", form.format(tree))
    assert data.find_source() == tree
