"""Runs: everything that was trained, and what to do with the runs made on this machine."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.access import may_write, write_or_say_why
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading
from dashboard.base.plain import plain
from dashboard.compare.card_panel import card_panel
from dashboard.compare.import_panel import import_panel
from dashboard.compare.onnx_panel import onnx_panel
from dashboard.compare.run_list import run_list
from dashboard.compare.run_manager import (
    damaged_runs,
    group_table,
    name_column,
    run_manager,
    show_outcome,
    total_size,
)
from fercore.groups import tables

heading(
    "Runs",
    "Every complete training: what it learned from, how, and how often it is right, with the 95 % "
    "interval. Take two of them as A and B to compare them. Those that came with the project "
    "stay as they are; those made on this machine can be renamed, annotated and deleted.",
    "run", "seed", "group", "ensemble", "recipe", "synthetic", "imported", "cut short",
    "uncommitted code", "learning curve", "95 % interval",
)  # fmt: skip
show_outcome()
damaged_runs(loading.unreadable_runs(), deletable=may_write().allowed)

runs = loading.runs()
local = [run for run in runs if not run.shipped]
if runs:
    run_list(runs, deletable=may_write().allowed)
    if changed := [plain(run.run_id) for run in runs if run.uncommitted]:
        st.caption(
            "By code that was changed since its commit, so that no commit trains them again: "
            f"{', '.join(changed)}."
        )
    csv_button(lambda: tables.runs(runs), "runs")
    card_panel(loading.models())
else:
    st.info(
        "There is no run yet. Start a training in the sidebar; on the synthetic faces, with the "
        "recipe 'quick', it takes less than a minute."
    )

if groups := loading.groups():
    st.subheader("Groups", anchor=False)
    st.caption(
        "All runs that differ in the seed alone, and the trainings of studies among them: a claim "
        "about a model is one about its group. Accuracies are means over seeds, with intervals for "
        "new seeds and new images alike."
    )
    table = group_table(groups)
    names = ("group", "model", "dataset", "recipe")
    st.dataframe(
        table, hide_index=True, height="content",
        column_config={title: name_column(table[title]) for title in names},
    )  # fmt: skip

st.subheader("A model from elsewhere", anchor=False)
st.caption(
    "The answers of any program to the test images make a run: it stands on every page beside ours "
    "and is compared with them image by image."
)
writing = write_or_say_why("runs")
if writing:
    import_panel()
    onnx_panel()

st.subheader("Made on this machine", anchor=False)
if not local:
    st.info("No run was made on this machine yet. What you train in the sidebar appears here.")
elif writing:
    st.caption(total_size(local))
    run_manager(local)
