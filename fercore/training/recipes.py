"""Recipes: how a model is trained, as named, frozen configurations that round-trip through JSON."""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any

from fercore.errors import ConfigError
from fercore.labels import SIZE
from fercore.shapes import misfit, number, optional, truth, whole
from fercore.training.setting_shapes import (
    ARGUMENTS,
    Amount,
    Share,
    Text,
    names,
    shape_of,
    stages,
)

_LATER = {
    "light", "contrast", "optimizer", "mixup", "averaged", "average_decay", "pretrained",
    "trunk_rate", "training_share",
}  # fmt: skip
_CHOICES = {"fall": ("cosine", "line", "flat"), "optimizer": ("adamw", "muon")}


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training image, drawn anew each time it is shown."""

    flip: Share = 0.5  # probability of mirroring
    degrees: Amount = 10.0  # rotation up to this, either way
    shift: Amount = 0.1  # of the image's side, either way
    scale: Amount = 0.1  # zoom between 1 - scale and 1 + scale
    erase: Share = 0.0  # probability that a rectangle is blanked (Zhong et al., 2020)
    light: Share = 0.0  # brighter or darker by up to this share of all greys
    contrast: Share = 0.0  # of the distance from the image's mean, more or less by up to this


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the model, the data and the seed.

    The learning rate rises in a straight line to `learning_rate` over the first `warm_up`, a share
    of all epochs, and falls to zero: by `fall`, along half a 'cosine' (Loshchilov & Hutter, 2017)
    or in a 'line' (Defazio et al., 2023); or it stays, 'flat'. Weight decay is decoupled from it,
    as in AdamW (Loshchilov & Hutter, 2019), and spares biases and norms.

    optimizer: 'adamw'; or 'muon', which takes its place for the matrices and kernels between the
    first layer and the last (Jordan et al., 2024), at the same rate and decay (Liu et al., 2025).
    resolutions: (side, share of the epochs) one after the other, for trainings that begin with
    small images (Howard, 2018); after the last of them images are as large as the model takes them.
    validated: the share of the epochs, the last ones, that end in a look at PublicTest.
    teacher: a run, an ensemble of runs, or several runs, whose answers to the same augmented faces
    make up `teacher_share` of the labels (Hinton et al., 2015; Beyer et al., 2022). It is asked in
    the first `teacher_epochs`; the later ones move the faces as those did, in turn, and take the
    answers of then. 0: asked in every one.
    mixup: alpha of the Beta distribution that draws how much two faces of a batch, and their
    labels, are mixed (Zhang et al., 2018). 0: not at all.
    averaged: the share of the epochs, the last ones, in which a mean of the weights is kept, of
    which `average_decay` stays at every step (Polyak & Juditsky, 1992; an exponential one as in
    Tarvainen & Valpola, 2017). That mean is then validated and kept, not the weights of one step.
    pretrained: whether a trunk from elsewhere begins with the weights that it has there.
    trunk_rate: the trunk's share of the learning rate; 0: it is frozen, its normalisation too.
    training_share: of each class's Training, drawn by the seed, that is learnt from.
    """

    name: Text
    summary: Text = field(compare=False)  # for people: another wording is no other recipe
    epochs: Annotated[int, whole(1)]
    batch_size: Annotated[int, whole(1)] = 128
    learning_rate: Annotated[float, number(0, 1e300)] = 1e-3
    warm_up: Share = 0.15
    fall: Text = "cosine"
    optimizer: Text = "adamw"
    weight_decay: Amount = 0.0
    label_smoothing: Share = 0.0
    augmentation: Annotated[Augmentation, shape_of(Augmentation)] = Augmentation()
    resolutions: Annotated[tuple[tuple[int, float], ...], stages] = ()
    validated: Share = 1.0
    teacher: Annotated[str | tuple[str, ...] | None, optional(names)] = None
    teacher_share: Share = 0.0
    teacher_epochs: Annotated[int, whole()] = 0
    mixup: Amount = 0.0
    averaged: Share = 0.0
    average_decay: Share = 0.999
    pretrained: Annotated[bool, truth] = False
    trunk_rate: Amount = 1.0
    training_share: Share = 1.0
    model_arguments: Annotated[dict[str, Any], ARGUMENTS] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            few = "epochs" if self.epochs < 1 else "images a batch"
            raise ConfigError(f"A training needs at least one of its {few}: give 1 or more.")

    @property
    def teachers(self) -> tuple[str, ...]:
        """The names that `teacher` gives; none where the labels alone are learnt."""
        if self.teacher is None:
            return ()
        return (self.teacher,) if isinstance(self.teacher, str) else self.teacher

    @property
    def frozen(self) -> bool:
        """Whether the head alone learns."""
        return self.trunk_rate == 0

    @property
    def trunk(self) -> str:
        """What the recipe says of the trunk: 'timm:NAME' for one from elsewhere; '' for nothing."""
        return str(self.model_arguments.get("trunk", ""))

    @property
    def from_elsewhere(self) -> bool:
        """Whether its trunk is another project's."""
        return ":" in self.trunk

    @property
    def full_side(self) -> int:
        """The side in pixels of what the model sees in the end."""
        side: int = self.model_arguments.get("side", SIZE)
        return side

    def side(self, epoch: int) -> int:
        """The training images' side in pixels in an epoch, counted from 1."""
        ended = 0.0
        for side, share in self.resolutions:
            ended += share
            if (epoch - 0.5) / self.epochs < ended:
                return side
        return self.full_side

    def validates(self, epoch: int) -> bool:
        """Whether an epoch ends in a look at PublicTest: a late one, of full-size images."""
        late = epoch > (1 - self.validated) * self.epochs
        return epoch == self.epochs or (late and self.side(epoch) == self.full_side)

    def averages(self, epoch: int) -> bool:
        """Whether a mean of the weights is kept in an epoch."""
        return epoch > (1 - self.averaged) * self.epochs

    def version(self, epoch: int) -> int:
        """Which augmentation, counted from 0, an epoch shows the images under."""
        return (epoch - 1) % (self.teacher_epochs or self.epochs)

    def cost(self, epoch: int, *, teacher: float = 0.0) -> float:
        """What an image of an epoch costs, as a share of one at full size in the first epoch.

        `teacher`: the teacher's share of that. It sees every image whole, where it is asked.
        """
        asked = teacher if self.version(epoch) == epoch - 1 else 0.0
        return asked + (1 - teacher) * (self.side(epoch) / self.full_side) ** 2

    def to_json(self) -> dict[str, Any]:
        """As JSON. What came after the first runs and is as it was for them is left out, so that
        theirs is the same as ever: checkpoints and studies are held against it.
        """
        value = asdict(self)
        for kind, settings in ((Recipe, value), (Augmentation, value["augmentation"])):
            for each in fields(kind):
                if each.name in _LATER and settings[each.name] == each.default:
                    del settings[each.name]
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Recipe":
        """The recipe that `to_json` gave. Raises `ConfigError` on unknown or odd settings."""
        if problem := misfit(value, shape_of(cls)):
            raise ConfigError(f"This is not a recipe: {problem}.")
        unknown = set(value) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError(f"A recipe has no setting '{sorted(unknown)[0]}'.")
        for setting, known in _CHOICES.items():
            if value.get(setting, known[0]) not in known:
                raise ConfigError(
                    f"A recipe's '{setting}' is one of {', '.join(known)}, not {value[setting]}."
                )
        try:
            augmentation = Augmentation(**value.get("augmentation", {}))
        except TypeError as error:
            raise ConfigError(f"This is not a recipe: {error}.") from error
        resolutions = tuple((side, share) for side, share in value.get("resolutions", ()))
        teacher = value.get("teacher")
        teacher = tuple(teacher) if isinstance(teacher, list | tuple) else teacher
        own = {"augmentation": augmentation, "resolutions": resolutions, "teacher": teacher}
        return cls(**value | own)


