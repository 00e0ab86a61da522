"""Each term of the pages and the documents in one sentence, with where it comes from."""

from typing import NamedTuple


class Term(NamedTuple):
    """meaning: one sentence, which begins in lower case and goes on after 'TERM: '. source: the
    work that its formula or its idea is of, or ''.
    """

    meaning: str
    source: str = ""


def explained(*names: str) -> str:
    """The terms' sentences as Markdown, a line each. Raises `KeyError` for one that is not here.

    >>> explained("recall")
    '**Recall**: of the images with a label, the share that the model finds.'
    """
    return "  \n".join(f"**{titled(name)}**: {TERMS[name].meaning}" for name in names)


def titled(name: str) -> str:
    """A term as a sentence begins with it: 'Macro F1', 'p'."""
    return name if len(name) == 1 else name[0].upper() + name[1:]


# What a model gets right.
_SCORES = {
    "accuracy": Term("the share of images whose most probable class is the label."),
    "recall": Term("of the images with a label, the share that the model finds."),
    "precision": Term("of the images that the model calls so, the share whose label it is."),
    "F1": Term("the harmonic mean of precision and recall, low where either is low."),
    "macro F1": Term(
        "the mean of the F1 of the expressions, each of which counts alike however rare it is."
    ),
    "AUC": Term(
        "the area under the ROC curve: the chance that an image of a class gets a higher "
        "probability for it than an image of another.",
        "Hanley & McNeil (1982)",
    ),
    "macro AUC": Term("the mean of the AUC of the expressions that occur."),
    "micro AUC": Term(
        "the AUC of all decisions 'is this image of this class?' together, so that frequent "
        "expressions count more."
    ),
    "confusion matrix": Term(
        "a table of counts with a row for each label and a column for each answer, right on its "
        "diagonal and wrong everywhere else."
    ),
    "ROC curve": Term(
        "how many images of a class are found for how many false alarms, as the threshold on its "
        "probability falls; the diagonal is guessing.",
        "Fawcett (2006)",
    ),
    "PR curve": Term(
        "how many images of a class are found, and how many of those called so are right, as the "
        "threshold falls: it shows what rare classes suffer.",
        "Davis & Goadrich (2006)",
    ),
    "threshold": Term("the least probability of a class that counts as a yes."),
    "false-positive rate": Term(
        "of the images of other classes, the share that is called so: false alarms."
    ),
}

# How sure one can be of it.
_CHANCE = {
    "95 % interval": Term(
        "where the true figure lies, by a method that is right 95 times of 100; of one model's "
        "share it is Wilson's.",
        "Wilson (1927)",
    ),
    "paired interval": Term(
        "the interval of a difference on the same images, narrower than the two models' own "
        "intervals suggest.",
        "Efron & Tibshirani (1993)",
    ),
    "p": Term("how often chance alone would make a difference at least as large as this one."),
    "beyond chance": Term("said where p, corrected where there are several tests, is below 0.05."),
    "exact McNemar": Term(
        "a test of two models on the same images, which asks whether A alone is right about as "
        "often as B alone.",
        "McNemar (1947)",
    ),
    "Student's t over seeds and images": Term(
        "a test of two groups whose variance is that of new seeds and of new images together.",
        "Student (1908)",
    ),
    "Fisher's exact test": Term(
        "a test of whether a share is the same among some images and among all others.",
        "Fisher (1922)",
    ),
    "Holm's correction": Term(
        "makes each p larger by how many tests were made, so that one false alarm among all of "
        "them stays as rare as 5 in 100.",
        "Holm (1979)",
    ),
    "margin": Term("the difference in accuracy within which two models count as equal."),
}

