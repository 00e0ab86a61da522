"""Webcam: the expression in a live video, by model A, B or both."""

import time

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from dashboard.base import loading
from dashboard.base.current import current_with_weights
from dashboard.base.failures import errors_told
from dashboard.base.heading import heading, model_names, not_for
from dashboard.base.widgets import one_of, one_of_these
from dashboard.live import view as live_view
from dashboard.live.camera_check import TROUBLE, camera_trouble
from dashboard.live.live import FrameAnnotator, LiveSettings, ice_servers

ANNOTATOR, CONNECTION = "webcam-annotator", "webcam-connection"  # kept from run to run
BOTH = "A and B"

heading(
    "Webcam",
    "What the models see in your camera's picture, drawn into it. The largest face is followed. "
    "Frames go to the machine that serves this page, are looked at one by one, and are not kept.",
)
not_for()
selection = current_with_weights()
model_names(selection)
servers = ice_servers()

left, middle, right = st.columns(3, vertical_alignment="bottom")
choices = ["A", "B", BOTH] if selection.b else ["A"]
if st.session_state["models"] == BOTH and not selection.b:
    st.session_state["models"] = "A"
one_of_these("models", choices)
choice = one_of("Models", choices, "models", place=left)
smoothing = middle.slider(
    "Smoothing, seconds",
    0.0,
    2.0,
    step=0.1,
    key="smoothing",
    help="Exponential: what was seen this long ago counts about a third of what is seen now. "
    "0 shows every frame as it is.",
)
mirror = right.toggle("Mirror", key="mirror", help="As in a mirror: your left is on the left.")

models = {key: run for key, run in selection.runs.items() if choice in (key, BOTH)}
predictors = {key: loading.predictor(run) for key, run in models.items()}
settings = LiveSettings(predictors, smoothing, mirror)
if ANNOTATOR not in st.session_state:
    st.session_state[ANNOTATOR] = FrameAnnotator(settings)
    st.session_state[CONNECTION] = live_view.Connection()
annotator, connection = st.session_state[ANNOTATOR], st.session_state[CONNECTION]
annotator.configure(settings)  # for the video's thread

video, live = st.columns([3, 2])
with video:
    stream = webrtc_streamer(
        key="webcam",
        mode=WebRtcMode.SENDRECV,
        video_frame_callback=annotator,  # called by the video's thread
        rtc_configuration={"iceServers": servers},
        media_stream_constraints={"video": {"width": 640, "height": 480}, "audio": False},
        async_processing=True,
    )
playing, signalling = stream.state.playing, stream.state.signalling
if not playing:
    annotator.clear()


@st.fragment(run_every=1.0 if playing or signalling else None)
@errors_told("What the models see")
def beside_the_video() -> None:
    failed = connection.update(time.monotonic(), playing=playing, signalling=signalling)
    if failed:
        live_view.single_shot(live_view.NO_CONNECTION)
    elif playing:
        if annotator.failure:
            st.error(annotator.failure)
        live_view.readout(annotator.moments(), models)
    elif signalling:
        st.markdown("Connecting …")
    else:
        st.markdown("Press start and allow the camera.")
        live_view.single_shot_link()


with live:
    trouble = camera_trouble()
    if trouble and not playing:
        live_view.single_shot(TROUBLE[trouble])
    else:
        beside_the_video()
