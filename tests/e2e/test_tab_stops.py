"""By keyboard: how soon Tab reaches a page's own controls, and the way through the menus."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import settle

MOST = 10  # presses before a page's first control, the link that skips to it not counted
FOCUSED = """() => {
  const at = document.activeElement
  const main = at.closest('[data-testid="stMain"]')
  return at.dataset.testid === "stSkipToContent" ? "skip" : main && at !== main ? "page" : ""
}"""

# As after a reload: the browser goes on from where what had the focus was.
FROM_THE_TOP = """() => {
  const top = document.createElement("button")
  document.body.prepend(top)
  top.focus()
  top.remove()
}"""


def presses_to_the_page(page: Page) -> int:
    """How often Tab is pressed, from the top, until a control of the page has the focus."""
    pressed = 0
    for _ in range(40):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        pressed += at != "skip"
        if at == "page":
            return pressed
    raise AssertionError("Tab does not reach the page")


def test_arrow_keys_go_through_the_menus_which_are_one_stop(page, address):
    page.goto(f"{address}/confusion?a=first&b=second")
    settle(page)
    bar = page.get_by_test_id("stTopNav")
    first, last = bar.get_by_role("link").first, page.get_by_test_id("stMainMenuButton")
    page.get_by_role("link", name="Skip to main content").press("Tab")
    while not first.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(last).to_be_focused()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    compare = bar.get_by_role("button", name="Compare")
    expect(compare).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "page"
    page.keyboard.press("Shift+Tab")
    expect(compare).to_be_focused()  # where one left it
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Per class").press("Enter")
    expect(page.get_by_role("heading", name="Per class")).to_be_visible()


def test_the_link_that_skips_leads_to_the_page_and_keys_scroll_it(page, address):
    page.goto(f"{address}/overview?a=first&b=second")
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#stMain")).to_be_focused()
    page.keyboard.press("PageDown")
    page.wait_for_function("document.getElementById('stMain').scrollTop > 0")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "page"
