"""A run in words, the same on the command line, on every page and beside an exported model."""

from fercore.models import MODELS
from fercore.runs.artifacts import Run
from fercore.scoring.labelling import TRAINED_BY

UNCOMMITTED = "uncommitted code"  # of a run that no commit makes again


def run_title(run: Run) -> str:
    """'CNN · paper · seed 0'; the synthetic set, other labels and uncommitted code are named
    wherever they were used.
    """
    imported = run.info.get("imported")
    recipe = "imported" if imported and run.recipe.name == run.run_id else run.recipe.name
    parts = [model_title(run), recipe, *filter(None, [seed_title(run)])]
    if labels := run.info.get("labels"):
        parts.insert(2, f"trained by {TRAINED_BY.get(labels, labels)}")
    if short := cut_short(run):
        parts.insert(2, f"cut short at {short}")
    if run.home.dataset != "FER2013":
        parts.insert(1, run.home.dataset)
    if run.uncommitted:
        parts.append(UNCOMMITTED)
    if not run.shipped:
        parts.append(run.info["created"][:16].replace("T", " "))
    return " · ".join(parts)


def model_title(run: Run) -> str:
    """'CNN', or what an imported run's model is called."""
    imported = run.info.get("imported")
    return imported["title"] if imported else MODELS[run.info["model"]].title


def seed_title(run: Run) -> str:
    """'seed 0', or of how many seeds it is the mean; '' where the seed is not known."""
    count, seed = len(run.members), run.info["seed"]
    if count:
        return f"ensemble of {count} seeds"
    return "" if seed is None else f"seed {seed}"


def epoch_choice(run: Run) -> str:
    """How its epoch was chosen, to go on after 'was'."""
    part, drawn = run.info["selected_on"], run.home.info["dataset"].get("validation")
    if not part:
        return "the last one: PublicTest was asked about none"
    share = f", {100 * drawn['share']:g} % of Training drawn by its seed" if drawn else ""
    return f"chosen on {part}{share}"


def cut_short(run: Run) -> str:
    """'3 of 14 epochs' where its training was broken off and the best so far kept; else ''."""
    done, asked = run.epochs_done, run.recipe.epochs
    return f"{done} of {asked} epochs" if done < asked else ""
