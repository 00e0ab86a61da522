"""The URL: what decides a view stands there, once each, under keys that stay.

Streamlit's own binding of widgets takes the words of the screen for keys, writes one step of the
browser's history for each parameter that a script sets and none for what a person chooses, and
drops in silence what it does not know. So the URL is read when a page is reached by a link, a
reload or *Back*, and written when a choice has changed the view: here, before anything is drawn.
"""

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SessionStateProxy

from dashboard.base.plain import plain

PAGE = "page-shown"
_VIEW, _KEPT, _PROBLEMS = "view-shown", "view-kept", "not-here"
NOT_HERE = ":material/link_off:"  # the icon of such sentences
_SHOWN_LENGTH = 60  # characters of what a link names

# The navigation leads to a bare URL, which the page's view then completes, and Streamlit sometimes
# hears of that view before it has left the page. Neither is a step of the browser's history.
STEPS = """<script>
if (!window.fercoreSteps) {
  window.fercoreSteps = true
  const push = history.pushState.bind(history)
  let leaving = null
  const leaves = click => {
    const link = click.target.closest("a[href]")
    const here = !link || link.target || link.hasAttribute("download")
    const elsewhere = click.ctrlKey || click.metaKey || click.shiftKey
    leaving = here || elsewhere || link.pathname === location.pathname ? null : location.pathname
  }
  const stays = () => { leaving = null }
  for (const event of ["pointerdown", "keydown", "popstate"]) addEventListener(event, stays, true)
  addEventListener("click", leaves, true)
  history.pushState = (state, title, url) => {
    const path = new URL(url, location).pathname
    if (path === leaving) return
    leaving = null
    const completes = path === location.pathname && !location.search
    completes ? history.replaceState(state, title, url) : push(state, title, url)
  }
}
</script>"""


@dataclass(frozen=True)
class Parameter:
    """One choice that decides a view; `key` names it in the URL and in `st.session_state`.

    title: what a sentence calls it. read: from the URL to a value; raises `KeyError` or
    `ValueError` for what is not here. write: back again. words: a value as the screen has it.
    always: whether the URL names the default too. after: the keys after whose change it begins
    anew; `PAGE` is that of the page.
    """

    key: str
    title: str
    default: Callable[[], Any]
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    words: Callable[[Any], str] = str
    always: bool = False
    after: frozenset[str] = frozenset()

    def holds(self, value: Any) -> bool:
        """Whether the value is one that it may have now."""
        try:
            return self.read(self.write(value)) == value
        except (KeyError, ValueError):
            return False


def choice(
    key: str, title: str, options: Mapping[str, Any] | Sequence[str], default: Any = None, **more
) -> Parameter:
    """A parameter with one of `options`, by their keys in the URL; by default the first. A value
    without words of its own is called by its key.
    """
    values = dict(options) if isinstance(options, Mapping) else {name: name for name in options}
    names = {value: name for name, value in values.items()}
    first = default if callable(default) else lambda: default or next(iter(values.values()))

    def called(value: Any) -> str:
        return value if isinstance(value, str) else names.get(value, "none")

    return Parameter(
        key, title, first, values.__getitem__, names.__getitem__, **{"words": called} | more
    )


