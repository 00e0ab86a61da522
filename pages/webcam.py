"""Webcam: the expression in a live video, by model A."""

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from dashboard import loading
from dashboard.figures import STATIC, probability_figure
from dashboard.live import FrameAnnotator, ice_servers, sentence
from dashboard.selection import current
from dashboard.widgets import heading, letter
from fercore.errors import FerError

selection = current()
heading(
    "Webcam",
    "The expression model A sees in your camera's picture, drawn into the video. Frames go to the "
    "machine that serves this page, are looked at one by one, and are not kept.",
)
st.markdown(f"{letter('A')} {selection.a.title}")

try:
    servers = ice_servers()
except FerError as error:
    st.error(str(error))
    st.stop()

key = f"annotator-{selection.a.run_id}"
if key not in st.session_state:
    predictor = loading.predictor(selection.a.run_id, selection.a.info["created"])
    st.session_state[key] = FrameAnnotator(predictor)
annotator = st.session_state[key]

video, live = st.columns([3, 2])
with video:
    stream = webrtc_streamer(
        key=f"webcam-{selection.a.run_id}",
        mode=WebRtcMode.SENDRECV,
        video_frame_callback=annotator,  # runs in the video's thread; shares only `latest`
        rtc_configuration={"iceServers": servers},
        media_stream_constraints={"video": {"width": 640, "height": 480}, "audio": False},
        async_processing=True,
    )


@st.fragment(run_every=0.5 if stream.state.playing else None)
def readout() -> None:
    newest = annotator.latest if stream.state.playing else None
    st.markdown(sentence(newest))
    if newest is not None and newest.probs is not None:
        st.plotly_chart(probability_figure({"A": newest.probs}), config=STATIC, alt="Probabilities")


with live:
    readout()
    st.caption(
        "No picture? The browser allows the camera only on localhost or over https, and a network "
        "between you and the server may block video. The Predict page takes photos instead."
    )
