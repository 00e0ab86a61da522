"""Run under torchrun by `test_parallel.py`: a short training whose loss curve is written down."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from fercore import data
from fercore.models import build
from fercore.models.precision import Precision
from fercore.training.checkpoint import Checkpoints
from fercore.training.fit import fit
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import find_recipe
from fercore.training.records import Watcher


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    faces = data.synthetic((7, 3, 3))  # 49 for training: neither batches nor shares are equal
    model = build("cnn_lstm", width=4, dropout=0.5, map_dropout=0.2)
    group, losses = ProcessGroup(), []
    fit(
        model,
        faces.part("Training"),
        faces.part("PublicTest"),
        replace(find_recipe("quick"), epochs=3, batch_size=15, learning_rate=1e-3),
        seed=0,
        precision=Precision("cpu", "fp32"),
        checkpoints=Checkpoints(folder / "checkpoint.pt", {}),
        watcher=Watcher(
            on_step=lambda at: losses.append(at.loss),
            on_epoch=lambda history: losses.append(history[-1].val_loss),
        ),
        group=group,
    )
    if group.leads:
        (folder / f"losses-{group.size}.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
