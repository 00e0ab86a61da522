"""The seven expressions, the three usages, their names in the wild, and a face's size."""

import re

from fercore.errors import ConfigError

# FER2013's order (Goodfellow et al., 2013). It is never alphabetical.
CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

# In plain words, wherever an answer is given. Of Regulation (EU) 2024/1689, the AI Act.
NOT_FOR = (
    "An expression is not a feeling: what someone feels is not in the picture. Judge no employee, "
    "applicant, pupil or student by it: in the EU, inferring emotions at work and in education is "
    "prohibited but for medical and safety reasons (AI Act, Art. 5). Tell whoever is filmed."
)

SIZE = 48  # pixels, height and width of a face

# In the order in which a protocol may look at them: train, choose, score once.
USAGES = ("Training", "PublicTest", "PrivateTest")

# Images per class and usage, as published with the challenge.
FER2013_COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}

_CLASS_ALIASES = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "suprise": "surprise",
    "neutrality": "neutral",
}

_USAGE_ALIASES = {
    "training": "Training",
    "train": "Training",
    "publictest": "PublicTest",
    "val": "PublicTest",
    "valid": "PublicTest",
    "validate": "PublicTest",
    "validation": "PublicTest",
    "dev": "PublicTest",
    "eval": "PublicTest",
    "evaluation": "PublicTest",
    "privatetest": "PrivateTest",
    "test": "PrivateTest",
    "testing": "PrivateTest",
}
_SET = re.compile(r"[\s_-]*(set|data|images|split)$")  # 'train_set' is 'train'


def class_index(name: str) -> int:
    """Index of an expression in `CLASSES`, from its name or a common variant ('anger', '0_angry').

    Raises `ConfigError` for a name that stands for none of the seven.
    """
    folded = re.sub(r"^\d+[\s._-]+", "", name.strip().lower())
    folded = _CLASS_ALIASES.get(folded, folded)
    if folded not in CLASSES:
        raise ConfigError(f"'{name}' is not one of the seven expressions: {', '.join(CLASSES)}.")
    return CLASSES.index(folded)


def usage_name(name: str) -> str:
    """One of `USAGES`, from FER2013's own word or a common folder name ('train', 'val').

    Raises `ConfigError` for any other word.
    """
    folded = _SET.sub("", name.strip().lower()).replace(" ", "").replace("_", "")
    if folded not in _USAGE_ALIASES:
        raise ConfigError(f"'{name}' is not a usage: expected one of {', '.join(USAGES)}.")
    return _USAGE_ALIASES[folded]
