"""Which paths may be named where others are served, and how far a folder is searched."""

import tarfile
import zipfile
from pathlib import Path, PureWindowsPath

import pytest
from PIL import Image

from dashboard.base import access, folders
from dashboard.base.folders import allowed_path
from fercore import data, paths
from fercore.data import archives, bounds
from fercore.data.container import open_container
from fercore.data.own_photos import find_own_faces
from fercore.errors import DataError
from fercore.paths import files_below, given_path
from tests.driving import press
from tests.test_own_photos import drawn
from tests.test_pages import open_page, said

NOTHING = "Nothing that may be read from here is at this path"


@pytest.fixture
def here(monkeypatch):
    monkeypatch.delenv(access.ALLOW, raising=False)
    monkeypatch.setattr(folders, "serves_this_machine_only", lambda: True)


@pytest.fixture
def open_to_all(monkeypatch, here):
    """Served to others, who may write."""
    monkeypatch.setenv(access.ALLOW, "1")


@pytest.fixture
def tree(tmp_path) -> Path:
    """Faces under `mine/faces`; a link to them, and one from there to what is beside them."""
    for name, content in drawn({"happy": 3, "sad": 3}, "train/").items():
        place = tmp_path / "mine" / "faces" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "plans.txt").write_text("plans")
    (tmp_path / "mine" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "mine" / "round").symlink_to("round")
    (tmp_path / "in").symlink_to(tmp_path / "mine")
    return tmp_path


def test_on_this_machine_every_path_may_be_named(here, tree):
    assert allowed_path(tree / "secret") == tree / "secret"
    assert allowed_path(tree / "nothing") == tree / "nothing"


def test_others_may_name_what_lies_in_the_folders_that_are_named(open_to_all, monkeypatch, tree):
    monkeypatch.setenv(folders.FOLDERS, f"{tree / 'elsewhere'}:{tree / 'mine' / 'faces'}")
    faces = tree / "mine" / "faces"
    for name in ("mine/faces", "mine/faces/", "in/faces", "mine/faces/../faces", "mine//faces/."):
        assert allowed_path(given_path(f"{tree}/{name}")) == faces
    monkeypatch.setenv("HOME", str(tree / "in"))
    for text in ("~/faces", f"file://{faces}", f"'{faces}'", f"/proc/self/root{faces}"):
        assert allowed_path(given_path(text)) == faces
    monkeypatch.chdir(tree / "mine")
    assert allowed_path(given_path("faces/train")) == faces / "train"


@pytest.mark.parametrize(
    "path",
    [
        *("secret", "secret/plans.txt", "secret/nothing", "nothing", "mine/nothing", "mine/out"),
        *("mine/out/plans.txt", "mine/../secret", "minefield", "mine/\0", "", "a" * 5000),
        *("mine/" + "a" * 5000, "mine/\ud800", "mine/round", "mine/round/x", "Mine", "mine\u200b"),
        *("mine/faces/../../secret", "mine/out/../secret", "mine/out/..", "mine/*", "mine\\faces"),
        *("mine/e\u0301", "mine/faces/train/happy/../../../../../secret/plans.txt"),
    ],
)
def test_what_may_not_be_read_and_what_is_not_there_are_told_alike(
    open_to_all, monkeypatch, tree, path
):
    monkeypatch.setenv(folders.FOLDERS, str(tree / "mine"))
    with pytest.raises(DataError, match=f"^{NOTHING}"):
        allowed_path(tree / path)


@pytest.mark.parametrize(
    "text",
    [
        *("/", "//", "/root", "/etc/passwd", "~", "~root", "~nobody-of-that-name", "$HOME/faces"),
        *("${HOME}", "%USERPROFILE%", "..", ".", "file:///etc/passwd", "file://host/etc/passwd"),
        *(
            "'/etc/passwd'",
            "/proc/self/root/etc",
            "/proc/self/cwd",
            "/dev/zero",
            "http://a.example",
        ),
        *(r"\\host\share", "//host/share", r"\\?\C:\Windows", "C:/Windows", "\uff0e\uff0e/secret"),
    ],
)
def test_no_spelling_leads_out_of_the_folders(open_to_all, monkeypatch, tree, text):
    monkeypatch.setenv(folders.FOLDERS, str(tree / "mine"))
    monkeypatch.setenv("HOME", str(tree / "secret"))
    monkeypatch.chdir(tree / "secret")
    with pytest.raises(DataError, match=f"^{NOTHING}"):
        allowed_path(given_path(text))


@pytest.mark.parametrize(
    "text", [r"\\host\share\faces", "//host/share", r"\\?\UNC\host\share", "D:x"]
)
def test_no_other_computer_is_asked_for_a_file(open_to_all, monkeypatch, tree, text):
    """Windows signs in at whatever computer a path names; such a path cannot be resolved here."""
    monkeypatch.setenv(folders.FOLDERS, str(tree / "mine"))
    monkeypatch.setattr("os.path.exists", lambda path: pytest.fail(f"asked for {path}"))
    monkeypatch.setattr(paths, "Path", PureWindowsPath)
    with pytest.raises(DataError, match=NOTHING):
        allowed_path(PureWindowsPath(text))  # type: ignore[arg-type]  # as Path is there
    if not text.startswith("D"):
        assert str(given_path(text)) == str(PureWindowsPath(text))


