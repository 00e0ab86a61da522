"""Why the LSTM loses: the study that trains every head on one trunk, and what sinks it."""

import pandas as pd
import streamlit as st

from dashboard.base.address import NOT_HERE
from dashboard.base.charts import show_figure
from dashboard.base.parameters import STUDY, STUDY_CURVES
from dashboard.base.plain import plain
from dashboard.base.theme import Format, count, readable
from dashboard.base.widgets import csv_button, heading, one_of
from dashboard.study import study_figures, study_loading
from dashboard.study.reading_svg import reading_svg
from fercore.models import MODELS
from fercore.scoring.predictions import PARTS
from fercore.study.results import heads
from fercore.wording import number, p_value, percent, points, points_interval, signed

SEEDS = 3  # that a claim about an architecture rests on
FORMATS: dict[str, Format] = {
    "accuracy %": number,
    "against the CNN, points": signed,
    "McNemar": "{:.0f}",
    "macro F1 %": number,
    "parameters": count,
    "MFLOP": number,
    "ms per face": "{:.2f}",
}

heading(
    "Why the LSTM loses",
    "The paper saw 63.25 % for a CNN, 46.82 % for a CNN-LSTM, and blamed sequence models. Here "
    "one trunk, one recipe and one budget carry every head, at the same number of parameters; "
    "only the named factor varies. Points are means over seeds, bars 95 % intervals over seeds "
    "and images.",
)
if not study_loading.study_finished(STUDY):
    st.info(f"The study has not run yet. Start it with: `fercore study {STUDY}`")
    st.stop()

part = one_of(
    "Images",
    PARTS,
    "images",
    help_="PrivateTest is scored once. 'Without duplicates' leaves out images that also occur in "
    "Training or PublicTest. PublicTest chose the epochs.",
)
results = study_loading.study(STUDY, part)
gaps = results.gaps

few = gaps[gaps["seeds"] < SEEDS]
if len(few) or results.unfinished:
    st.warning(
        f"The study is under way: {results.unfinished} of its variants have no training yet, "
        f"{len(few)} fewer than {SEEDS} seeds. A claim about a head needs {SEEDS}; what follows "
        f"may change. Go on with: `fercore study {STUDY}`"
    )
shared, every = study_loading.scored_everywhere(STUDY)
if shared < every:
    st.caption(
        f"All of this is on {count(shared)} of {count(every)} test images: those that are in every "
        "copy of the dataset that was trained on."
    )
for conclusion in results.conclusions:
    st.markdown(f"**{conclusion.question}** {conclusion.answer}")

show_figure(study_figures.variants_figure(gaps), alt="Every variant against the CNN")

st.subheader("How each head reads the face", anchor=False)
st.caption(
    "The trunk turns a face into a map of 6×6 places. The colour goes from blue, the first step, "
    "to orange, the last. The face is drawn."
)
as_declared = gaps[gaps["condition"] == ""]
with st.grid(min_column_width=170, gap="small"):
    for _, line in as_declared.iterrows():
        with st.container(border=True):
            model = MODELS[line["model"]]
            st.image(reading_svg(line["model"]), width="stretch", alt=f"{model.title}, drawn")
            st.markdown(f"**{model.title}** {percent(line['accuracy'])}")
            st.caption(model.summary)

st.subheader("What sinks them", anchor=False)
st.caption(
    "The same change of the recipe, made to the CNN and to the CNN-LSTM. A change that takes both "
    "down is no verdict on the LSTM; the distance between the bars is. Each p here is corrected "
    "for the number of changes (Holm), in the table for the number of variants."
)
if results.conditions.empty:
    st.info("No condition has both models yet.")
else:
    show_figure(
        study_figures.condition_figure(results.conditions),
        alt="CNN and CNN-LSTM under each condition",
    )  # fmt: skip
for _, line in results.conditions.iterrows():
    bounds = points_interval((line["difference_low"], line["difference_high"]))
    st.markdown(
        f"- {line['title']}: CNN-LSTM minus CNN {points(line['difference'])} {bounds}, corrected "
        f"{p_value(line['p_holm'])}"
    )

st.subheader("What it costs, and whom it hits", anchor=False)
show_figure(study_figures.cost_figure(gaps), alt="Accuracy against size and time")
if results.class_effect.empty:
    st.info("No other head is there yet to hold against the CNN, class by class.")
else:
    show_figure(
        study_figures.class_effect_figure(results.class_effect, list(heads(gaps)["title"])),
        alt="Recall per class against the CNN's",
    )  # fmt: skip

titles = dict(zip(gaps["variant"], gaps["title"]))
for name in [name for name in st.session_state["curves"] if name not in titles]:
    if name not in STUDY_CURVES:
        st.warning(
            f"The link names the variant “{plain(name)}”, which is not here.",
            icon=NOT_HERE,
        )
st.session_state["curves"] = [name for name in st.session_state["curves"] if name in titles]
chosen = st.multiselect(
    "Learning curves of", list(titles), format_func=titles.__getitem__, key="curves"
)
curves = {name: study_loading.study_curves(STUDY, name) for name in chosen}
if curves:
    show_figure(
        study_figures.curves_figure({titles[name]: curve for name, curve in curves.items()}),
        alt="Learning curves",
    )

st.subheader("The table", anchor=False)
st.caption(
    "Corrected p: of no difference to the CNN over seeds and images, corrected for the number of "
    "variants (Holm). McNemar: in how many seeds the exact paired test is below 0.05."
)
table = pd.DataFrame(
    {
        "variant": gaps["title"],
        "seeds": gaps["seeds"],
        "accuracy %": 100 * gaps["accuracy"],
        "against the CNN, points": 100 * gaps["difference"],
        "corrected p": gaps["p_holm"].map(p_value, na_action="ignore"),
        "McNemar": gaps["mcnemar"],
        "macro F1 %": 100 * gaps["macro_f1"],
        "parameters": gaps["parameters"],
        "MFLOP": gaps["flops_per_image"] / 1e6,
        "ms per face": gaps["latency_ms"],
    }
)
st.dataframe(readable(table, FORMATS), hide_index=True, placeholder="–")
recall = results.class_effect.rename_axis("variant").reset_index()
tables = {
    "The table": gaps.rename(columns={"model": "architecture"}),
    "Conditions": results.conditions,
    "Recall per class": recall.melt("variant", var_name="class", value_name="difference"),
}
if curves:
    tables["Learning curves"] = pd.concat(curves, names=["variant"]).reset_index("variant")
with st.container(horizontal=True):
    for name, table in tables.items():
        csv_button(
            table, name.lower().replace(" ", "-"), label=f"{name} as CSV", study=STUDY,
            part=None if name == "Learning curves" else part,
        )  # fmt: skip
