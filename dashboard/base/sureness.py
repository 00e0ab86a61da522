"""Whether it is known how sure a model is of what it says, and the words where it is not."""

from dashboard.base import loading
from dashboard.base.plain import plain
from fercore.groups.group import Group


def tells_how_sure(model: Group, part: str) -> bool:
    """Not where its labels alone were imported, be it of one seed of a group."""
    if not any(run.imported for run in model.members):  # then its answers need not be read
        return True
    return not loading.predictions(model, part).labels_only


def labels_alone(model: Group, part: str) -> str:
    """That it is not known, and why, as the beginning of a sentence; '' where it is."""
    if tells_how_sure(model, part):
        return ""
    was = "was" if model.single else "has seeds that were"
    return (
        f"'{plain(model.name)}' {was} imported as predicted labels alone: how sure it is of them "
        "is not known"
    )