def test_a_link_in_a_named_folder_that_leads_out_is_not_followed(open_to_all, monkeypatch, tree):
    monkeypatch.setenv(folders.FOLDERS, str(tree / "mine"))
    for place in ("mine", "in"):
        with pytest.raises(DataError, match=r"^'out' leads to where nothing may be read") as told:
            allowed_path(tree / place)
        assert "secret" not in str(told.value)
        assert "plans" not in str(told.value)
    (tree / "mine" / "out").unlink()
    assert allowed_path(tree / "mine") == tree / "mine"
    (tree / "mine" / "faces" / "own.png").symlink_to(tree / "secret" / "plans.txt")
    with pytest.raises(DataError, match=r"^'faces/own\.png' leads to"):
        allowed_path(tree / "mine")
    monkeypatch.setenv(folders.FOLDERS, f"{tree / 'mine'}:{tree / 'secret'}")
    assert allowed_path(tree / "mine") == tree / "mine"


def test_without_named_folders_others_may_name_nothing(open_to_all, monkeypatch, tree):
    for named in (None, "", ":"):
        monkeypatch.delenv(folders.FOLDERS, raising=False)
        if named is not None:
            monkeypatch.setenv(folders.FOLDERS, named)
        with pytest.raises(DataError, match=NOTHING):
            allowed_path(tree / "mine")


def test_a_sign_in_closes_paths_too(here, monkeypatch, tree):
    monkeypatch.setattr(folders, "sign_in_configured", lambda: True)
    with pytest.raises(DataError, match=NOTHING):
        allowed_path(tree / "mine")


def test_the_fields_of_a_served_app_tell_nothing(two_runs, open_to_all, tree):
    app = open_page("your_faces")
    answers = set()
    for path in ("secret", "nothing", "mine/faces"):
        app.text_input(key="own-photos-folder").input(str(tree / path))
        press(app, "Find the faces")
        app.text_input(key="data_path").input(str(tree / path)).run()
        press(app, "Use this dataset")
        answers |= {error.value for error in app.error}
        assert str(tree) not in said(app)
    assert len(answers) == 1
    assert answers.pop().startswith(NOTHING)


def test_a_search_looks_a_few_levels_deep_and_says_so(tmp_path):
    deep = tmp_path.joinpath(*"abcdefghijklm")
    deep.mkdir(parents=True)
    (deep / "lost.png").touch()
    (tmp_path / "a" / "found.png").touch()
    files, notes = files_below(tmp_path)
    assert [file.name for file in files] == ["found.png"]
    assert notes == [
        "What lies more than 8 folders deep is not looked at, such as 'a/b/c/d/e/f/g/h/i'."
    ]


def test_too_many_files_are_a_sentence_wherever_they_are(tmp_path, monkeypatch):
    for module in (paths, archives):
        monkeypatch.setattr(module, "MAX_FILES", 20)
    names = [f"train/happy/{number}.png" for number in range(30)]
    (tmp_path / "tree" / "train" / "happy").mkdir(parents=True)
    with tarfile.open(tmp_path / "many.tar", "w") as archive:
        for name in names:
            (tmp_path / "tree" / name).touch()
            archive.add(tmp_path / "tree" / name, name)
    for source in ("tree", "many.tar"):
        with pytest.raises(DataError, match=r"more than .* files"):
            data.load(tmp_path / source)


def test_a_zip_with_a_huge_table_of_contents_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_NAMES", 1000)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(100):
            archive.writestr(f"train/happy/{number}.png", b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(DataError, match=r"more than .* files"):
        open_container(tmp_path / "many.zip")


@pytest.mark.parametrize("source", ["tree", "bomb.zip", "bomb.tar"])
def test_a_picture_too_large_to_be_one_is_not_read_into_memory(tmp_path, monkeypatch, source):
    monkeypatch.setattr(bounds, "MAX_MEMBER", 1000)
    name = "train/happy/large.png"
    large = tmp_path / "tree" / name
    large.parent.mkdir(parents=True)
    Image.effect_noise((100, 100), 80).save(large)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as archive:
        archive.write(large, name)
    with tarfile.open(tmp_path / "bomb.tar", "w") as archive:
        archive.add(large, name)
    with pytest.raises(DataError, match=f"'{name}' is larger than"):
        data.load(tmp_path / source)


class Stopped(BaseException):
    """As Streamlit ends a run."""


def test_a_search_can_be_stopped(tree, monkeypatch):
    monkeypatch.setattr(paths, "_TOLD_EACH", 2)

    def stop(*_: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        data.load(tree / "mine" / "faces", progress=stop)
    with pytest.raises(Stopped):
        find_own_faces(tree / "mine" / "faces", progress=stop)
