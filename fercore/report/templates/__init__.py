"""The templates of what is sent, filled by Jinja: all that people wrote is escaped."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_SPECIAL = re.compile(r"[\\`*_\[\]<>|$~&#]")


def escaped(text: object) -> str:
    """`text` on one line, as Markdown that shows it as it is: the filter `md`.

    >>> print(escaped("<b> cnn_lstm [x](y)"))
    \\<b\\> cnn\\_lstm \\[x\\](y)
    """
    return _SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))


@cache
def environment() -> Environment:
    """Raises `jinja2.UndefinedError` for what a template names and is not given."""
    found = Environment(
        loader=PackageLoader("fercore.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["md"] = escaped
    return found
