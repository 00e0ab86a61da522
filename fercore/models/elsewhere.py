"""Trunks of other projects, 'SOURCE:NAME': what is known of them without torch."""

import importlib.util

from fercore.errors import ConfigError, MissingExtra

SOURCE = "timm"
STRIDE = 16  # pixels of a side to one place of the map, where nothing else is asked for


def check_trunk(trunk: str) -> None:
    """Whether a trunk from elsewhere can be had here, if it is one.

    Raises `ConfigError` for another source, `MissingExtra` where its package is not installed.
    """
    source, colon, name = trunk.partition(":")
    if not colon:
        return
    if source != SOURCE or not name:
        raise ConfigError(f"A trunk from elsewhere is a '{SOURCE}:NAME', not '{trunk[:80]}'.")
    if importlib.util.find_spec(SOURCE) is None:
        raise MissingExtra("timm is not installed. Run: pip install 'fercore[transfer]'")
