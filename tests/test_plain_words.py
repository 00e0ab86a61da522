"""What people wrote is shown as it stands: no page makes Markdown or HTML of it."""

import re

import pytest

from dashboard.base.navigation import PAGES
from dashboard.base.plain import plain
from fercore.files import read_json, write_json
from fercore.runs.changes import annotate_run
from fercore.runs.listing import find_run
from tests.driving import press
from tests.test_own_photos import THIRTY, drawn, zipped
from tests.test_pages import no_video, open_page  # noqa: F401

MARK = "mark"
HOSTILE = (
    f"![{MARK}](http://a.example/i.png) <img src=http://a.example/{MARK}> :red[{MARK}] "
    f"[{MARK}](http://a.example) ${MARK}$ :material/delete: http://a.example/{MARK} www.a.example"
)
# What Markdown, or HTML in a figure, would act upon.
ACTIVE = re.compile(
    rf"(?<!\\)\[{MARK}(?!\\)\]|(?<!\\)<img|(?<!\\)\$ *{MARK}|:(red|material)|https?:/|www\.a"
)
# Fields of an element that are shown as they are: what is typed, chosen among, or downloaded.
AS_THEY_ARE = {"options", "value", "default", "default_value", "placeholder", "url", "query_string"}


def test_plain_words_come_back_as_they_were():
    back = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain(HOSTILE)).replace("\u2060", "")
    assert back == HOSTILE
    assert not ACTIVE.search(plain(HOSTILE))
    assert ACTIVE.search(HOSTILE)


@pytest.mark.parametrize(
    "words", ["me.jpg: there is none.", "cnn_lstm-s0", "5\u00a0%", "3\u202f589", "a.b"]
)
def test_words_without_markup_stay_untouched(words):
    assert plain(words) == words


@pytest.mark.parametrize("words", ["# a", "- a", "1. a", "a\n\n# b", "    a", "+ a", "> a", "---"])
def test_no_line_begins_a_block(words):
    said = plain(words)
    assert "\n" not in said
    assert re.match(r"\\|\d+\\|a", said)


def texts(message, field: str = ""):
    """Every text of a protobuf message that a browser makes Markdown or HTML of."""
    for descriptor, value in message.ListFields():
        if descriptor.name in AS_THEY_ARE:
            continue
        values = value if isinstance(value, list) or hasattr(value, "append") else [value]
        for item in values:
            if isinstance(item, str):
                yield f"{field}.{descriptor.name}", item
            elif hasattr(item, "ListFields"):
                yield from texts(item, f"{field}.{descriptor.name}")


def shown(app) -> dict[str, str]:
    """The texts of all elements and their containers, by where they stand."""
    found = {}

    def walk(node, at: str) -> None:
        if getattr(node, "proto", None) is not None:
            found.update({f"{at}{field}": text for field, text in texts(node.proto)})
        for number, child in getattr(node, "children", {}).items():
            walk(child, f"{at}/{child.type}-{number}")

    walk(app._tree, "")
    return found


def acted_upon(app) -> dict[str, str]:
    """The texts that hold the mark and would be acted upon, but for the app's own scripts; of a
    figure, what it shows.
    """
    found = {}
    for at, text in shown(app).items():
        if text.startswith("<script>"):
            continue
        drawn_words = re.sub(r'"meta":\{.*?\}', "", text) if at.endswith(".spec") else text
        if MARK in drawn_words and ACTIVE.search(drawn_words):
            found[at] = drawn_words
    return found


@pytest.fixture
def hostile_runs(two_runs):
    """Two runs whose note, dataset, recipe and machine have such names; the second came of a third
    of such a name, too.
    """
    for run in two_runs:
        path = run.folder / "run.json"
        info = read_json(path)
        info["dataset"]["name"] = info["recipe"]["name"] = info["recipe"]["summary"] = HOSTILE
        info["hardware"]["processor"] = HOSTILE
        info["hardware"]["precision"] = HOSTILE
        write_json(path, info)
        annotate_run(find_run(run.run_id), HOSTILE)
    return two_runs


@pytest.mark.parametrize("name", PAGES)
def test_no_page_acts_upon_what_people_wrote(hostile_runs, name):
    app = open_page(name, a="first", b="second")
    assert MARK in "".join(shown(app).values())
    assert acted_upon(app) == {}


def test_no_sentence_acts_upon_what_it_quotes(hostile_runs):
    (hostile_runs[1].folder / "run.json").write_text(f'{{"model": "{HOSTILE}"}}')
    app = open_page("runs", a="first")
    app.text_input(key="data_path").input(HOSTILE).run()
    app.text_input(key="data_names").input(f"{HOSTILE}=").run()
    press(app, "Use this dataset")
    assert MARK in "".join(error.value for error in app.error)
    assert acted_upon(app) == {}
    app.text_input(key="run-name-first").input(HOSTILE[:70])
    press(app, "Rename")
    assert any(MARK in error.value for error in app.error)
    assert acted_upon(app) == {}


def test_an_uploads_name_is_shown_as_it_is(two_runs):
    app = open_page("predict", a="first", b="none")
    app.file_uploader[0].upload(f"{HOSTILE}.png", b"no picture").run()
    assert any(MARK in error.value for error in app.error)
    assert acted_upon(app) == {}


def test_names_in_a_zip_are_shown_as_they_are(two_runs):
    name = HOSTILE.replace("/", "")
    app = open_page("your_faces")
    for files in (
        drawn(THIRTY) | {f"happy/{name}.png": b"no picture"},
        {f"train/{name}/1.png": b"no picture"},
    ):
        app.file_uploader[0].set_value((f"{HOSTILE}.zip", zipped(files), "application/zip"))
        press(app, "Find the faces")
        assert app.metric or any(MARK in error.value for error in app.error)
        assert acted_upon(app) == {}
