"""Every page once, as a clone has it: wide, then on a telephone; and colours in both themes.

Nothing fails, nothing is covered, names are words, the keyboard is there soon, the page fits; and
whoever looks at it is looked at by nobody else: no request leaves this machine.
"""

import re
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from dashboard.base.navigation import PAGES
from tests.e2e.conftest import PATIENCE, follow, new_page, settle, unfold
from tests.e2e.test_tab_stops import FROM_THE_TOP, MOST, presses_to_the_page
from tests.test_figures import wcag_contrast

expect.set_options(timeout=PATIENCE)
HERE = {"127.0.0.1", "localhost"}
INSIDE = {"data", "blob"}  # addresses that hold what they name
# Which servers a browser would ask for its own address, to send video.
ICE = """
const Connection = window.RTCPeerConnection;
window.RTCPeerConnection = function (settings) {
    console.info('ICE servers: ' + JSON.stringify(settings?.iceServers ?? null));
    return new Connection(settings);
};
window.RTCPeerConnection.prototype = Connection.prototype;
"""
MEASURE, COLOURS = (
    Path(__file__).with_name(name).read_text() for name in ("measure.js", "colours.js")
)
MARKUP = re.compile(r":material/|\*\*|:[a-z]+\[|\\|</?[a-z]+[ >]|&[a-z]+;|_{2}|`")
ROLES = {
    "button", "link", "combobox", "textbox", "image", "figure", "slider", "checkbox", "switch",
    "radio", "radiogroup", "tab", "spinbutton", "group", "region", "heading", "searchbox",
}  # fmt: skip
# Figures of several panels keep their width and are scrolled sideways.
DRAWN = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(chart => {
  const svg = chart.querySelector('.main-svg')
  return svg && (chart.closest('[class*="st-key-wide-"]') || svg.clientWidth <= chart.clientWidth)
})"""


def names(page: Page) -> list[str]:
    """What a screen reader calls what can be used or is a picture."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    texts = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in ROLES:
            texts += [node.get(part, {}).get("value", "") for part in ("name", "description")]
    return [text for text in texts if text]


def is_about_ice(message: ConsoleMessage) -> bool:
    return message.text.startswith("ICE servers")


@contextmanager
def heard(page: Page):
    """What the page asks for, what its console complains about, which ICE servers it is told."""
    asked, complaints, ice = [], [], []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)
        elif is_about_ice(message):
            ice.append(message.text)

    page.context.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(ICE)
    yield
    assert len(asked) > len(PAGES)
    there = {urlsplit(url) for url in asked}
    assert {url.hostname for url in there if url.scheme not in INSIDE} <= HERE
    assert ice
    assert set(ice) == {"ICE servers: []"}
    assert not complaints


def use(page: Page, title: str) -> None:
    """What a page asks for from elsewhere, it may ask for only once it is used."""
    if title == "Predict":
        page.get_by_text("drawn happy face", exact=True).click()
        expect(page.get_by_text(re.compile("What speaks for it")).first).to_be_visible()
        settle(page)
    if title == "Webcam":
        video = page.frame_locator("iframe[title*='webrtc']")
        with page.expect_console_message(is_about_ice):
            video.get_by_role("button", name=re.compile("start", re.I)).click()
        # Until it plays it reruns its page, which would undo a click that leaves it.
        expect(video.get_by_role("button", name=re.compile("stop", re.I))).to_be_visible()
        settle(page)


def faults(page: Page, width: int, height: int) -> dict[str, object]:
    """What `measure.js` finds on the page at that size, once the figures have followed it."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(DRAWN, polling=50)
    for _ in range(50):
        found = {kind: seen for kind, seen in page.evaluate(MEASURE).items() if seen}
        if not found:
            break
        page.wait_for_timeout(100)
    return found


def test_every_page_wide_and_on_a_telephone(browser, shipped_address):
    for page in new_page(browser):
        with heard(page):
            page.goto(shipped_address)
            settle(page)
            for number, (name, entry) in enumerate(PAGES.items()):
                if number:  # the app opens on the first
                    follow(page, entry.title)
                assert not faults(page, 1400, 1000), name
                page.evaluate(FROM_THE_TOP)
                assert presses_to_the_page(page) <= MOST, name
                said = names(page)
                assert said, name
                assert not [text for text in said if MARKUP.search(text)], name
                use(page, entry.title)
                assert not faults(page, 390, 844), name
                assert page.get_by_test_id("stException").count() == 0, name
                page.set_viewport_size({"width": 1400, "height": 1000})
            follow(page, "Overview")
            unfold(page, "Retrain")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_chosen_is_read_and_named_in_both_themes(page, shipped_address, theme):
    page.emulate_media(color_scheme=theme)
    page.goto(f"{shipped_address}/misclassified")
    settle(page)
    unfold(page, "Retrain")
    said = names(page)
    assert {"Model A", "Model B"} <= set(said)
    assert not [text for text in said if MARKUP.search(text)]
    background = page.evaluate(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) > 382) == (theme == "light")
    found = page.evaluate(COLOURS)
    assert len(found) >= 4
    for text, (front, back) in found:
        assert wcag_contrast(front, back) >= 4.5, (text, front, back)
