"""The webcam page with a camera that shows a real face, with none, and with no way through."""

import base64
import io
import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FrameLocator, Page, expect

from fercore.figures.colours import MODEL_COLOURS
from fercore.labels import CLASSES
from tests.e2e.conftest import CHROMIUM, PATIENCE, new_page, settle

expect.set_options(timeout=PATIENCE)

EXPRESSION = rf"({'|'.join(CLASSES)}) \d+ %"
PACE = re.compile(r"\d+ ms a frame, 95 % within \d+ ms · [\d.]+ frames a second")
# The newest frame of the video, as a PNG's data URL.
_FRAME = """video => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext('2d').drawImage(video, 0, 0);
    return canvas.toDataURL();
}"""


def start(page: Page, address: str) -> FrameLocator:
    page.goto(f"{address}/webcam?a=first&b=second")
    settle(page)
    player = page.frame_locator('iframe[title*="webrtc"]')
    player.get_by_role("button", name=re.compile("start", re.I)).click()
    return player


def newest_frame(player: FrameLocator) -> np.ndarray:
    """(480, 640, 3), as the browser shows it."""
    png = player.locator("video").evaluate(_FRAME).removeprefix("data:image/png;base64,")
    frame = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), int)
    assert frame.shape == (480, 640, 3)
    return frame


def frame_where(player: FrameLocator, condition: Callable[[np.ndarray], bool]) -> np.ndarray:
    """The first frame of which the condition holds: the video comes after the page's words."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        frame = newest_frame(player)
        if condition(frame):
            return frame
    pytest.fail("no such frame was shown")


def painted(frame: np.ndarray, key: str) -> int:
    """Pixels in a model's colour, as far as video keeps it."""
    colour = [int(MODEL_COLOURS[key][start : start + 2], 16) for start in (1, 3, 5)]
    return int((np.abs(frame - colour).max(-1) < 30).sum())


def test_expressions_are_read_out_drawn_and_follow_the_settings(page, address):
    player = start(page, address)
    both = page.get_by_text(re.compile(rf"A {EXPRESSION}.*B {EXPRESSION}"))
    expect(both.first).to_be_visible()
    expect(page.get_by_text(PACE).first).to_be_visible()
    lines = len(CLASSES) + 1  # happy's yellow one lies on a grey one
    expect(page.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(2 * lines)
    mirrored = frame_where(
        player, lambda frame: min(painted(frame, "A"), painted(frame, "B")) > 1000
    )

    page.get_by_test_id("stCheckbox").get_by_text("Mirror").click()
    page.get_by_role("radio", name="A", exact=True).click()
    slider = page.get_by_role("slider", name="Smoothing, seconds")
    slider.focus()
    slider.press("ArrowRight")
    expect(both).to_have_count(0)
    expect(page.get_by_text(re.compile(rf"A {EXPRESSION}")).first).to_be_visible()
    expect(page.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(lines)
    without_b = painted(mirrored, "B") - 1000  # her suit is orange as well
    top = slice(0, 300)  # above the bars, which are not mirrored

    def is_straight(frame: np.ndarray) -> bool:
        turned = np.abs(frame[top] - mirrored[top, ::-1]).mean()
        return turned < np.abs(frame[top] - mirrored[top]).mean() / 2

    straight = frame_where(
        player, lambda frame: is_straight(frame) and painted(frame, "B") < without_b
    )
    assert painted(straight, "A") > 1000

    player.get_by_role("button", name=re.compile("stop", re.I)).click()
    expect(page.get_by_text("Press start and allow the camera.")).to_be_visible()


def single_shot(page: Page) -> None:
    """The way to a photo is offered, and keeps the choice of models."""
    link = page.get_by_role("link", name="Use a single photo instead")
    link.click()
    expect(page.get_by_role("heading", name="Predict")).to_be_visible()
    expect(page).to_have_url(re.compile(r"a=first"))


@pytest.fixture
def without_camera(browser):
    chromium = browser.browser_type.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
    )
    yield from new_page(chromium)
    chromium.close()


def test_a_browser_without_a_camera_is_told_and_offered_a_photo(without_camera, address):
    page = without_camera
    page.goto(f"{address}/webcam?a=first&b=second")
    expect(page.get_by_text("This browser finds no camera.")).to_be_visible()
    single_shot(page)


def test_a_browser_that_refuses_its_camera_is_told(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "navigator.permissions.query = async () => ({ state: 'denied', onchange: null })"
    )
    page = context.new_page()
    page.goto(f"{address}/webcam?a=first&b=second")
    expect(page.get_by_text("told not to give its camera")).to_be_visible()
    context.close()


def test_a_connection_that_fails_is_told_and_offered_a_photo(browser, address):
    # No relay is named, so a browser that may use relays alone finds no way to the server.
    for page in new_page(browser):
        page.add_init_script(
            """const Peer = RTCPeerConnection;
            window.RTCPeerConnection = function (settings) {
                return new Peer({ ...settings, iceTransportPolicy: 'relay' });
            };
            window.RTCPeerConnection.prototype = Peer.prototype;"""
        )
        start(page, address)
        expect(page.get_by_text("The video did not come through")).to_be_visible()
        single_shot(page)
