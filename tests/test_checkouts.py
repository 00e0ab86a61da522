"""Several checkouts on one machine: each starts its own code, and none needs to be installed."""

import os
import shutil
import subprocess
import sys

from fercore.runs.folders import local_folder
from tests.conftest import ROOT
from tests.test_jobs import wait_for

TELLING = """
import json, sys
if "estimate" in sys.argv:
    print(json.dumps({"seconds": 12, "images_per_second": 34}))
else:
    print("the checkout was asked to", *sys.argv[1:])
"""
ASKING = """
import os, sys
from fercore import jobs
from fercore.jobs.request import Request
from fercore.training.recipes import find_recipe
os.chdir(sys.argv[1])
asked = Request("ours", "cnn", find_recipe("quick"), data="synthetic", threads=1)
assert jobs.estimate(asked) == (12, 34)
jobs.start(asked)
"""


def test_a_training_is_of_the_code_that_started_it(tmp_path):
    """And not of the fercore that is installed, nor of what lies in the folder one stands in."""
    checkout, standing = tmp_path / "checkout", tmp_path / "standing"
    shutil.copytree(ROOT / "fercore", checkout / "fercore")
    (checkout / "fercore" / "__main__.py").write_text(TELLING)
    (standing / "fercore").mkdir(parents=True)
    (standing / "fercore" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    own = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    command = [sys.executable, "-c", ASKING, str(standing)]
    subprocess.run(command, cwd=checkout, env=own, check=True)
    log = local_folder("ours") / "log.txt"
    assert wait_for(log.read_text) == "the checkout was asked to jobs run ours\n"
