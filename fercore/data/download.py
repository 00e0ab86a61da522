"""FER2013 from where it is public: from Kaggle through kagglehub, and where that fails elsewhere.

Only the original CSV will do. The better-known folder of JPEG files has other pixels, so that the
rows of a run made on the CSV could not be found in it.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from fercore.data import FaceSet, cache, load
from fercore.data.fetching import Told, fetch
from fercore.errors import ConfigError, DataError
from fercore.labels import FER2013_COUNTS, USAGES
from fercore.wording import count

URLS, COUNTS = "FERCORE_DOWNLOAD_URL", "FERCORE_DOWNLOAD_COUNTS"
KAGGLE = "deadskull7/fer2013"
# The competition's own archive, and the address from which CRAN's package torchvision takes it.
HUGGING_FACE = "https://huggingface.co/datasets/JimmyUnleashed/FER-2013/resolve/main/fer2013.tar.gz"
PUBLISHED = {usage: sum(counts) for usage, counts in FER2013_COUNTS.items()}
SIZE_IN_WORDS = "about 90 MB"  # of either archive
TERMS = (
    "Photos of people, collected from the web by image search for a competition of the ICML 2013 "
    "workshop on representation learning (Goodfellow et al., 2013). Nobody in them was asked, as "
    "far as is known, and the photos' owners gave no licence, whatever a copy says. Use them for "
    "research and teaching, and do not pass them on."
)
STATEMENT = (
    f"{TERMS} Age, gender, origin and who is in two photos are not recorded, so how models do on "
    "groups of people cannot be told. The labels are those of few raters: for about 36 % "
    "of the images the most frequent answer of FER+'s ten is another one."
)
BY_HAND = (
    f"In any browser, open https://www.kaggle.com/datasets/{KAGGLE} and press Download. Kaggle "
    "may ask you to sign in.",
    "Leave the zip as it is.",
    "Drop it under Data in the sidebar, or give its path there or to `fercore data use`.",
)
_PATIENCE = 45.0  # seconds without a byte until a source is given up
_POLL = 0.1


class Progress(NamedTuple):
    """How far it is. source: where from, '' while images are read. done, total: bytes, or images;
    the total is None where it is not known.
    """

    source: str
    done: int
    total: int | None


class Source(NamedTuple):
    """A place to get it from: its title, and what downloads it into a folder."""

    title: str
    get: Callable[[Path, Told], Path]


def get_fer2013(folder: Path, told: Callable[[Progress], None] = lambda at: None) -> FaceSet:
    """Download FER2013, read it into the cache and return it; its `source` says where it lies.

    folder: for the file, and for its part until all of it is there. The sources are asked one after
    the other until one gives a file with FER2013's counts; any other file is deleted. `told` is
    called several times a second and may end it by raising. Raises `DataError` with what each
    source said, `ConfigError` where a variable cannot be used.
    """
    counts, reasons = wanted_counts(), []
    for source in sources():
        try:
            path = _watched(source, folder, told)
            return _read(path, folder, counts, told)
        except DataError as error:
            reasons.append(f"{source.title}: {str(error).rstrip('.')}.")
        except OSError as error:
            raise DataError(
                f"FER2013 is not downloaded: {error.strerror or error} in {folder}. Make room "
                "there, or set FERCORE_CACHE to another folder."
            ) from error
    raise DataError(" ".join(["FER2013 could not be downloaded.", *reasons]))


def sources() -> list[Source]:
    """Where FER2013 is asked for, in this order. Raises `ConfigError`."""
    if own := os.environ.get(URLS, "").split():
        return [Source(urlsplit(url).netloc or url, partial(fetch, url)) for url in own]
    return [Source("Kaggle", _from_kaggle), Source("Hugging Face", partial(fetch, HUGGING_FACE))]


def wanted_counts() -> dict[str, int]:
    """How many images each usage is to have. Raises `ConfigError` where the variable is odd."""
    given = os.environ.get(COUNTS, "").strip()
    if not given:
        return PUBLISHED
    numbers = given.split(",")
    if len(numbers) != len(USAGES) or not all(number.strip().isdecimal() for number in numbers):
        raise ConfigError(f"{COUNTS} is '{given}', which is not like 28709,3589,3589.")
    return dict(zip(USAGES, map(int, numbers), strict=True))


def other_than(faces: FaceSet, counts: dict[str, int] = PUBLISHED) -> str:
    """How a set differs from one of those counts per usage, in a sentence; '' where it does not.

    Of FER2013 itself the counts of each class are checked, too.
    """
    found = {usage: sum(each) for usage, each in faces.counts().items()}
    if faces.is_fer2013() if counts == PUBLISHED else found == counts:
        return ""
    if found == counts:
        return "It has as many images as FER2013, but others of each expression: another file."
    return (
        f"It holds {_in_words(found)} images, where FER2013 has {_in_words(counts)}: it is another "
        "file."
    )


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count(n)} {usage}" for usage, n in counts.items())


def _read(
    path: Path, folder: Path, counts: dict[str, int], told: Callable[[Progress], None]
) -> FaceSet:
    total = sum(counts.values())
    told(Progress("", 0, total))
    try:
        faces = load(path, progress=lambda read: told(Progress("", read, total)))
        if problem := other_than(faces, counts):
            cache.forget(path)
            raise DataError(problem)
    except DataError:
        if path.parent == folder:  # and not kagglehub's
            path.unlink(missing_ok=True)
        raise
    return faces


def _watched(source: Source, folder: Path, told: Callable[[Progress], None]) -> Path:
    """What the source gives, got by a thread: one that hangs can be left at any moment.

    Raises `DataError` where it gives nothing, or nothing more for `_PATIENCE` seconds.
    """
    work = _Work(source, folder)
    thread = Thread(target=work.run, daemon=True)
    thread.start()
    heard, since = work.at, time.monotonic()
    try:
        while thread.is_alive():
            thread.join(_POLL)
            told(Progress(source.title, *work.at))
            if work.at != heard:
                heard, since = work.at, time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                raise DataError(f"nothing has come for {_PATIENCE:.0f} seconds")
    finally:
        work.left = True
    if work.error:
        raise work.error
    assert work.path
    return work.path


class _Work:
    """A download in a thread of its own. at: bytes here, and of how many. left: nobody waits."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source, self._folder = source, folder
        self.at: tuple[int, int | None] = (0, None)
        self.left = False
        self.path: Path | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.path = self._source.get(self._folder, self._told)
        except Exception as error:  # told by whoever waits
            self.error = error

    def _told(self, here: int, total: int | None) -> None:
        if self.left:
            raise DataError("it was left")
        self.at = here, total


def _from_kaggle(folder: Path, told: Told) -> Path:
    """The folder in kagglehub's own cache; what it was broken off at, it goes on with itself."""
    try:
        import kagglehub
    except ImportError as error:
        raise DataError(
            "it needs kagglehub, which is not installed (pip install 'fercore[download]')"
        ) from error
    try:
        with _telling(told), redirect_stdout(sys.stderr):
            return Path(kagglehub.dataset_download(KAGGLE))
    except Exception as error:  # whatever kagglehub's client raises
        raise DataError(f"it cannot be reached ({_first_line(error)})") from error


@contextmanager
def _telling(told: Told) -> Iterator[None]:
    """kagglehub tells how far it is by a bar of tqdm alone, so `told` takes the bar's place."""
    from kagglehub import clients

    before = clients.tqdm
    clients.tqdm = partial(_Bar, told)
    try:
        yield
    finally:
        clients.tqdm = before


class _Bar:
    """What kagglehub uses of tqdm."""

    def __init__(self, told: Told, *, total: int | None = None, initial: int = 0, **_: Any) -> None:
        self._told, self._total, self._here = told, total, initial
        told(initial, total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, more: int) -> None:
        self._here += more
        self._told(self._here, self._total)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
