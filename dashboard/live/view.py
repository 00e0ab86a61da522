"""What the Webcam page shows beside the video: the reading, its pace, its last half-minute."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.base.figures import STATIC
from dashboard.base.parameters import link
from dashboard.base.widgets import letter
from dashboard.live.figures import live_figure
from fercore.faces.video import Moment, Pace, newest, pace, said_shares
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.wording import in_percent

NO_CONNECTION = (
    "The video did not come through: a firewall or router stands between the browser and this "
    "server. Whoever runs the server can name a TURN server in `FERCORE_ICE_SERVERS`."
)
_PATIENCE = 10.0  # seconds


class Connection:
    """Whether an attempt to send video has failed: it was given up, or takes too long."""

    def __init__(self) -> None:
        self._since: float | None = None
        self.failed = False

    def update(self, now: float, *, playing: bool, signalling: bool) -> bool:
        """What is known at the time `now`, in seconds; returns `failed`."""
        if playing:
            self._since, self.failed = None, False
        elif signalling:
            self._since = now if self._since is None else self._since
            self.failed = now - self._since > _PATIENCE
        elif self._since is not None:
            self._since, self.failed = None, True
        return self.failed


def single_shot(reason: str) -> None:
    """Why there is no video, and the way to a photo instead."""
    st.warning(reason, icon=":material/videocam_off:")
    single_shot_link()


def single_shot_link() -> None:
    st.page_link(
        **link("predict"),
        label="Use a single photo instead",
        icon=":material/photo_camera:",
    )


def readout(minute: list[Moment], models: Mapping[str, Run]) -> None:
    """The newest moment in words, how the video keeps up, the chart, and what the last minute was
    called.
    """
    moments = newest(minute)
    st.markdown(reading(moments[-1], list(models)) if moments else "Waiting for the first frame …")
    if moments:
        st.caption(pace_words(pace(moments)))
        with st.container(key="figure-live"):
            st.plotly_chart(
                live_figure(moments, list(models)),
                config=STATIC,
                key="live-chart",
                alt="Probabilities of the expressions over the last 30 seconds",
            )
        st.caption(
            "How often each was said in the last minute, in % of frames with a face, beside its "
            "share of the images that the model learned from: what is said always may be a habit."
        )
        st.table(said_table(minute, models))


def said_table(minute: list[Moment], models: Mapping[str, Run]) -> pd.DataFrame:
    """For each expression and model: how often it was said, and its share of the
    images that the model learned from, in %.
    """
    table = pd.DataFrame(index=pd.Index(CLASSES, name="expression"))
    for key, run in models.items():
        table[f"{key} said"] = said_shares(minute, key)
        if run.learned_from:
            learned = np.array(run.learned_from, float)
            table[f"{key} learned from"] = learned / max(learned.sum(), 1)
    return table.map(lambda share: in_percent(share, 0))


def reading(moment: Moment, models: list[str]) -> str:
    """'A **happy** 98 %  ·  B **happy** 97 %', or that there is no face."""
    if not moment.probs:
        return "No face in the picture."
    return "  ·  ".join(
        f"{letter(key)} **{CLASSES[probs.argmax()]}** {100 * probs.max():.0f} %"
        for key, probs in moment.probs.items()
        if key in models
    )


def pace_words(now: Pace) -> str:
    """'12 ms a frame, 95 % within 20 ms · 15 frames a second · a face in 100 % of frames'."""
    return (
        f"{now.median_ms:.0f} ms a frame, 95 % within {now.p95_ms:.0f} ms · "
        f"{now.frames_per_second:.1f} frames a second · "
        f"a face in {100 * now.face_share:.1f} % of frames, over the last half-minute"
    )
