"""A grid of faces with their labels and predictions; a click opens one large."""

import pandas as pd
import streamlit as st

from dashboard.figures import STATIC, probability_figure
from dashboard.loading import Images
from dashboard.widgets import enlarged, letter
from fercore.predictions import Predictions

PER_PAGE = 40


def face_grid(
    samples: pd.DataFrame, images: Images, *, model: str, predictions: dict[str, Predictions]
) -> None:
    """Tiles for the lines of a sample table; `model` ('a' or 'b') says whose word stands there."""
    with st.grid(min_column_width=120, gap="small"):
        for index, sample in samples.iterrows():
            face = images.get(sample["pixels"])
            with st.container(gap="xxsmall"):
                if face is None:
                    st.caption(f"row {sample['row']}: not in this copy")
                else:
                    st.image(enlarged(face, 3), width="stretch")
                said, sure = sample[f"{model}_predicted"], sample[f"{model}_confidence"]
                label = f"{sample['label']} → {said} {sure:.2f}"
                if st.button(label, key=f"face-{sample['row']}", type="tertiary", width="stretch"):
                    _open(int(index), face, sample, predictions)


@st.dialog("One face", width="large")
def _open(index: int, face, sample: pd.Series, predictions: dict[str, Predictions]) -> None:
    left, right = st.columns([2, 3])
    with left:
        if face is not None:
            st.image(enlarged(face, 7), width="stretch")
        st.markdown(f"Label: **{sample['label']}**  \nRow {sample['row']} of the dataset")
    with right:
        for key in predictions:
            said = sample[f"{key.lower()}_predicted"]
            word = "right" if sample[f"{key.lower()}_correct"] else "wrong"
            st.markdown(f"{letter(key)} says **{said}**: {word}")
        probs = {key: table.probs[index] for key, table in predictions.items()}
        st.plotly_chart(probability_figure(probs), config=STATIC, alt="Seven probabilities")
