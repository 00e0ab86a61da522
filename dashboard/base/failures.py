"""The boundary at which an unexpected error becomes one sentence; its details go to the log.

Whatever draws stands behind `errors_told`: a page, a panel, and over a fragment or a dialog, which
Streamlit also runs without the page around them. Callbacks, which run before anything is drawn,
stand behind `errors_kept`. Streamlit's own ways to end a run (`st.stop`, `st.rerun`) are no
`Exception` and pass.
"""

import logging
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.base.plain import plain
from fercore.errors import FerError

_LOG = logging.getLogger(__name__)
_LOGGED: dict[str, float] = {}  # when an error was logged last, by its reference
_AGAIN = 60.0  # seconds until the same error is logged again
_KEPT = "failures-to-tell"  # sentences that wait until something is drawn


@contextmanager
def errors_told(what: str) -> Iterator[None]:
    """Shows, in a sentence, an error that is raised inside: as a `with` block, or over a function.

    what: what could not be shown, 'The page Slices'. Errors kept by a callback are told first.
    """
    for sentence in st.session_state.pop(_KEPT, []):
        st.error(sentence)
    with errors_passed_on(st.error, f"{what} could not be shown"):
        yield


@contextmanager
def errors_kept(what: str) -> Iterator[None]:
    """Over a callback: an error is told where something is drawn next. what: 'Saving the note'."""

    def keep(sentence: str) -> None:
        st.session_state.setdefault(_KEPT, []).append(sentence)

    with errors_passed_on(keep, f"{what} did not work"):
        yield


@contextmanager
def errors_passed_on(tell: Callable[[str], object], failed: str) -> Iterator[None]:
    """Gives `tell` a sentence on an error that is raised inside; for any thread.

    It is the error's own where it was foreseen, else what `failed`, that the rest works, and the
    reference under which the log has the details.
    """
    try:
        yield
    except FerError as error:
        tell(plain(error))
    except Exception as error:
        tell(
            f"{failed}{_reason(error)}; the rest works, and the log of whoever runs this app has "
            f"the details under {_logged(error, failed)}."
        )


def _logged(error: Exception, failed: str) -> str:
    """The reference to an error that is being handled, the same one for the same error."""
    lines = "".join(traceback.format_exception(error))
    reference = f"{zlib.crc32(lines.encode()):08x}"
    now = time.monotonic()
    if now - _LOGGED.get(reference, -_AGAIN) >= _AGAIN:  # a fragment fails every second
        _LOGGED[reference] = now
        _LOG.exception("%s [%s]", failed, reference)
    return reference


def _reason(error: Exception) -> str:
    """What a person can do something about: ' (No space left on device: …)', or ''."""
    if isinstance(error, MemoryError):
        return " (there is not enough memory)"
    if not isinstance(error, OSError) or not error.strerror:
        return ""
    names = [str(name).replace("`", "'") for name in (error.filename, error.filename2) if name]
    names = [" ".join(name.split()) for name in names]  # an empty line would end the quotation
    return f" ({': '.join([error.strerror, *(f'`{name}`' for name in names)])})"
