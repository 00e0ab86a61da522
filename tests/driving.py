"""What a person does on a page under test: finds something by its words and presses it."""

from collections.abc import Iterable
from typing import Any

from streamlit.testing.v1 import AppTest


def named(elements: Iterable[Any], label: str) -> Any:
    """The first one with that label."""
    return next(one for one in elements if one.label == label)


def keyed(elements: Iterable[Any], prefix: str) -> Any:
    """The first one whose key begins so."""
    return next(one for one in elements if (one.key or "").startswith(prefix))


def press(app: AppTest, label: str) -> AppTest:
    """The button with that label; the page comes without a stack trace."""
    return _pressed(app, named(app.button, label))


def press_keyed(app: AppTest, prefix: str) -> AppTest:
    """The first button whose key begins so; the page comes without a stack trace."""
    return _pressed(app, keyed(app.button, prefix))


def _pressed(app: AppTest, button: Any) -> AppTest:
    button.click().run()
    assert not app.exception, app.exception
    return app
