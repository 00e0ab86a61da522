"""One's own photos: faces found, cut out, split by rule, kept as a dataset that loads like any."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut, coffee

from fercore import data
from fercore.data import bounds, own_photos
from fercore.data.cache import cache_folder
from fercore.data.class_names import class_names
from fercore.data.own_faces import split_faces
from fercore.data.own_photos import find_own_faces
from fercore.data.stored_faces import delete_faces, faces_folder, find_stored, store, stored_faces
from fercore.errors import DataError
from fercore.faces.detection import checked_choice, find_faces, preprocess
from fercore.labels import CLASSES, USAGES
from tests.test_cli import fails, run
from tests.test_photo_kinds import heic
from tests.test_photos_and_faces import encoded


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def drawn(counts: dict[str, int], prefix: str = "", start: int = 0) -> dict[str, bytes]:
    """Synthetic faces as PNG files, `<prefix><class>/<n>.png`."""
    faces, files = data.synthetic((20, 1, 1)), {}
    for name, count in counts.items():
        of_class = faces.images[faces.labels == CLASSES.index(name)][start : start + count]
        for number, face in enumerate(of_class):
            files[f"{prefix}{name}/{number:02}.png"] = encoded(Image.fromarray(face), "PNG")
    return files


THIRTY = {"happy": 10, "sad": 10, "surprise": 10}


@pytest.fixture(scope="module")
def thirty() -> list:
    return find_own_faces(zipped(drawn(THIRTY)))


def test_a_photo_is_cut_out_as_in_prediction():
    photo = Image.fromarray(astronaut())
    files = {"happy/me.jpg": encoded(photo, "PNG"), "sad/cup.png": encoded(_cup(), "PNG")}
    cup, me = sorted(find_own_faces(zipped(files)), key=lambda found: found.label, reverse=True)
    box = find_faces(photo).boxes[0]
    assert (me.outcome, me.box) == ("face found", box)
    assert np.array_equal(me.face, preprocess(photo, box))
    assert (cup.outcome, cup.face) == ("no face", None)
    assert "No face from the front" in cup.reason


def _cup() -> Image.Image:
    return Image.fromarray(coffee())


def test_small_pictures_of_a_face_are_kept_whole_or_found(thirty):
    assert {photo.outcome for photo in thirty} <= {"whole picture", "face found"}
    assert sum(photo.outcome == "whole picture" for photo in thirty) > 10
    assert all(photo.face.shape == (48, 48) for photo in thirty)


def test_each_class_is_split_60_20_20(thirty):
    own = split_faces(thirty)
    assert own.problem == ""
    assert own.counts().to_dict("index") == {
        name: {"Training": 6, "PublicTest": 2, "PrivateTest": 2} for name in THIRTY
    }
    assert len(own.table()) == 30


def test_the_split_follows_the_seed(thirty):
    def parts(seed):
        return [photo.usage for photo in split_faces(thirty, seed=seed).photos]

    assert parts(1) == parts(1)
    assert parts(1) != parts(2)


@pytest.mark.parametrize(("count", "parts"), [(3, (1, 1, 1)), (4, (2, 1, 1)), (8, (4, 2, 2))])
def test_small_classes_have_a_face_in_each_part(thirty, count, parts):
    few = [photo for photo in thirty if photo.label != 3 or photo.file < f"happy/{count:02}"]
    assert tuple(split_faces(few).counts().loc["happy"]) == parts


def test_a_class_with_two_faces_is_left_out_with_a_sentence(thirty):
    few = [photo for photo in thirty if photo.label != 3 or photo.file < "happy/02"]
    own = split_faces(few)
    assert own.notes == (
        "happy is left out: 2 faces found, and it needs 3, one for each part. "
        "Add photos to keep it.",
    )
    assert Counter(photo.outcome for photo in own.photos)["left out"] == 2
    assert (own.problem, len(own.kept)) == ("", 20)


def test_one_class_alone_is_no_dataset(thirty):
    own = split_faces([photo for photo in thirty if photo.label == 3])
    assert "At least two expressions" in own.problem
    with pytest.raises(DataError, match="At least two expressions"):
        store(own, "mine")
    assert stored_faces() == []


def test_the_folders_own_parts_are_taken():
    files = drawn({"happy": 2, "sad": 3}, "train/") | drawn({"happy": 1, "sad": 1}, "val/", 5)
    files |= drawn({"happy": 1, "sad": 2}, "test/", 10)
    own = split_faces(find_own_faces(zipped(files)), seed=5)
    assert own.counts().to_numpy().tolist() == [[2, 1, 1], [3, 1, 2]]
    assert own.notes == ()


def test_a_missing_validation_part_is_drawn_from_training():
    files = drawn({"happy": 5, "sad": 5}, "me/train/") | drawn({"happy": 2}, "me/test/", 10)
    own = split_faces(find_own_faces(zipped(files)))
    assert own.counts().to_numpy().tolist() == [[4, 1, 2], [4, 1, 0]]
    assert "drawn from Training's faces" in own.notes[0]


def test_parts_without_one_to_train_on_are_refused():
    files = drawn({"happy": 3, "sad": 3}, "val/") | drawn({"happy": 2, "sad": 3}, "test/", 5)
    assert "none 'train'" in split_faces(find_own_faces(zipped(files))).problem


def test_folders_within_folders_and_what_macos_adds():
    files = drawn({"happy": 3, "sad": 3}, "my faces/2026/")
    files |= {"__MACOSX/my faces/happy/._0.png": b"x", "my faces/.DS_Store": b"x"}
    files |= {"my faces/readme.txt": b"words"}
    own = split_faces(find_own_faces(zipped(files)))
    assert own.counts().to_numpy().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_common_words_for_a_class_are_understood():
    happy = drawn({"happy": 3}).items()
    files = {name.replace("happy", "Happiness"): content for name, content in happy}
    assert {photo.label for photo in find_own_faces(zipped(files))} == {CLASSES.index("happy")}


def test_the_same_face_twice_is_kept_once():
    files = drawn({"happy": 3})
    files["sad/again.png"] = files["happy/00.png"]
    again = find_own_faces(zipped(files))[-1]
    assert (again.outcome, again.kept) == ("copy", False)
    assert again.reason == "The same face as happy/00.png, which says happy."


def test_a_bad_photo_is_reported_and_the_others_go_on():
    files = drawn({"happy": 3, "sad": 3}) | {"happy/bad.jpg": b"no", "sad/phone.heic": b"no"}
    own = split_faces(find_own_faces(zipped(files)))
    bad = [photo for photo in own.photos if photo.outcome == "not readable"]
    assert [photo.file for photo in bad] == ["happy/bad.jpg", "sad/phone.heic"]
    assert all("not a picture that can be read" in photo.reason for photo in bad)
    assert len(own.kept) == 6


REFUSED = {
    "unknown class": ({"bored/1.png": b"", "Happy/1.png": b""}, "'bored' is not one of the seven"),
    "no folder": ({"1.png": b""}, "'1.png' lie in no folder"),
    "no photo": ({"happy/readme.txt": b""}, "no photos were found"),
    "climbs out": ({"../happy/1.png": b""}, "climbs out"),
    "absolute": ({"/happy/1.png": b""}, "climbs out"),
}


@pytest.mark.parametrize(("files", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_one_sentence(files, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        find_own_faces(zipped(files), name="mine.zip")
    assert str(caught.value).startswith("mine.zip: ")


def test_what_is_no_zip_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"mine\.zip: the archive is damaged"):
        find_own_faces(b"hello", name="mine.zip")
    with pytest.raises(DataError, match="no such file"):
        find_own_faces(tmp_path / "nowhere")
    (tmp_path / "list.csv").write_text("1,2")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        find_own_faces(tmp_path / "list.csv")


def test_bombs_are_refused(monkeypatch):
    monkeypatch.setattr(bounds, "FREE_BYTES", 1 << 20)
    with pytest.raises(DataError, match="expands to far more"):
        find_own_faces(zipped({"happy/1.png": b"\0" * (4 << 20)}))


def test_too_many_photos_are_refused(monkeypatch):
    monkeypatch.setattr(own_photos, "MAX_PHOTOS", 5)
    with pytest.raises(DataError, match="6 photos are too many"):
        find_own_faces(zipped(drawn({"happy": 6})))


def test_a_huge_file_is_reported_unread(monkeypatch):
    monkeypatch.setattr(own_photos, "MAX_PHOTO_BYTES", 100)
    photos = find_own_faces(zipped(drawn({"happy": 1})))
    assert photos[0].outcome == "not readable"


def test_a_picture_that_declares_a_huge_size_is_reported():
    huge = bytearray(encoded(Image.new("1", (8, 8)), "PNG"))
    huge[16:24] = (20_000).to_bytes(4, "big") * 2
    import zlib

    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    assert "too many" in find_own_faces(zipped({"happy/1.png": bytes(huge)}))[0].reason


def test_progress_counts_the_photos():
    seen = []
    find_own_faces(zipped(drawn({"sad": 3})), progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_kept_faces_load_like_any_dataset(thirty):
    own = split_faces(thirty, seed=3)
    folder = store(own, "my-faces")
    assert folder == faces_folder() / "my-faces"
    loaded = data.load(folder)
    assert (loaded.name, len(loaded)) == ("my-faces", 30)
    for usage in USAGES:
        expected = Counter(p.face.tobytes() for p in own.kept if p.usage == usage)
        assert Counter(face.tobytes() for face in loaded.part(usage).images) == expected
    assert "no images of angry, disgust, fear, neutral" in loaded.notes[0]
    assert [path.name for path in stored_faces()] == ["my-faces"]
    with pytest.raises(DataError, match="called 'my-faces' already"):
        store(own, "my-faces")


@pytest.mark.parametrize("name", ["", "../x", "a.b", ".x", "FER2013", "synthetic", "a/b"])
def test_names_that_faces_cannot_have(thirty, name):
    with pytest.raises(DataError, match="no name for faces"):
        store(split_faces(thirty), name)
    with pytest.raises(DataError, match="no name for faces"):
        delete_faces(name)


def test_a_name_that_is_taken_is_refused_before_any_photo_is_looked_at(thirty, monkeypatch):
    store(split_faces(thirty), "mine")
    monkeypatch.setattr("fercore.cli.data.find_own_faces", lambda *_, **__: pytest.fail("looked"))
    assert "called 'mine' already" in fails("data", "photos", "photos.zip", "--name", "mine")


def test_a_full_disk_leaves_nothing(thirty, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(DataError, match="not kept: No space left"):
        store(split_faces(thirty), "mine")
    assert list(faces_folder().iterdir()) == []


def test_deleting(thirty):
    data.load(store(split_faces(thirty), "mine"))
    (cached,) = (cache_folder() / "datasets").iterdir()
    delete_faces("mine")
    assert (stored_faces(), find_stored("mine")) == ([], None)
    assert not cached.exists()
    with pytest.raises(DataError, match="no faces called 'mine'"):
        delete_faces("mine")


def test_the_command(tmp_path):
    for name, content in drawn({"happy": 3, "sad": 4}).items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "photos" / "sad" / "bad.png").write_bytes(b"no")
    told = run("data", "photos", str(tmp_path / "photos"), "--name", "mine")
    assert "not readable" in told
    assert str(faces_folder() / "mine") in told
    assert "7 images" in run("data", "info", "--data", str(faces_folder() / "mine"))
    assert "already" in fails("data", "photos", str(tmp_path / "photos"), "--name", "mine")


def test_a_photo_that_goes_while_others_are_looked_at_is_reported(tmp_path: Path):
    folder = tmp_path / "photos" / "happy"
    folder.mkdir(parents=True)
    for name in ("1.png", "2.png"):
        Image.new("L", (48, 48), 128).save(folder / name)

    def remove_the_next(done: int, total: int) -> None:
        (folder / "2.png").unlink(missing_ok=True)

    photos = find_own_faces(tmp_path / "photos", progress=remove_the_next)
    assert [photo.face is None for photo in photos] == [False, True]
    assert "cannot be read" in photos[1].reason


def tight(side: int, counts: dict[str, int]) -> dict[str, bytes]:
    """Photographs of no face, which a person says are cut to one: of any size, in any class."""
    rng, files = np.random.default_rng(side), {}
    for name, count in counts.items():
        for number in range(count):
            shades = rng.integers(0, 255, (6, 6), np.uint8)
            picture = Image.fromarray(shades).resize((side, side), Image.Resampling.BICUBIC)
            files[f"{name}/{number}.png"] = encoded(picture, "PNG")
    return files


@pytest.mark.parametrize("side", [224, 640])
def test_pictures_that_are_faces_themselves_are_taken_at_any_size(side):
    files = zipped(tight(side, {"happy": 3, "sad": 3}))
    assert not any(photo.kept for photo in find_own_faces(files))
    whole = find_own_faces(files, faces="none")
    assert {photo.outcome for photo in whole} == {"whole picture"}
    assert split_faces(whole).counts().to_numpy().tolist() == [[1, 1, 1], [1, 1, 1]]


def test_what_is_looked_for_is_search_largest_or_none(tmp_path):
    for name, content in tight(224, {"happy": 3, "sad": 3}).items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    assert checked_choice("search") == checked_choice("all")
    command = ("data", "photos", f"'{tmp_path / 'photos'}'", "--name", "mine")
    assert "Faces are all, largest, none" in fails(*command, "--faces", "two")
    assert "At least two expressions" in fails(*command, "--faces", "largest")
    assert "Kept 6 faces of 6 photos" in run(*command, "--faces", "none")


def test_classes_are_left_out_or_named_as_asked():
    files = drawn({"happy": 3, "sad": 3}) | {
        name.replace("surprise", "contempt"): content
        for name, content in drawn({"surprise": 3}).items()
    }
    with pytest.raises(DataError, match=r"'contempt' is not one of.*--leave-out contempt"):
        find_own_faces(zipped(files))
    without = find_own_faces(zipped(files), names=class_names("contempt="))
    left = [photo for photo in split_faces(without).photos if photo.outcome == "left out"]
    assert [photo.file for photo in left] == [f"contempt/0{n}.png" for n in range(3)]
    assert "as asked" in left[0].reason
    named = find_own_faces(zipped(files), names=class_names("contempt=surprise"))
    assert len([photo for photo in named if photo.kept]) == 9


def test_files_that_are_no_pictures_are_passed_over_and_named(tmp_path):
    files = drawn({"happy": 3, "sad": 3}) | {"happy/film.mov": b"x", "happy/._1.png": b"x"}
    own = split_faces(find_own_faces(zipped(files)))
    (other,) = [photo for photo in own.photos if not photo.kept]
    assert (other.file, other.outcome) == ("happy/film.mov", "passed over")
    assert list(own.counts().index) == ["happy", "sad"]
    (tmp_path / "photos.zip").write_bytes(zipped(files))
    told = run("data", "photos", str(tmp_path / "photos.zip"), "--name", "mine")
    assert "Kept 6 faces of 6 photos" in told
    assert "1 file is no picture and is passed over: happy/film.mov." in told


def test_a_folder_that_is_not_followed_is_told(tmp_path):
    for name, content in drawn({"happy": 3, "sad": 3}).items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    (tmp_path / "photos" / "again").symlink_to(tmp_path / "photos")
    told = run("data", "photos", str(tmp_path / "photos"), "--name", "mine")
    assert "'again' is a link to a folder that is read already" in told
    assert "Kept 6 faces of 6 photos" in told


def test_a_zip_as_powershell_writes_it():
    files = {name.replace("/", "\\"): content for name, content in drawn(THIRTY).items()}
    assert len([photo for photo in find_own_faces(zipped(files)) if photo.kept]) == 30


def test_photos_of_a_phone_are_read_and_what_is_missing_of_a_file_is_told():
    face = Image.open(io.BytesIO(drawn({"happy": 1})["happy/00.png"])).convert("RGB")
    whole, cut = heic(face), encoded(face.rotate(1), "JPEG")[:-2]
    first, second = find_own_faces(zipped({"happy/1.HEIC": whole, "happy/2.jfif": cut}))
    assert first.kept
    assert not first.reason
    assert second.kept
    assert "end of its file is missing" in second.reason