_LIGHT = Augmentation(degrees=5, shift=0.05, scale=0.05)
_STRONG = Augmentation(degrees=12, shift=0.08, scale=0.12)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="paper",
            summary="plain, as a paper would: Adam, warm-up and cosine decay, light augmentation",
            epochs=14,
            batch_size=64,
            learning_rate=4e-3,
            label_smoothing=0.05,
            augmentation=_LIGHT,
        ),
        Recipe(
            name="fast",
            summary="a minute on two cores: 32×32 pixels, smaller ones first, two views at the end",
            epochs=18,
            batch_size=192,
            learning_rate=1e-2,
            fall="line",
            weight_decay=0.05,
            label_smoothing=0.05,
            augmentation=_LIGHT,
            resolutions=((24, 0.28),),
            validated=0.1,
            model_arguments={"hidden": 128, "width": 32, "side": 32, "views": 2, "dropout": 0.0},
        ),
        Recipe(
            name="best",
            summary="about 75 minutes on one core: wide residual trunk, ten views at the end",
            epochs=60,
            batch_size=128,
            learning_rate=3e-3,
            warm_up=0.1,
            weight_decay=0.08,
            label_smoothing=0.1,
            augmentation=replace(_STRONG, erase=0.3),
            resolutions=((32, 0.25), (40, 0.45)),
            validated=0.15,
            model_arguments={"trunk": "resnet", "width": 64, "views": 10, "dropout": 0.3},
        ),
        Recipe(
            name="small",
            summary="for `cnn_small`: taught by the best CNN, light enough for the webcam",
            epochs=120,
            batch_size=128,
            learning_rate=4e-3,
            warm_up=0.1,
            weight_decay=0.05,
            augmentation=_STRONG,
            resolutions=((32, 0.4), (40, 0.4)),
            validated=0.1,
            teacher="cnn-best",
            teacher_share=0.8,
            teacher_epochs=30,
            model_arguments={"views": 2},
        ),
        Recipe(
            name="quick",
            summary="seconds, with a narrow model on 40×40 pixels, for trying things",
            epochs=4,
            batch_size=32,
            learning_rate=1e-2,
            augmentation=_LIGHT,
            model_arguments={"width": 8, "side": 40, "dropout": 0.0},
        ),
        Recipe(
            name="transfer",
            summary="for a trunk from elsewhere (--trunk), which learns at a third of the rate",
            epochs=8,
            batch_size=64,
            learning_rate=1e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            augmentation=replace(_STRONG, erase=0.2),
            validated=0.5,
            trunk_rate=0.3,
            model_arguments={"side": 64, "views": 2},
        ),
        Recipe(
            name="finetune",
            summary="from a finished run's weights to other faces: a fifth of the learning rate",
            epochs=10,
            batch_size=16,
            learning_rate=8e-4,
            label_smoothing=0.05,
            augmentation=_LIGHT,
        ),
    )
}


TAUGHT_SHARE = 0.8  # of the labels, where a recipe that has no teacher is given one
FOR_MODEL = {"small": "cnn_small"}  # recipes for one model alone
FOR_A_START = {"finetune"}  # those that make sense from a run's weights alone
FOR_A_TRUNK = {"transfer"}  # those for a trunk from elsewhere


def find_recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise ConfigError(f"There is no recipe '{name}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
