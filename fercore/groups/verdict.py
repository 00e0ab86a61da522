"""What a comparison of two says, in words: who is right more often, and what it is about.

Nothing here is escaped: names are as people wrote them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fercore.groups.group import Group
from fercore.runs.artifacts import Run
from fercore.runs.words import faces_title, model_title, seed_title
from fercore.scoring.grouped.comparison import (
    BOOTSTRAP,
    MCNEMAR,
    STUDENT,
    CrossedDifference,
    GroupComparison,
)
from fercore.scoring.statistics import LEVEL
from fercore.study.references import AUTHORS, PAPER
from fercore.wording import (
    NO_BREAK,
    n_equals,
    number,
    p_value,
    percent,
    points,
    points_interval,
)


class Verdict(NamedTuple):
    """Who is right more often, and in brackets what that rests on."""

    claim: str
    evidence: str


TESTS = {
    MCNEMAR: "exact McNemar",
    STUDENT: "Student's t over seeds and images,",
    BOOTSTRAP: "bootstrap of seeds and images,",
}


def verdict(result: GroupComparison) -> Verdict:
    """Who is right more often, and whether that is more than chance."""
    test = TESTS[result.test]
    evidence = (
        f"(A − B {points(result.difference)} {points_interval(result.interval)}, {test} "
        f"{p_value(result.p_value)}, {n_equals(result.n)})."
    )
    found = result.crossed
    if not (found.different if found else result.p_value < LEVEL):
        return Verdict("No difference beyond chance between A and B", evidence)
    better, worse = ("A", "B") if result.difference > 0 else ("B", "A")
    gap = f"{number(abs(100 * result.difference))}{NO_BREAK}points"
    return Verdict(f"{better} is right {gap} more often than {worse}", evidence)


def limits_in_words(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """How often they fail, by key ('A' and, where there is one, 'B') from the figures of
    `evaluate`; and what is not in their answers.
    """
    verb = {"A": " is wrong"}  # said once
    wrong = [
        f"{key}{verb.get(key, '')} on {percent(1 - of['accuracy'])}" for key, of in scores.items()
    ]
    weakest = weakest_class(scores["A"])
    found = percent(weakest["recall"])
    return (
        f"{' and '.join(wrong)} of the faces, and of those labelled {weakest['class']} A finds "
        f"{found}: no single answer is to be relied on. What someone feels is not in the picture."
    )


def weakest_class(scores: Mapping[str, Any]) -> Mapping[str, Any]:
    """The line of `evaluate`'s `per_class` with the lowest recall, of the classes that occur."""
    occurring = [row for row in scores["per_class"] if row["support"]]
    return min(occurring, key=lambda row: row["recall"])


def caveats(models: Mapping[str, Group], part: str) -> list[str]:
    """What to know before these figures are believed: that the images chose what they judge, and
    what is noted of an imported model.
    """
    told = []
    if part == "public" and not all(model.members[0].imported for model in models.values()):
        told.append(
            "PublicTest chose the epochs of what was trained here: figures on it are too good, and "
            "prove nothing about new faces. Choose PrivateTest."
        )
    for key, model in models.items():
        notes = dict.fromkeys(run.note for run in model.members if run.imported and run.note)
        told += [f"{key}: {note}" for note in notes]
    return told


def power_in_words(result: GroupComparison) -> str:
    """Of groups: how the difference stands to the margin, what so many seeds could have shown, and
    what its variance comes from; '' for two runs, and of a single image.
    """
    found = result.crossed
    if found is None or found.images == 1:
        return ""
    seeds, images, rest = (percent(share, 0) for share in found.shares)
    seen = number(100 * found.detectable)
    return (
        f"{_margin_in_words(found, result.margin)} {_seeds_in_words(result)} could have shown a "
        f"true difference of {seen}{NO_BREAK}points or more, with a probability of 80{NO_BREAK}%. "
        f"Of the difference's variance {seeds} comes from the seeds, {images} from the images, and "
        f"{rest} is the rest."
    )


def _margin_in_words(found: CrossedDifference, margin: float) -> str:
    size = number(100 * margin, 0 if (100 * margin).is_integer() else 1)
    within = f"±{size}{NO_BREAK}point{'' if size == '1' else 's'}"
    ninety = f"the 90{NO_BREAK}% interval, {points_interval(found.equivalence_interval)},"
    if found.larger:
        return f"It is larger than {within}, within which two models count as equal."
    if found.equivalent:
        return f"It is within {within}, where two models count as equal: {ninety} lies inside."
    return f"Whether they are equal within {within} is open: {ninety} does not lie inside."