def number(
    key: str, title: str, low: float, high: float, default: float | None = None, **more
) -> Parameter:
    """A parameter with a number from `low` to `high`, whole unless they are fractions."""
    kind = type(low)

    def read(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return Parameter(key, title, lambda: default, read, **more)


def follow(page: str, shared: Sequence[Parameter], own: Mapping[str, Sequence[Parameter]]) -> None:
    """Bring the URL and the session together; once a run, before anything is drawn.

    shared: the parameters of every page. own: those of each page, by its name.
    """
    state = st.session_state
    parameters = [*shared, *own.get(page, ())]
    back = _goes_back()
    arrived = back or state.get(PAGE) != page
    before = dict(state.setdefault(_KEPT, {}))
    preset = set() if before else set(state)
    gone = [problem for one in parameters if (problem := _settle(one))]
    if arrived:
        state[_PROBLEMS] = _take(parameters, exactly=back)
    changed = {one.key for one in parameters if before.get(one.key) != state[one.key]}
    changed |= {PAGE} if state.get(PAGE) != page else set()
    given = preset | set(st.query_params) if arrived else changed
    for one in itertools.chain(parameters, *own.values()):
        if one.after & changed and one.key not in given:
            state[_KEPT].pop(one.key, None)
            if one in parameters:
                state[one.key] = one.default()
    state[_KEPT] |= {one.key: state[one.key] for one in parameters}
    if changed and not arrived:
        state[_PROBLEMS] = []
    state[_PROBLEMS] += gone
    _write(page, parameters, arrived=arrived)


def _settle(parameter: Parameter) -> str:
    """Give it a value that it may have; a sentence where its own may not be had any more.

    A widget's value is forgotten by Streamlit wherever the widget is not drawn.
    """
    state = st.session_state
    known = state.get(parameter.key, state[_KEPT].get(parameter.key))
    unknown = known is not None and not parameter.holds(known)
    if parameter.key not in state or unknown:
        state[parameter.key] = parameter.default() if known is None or unknown else known
    return not_here(parameter, str(known), any_more=True) if unknown else ""


def _take(parameters: Sequence[Parameter], *, exactly: bool) -> list[str]:
    """Select what the URL names; returns a sentence for each thing that is not here.

    exactly: what it does not name is as it is by default.
    """
    problems = []
    for parameter in parameters:
        named = st.query_params.get_all(parameter.key)
        if not named and exactly:
            st.session_state[parameter.key] = parameter.default()
        if not named:
            continue
        if len(named) > 1:
            problems.append(f"The link names the {parameter.title} more than once. The last holds.")
        try:
            st.session_state[parameter.key] = parameter.read(named[-1])
        except (KeyError, ValueError):
            st.session_state[parameter.key] = parameter.default()
            problems.append(not_here(parameter, named[-1]))
    return problems


def not_here(parameter: Parameter, named: str, *, any_more: bool = False) -> str:
    """The sentence on what a link names, or the session knows, and this place does not have."""
    shown = named if len(named) <= _SHOWN_LENGTH else f"{named[:_SHOWN_LENGTH]}…"
    instead = plain(parameter.words(parameter.default()))
    if any_more:
        return f"The {parameter.title} “{plain(shown)}” is not here any more. Shown: {instead}."
    return (
        f"The link names the {parameter.title} “{plain(shown)}”, which is not here. Shown "
        f"instead: {instead}."
    )


def say_what_is_not_here() -> None:
    """The sentences of `follow`, until another view is chosen."""
    for sentence in st.session_state.get(_PROBLEMS, ()):
        st.warning(sentence, icon=NOT_HERE)


def choose_instead(key: str, value: object, sentence: str) -> None:
    """Choose what is here where something else was named; `sentence` on it stays until another view
    is chosen, however often the page is drawn meanwhile.
    """
    state = st.session_state
    state[key] = state[_KEPT][key] = value
    state[_PROBLEMS] = [*state[_PROBLEMS], sentence]
    st.warning(sentence, icon=NOT_HERE)


def query(shared: Collection[str], own: Sequence[Parameter], changes: dict[str, str]) -> dict:
    """Query parameters of a link: those of this view that are `shared`, its page's `own`, as they
    were left, and what the link changes; with keys and values as the URL has them.
    """
    state = st.session_state
    view = {key: value for key, value in state[_VIEW].items() if key in shared}
    left = {one.key: state[_KEPT][one.key] for one in own if one.key in state[_KEPT]}
    return view | _encoded(own, left) | changes


def _encoded(
    parameters: Sequence[Parameter], values: Mapping[str, Any] | SessionStateProxy
) -> dict[str, str]:
    """The parameters that are not as they are by default, as the URL has them."""
    return {
        one.key: one.write(values[one.key])
        for one in parameters
        if one.key in values and (one.always or values[one.key] != one.default())
    }


def _write(page: str, parameters: Sequence[Parameter], *, arrived: bool) -> None:
    """Into the URL, where a choice has changed the view, and where there is nothing yet."""
    view = _encoded(parameters, st.session_state)
    chosen = not arrived and st.session_state[_VIEW] != view
    st.session_state[PAGE], st.session_state[_VIEW] = page, view
    if chosen or (view and not st.query_params):
        st.query_params.from_dict(view)


def keep(parameter: Parameter) -> None:
    """Into the URL what a dialog has changed, which is drawn anew without `follow`."""
    state = st.session_state
    others = {key: value for key, value in state[_VIEW].items() if key != parameter.key}
    view = others | _encoded([parameter], state)
    state[_KEPT][parameter.key] = state[parameter.key]
    if view != state[_VIEW]:
        state[_VIEW] = view
        st.query_params.from_dict(view)


def shown() -> str:
    """The URL of this view, whole, to be handed on."""
    return f"{st.context.url or ''}?{urlencode(st.session_state[_VIEW])}"


def _goes_back() -> bool:
    """Whether the browser's Back or Forward asked for this run. Only here does Streamlit tell."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
