"""Runs that have just been made: what each reached, against the run it is measured by."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.base import loading
from dashboard.base.address import PAGE
from dashboard.base.badges import badge, marks
from dashboard.base.failures import errors_kept
from dashboard.base.keys import FINISHED, MODEL_A, MODEL_B
from dashboard.base.navigation import PAGES
from dashboard.base.parameters import link
from dashboard.base.plain import plain
from fercore.groups.cells import stored_accuracy
from fercore.groups.group import group_of
from fercore.jobs.transfer import before_and_after
from fercore.runs.artifacts import Run
from fercore.runs.words import cut_short, images_title
from fercore.scoring.predictions import PARTS
from fercore.scoring.statistics import LEVEL
from fercore.wording import bounds_of, count, p_value, percent, points, points_interval

_NEWS = timedelta(hours=24)
_SEEN = "finished-runs-seen"
_TO_COMPARE = "finished-run-to-compare"  # A and B, where the page shown compares nothing
_CARDS = 3  # at once; the next ones come as these are put away


def finished_view() -> None:
    """This machine's newest runs, while they are news and until they are put away."""
    if pair := st.session_state.pop(_TO_COMPARE, None):
        st.switch_page(**link("overview", **pair))
    runs = loading.runs()
    news = [run for run in runs if not run.shipped and _is_news(run)]
    if not news:
        return
    with st.container(key=FINISHED):
        _card(news[0], counterpart(news[0], runs))
        if further := news[1:_CARDS]:
            with st.expander(f"{len(further)} more of the last day"):  # Retrain stays in sight
                for run in further:
                    _card(run, counterpart(run, runs))
    if older := [run.run_id for run in news[_CARDS:]]:
        st.caption(f"Finished before these: {plain(', '.join(older))}.")


def _card(run: Run, old: Run | None) -> None:
    with st.container(border=True):
        ended = f"Kept at {cut_short(run)}" if cut_short(run) else "Finished"
        ended = "Imported" if run.imported else ended
        ended = f"Ensemble of {len(run.members)} runs" if run.members else ended
        special = " ".join(badge(mark, mark) for mark in marks(run))
        st.markdown(f":material/check: **{ended}: {plain(run.run_id)}** {special}")
        st.caption(" ".join(_sentences(run, old)))
        left, right = st.columns(2)
        if old:
            left.button(
                "Compare",
                on_click=_compare,
                args=(run.run_id, old.run_id),
                key=f"compare-{run.run_id}",
                width="stretch",
                help=f"Shows {plain(run.run_id)} as model A and {plain(old.run_id)} as model B.",
            )
        right.button(
            "Put away",
            on_click=_put_away,
            args=(run.run_id,),
            key=f"put-away-{run.run_id}",
            width="stretch",
        )


def counterpart(run: Run, runs: list[Run]) -> Run | None:
    """The run that `run` is measured by: scored on the same images, best the one it began from.

    Then one of the same model, of the same recipe, a shipped one, the newest.
    """
    part = _headline(run)
    same = [
        other
        for other in runs
        if other.run_id != run.run_id
        and other.info["dataset"]["fingerprint"] == run.info["dataset"]["fingerprint"]
        and stored_accuracy(other, part) is not None
    ]

    def distance(other: Run) -> tuple[bool, ...]:
        return (
            other.run_id != run.start_from,
            other.architecture != run.architecture,
            other.recipe.name != run.recipe.name,
            not other.shipped,
        )

    return min(same, key=distance, default=None)


def _headline(run: Run) -> str:
    """The part that a card tells of."""
    return "private" if "private" in loading.metrics(run) else "public"


def _sentences(run: Run, old: Run | None) -> list[str]:
    part = _headline(run)
    accuracy = loading.metrics(run)[part]["accuracy"]
    sentences = [f"{percent(accuracy)} right on {plain(images_title(run.dataset, part))}."]
    if run.start_from:
        table = before_and_after(run)
        for line in table[table["part"] == PARTS[part]].to_dict("records"):
            n, of = line["n"], line["of"]
            here = "" if n == of else f" ({count(n)} of {count(of)} images)"
            what = f"{plain(images_title(line['dataset'], line['part']))}{here}"
            what += f", since {plain(run.start_from)}"
            bounds = bounds_of(line, "difference")
            sentences.append(_change(what, line["difference"], bounds, line["p_value"]))
    elif old:
        result = loading.comparison(group_of(run), group_of(old), part)
        against = f"Against {plain(old.run_id)}"
        sentences.append(_change(against, result.difference, result.interval, result.p_value))
    return sentences


def _change(what: str, difference: float, interval: tuple[float, float], p: float) -> str:
    verdict = "beyond chance" if p < LEVEL else "within chance"
    return f"{what}: {points(difference)} {points_interval(interval)}, {p_value(p)}: {verdict}."


def _is_news(run: Run) -> bool:
    age = datetime.now(UTC) - datetime.fromisoformat(run.info["created"])
    return age < _NEWS and run.run_id not in st.session_state.get(_SEEN, set())


@errors_kept("The comparison")
def _compare(new: str, old: str) -> None:
    """The new one is A, so that A − B on the pages is what this card says."""
    pair = {MODEL_A: new, MODEL_B: old}
    if PAGES[st.session_state[PAGE]].compares:
        st.session_state.update(pair)
    else:
        st.session_state[_TO_COMPARE] = pair
    _put_away(new)


@errors_kept("Putting it away")
def _put_away(run_id: str) -> None:
    st.session_state[_SEEN] = st.session_state.get(_SEEN, set()) | {run_id}
