"""Retraining in a real browser: started, watched, reloaded, cancelled, resumed, compared."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from fercore import jobs
from tests.e2e.conftest import PATIENCE, new_page, served, settle, unfold
from tests.e2e.test_tab_stops import MOST, presses_to_the_page
from tests.test_jobs import begun, halted, wait_for

expect.set_options(timeout=PATIENCE)

EPOCHS = 8


@pytest.fixture
def own_server(tmp_path, run_folders, monkeypatch):
    """A home for servers of this test alone, which reads the same folders."""
    shutil.copytree(run_folders, tmp_path / "artifacts" / "runs")
    yield tmp_path
    for job in jobs.list_jobs():
        if job.alive:
            jobs.cancel(job.run_id)
    wait_for(lambda: not any(job.alive for job in jobs.list_jobs()))


def open_form(page, address) -> None:
    page.goto(address)
    settle(page)
    unfold(page, "Retrain")


def start(page, epochs: int | None = None) -> None:
    if epochs:
        unfold(page, "More")
        box = page.get_by_role("spinbutton", name="Epochs")
        box.fill(str(epochs))
        box.press("Tab")
    page.get_by_role("button", name=re.compile("^Start")).click()


def epoch_of(page) -> int:
    words = page.get_by_text(re.compile(r"epoch \d+ of \d+ ·")).first.inner_text()
    return int(re.search(r"epoch (\d+)", words).group(1))


def test_start_reload_second_browser_cancel_resume_finish_and_compare(page, own_server, browser):
    with served(own_server) as address:
        open_form(page, address)
        page.get_by_role("button", name="How long?").click()
        expect(
            page.get_by_text(re.compile("images a second measured here just now"))
        ).to_be_visible()
        start(page, epochs=EPOCHS)
        running = re.compile(rf"epoch \d+ of {EPOCHS} ·")
        (started,) = wait_for(jobs.list_jobs)
        begun(started.run_id)
        with halted(started.run_id):
            expect(page.get_by_text(running)).to_be_visible()
            before = epoch_of(page)
        begun(started.run_id, epochs=before)
        with halted(started.run_id):
            wait_for(lambda: epoch_of(page) > before)
            page.reload()
            expect(page.get_by_text(running)).to_be_visible()
            for other in new_page(browser):
                other.goto(address)
                expect(other.get_by_text(running)).to_be_visible()
            page.get_by_role("button", name="Cancel").click()
        cancelled = re.compile(rf"Cancelled: .* of {EPOCHS} epochs are done")
        expect(page.get_by_text(cancelled)).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        finished = page.get_by_text(re.compile("Finished: cnn-quick-s0"))
        expect(finished).to_be_visible(timeout=3 * PATIENCE)
        expect(
            page.get_by_text(re.compile(r"p [=<] [\d.]+: (beyond|within) chance"))
        ).to_be_visible()

        page.goto(address)
        settle(page)
        assert presses_to_the_page(page) <= MOST  # the card is no further way
        page.get_by_test_id("stSidebar").get_by_role("button", name="Compare").click()
        settle(page)
        expect(page).to_have_url(re.compile("a=cnn-quick-s0.*b=first"))
        expect(page.get_by_text(re.compile(r"exact McNemar\s+p")).first).to_be_visible()


def test_the_app_is_killed_and_finds_its_trainings_again(page, own_server):
    with served(own_server) as address:
        open_form(page, address)
        start(page, epochs=1000)
        wait_for(lambda: epoch_of(page) > 1)
        (first,) = jobs.list_jobs()
        with halted(first.run_id):
            start(page)
            expect(page.get_by_text(re.compile("Waiting for another training"))).to_be_visible()
    states = {job.state: job.run_id for job in jobs.list_jobs()}
    assert states.keys() == {"running", "queued"}

    with served(own_server) as address:
        page.goto(address)
        settle(page)
        expect(page.get_by_text(re.compile(r"epoch \d+ of 1000"))).to_be_visible()
        expect(page.get_by_text(re.compile("Waiting for another training"))).to_be_visible()
        for state in ("queued", "running"):
            cancel = page.locator(f".st-key-cancel-{states[state]} button")
            cancel.click()
            wait_for(lambda run=states[state]: jobs.find_job(run).state == "cancelled")
            expect(cancel).to_have_count(0)  # its end draws the whole page anew
            settle(page)
        page.get_by_role("button", name="Keep best so far").click()
        expect(
            page.get_by_text(re.compile(rf"Kept at \d+ of 1000 epochs: {states['running']}"))
        ).to_be_visible()
