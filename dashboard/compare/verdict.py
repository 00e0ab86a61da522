"""The Overview's sentences: who is right more often, and what the comparison is about."""

from dashboard.base.plain import plain
from dashboard.base.theme import count
from fercore.data import SYNTHETIC
from fercore.runs.artifacts import Run
from fercore.runs.words import model_title, seed_title
from fercore.scoring.evaluation import Comparison
from fercore.scoring.statistics import LEVEL
from fercore.study.references import PAPER
from fercore.wording import NO_BREAK, number, p_value, points, points_interval


def verdict_in_words(result: Comparison) -> str:
    """Who is right more often, and whether that is more than chance."""
    evidence = (
        f"(A − B {points(result.difference)} {points_interval(result.interval)}, exact "
        f"McNemar {p_value(result.p_value)}, n = {count(result.n)})."
    )
    if result.p_value >= LEVEL:
        return f"**No difference beyond chance between A and B** {evidence}"
    better, worse = ("A", "B") if result.difference > 0 else ("B", "A")
    gap = f"{number(abs(100 * result.difference))}{NO_BREAK}points"
    return f"**{better} is right {gap} more often than {worse}** {evidence}"


def title_of(models: dict[str, Run]) -> str:
    """'CNN against CNN-LSTM on FER2013'; each with its own dataset, or with its recipe and seed,
    where these are what tells them apart.
    """
    titles = [plain(model_title(run)) for run in models.values()]
    sets = [
        "drawn faces" if run.dataset == SYNTHETIC else plain(run.dataset) for run in models.values()
    ]
    if len(set(sets)) > 1:
        return " against ".join(f"{title} on {faces}" for title, faces in zip(titles, sets))
    if len(set(titles)) < len(titles):
        versions = [
            ", ".join(filter(None, [plain(run.recipe.name), seed_title(run)]))
            for run in models.values()
        ]
        return f"{titles[0]} on {sets[0]}: {' against '.join(versions)}"
    return f"{' against '.join(titles)} on {sets[0]}"


def compares_architectures(a: Run, b: Run) -> bool:
    return a.architecture != b.architecture


def subject(a: Run, b: Run) -> str:
    """What comparing these two runs can say, a sentence or two."""
    if a.run_id == b.run_id:
        return "A and B are the same run."
    if imported := [key for key, run in (("A", a), ("B", b)) if run.imported]:
        whose = "A and B were" if len(imported) > 1 else f"{imported[0]} was"
        return (
            f"{whose} imported, and how it was trained and chosen is not known here. This compares "
            "two models' answers, not their architectures."
        )
    if compares_architectures(a, b):
        recipes = "" if a.recipe == b.recipe else ", and by different recipes"
        return (
            f"This compares two models trained once each{recipes}. A claim about their "
            "architectures needs several seeds of each, trained alike:"
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


def paper_in_words(a: Run, b: Run) -> str:
    """The paper's gap, where A and B are what it compared, with the same sign; else ''."""
    titles = {model_title(run): run.dataset for run in (a, b) if not run.imported}
    if set(titles) != set(PAPER) or set(titles.values()) != {"FER2013"}:
        return ""
    accuracies = [PAPER[model_title(run)] for run in (a, b)]
    return f"The paper saw {points(accuracies[0] - accuracies[1])} between its own two."
