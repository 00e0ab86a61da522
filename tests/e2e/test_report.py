"""A report is opened from the disk, without a network: nothing is asked for, everything drawn."""

import pytest
from playwright.sync_api import Browser, Page

from fercore.groups.group import group_of
from fercore.report.page import report_html, write_report
from tests.e2e.conftest import new_page


@pytest.fixture
def offline(browser: Browser):
    yield from new_page(browser, offline=True)


def test_a_report_opens_from_disk_without_a_network(two_runs, offline: Page, tmp_path):
    a, b = map(group_of, two_runs)
    write_report(tmp_path / "report.html", report_html(a, b))
    asked, said = [], []
    offline.on("request", lambda request: asked.append(request.url))
    offline.on("console", lambda message: said.append(message.text))
    offline.on("pageerror", lambda error: said.append(str(error)))
    offline.goto((tmp_path / "report.html").as_uri())
    offline.wait_for_function(
        "[...document.querySelectorAll('.plot')].every(one => one.querySelector('.main-svg'))"
    )
    assert offline.locator(".plot:has(.main-svg)").count() == 8
    offline.get_by_text("Recall of each expression").click()
    assert offline.get_by_text("A Recall %").is_visible()
    offline.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert offline.locator("details:not([open])").count() == 0
    assert len(offline.pdf(prefer_css_page_size=True)) > 50_000
    assert [url.rpartition("/")[2] for url in asked] == ["report.html"]
    assert said == []
