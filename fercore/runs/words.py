"""A run in words, the same on the command line, on every page and beside an exported model."""

from collections.abc import Iterable
from typing import NamedTuple

from fercore.data import SYNTHETIC
from fercore.models import MODELS
from fercore.runs.artifacts import Run
from fercore.scoring.labelling import TRAINED_BY
from fercore.scoring.predictions import PARTS
from fercore.wording import minute

UNCOMMITTED = "uncommitted code"  # of a run that no commit makes again
ENSEMBLE, IMPORTED, CUT_SHORT = "ensemble", "imported", "cut short"
MARKS = (SYNTHETIC, ENSEMBLE, IMPORTED, CUT_SHORT, UNCOMMITTED)  # what to know before trusting it


class TitlePiece(NamedTuple):
    """A piece of a title; mark: which one of `MARKS` it says, or ''."""

    words: str
    mark: str = ""


def title_pieces(run: Run, recipe: str) -> list[TitlePiece]:
    """What its title is made of, 'CNN · paper · seed 0'; the synthetic set, other labels and
    uncommitted code are named wherever they were used. recipe: what its recipe is called.
    """
    labels, short = run.info.get("labels"), cut_short(run)
    pieces = [
        TitlePiece(model_title(run)),
        dataset_piece(run),
        TitlePiece(recipe),
        TitlePiece("imported" if run.imported else "", IMPORTED),
        TitlePiece(f"cut short at {short}" if short else "", CUT_SHORT),
        TitlePiece(f"trained by {TRAINED_BY.get(labels, labels)}" if labels else ""),
        TitlePiece(seed_title(run), ENSEMBLE if run.members else ""),
        TitlePiece(UNCOMMITTED if run.uncommitted else "", UNCOMMITTED),
        TitlePiece("" if run.shipped else minute(run.info["created"])),
    ]
    return [piece for piece in pieces if piece.words]


def dataset_piece(run: Run) -> TitlePiece:
    """The set that it was made on, where that is not FER2013."""
    name = run.home.dataset
    return TitlePiece("" if name == "FER2013" else name, SYNTHETIC if name == SYNTHETIC else "")


def faces_title(dataset: str) -> str:
    """What a set is called in a sentence: 'FER2013', 'synthetic faces'."""
    return "synthetic faces" if dataset == SYNTHETIC else dataset


def images_title(dataset: str, part: str) -> str:
    """A set and which of its images, one of `PARTS` or its title: 'FER2013 (PrivateTest)'."""
    return f"{faces_title(dataset)} ({PARTS.get(part, part)})"


def joined(pieces: Iterable[TitlePiece]) -> str:
    return " · ".join(piece.words for piece in pieces)


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
