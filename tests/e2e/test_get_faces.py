"""A click on a page without faces, a reload, a cancel, another click: the faces stand on that page.

The sources are a server on this machine; whether Kaggle and Hugging Face answer is not tested.
"""

import shutil
import zipfile
from io import BytesIO

import numpy as np
import pytest
from playwright.sync_api import expect

from fercore.files import write_json
from fercore.runs.listing import read_run
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import prediction_frame
from tests.e2e.conftest import PATIENCE, served, settle
from tests.stand_in import stand_in
from tests.test_data_sources import csv_text

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def source(faces):
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fer2013.csv", csv_text(faces))
    with stand_in(content.getvalue()) as server:
        yield server


@pytest.fixture
def address(tmp_path, run_folders, faces, source):
    """The dashboard with a run that says that it was made on FER2013, whose images are not here."""
    folder = tmp_path / "artifacts" / "runs" / "first"
    shutil.copytree(run_folders / "first", folder)
    scored = faces.where(faces.usage != "Training")
    probs = np.random.default_rng(0).dirichlet(np.ones(7), len(scored)).astype(np.float32)
    frame = prediction_frame(faces, probs)
    frame.to_parquet(folder / "predictions.parquet")
    write_json(folder / "metrics.json", evaluate_parts(frame))
    about = {"name": "FER2013", "fingerprint": faces.fingerprint, "counts": faces.counts()}
    write_json(folder / "run.json", read_run(folder).info | {"dataset": about})
    environment = {
        "FERCORE_DOWNLOAD_URL": source.url("slow"),
        "FERCORE_DOWNLOAD_COUNTS": "42,21,21",
        "no_proxy": "127.0.0.1",
    }
    with served(tmp_path, environment=environment) as where:
        yield where


def test_the_faces_in_one_click(page, address, source):
    page.goto(f"{address}/misclassified?a=first&b=none")
    settle(page)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("images are not on this machine")).to_be_visible()
    main.get_by_role("button", name="Get FER2013").click()
    expect(main.get_by_text("MB from 127.0.0.1")).to_be_visible()

    page.reload()
    expect(main.get_by_text("MB from 127.0.0.1")).to_be_visible()
    main.get_by_role("button", name="Cancel").click()
    expect(main.get_by_text("it goes on from there")).to_be_visible()
    expect(main.get_by_alt_text("The face of row")).to_have_count(0)

    source.go.set()
    main.get_by_role("button", name="Get FER2013").click()
    expect(main.get_by_alt_text("The face of row").first).to_be_visible()
    assert source.asked[-1][1], "the second one went on from where the first one was cancelled"
    assert "/misclassified" in page.url
    assert page.locator('[data-testid="stException"]').count() == 0
