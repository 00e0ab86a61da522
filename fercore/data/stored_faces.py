"""Sets of one's own faces, kept on this machine: written whole, listed, deleted.

They lie in the platform's folder for a user's data, which `FERCORE_FACES` moves, each as a tree
that `fercore.data.load` reads like any other.
"""

import os
from pathlib import Path

import platformdirs
from PIL import Image

from fercore.data import cache
from fercore.data.own_faces import OwnFaces
from fercore.data.sources import RESERVED
from fercore.errors import DataError
from fercore.files import appearing, remove_folder, safe_name, writing_to


def store(own: OwnFaces, name: str) -> Path:
    """Keep the faces as 48×48 grey PNGs, `<split>/<class>/<n>.png`, under that name.

    The folder appears whole or not at all. Raises `DataError` for a name that cannot be one or is
    taken, and where the faces make no dataset.
    """
    folder = free_folder(name)
    if own.problem:
        raise DataError(own.problem)
    with writing_to(folder.parent, "The faces are not kept", DataError, variable="FERCORE_FACES"):
        try:
            with appearing(folder) as made:
                for number, (photo, face) in enumerate(own.faces, start=1):
                    place = made / photo.usage / photo.class_name
                    place.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(face).save(place / f"{number:05}.png")
        except FileExistsError as error:
            raise _taken(name) from error
    return folder


def free_folder(name: str) -> Path:
    """Where a new set of that name goes. Raises `DataError` where it is taken or no name."""
    folder = _folder_of(name)
    if folder.exists():
        raise _taken(name)
    return folder


def _taken(name: str) -> DataError:
    return DataError(f"There are faces called '{name}' already. Choose another name.")


def faces_folder() -> Path:
    """Where kept faces lie, a folder for each set."""
    given = os.environ.get("FERCORE_FACES")
    return Path(given) if given else Path(platformdirs.user_data_dir("fercore")) / "faces"


def stored_faces() -> list[Path]:
    """The folders of the kept sets, by name."""
    return sorted(path for path in faces_folder().glob("[!.]*") if path.is_dir())


def find_stored(name: str) -> Path | None:
    """The folder of the kept set of that name, if there is one."""
    return next((folder for folder in stored_faces() if folder.name == name), None)


def delete_faces(name: str) -> None:
    """Delete a kept set, here and in the cache. Runs that were trained on it stay.

    Raises `DataError`.
    """
    folder = _folder_of(name)
    if not folder.is_dir():
        raise DataError(f"There are no faces called '{name}'.")
    with writing_to(folder.parent, f"'{name}' is not deleted", DataError):
        cache.forget(folder)
        remove_folder(folder)


def _folder_of(name: str) -> Path:
    if not safe_name(name) or "." in name or name.lower() in RESERVED:
        raise DataError(f"'{name}' is no name for faces: use letters, digits, '-' and '_'.")
    return faces_folder() / name
