"""A grid of faces with their labels and predictions; a click opens one."""

import pandas as pd
import streamlit as st

from dashboard.face_dialog import open_face
from dashboard.loading import Images
from dashboard.selection import Selection
from dashboard.widgets import enlarged

PER_PAGE = 60


def face_grid(
    samples: pd.DataFrame, images: Images, selection: Selection, *, model: str = "a"
) -> None:
    """Tiles for the lines of a sample table; `model` ('a' or 'b') says whose word stands there."""
    with st.grid(min_column_width=120, gap="small"):
        for _, sample in samples.iterrows():
            face = images.get(sample["pixels"])
            with st.container(gap="xxsmall"):
                if face is None:
                    st.caption(f"row {sample['row']}: not in this copy")
                else:
                    st.image(enlarged(face, 3), width="stretch")
                said, sure = sample[f"{model}_predicted"], sample[f"{model}_confidence"]
                label = f"{sample['label']} → {said} {sure:.2f}"
                if st.button(label, key=f"face-{sample['row']}", type="tertiary", width="stretch"):
                    open_face(sample, face, selection)
