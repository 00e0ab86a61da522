"""Each term has one sentence, in one place, and whatever a page explains is there."""

import ast

import pytest

from fercore.glossary import SECTIONS, TERMS, explained, titled
from tests.conftest import ROOT
from tests.test_pages import open_page, said

EXPLAINING = {"explained": 0, "words_here": 0, "heading": 2}  # from which argument on terms stand
SOURCES = [*(ROOT / "pages").glob("*.py"), *(ROOT / "dashboard").rglob("*.py")]


def terms_of(path) -> set[str]:
    """The terms that a file names where it explains some."""
    return {
        argument.value
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        for argument in call.args[EXPLAINING.get(call.func.id, len(call.args)) :]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_every_term_that_is_explained_is_there_and_every_one_there_is_explained():
    used = set().union(*map(terms_of, SOURCES))
    assert len(used) > 30
    assert used <= set(TERMS)
    by_metric = {"F1"}  # Per class asks for it by its metric's key
    assert set(TERMS) - used <= by_metric


def test_a_term_has_one_sentence():
    assert sum(map(len, SECTIONS.values())) == len(TERMS)
    meanings = [term.meaning for term in TERMS.values()]
    assert len(set(meanings)) == len(meanings)
    for name, (meaning, _) in TERMS.items():
        assert meaning.count(". ") == 0, name
        assert meaning[-1] == ".", name


@pytest.mark.parametrize("name", ["overview", "confusion", "calibration"])
def test_a_page_has_the_sentences_of_its_terms_at_hand(two_runs, name):
    words = said(open_page(name))
    for term in terms_of(ROOT / "pages" / f"{name}.py"):
        assert explained(term).replace("\u00a0", " ") in words, titled(term)
