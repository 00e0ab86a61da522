"""The errors that fercore raises on purpose.

Each message is one plain sentence or two: what was wrong, where, and what to do.
The command line prints it, a page shows it; neither shows a stack trace.
"""


class FerError(Exception):
    """Base of every error a user can cause or mend."""


class ConfigError(FerError):
    """An unknown model, recipe, class or setting."""


class MissingExtra(ConfigError):
    """A package that is asked for and not installed."""


class DataError(FerError):
    """A dataset that is missing, malformed or unsafe to read."""


class ImageError(FerError):
    """A photo that cannot be read."""


class RunError(FerError):
    """A run that is missing, incomplete, damaged or not allowed to change."""


class NameTaken(RunError):
    """A name that another run or training has."""


class TrainingError(FerError):
    """A training that cannot start or go on."""


class Busy(TrainingError):
    """A training whose place is held by another one that is running."""
