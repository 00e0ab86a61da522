"""From what a training has learnt to a run: its test images scored, and how it was made."""

from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fercore.analysis import relabelling
from fercore.jobs import transfer
from fercore.jobs.hardware import describe_hardware, describe_software
from fercore.jobs.learning import Learnt, identity, pretrained_record, teacher_record
from fercore.jobs.request import Request, read_verdicts
from fercore.runs.artifacts import Run
from fercore.runs.info import DatasetInfo, Drawn
from fercore.runs.writing import write_run
from fercore.scoring.predictions import prediction_frame


def write_outcome(
    request: Request, folder: Path, learnt: Learnt, *, code: str | None, processes: int
) -> Run:
    """Score PublicTest and PrivateTest, write the run into `folder`, and return it.

    code: the commit of what trained it, or several. processes: that trained it together.
    """
    from fercore.models.cost import count_parameters, flops_per_image
    from fercore.models.inference import for_inference, predict_probs
    from fercore.models.precision import REFERENCE, choose_precision

    model, result, original = learnt.model, learnt.fit, learnt.given
    model.cpu()
    scored = original.where(original.usage != "Training")
    probs = predict_probs(for_inference(deepcopy(model)), scored.images, precision=REFERENCE)
    start = request.start_from and transfer.write_tables(
        request.start_from, folder, model, original
    )
    info = identity(request) | {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": _dataset_record(request, learnt),
        "start_from": start,
        "teacher": teacher_record(request),
        "pretrained": pretrained_record(request, folder),
        "verdicts": _verdicts_record(folder),
        "selected_on": "PublicTest" if result.chosen else None,
        "best_epoch": result.best_epoch,
        "epochs_done": len(result.history),  # fewer than the recipe's where the best so far is kept
        "parameters": count_parameters(model),
        "flops_per_image": flops_per_image(model),
        "seconds": round(sum(record.seconds for record in result.history), 1),
        "hardware": describe_hardware(choose_precision().device, request.precision)
        | {"processes": processes},
        "software": describe_software(),
        "git_commit": code,
    }
    frame = prediction_frame(original, probs)
    return write_run(folder, info, model, [asdict(record) for record in result.history], frame)


def _dataset_record(request: Request, learnt: Learnt) -> DatasetInfo:
    """The set as it was given, and its counts as they were trained on, verdicts applied."""
    drawn: Drawn | None = None
    if request.validation:
        drawn = {"share": request.validation, "seed": request.seed}
    return {
        "name": learnt.given.name,
        "fingerprint": learnt.given.fingerprint,
        "counts": learnt.faces.counts(),
        "class_names": request.class_names or None,
        "validation": drawn,
    }


def _verdicts_record(folder: Path) -> dict[str, Any] | None:
    table = read_verdicts(folder)
    if table is None:
        return None
    return {"hash": relabelling.verdicts_hash(table), "count": len(table)}
