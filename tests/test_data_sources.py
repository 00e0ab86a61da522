"""Every form of FER2013 gives the same faces; every bad one a clear sentence and no cache."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fercore import data
from fercore.data import bounds
from fercore.data.cache import cache_folder, latest_fer2013, write_entry
from fercore.errors import DataError
from fercore.labels import CLASSES


def csv_text(faces, header="emotion,pixels,Usage", order=("emotion", "pixels", "usage")) -> str:
    lines = [header]
    for image, label, usage in zip(faces.images, faces.labels, faces.usage, strict=True):
        cells = {
            "emotion": str(label),
            "pixels": " ".join(map(str, image.ravel())),
            "usage": str(usage),
        }
        lines.append(",".join(cells[name] for name in order))
    return "\n".join(lines) + "\n"


def write_tree(folder: Path, faces, *, kaggle: bool) -> None:
    for row, (image, label, usage) in enumerate(
        zip(faces.images, faces.labels, faces.usage, strict=True)
    ):
        if kaggle:
            split, name = ("train" if usage == "Training" else "test"), f"{usage}_{row:05}.png"
        else:
            split = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}[usage]
            name = f"face {row:05}.png"
        place = folder / split / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / name)


def as_zip(path: Path, source: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        files = [source] if source.is_file() else sorted(source.rglob("*"))
        for file in files:
            if file.is_file():
                archive.write(file, file.relative_to(source.parent))
    return path


@pytest.fixture
def source(request, tmp_path, faces):
    """One of the forms that a dataset comes in."""
    table = tmp_path / "fer2013.csv"
    table.write_text(csv_text(faces))
    match request.param:
        case "csv":
            return table
        case "zip":
            return as_zip(tmp_path / "fer2013.csv.zip", table)
        case "gz":
            packed = tmp_path / "fer2013.csv.gz"
            packed.write_bytes(gzip.compress(table.read_bytes()))
            return packed
        case "tar.gz":
            packed = tmp_path / "fer2013.tar.gz"
            with tarfile.open(packed, "w:gz") as archive:
                archive.add(table, "fer2013/fer2013.csv")
            return packed
        case "icml":
            table = tmp_path / "icml_face_data.csv"
            order = ("emotion", "usage", "pixels")
            table.write_text(csv_text(faces, "emotion, Usage, pixels", order))
            return table
        case "folder with a csv":
            return tmp_path
        case "renamed csv":
            return table.rename(tmp_path / "my faces.csv")
        case "kaggle folder" | "kaggle zip" | "own folder" | "own zip":
            tree = tmp_path / "archive"
            write_tree(tree, faces, kaggle=request.param.startswith("kaggle"))
            folder = request.param.endswith("folder")
            return tree if folder else as_zip(tmp_path / "archive.zip", tree)


TABLES = ["csv", "zip", "gz", "tar.gz", "icml", "folder with a csv", "renamed csv"]
TREES = ["kaggle folder", "kaggle zip", "own folder", "own zip"]


@pytest.mark.parametrize("source", TABLES, indirect=True)
def test_table(source, faces):
    loaded = data.load(source)
    assert np.array_equal(loaded.images, faces.images)
    assert np.array_equal(loaded.labels, faces.labels)
    assert loaded.fingerprint == faces.fingerprint
    assert loaded.row.tolist() == list(range(len(faces)))


@pytest.mark.parametrize("source", TREES, indirect=True)
def test_tree(source, faces):
    loaded = data.load(source)
    assert loaded.counts() == faces.counts()
    for usage in ("Training", "PublicTest", "PrivateTest"):
        ours, drawn = loaded.part(usage), faces.part(usage)
        assert dict(zip(ours.pixel_hashes(), ours.labels, strict=True)) == dict(
            zip(drawn.pixel_hashes(), drawn.labels, strict=True)
        )


@pytest.mark.parametrize("source", ["csv", "kaggle zip"], indirect=True)
def test_second_load_is_memory_mapped(source, monkeypatch):
    first = data.load(source)
    monkeypatch.setattr("fercore.data.read_source", lambda *_, **__: pytest.fail("read again"))
    again = data.load(source)
    assert isinstance(again.images, np.memmap)
    assert again.fingerprint == first.fingerprint


@pytest.mark.parametrize("source", ["csv"], indirect=True)
def test_a_changed_source_is_read_again(source, faces):
    data.load(source)
    source.write_text("\n".join(csv_text(faces).splitlines()[:-1]))
    assert len(data.load(source)) == len(faces) - 1


def test_other_sizes_are_resized_with_a_note(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    picture = next((tmp_path / "mine").rglob("*.png"))
    Image.open(picture).resize((96, 80)).convert("RGB").save(picture)
    loaded = data.load(tmp_path / "mine")
    assert loaded.images.shape == (len(faces), 48, 48)
    assert loaded.notes == ("1 images were not 48×48 and were resized.",)


GOOD_PIXELS = " ".join(["7"] * 2304)
BAD_TABLES = {
    "missing column": ("emotion,pixels\n0,1", r"line 1: no column 'usage'"),
    "2,303 pixels": (f"emotion,pixels,Usage\n0,{GOOD_PIXELS[:-2]},Training", "2303 pixels"),
    "pixel of 300": (f"emotion,pixels,Usage\n0,300{GOOD_PIXELS[1:]},Training", "pixel '300'"),
    "pixel of text": (f"emotion,pixels,Usage\n0,x{GOOD_PIXELS[1:]},Training", "pixel 'x'"),
    "label of 7": (f"emotion,pixels,Usage\n7,{GOOD_PIXELS},Training", "One row has the label 7"),
    "label of 8": (f"emotion,pixels,Usage\n8,{GOOD_PIXELS},Training", "label is '8'"),
    "label of bored": (f"emotion,pixels,Usage\nbored,{GOOD_PIXELS},Training", "'bored' is not"),
    "no label": (f"emotion,pixels,Usage\n,{GOOD_PIXELS},Training", "the label is empty"),
    "unknown usage": (f"emotion,pixels,Usage\n0,{GOOD_PIXELS},Other", "'Other' is not a usage"),
    "too few columns": (f"emotion,pixels,Usage\n0,{GOOD_PIXELS}", "2 columns instead of 3"),
    "no rows": ("emotion,pixels,Usage\n", "no rows"),
    "endless line": ("emotion,pixels,Usage\n0," + "1 " * 40_000, "longer than any row"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_table(tmp_path, text, sentence):
    table = tmp_path / "fer2013.csv"
    table.write_text(text)
    refused(table, sentence, "fer2013.csv")


def test_the_line_of_a_bad_row_is_named(tmp_path, faces):
    table = tmp_path / "fer2013.csv"
    lines = csv_text(faces).splitlines()
    lines[17] = lines[17].replace(" ", " 999 ", 1)
    table.write_text("\n".join(lines))
    refused(table, "line 18: the pixel '999'")


def test_no_such_file(tmp_path):
    refused(tmp_path / "nothing.csv", "no such file")


@pytest.mark.parametrize("name", ["FER2013", "fer2013", "synthetic"])
def test_ones_own_set_of_a_known_name_is_not_taken_for_the_known_one(tmp_path, name, faces):
    write_tree(tmp_path / name, faces, kaggle=False)
    assert data.load(tmp_path / name).name == f"own {name}"
    assert latest_fer2013() is None


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x.csv", "x" * 5000, "with\0nothing"])
def test_what_cannot_be_a_path_is_a_sentence(name):
    refused(Path(name), "there is no such file or folder")


def test_empty_file(tmp_path):
    (tmp_path / "fer2013.csv").touch()
    refused(tmp_path / "fer2013.csv", "empty")


def test_a_file_that_is_no_table(tmp_path):
    (tmp_path / "fer2013.csv").write_bytes(b"\xff\xd8\xff\xe0" * 100)
    refused(tmp_path / "fer2013.csv", "not a text file")


def test_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "neither")


def test_cut_archives(tmp_path, faces):
    table = tmp_path / "fer2013.csv"
    table.write_text(csv_text(faces))
    whole = as_zip(tmp_path / "whole.zip", table).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.zip", "damaged")
    packed = gzip.compress(table.read_bytes())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    refused(tmp_path / "cut.csv.gz", "damaged")


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_bomb(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(bounds, "FREE_BYTES", 1 << 20)
    zeros = b"emotion,pixels,Usage\n" + b"\n" * (4 << 20)
    path = tmp_path / f"fer2013.csv.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("fer2013.csv", zeros)
    else:
        path.write_bytes(gzip.compress(zeros))
    refused(path, "expands to far more")


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:/evil.csv"]
)
def test_archive_that_climbs_out(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "emotion,pixels,Usage\n")
    refused(tmp_path / "a.zip", "climbs out")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo(name)
        archive.addfile(member, io.BytesIO())
    refused(tmp_path / "a.tar.gz", "climbs out")


def test_unreadable_images_are_listed_ten_at_most(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    broken = sorted((tmp_path / "mine").rglob("*.png"))[:12]
    for picture in broken:
        picture.write_bytes(b"no picture")
    loaded = data.load(tmp_path / "mine")
    assert len(loaded) == len(faces) - 12
    (note,) = [note for note in loaded.notes if "12 images cannot be read" in note]
    assert note.count(".png") == 10
    assert "and 2 more" in note


def test_a_set_of_which_most_images_cannot_be_read_is_refused(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    for picture in sorted((tmp_path / "mine").rglob("*.png"))[: len(faces) // 2 + 1]:
        picture.write_bytes(b"no picture")
    refused(tmp_path / "mine", "43 images cannot be read")


def test_unknown_class_folder(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    (tmp_path / "mine/train/sad").rename(tmp_path / "mine/train/bored")
    refused(tmp_path / "mine", "'bored' is not one of the seven")


def test_missing_class_folders_are_a_note(tmp_path, faces):
    few = faces.where(np.isin(faces.labels, [0, 3, 6]))
    write_tree(tmp_path / "mine", few, kaggle=False)
    loaded = data.load(tmp_path / "mine")
    assert loaded.counts() == few.counts()
    assert loaded.notes == ("There are no images of disgust, fear, sad, surprise.",)


def test_a_single_class_folder(tmp_path, faces):
    write_tree(tmp_path / "mine", faces.where(faces.labels == 3), kaggle=False)
    refused(tmp_path / "mine", "only images of happy", "At least two")


def test_images_outside_class_folders(tmp_path, faces):
    (tmp_path / "mine").mkdir()
    Image.fromarray(faces.images[0]).save(tmp_path / "mine/face.png")
    refused(tmp_path / "mine", "<split>/<class>/")


def test_unknown_split(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    (tmp_path / "mine/val").rename(tmp_path / "mine/later")
    refused(tmp_path / "mine", "'later' is not a usage")


def test_two_that_read_it_at_once_harm_nothing(faces):
    first = write_entry("same", faces)
    write_entry("same", faces)
    np.testing.assert_array_equal(first.images, faces.images)
    assert [path.name for path in (cache_folder() / "datasets").iterdir()] == ["same"]


def refused(path: Path, *sentences: str) -> str:
    """The message with which `path` is refused; it has the sentences, and nothing is cached."""
    with pytest.raises(DataError) as caught:
        data.load(path)
    message = str(caught.value)
    for sentence in sentences:
        assert sentence in message
    assert str(path.name) in message
    assert not list(cache_folder().glob("datasets/*"))
    return message


def test_a_tar_packed_with_leading_dots(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    with tarfile.open(tmp_path / "mine.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "mine", ".")
    from_folder, from_tar = data.load(tmp_path / "mine"), data.load(tmp_path / "mine.tar.gz")
    assert np.array_equal(from_folder.images, from_tar.images)
    assert np.array_equal(from_folder.labels, from_tar.labels)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_one_name_twice(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    as_zip(tmp_path / "mine.zip", tmp_path / "mine")
    picture = next((tmp_path / "mine").rglob("*.png"))
    with zipfile.ZipFile(tmp_path / "mine.zip", "a") as archive:
        archive.write(picture, picture.relative_to(tmp_path))
    refused(tmp_path / "mine.zip", "several files of one name")


def test_an_encrypted_zip(tmp_path, faces):
    table = tmp_path / "fer2013.csv"
    table.write_text(csv_text(faces))
    content = bytearray(as_zip(tmp_path / "secret.zip", table).read_bytes())
    content[6] |= 1  # the flag 'encrypted', in the file's header and in the directory
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "secret.zip").write_bytes(content)
    refused(tmp_path / "secret.zip", "encrypted")


def test_photos_of_ones_own_are_opened_as_in_prediction(tmp_path, faces):
    write_tree(tmp_path / "mine", faces, kaggle=False)
    picture = sorted((tmp_path / "mine/train/angry").iterdir())[0]
    upright = np.asarray(Image.open(picture))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(upright)).save(picture, exif=exif)
    assert (data.load(tmp_path / "mine").images == upright).all((1, 2)).any()


def test_where_the_dataset_is_looked_for(tmp_path, monkeypatch, faces):
    with pytest.raises(DataError, match="fercore data download"):
        data.load()
    table = tmp_path / "chosen.csv"
    table.write_text(csv_text(faces))
    from fercore.data.settings import choose_data

    choose_data(table)
    assert data.find_source() == table
    monkeypatch.setenv("FERCORE_DATA", "synthetic")
    assert data.find_source() == "synthetic"
    assert data.find_source(table) == table


def test_fer2013_itself(fer2013):
    assert fer2013.name == "FER2013"
    assert fer2013.is_fer2013()
    copies = fer2013.copies_of_earlier()
    hashes = fer2013.pixel_hashes()
    training = set(hashes[fer2013.usage == "Training"])
    private = hashes[fer2013.usage == "PrivateTest"]
    assert sum(h in training for h in private) == 287
    assert copies[fer2013.usage == "PublicTest"].sum() == 278
    public = set(hashes[fer2013.usage == "PublicTest"])
    assert copies[fer2013.usage == "PrivateTest"].sum() == sum(
        h in training or h in public for h in private
    )
    from fercore.data.cache import latest_fer2013

    assert latest_fer2013() is not None
    assert data.load().fingerprint == fer2013.fingerprint