# How sure the model is.
_SURENESS = {
    "confidence": Term("the probability that a model gives to what it says."),
    "calibration": Term(
        "whether a model is as sure as it is right: of the answers of which it is 80 % sure, 80 % "
        "should be right.",
        "Guo et al. (2017)",
    ),
    "ECE": Term(
        "the expected calibration error: the mean distance between confidence and accuracy over "
        "bins of as many images each; lower is better.",
        "Naeini et al. (2015), Nixon et al. (2019)",
    ),
    "ECE by chance alone": Term(
        "the ECE of a perfectly calibrated model on as many images: chance pushes every ECE up."
    ),
    "debiased ECE": Term(
        "the ECE without what chance adds to it, to which the interval belongs; the plain one is "
        "larger and may lie above the interval.",
        "Kumar et al. (2019), Roelofs et al. (2022)",
    ),
    "Brier score": Term(
        "the mean squared error of the seven probabilities, from 0 to 2; lower is better.",
        "Brier (1950)",
    ),
    "NLL": Term("the mean negative log-likelihood of the label, in nats; lower is better."),
    "temperature": Term(
        "a number T by which every probability is raised to the power 1/T, which changes how sure "
        "a model is and never what it says; above 1 it was over-confident.",
        "Guo et al. (2017)",
    ),
    "unsure": Term(
        "an answer withheld because its confidence is among the lowest, which leaves fewer and "
        "more reliable answers.",
        "El-Yaniv & Wiener (2010)",
    ),
    "coverage": Term(
        "of all images, the share that a model answers, the others being 'unsure'.",
        "El-Yaniv & Wiener (2010)",
    ),
    "area under the risk-coverage curve": Term(
        "the mean share of errors over all shares of images that are answered; lower is better.",
        "Geifman & El-Yaniv (2017)",
    ),
}

# Models, and how they were made.
_MODELS = {
    "run": Term("one training with all that it left: weights, history, and its answers."),
    "seed": Term(
        "the number from which a training draws its chance, so that another seed is another "
        "training of the same kind."
    ),
    "group": Term(
        "all runs that differ in the seed alone, written model@recipe; its figures are means over "
        "its seeds, with intervals for new seeds and new images alike."
    ),
    "ensemble": Term(
        "a model whose probabilities are the mean of those of several seeds.",
        "Lakshminarayanan et al. (2017)",
    ),
    "recipe": Term("all that is decided about a training but the model and the seed."),
    "epoch": Term("one pass of a training over all of its images."),
    "loss": Term("what a training makes small: the NLL of the labels it is given."),
    "label smoothing": Term(
        "asks for a little less than certainty of each label, which lifts the training loss.",
        "Szegedy et al. (2016)",
    ),
    "learning curve": Term("a run's accuracy on PublicTest by epoch."),
    "CNN": Term(
        "a convolutional network, which looks for patterns anywhere in an image.",
        "LeCun et al. (1998)",
    ),
    "LSTM": Term(
        "a network that reads a sequence step by step; in a CNN-LSTM, the places of the CNN's map.",
        "Hochreiter & Schmidhuber (1997)",
    ),
    "imported": Term("a run of another program's answers, without weights that could be asked."),
    "cut short": Term("a training that was broken off, of which the best epoch so far was kept."),
    "uncommitted code": Term(
        "changed since its last commit, so that no commit trains the same run again."
    ),
}

# Images and labels.
_IMAGES = {
    "FER2013": Term(
        "35\u202f887 grey faces of 48×48 pixels from the web, each labelled with one of seven "
        "expressions.",
        "Goodfellow et al. (2013)",
    ),
    "FER+": Term(
        "the answers of ten people who labelled each of FER2013's images again.",
        "Barsoum et al. (2016)",
    ),
    "Training": Term("the part of the images that a model learns from."),
    "PublicTest": Term(
        "the part by which everything is chosen: the epoch, the temperature, the thresholds."
    ),
    "PrivateTest": Term(
        "the part that is scored once, at the end, and by which nothing is chosen."
    ),
    "without duplicates": Term(
        "without the test images whose exact pixels also occur in Training or PublicTest."
    ),
    "synthetic": Term(
        "drawn by a program, not photographed: no accuracy on them says anything of real faces."
    ),
    "slice": Term(
        "images that have something in common, as how bright they are or whether raters agree."
    ),
    "t-SNE": Term(
        "a map that keeps neighbours together, on which the size of clusters and the distance "
        "between them mean little.",
        "van der Maaten & Hinton (2008)",
    ),
    "Grad-CAM": Term(
        "which places of a face speak for an answer, by the gradients of the network's last map.",
        "Selvaraju et al. (2017)",
    ),
    "occlusion map": Term(
        "which places of a face speak for an answer, by what its probability loses where a grey "
        "square hides them.",
        "Zeiler & Fergus (2014)",
    ),
    "confident learning": Term(
        "finds labels that a model's probabilities make doubtful, but cannot tell a wrong label "
        "from a wrong model.",
        "Northcutt et al. (2021)",
    ),
}

SECTIONS = {
    "What a model gets right": _SCORES,
    "How sure one can be of it": _CHANCE,
    "How sure a model is": _SURENESS,
    "Models, and how they are made": _MODELS,
    "Images and labels": _IMAGES,
}
TERMS = {name: term for section in SECTIONS.values() for name, term in section.items()}
