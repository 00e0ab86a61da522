"""`FaceSet`: labelled 48×48 grey faces, the one shape in which every dataset arrives."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fercore.labels import CLASSES, FER2013_COUNTS, USAGES


@dataclass(frozen=True)
class FaceSet:
    """Faces with labels.

    name: 'FER2013', 'synthetic', or the name of the user's folder.
    images: uint8 (N, 48, 48). labels: int64 (N,), indices into `CLASSES`.
    usage: str (N,), one of `USAGES` each. row: int64 (N,), the row in the source.
    fingerprint: hash over the pixels, labels and usage of the whole set; its parts keep it.
    source: where it was read from.
    notes: sentences a user should know about the reading ('12 images were resized').
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    row: NDArray[np.int64]
    fingerprint: str
    source: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, usage: str) -> "FaceSet":
        """The images of one usage."""
        return self.where(self.usage == usage)

    def where(self, keep: NDArray[np.bool_]) -> "FaceSet":
        """The images for which `keep`, bool (N,), holds."""
        return replace(
            self,
            images=self.images[keep],
            labels=self.labels[keep],
            usage=self.usage[keep],
            row=self.row[keep],
        )

    @property
    def identity(self) -> str:
        """What tells it from any other set, and from any part of itself."""
        rows = hashlib.sha256(np.ascontiguousarray(self.row).data).hexdigest()
        return f"{self.fingerprint}-{rows}"

    def counts(self) -> dict[str, list[int]]:
        """Images per usage and class, in the order of `USAGES` and `CLASSES`."""
        return {
            usage: np.bincount(self.labels[self.usage == usage], minlength=len(CLASSES)).tolist()
            for usage in USAGES
        }

    def is_fer2013(self) -> bool:
        """Whether the counts per class and usage are those published for FER2013."""
        return self.counts() == {usage: list(counts) for usage, counts in FER2013_COUNTS.items()}

    def pixel_hashes(self) -> NDArray[np.int64]:
        """int64 (N,): equal where two images' pixels are equal, in this set or any other."""
        images = np.ascontiguousarray(self.images)  # hashlib reads buffers as they lie
        digests = b"".join(hashlib.blake2b(image, digest_size=8).digest() for image in images)
        return np.frombuffer(digests, "<i8")

    def positions(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in the set an image with those pixels is (M,), -1 where none is.

        pixels: int64 (M,), hashes as `pixel_hashes` gives them.
        """
        hashes = self.pixel_hashes()
        if not len(hashes):
            return np.full(len(pixels), -1)
        order = np.argsort(hashes, kind="stable")
        found = order[np.searchsorted(hashes, pixels, sorter=order).clip(max=len(hashes) - 1)]
        return np.where(hashes[found] == pixels, found, -1)

    def copies_of_earlier(self) -> NDArray[np.bool_]:
        """bool (N,): whether an image's exact pixels also occur in an earlier usage.

        Earlier in the protocol's order: Training, then PublicTest, then PrivateTest.
        """
        _, group = np.unique(self.pixel_hashes(), return_inverse=True)
        rank = np.array([USAGES.index(usage) for usage in self.usage])
        earliest = np.full(group.max() + 1, len(USAGES))
        np.minimum.at(earliest, group, rank)
        return np.asarray(earliest[group] < rank)


def face_set(
    name: str,
    images: ArrayLike,
    labels: ArrayLike,
    usage: ArrayLike,
    *,
    row: ArrayLike | None = None,
    source: str = "",
    notes: Iterable[str] = (),
) -> FaceSet:
    """A `FaceSet` with its dtypes set and its fingerprint computed."""
    images = np.ascontiguousarray(images, np.uint8)
    labels = np.ascontiguousarray(labels, np.int64)
    usage = np.asarray(usage, "<U11")
    row = np.arange(len(labels)) if row is None else np.asarray(row, np.int64)
    digest = hashlib.sha256(images.data)
    digest.update(labels.data)
    digest.update(",".join(usage).encode())
    return FaceSet(name, images, labels, usage, row, digest.hexdigest()[:16], source, tuple(notes))
