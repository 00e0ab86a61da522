"""What attributes add to the page Slices: two properties crossed, and gaps between groups."""

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.own_slices import NOTHING
from dashboard.base.parameters import CROSS_ONE, CROSS_OTHER, GAPS_BY
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.base.widgets import one_of_these
from dashboard.compare.slices_view import crossed_slices, slices_in_words
from fercore import wording
from fercore.analysis import marks
from fercore.analysis.marks import groups_by
from fercore.groups.group import Group
from fercore.scoring.gaps import Gaps, gaps
from fercore.scoring.slices import FEW, slice_masks
from fercore.scoring.statistics import LEVEL
from fercore.wording import count

_LONGEST = 8  # small groups that are named


def crossed_section(selection: Selection, properties: pd.DataFrame) -> None:
    """Two properties to choose, and the slices by one within those by the other."""
    st.subheader("Two properties crossed", anchor=False)
    names = list(dict.fromkeys(name for name, _ in slice_masks(properties)))
    left, right = st.columns(2)
    for key in (CROSS_ONE, CROSS_OTHER):
        one_of_these(key, [NOTHING, *names])
    one = left.selectbox("By", [NOTHING, *names], key=CROSS_ONE)
    other = right.selectbox("and by", [NOTHING, *names], key=CROSS_OTHER)
    if NOTHING in (one, other) or one == other:
        st.caption("Choose two properties, such as class and an attribute, to see both at once.")
        return
    tables = {
        key: crossed_slices(model, selection.part, (one, other))
        for key, model in selection.models.items()
    }
    found = stacked(tables)
    st.dataframe(
        slices_in_words(found.drop(columns="property")), hide_index=True, height=300,
        placeholder=wording.UNKNOWN,
    )  # fmt: skip
    few = int(tables["A"]["few"].sum())
    st.caption(
        f"Worst first. Corrected (Holm) for these {len(tables['A'])} slices; {few} of them have "
        f"fewer than {FEW} images and stand last."
    )
    csv_button(found, "crossed-slices", models=selection.models, part=selection.part)


def gaps_section(selection: Selection) -> None:
    """A table of gaps between the groups that an attribute makes; nothing without attributes."""
    pixels = loading.predictions(selection.a, selection.part).pixels
    known = {mark.name: mark for mark in marks.marks("attributes") if len(groups_by(mark, pixels))}
    if not known:
        return
    st.subheader("Gaps between groups", anchor=False)
    one_of_these(GAPS_BY, list(known))
    name = st.selectbox("Groups by", list(known), key=GAPS_BY)
    if known[name].guessed:
        st.warning(
            f"“{plain(name)}” was guessed by a model ({plain(known[name].origin)}): the gaps are "
            "between those it took for each, and its mistakes make gaps as well as hide them."
        )
    found = {
        key: _gaps(model, selection.part, name, marks.stamp())
        for key, model in selection.models.items()
    }
    if small := found["A"].small:
        others = f" and {len(small) - _LONGEST} more" if len(small) > _LONGEST else ""
        st.warning(
            f"Too few to be worst or best, and left out (fewer than {FEW} images): "
            f"{plain(', '.join(small[:_LONGEST]))}{others}."
        )
    table = stacked({key: of_model.table for key, of_model in found.items()})
    if table.empty:
        st.info("No class has two groups with enough images to compare.")
        return
    st.dataframe(_written(table), hide_index=True, height=300)
    lines = ((key, of_model.table["p_holm"] < LEVEL) for key, of_model in found.items())
    beyond = [f"{marked.sum()} of {key}'s {len(marked)}" for key, marked in lines]
    st.caption(
        "Recall: of a class's images, the share that is found; false alarms: of all others, the "
        "share that is taken for it. The two groups are chosen for being furthest apart: interval "
        "and p make up for that choice, p also for the lines (Holm). Beyond chance: "
        f"{' and '.join(beyond)}. A gap may lie in the images: light, pose and labels differ "
        "between groups too."
    )
    csv_button(table, "gaps", models=selection.models, part=selection.part, attribute=name)


@st.cache_data(max_entries=40, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _gaps(model: Group, part: str, name: str, marked: str) -> Gaps:
    answers = loading.predictions(model, part)
    return gaps(answers, groups_by(marks.find("attributes", name), answers.pixels))


def _written(table: pd.DataFrame) -> pd.DataFrame:
    """For people."""
    written = table[["model", "metric", "class"]].copy()
    for side in ("worst", "best"):
        written[side] = [
            f"{name}: {wording.in_percent(share)} % of {count(n)}"
            for name, share, n in zip(
                table[side], table[f"{side}_share"], table[f"{side}_n"], strict=True
            )
        ]
    written["gap, points"] = [wording.in_points(gap) for gap in table["gap"]]
    written["gap, interval"] = list(map(wording.points_interval, wording.bounds_in(table, "gap")))
    written["corrected p"] = [wording.in_p(p) for p in table["p_holm"]]
    return written
