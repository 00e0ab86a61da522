"""Published figures: none is shown without how it was chosen."""

from dashboard.compare.accuracy_svg import Score, accuracy_svg
from dashboard.compare.published_view import published_table
from fercore.scoring.statistics import Interval
from fercore.study.references import PAPER, published
from tests.conftest import ROOT
from tests.test_pages import open_page, said


def test_every_figure_says_how_it_was_chosen():
    found = {one.key: one for one in published()}
    assert len(found) == len(published()) >= 10
    assert {found["paper-cnn"].accuracy, found["paper-cnn-lstm"].accuracy} == set(PAPER.values())
    assert "PrivateTest" in found["lethesec-resnet18"].selected_on
    for one in published():
        assert 0.4 < one.accuracy < 1
        assert all((one.model, one.source, one.selected_on, one.pretraining, one.basis))
        assert f"Chosen on: {one.selected_on}" in one.caveat
    assert len(published_table()) == len(found)


def test_one_of_them_stands_in_the_figure():
    score = Score("A", 0.65, Interval(0.63, 0.67))
    one = next(one for one in published() if one.key == "rmn")
    assert "caveat below, 74.14 %" in accuracy_svg([score], references=True, published=one)
    assert "caveat" not in accuracy_svg([score], references=False, published=one)


def test_the_overview_shows_it_with_its_caveat(monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    app = open_page("overview", a="cnn-best", b="peer-fer", beside="wujie-vgg19")
    words = said(app)
    assert "Chosen on: PrivateTest: the best of 250 epochs" in words
    assert "Others reached about 72.6 when chosen on PublicTest" in words
    assert "B was imported" in words
    app.selectbox(key="beside").select("any").run()
    assert "Chosen on: PrivateTest: the best of 250 epochs" not in said(app)