def _seeds_in_words(result: GroupComparison) -> str:
    a, b = result.seeds_a, result.seeds_b
    if 1 in (a, b):
        return f"{max(a, b)} seeds against one run"
    return f"{a} seeds each" if a == b else f"{a} and {b} seeds"


def title_of(models: dict[str, Group]) -> str:
    """'CNN against CNN-LSTM on FER2013'; each with its own dataset, or with its recipe and seeds,
    or by its name, where these are what tells them apart.
    """
    titles = [model_title(model.members[0]) for model in models.values()]
    sets = [faces_title(model.dataset) for model in models.values()]
    if len(set(sets)) > 1:
        return " against ".join(f"{title} on {faces}" for title, faces in zip(titles, sets))
    if len(set(titles)) < len(titles):
        versions = [
            ", ".join(filter(None, [model.recipe_name, _seeds_of(model)]))
            for model in models.values()
        ]
        if len(set(versions)) < len(versions):
            versions = [model.name for model in models.values()]
        return f"{titles[0]} on {sets[0]}: {' against '.join(versions)}"
    return f"{' against '.join(titles)} on {sets[0]}"


def _seeds_of(model: Group) -> str:
    return seed_title(model.run) if model.single else f"{model.count} seeds"


def any_imported(*models: Group) -> bool:
    return any(model.members[0].imported for model in models)


def compares_architectures(a: Group, b: Group) -> bool:
    return a.members[0].architecture != b.members[0].architecture


def same(a: Group, b: Group) -> bool:
    return a.name == b.name


def which_faces(models: Mapping[str, Group], part: str) -> str:
    """On which faces they were right, to go on after 'on'; whether they are new, where known."""
    if part == "public":
        return "the faces that chose how long to train"
    if any_imported(*models.values()):
        return "these test images"
    return "faces that they had not seen" if len(models) > 1 else "faces that it had not seen"


def subject(a: Group, b: Group) -> str:
    """What comparing these two can say, a sentence or two."""
    if same(a, b):
        return f"A and B are the same {'run' if a.single else 'group'}."
    if imported := [key for key, model in (("A", a), ("B", b)) if model.members[0].imported]:
        whose = "A and B were" if len(imported) > 1 else f"{imported[0]} was"
        return (
            f"{whose} imported, and how it was trained and chosen is not known here. This compares "
            "two models' answers, not their architectures."
        )
    if a.single and b.single:
        return _subject_of_runs(a.run, b.run)
    recipes = "" if a.recipe == b.recipe else ", by different recipes"
    if not a.single and not b.single:
        return (
            f"This compares two groups{recipes}: the interval and the test hold for new seeds and "
            "new images of the same kind, given the architectures, the recipes and the training "
            "images."
        )
    (group, of_group), (run, of_run) = sorted((("A", a), ("B", b)), key=lambda pair: pair[1].single)
    within = of_run.run in of_group.members
    return (
        f"{run} is {'one of the seeds of ' + group if within else 'a single run' + recipes}: what "
        f"is said of {group} holds for new seeds of it, what is said of {run} for this one "
        "training alone."
    )


def _subject_of_runs(a: Run, b: Run) -> str:
    if a.architecture != b.architecture:
        recipes = "" if a.recipe == b.recipe else ", and by different recipes"
        return (
            f"This compares two models trained once each{recipes}. A claim about their "
            "architectures needs several seeds of each, trained alike."
        )
    for key, run, other, member in (("A", a, "B", b), ("B", b, "A", a)):
        if member.run_id in run.members:
            return (
                f"{key} is the mean of {len(run.members)} seeds, {other} one of them: what is "
                "compared is the averaging."
            )
        if run.start_from == member.run_id:
            return (
                f"{key} began with {other}'s weights: what is compared is the training that came "
                "after."
            )
    if a.members or b.members:
        return "Both are of one architecture: what is compared is averaging over seeds."
    if a.recipe == b.recipe:
        return (
            "Both are of one architecture and one recipe: what is compared is two seeds, and the "
            "difference is the chance in a training."
        )
    return "Both are of one architecture: what is compared is how they were trained."


def paper_in_words(a: Group, b: Group) -> str:
    """The published gap, where A and B are what was compared, with the same sign; else ''."""
    first = [model.members[0] for model in (a, b)]
    titles = {model_title(run): run.dataset for run in first if not run.imported}
    if set(titles) != set(PAPER) or set(titles.values()) != {"FER2013"}:
        return ""
    accuracies = [PAPER[model_title(run)] for run in first]
    return f"{AUTHORS} saw {points(accuracies[0] - accuracies[1])} between their own two."
