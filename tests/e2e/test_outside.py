"""Whoever looks at a page is looked at by nobody else: no request leaves this machine."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, expect

from dashboard.base.navigation import PAGES
from tests.e2e.conftest import PATIENCE, follow, new_page, settle, unfold

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


def is_about_ice(message: ConsoleMessage) -> bool:
    return message.text.startswith("ICE servers")


def test_no_request_leaves_the_machine_and_the_console_stays_silent(browser, shipped_address):
    asked, complaints, ice = [], [], []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)
        elif is_about_ice(message):
            ice.append(message.text)

    for page in new_page(browser):
        page.context.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(ICE)
        page.goto(shipped_address)
        settle(page)
        for entry in list(PAGES.values())[1:]:
            follow(page, entry.title)
            assert page.get_by_test_id("stException").count() == 0, entry.title
            if entry.title == "Predict":
                page.get_by_text("drawn happy face", exact=True).click()
                expect(page.get_by_text(re.compile("What speaks for it")).first).to_be_visible()
                settle(page)
            if entry.title == "Webcam":
                video = page.frame_locator("iframe[title*='webrtc']")
                with page.expect_console_message(is_about_ice):
                    video.get_by_role("button", name=re.compile("start", re.I)).click()
                # Until it plays it reruns its page, which would undo a click that leaves it.
                expect(video.get_by_role("button", name=re.compile("stop", re.I))).to_be_visible()
                settle(page)
        follow(page, "Overview")
        unfold(page, "Retrain")

    assert len(asked) > len(PAGES)
    there = {urlsplit(url) for url in asked}
    assert {url.hostname for url in there if url.scheme not in INSIDE} <= HERE
    assert ice
    assert set(ice) == {"ICE servers: []"}
    assert not complaints


def test_the_first_page_opens_by_its_name_too(page, address):
    for path in ("", "/", "/overview", "/overview?a=second&b=none"):
        page.goto(f"{address}{path}")
        settle(page)
        words = "CNN-LSTM on drawn faces" if "second" in path else re.compile("against .* on drawn")
        expect(page.get_by_role("heading", level=1)).to_contain_text(words)
        expect(page.get_by_role("dialog")).to_have_count(0)  # that the page was not found
    links = page.get_by_test_id("stTopNav").get_by_text("Overview", exact=True)
    expect(links).to_have_count(1)


def test_a_page_opens_by_the_name_that_it_had_before(page, address):
    (entry,) = (entry for entry in PAGES.values() if entry.former)
    page.goto(f"{address}/{entry.former}")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(entry.title)
    expect(page.get_by_role("dialog")).to_have_count(0)
    links = page.get_by_test_id("stTopNav").get_by_text(entry.title, exact=True)
    expect(links).to_have_count(1)
