"""Data-parallel training: two real processes under torchrun give what one gives."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from fercore import data
from fercore.errors import DataError
from fercore.jobs.experiment import _check_same
from fercore.runs.artifacts import find_run, verify_run
from tests.conftest import ROOT

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]


def torchrun(processes: int, *command: str) -> None:
    subprocess.run(
        [*TORCHRUN, str(processes), *command],
        check=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        timeout=300,
    )


def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    curves = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        torchrun(processes, "tests/data_parallel_training.py", str(folder))
        curves.append(json.loads((folder / f"losses-{processes}.json").read_text()))
    one, two = curves
    assert len(one) == 3 * (4 + 1)
    assert two == pytest.approx(one, abs=1e-4)
    assert one[-1] < one[0]


def test_a_run_trained_by_two_processes_is_a_run_like_any_other():
    command = "-m fercore train cnn --recipe quick --data synthetic --run-id shared --threads 1"
    torchrun(2, *command.split())
    run = find_run("shared")
    assert verify_run(run) == []
    assert run.info["hardware"]["processes"] == 2
    assert len(run.history()) == run.recipe.epochs


def test_a_process_with_other_images_says_so(faces):
    """Group of a process whose leader has other images, and of one whose follower has."""
    other, same = data.synthetic((1, 1, 1)).fingerprint, faces.fingerprint
    for leaders, any_of_them in ((other, lambda flag, device: flag), (same, lambda *_: True)):
        group = SimpleNamespace(from_leader=lambda _, value=leaders: value, any=any_of_them)
        with pytest.raises(DataError, match="read different images"):
            _check_same(faces, group)
