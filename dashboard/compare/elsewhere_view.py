"""A model on its own test set and on the other ones that it was scored on, in a sentence."""

from dashboard.base import loading
from dashboard.base.plain import plain
from fercore.errors import RunError
from fercore.groups.group import Group
from fercore.runs.parts import part_names
from fercore.runs.words import images_title
from fercore.wording import count, interval, percent


def elsewhere_in_words(models: dict[str, Group]) -> list[str]:
    """'A is right on 65.1 % of FER2013 …, on 48.2 % of RAF-DB …', by each set's own labels.

    None for a model that knows its own set alone.
    """
    return [sentence for key, model in models.items() if (sentence := _sentence(key, model.home))]


def _sentence(key: str, model: Group) -> str:
    names = [name for name in part_names(model.run) if _scored_everywhere(model, name)]
    own = next((part for part in ("private", "public") if loading.is_scored(model, part)), None)
    if not names or own is None:
        return ""
    found = [_score(model, own, plain(images_title(model.dataset, own)))]
    problems = []
    for name in names:
        try:
            found.append(_score(model.on(name), name, plain(name)))
        except RunError as error:
            problems.append(plain(error))
    return " ".join([f"{key} is right {', '.join(found)}, by each set's own labels.", *problems])


def _scored_everywhere(model: Group, name: str) -> bool:
    return all(name in part_names(run) for run in model.members)


def _score(model: Group, part: str, title: str) -> str:
    scores = loading.scores(model, part)
    bounds = interval(scores["accuracy_interval"])
    return f"on {title} {percent(scores['accuracy'])} {bounds} of {count(scores['n'])}"
