"""What there is to know of a run stands as badges wherever it is named: a word in a colour."""

from dataclasses import replace

import pytest

from dashboard.base.badges import LOOKS, badge, marks, titled
from fercore.data import SYNTHETIC
from fercore.groups.finding import find_group
from fercore.runs.listing import find_run
from fercore.runs.words import MARKS
from tests.conftest import ROOT
from tests.test_pages import open_page


def test_every_mark_has_a_look_and_none_has_a_models_colour():
    assert set(LOOKS) == set(MARKS)
    assert not {colour for colour, _ in LOOKS.values()} & {"blue", "orange"}


def test_a_title_holds_a_badge_in_place_of_the_word(two_runs):
    run = two_runs[0]
    assert marks(run) == [SYNTHETIC]
    words = badge(SYNTHETIC, SYNTHETIC)
    assert words == ":violet-badge[:material/draw: synthetic]"
    assert titled(find_group("first")).startswith(f"CNN · {words} · quick · seed 0 · ")


def test_a_run_that_was_cut_short_says_so(two_runs):
    short = replace(two_runs[0], info=two_runs[0].info | {"epochs_done": 1})
    assert marks(short) == [SYNTHETIC, "cut short"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cnn-best-ensemble", "ensemble"),
        ("peer-fer", "imported"),
        ("cnn_small", "uncommitted code"),
    ],
)
def test_shipped_runs_say_what_they_are(monkeypatch, name, told):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    assert marks(find_run(name)) == [told]


def test_pages_show_them(two_runs):
    app = open_page("overview", a="first", b="second")
    shown = [one.value for one in (*app.markdown, *app.caption) if ":violet-badge[" in one.value]
    assert len(shown) >= 5  # the sidebar's two, the line below the title, the two cards
