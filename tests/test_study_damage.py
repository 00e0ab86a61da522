"""A study's files, damaged: what can be is computed again, the rest is named with what helps."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fercore.errors import RunError
from fercore.files import write_json
from fercore.runs.listing import read_run
from fercore.study.store import StudyStore
from tests.damage import DEEP, ODD, changing
from tests.test_damage import UNFORESEEN, assert_sentence, invoke
from tests.test_pages import open_page, said

CONTENTS = [b"", b"[]", b"null", b"{", b"\xff\xfe\x00", DEEP.encode(), b'{"a": 1}']
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def whole(run_folders, tmp_path_factory) -> Path:
    """Artifacts with the study 'sequence' of two heads, two seeds each."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_ARTIFACTS", str(home))
        store = StudyStore("sequence")
        for source, variant in (("first", "cnn"), ("second", "cnn_lstm")):
            for seed in (0, 1):
                folder = home / "trained" / f"{variant}-s{seed}"
                shutil.copytree(run_folders / source, folder)
                info = json.loads((folder / "run.json").read_text())
                write_json(folder / "run.json", info | {"run_id": folder.name, "seed": seed})
                store.add(read_run(folder), variant=variant)
        store.write_latency({"cnn": 1.0, "cnn_lstm": 2.0})
    return home


@pytest.fixture
def study(whole, tmp_path) -> Path:
    return Path(shutil.copytree(whole / "studies", tmp_path / "artifacts" / "studies")) / "sequence"


def contents() -> Iterator[Callable[[Path], object]]:
    for content in CONTENTS:
        yield partial(write, content)
    yield lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    yield folder_in_its_place
    yield link_in_its_place
    yield Path.unlink


def write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_in_its_place(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def table_with(change: Change) -> Callable[[Path], None]:
    return lambda path: change(pd.read_parquet(path)).to_parquet(path)


def assign(**values) -> Callable[[Path], None]:
    return table_with(lambda table: table.assign(**values))


def drop(name: str) -> Callable[[Path], None]:
    return table_with(lambda table: table.drop(columns=name))


DOUBLED = table_with(lambda table: pd.concat([table, table]))
EMPTIED = table_with(lambda table: table.head(0))
KEYS = [
    "variant", "model", "seed", "run_id", "parameters", "flops_per_image", "seconds", "best_epoch",
    "recipe.epochs", "hardware", "hardware.precision", "hardware.processor", "dataset.name",
    "dataset.fingerprint",
]  # fmt: skip
READ = {  # without which a study says nothing
    "cells/cnn-s0/probs.parquet": [
        *contents(), DOUBLED, EMPTIED, drop("p_sad"), assign(p_sad="much"), assign(p_sad=np.nan),
        assign(p_sad=-0.5), assign(p_sad=2.0), assign(p_sad=np.inf),
        table_with(lambda table: table.iloc[::2]),
    ],
    "images.parquet": [
        *contents(), DOUBLED, EMPTIED, drop("usage"), drop("label"), drop("pixels"), drop("copy"),
        assign(label=9), assign(label=0.5), assign(usage="Nowhere"), assign(row=0),
        assign(everywhere="yes"), assign(everywhere=0.5),
    ],
}  # fmt: skip
STRANGE: tuple[object, ...] = ("x", None, [], np.nan)
COMPUTED_AGAIN = {
    "table.parquet": [
        *contents(), DOUBLED, EMPTIED, *map(drop, ("seed", "variant", "public_accuracy")),
        assign(run_id="other"), assign(variant="other"), assign(seed="x"), assign(seed=None),
        assign(parameters="many"), assign(macro_f1="x"), assign(public_accuracy=np.nan),
        assign(private_accuracy=7.0), assign(latency_ms="x"), assign(seconds=None),
    ],
    "table.json": list(contents()),
    "latency.json": [*contents(), *map(partial(changing, "cnn"), STRANGE)],
    "cells/cnn-s0/run.json": [*contents()][:-2],  # without it a training is not finished
}  # fmt: skip


def cases(files: dict[str, list]) -> list:
    return [
        pytest.param(name, damage, id=f"{name}-{number}")
        for name, damages in files.items()
        for number, damage in enumerate(damages)
    ]


def shown() -> tuple[int, str, str]:
    return invoke("study", "sequence", "--show", "--recipe", "paper")


@pytest.mark.parametrize(("name", "damage"), cases(READ))
def test_what_cannot_be_told_is_a_sentence_with_the_files_name(study, name, damage):
    damage(study / name)
    code, printed, told = shown()
    assert (code, printed) == (1, "")
    assert f"Study 'sequence': {name} cannot be read" in told
    assert_sentence(told, name)


@pytest.mark.parametrize(("name", "damage"), cases(COMPUTED_AGAIN))
def test_what_follows_from_other_files_is_as_it_was(study, name, damage):
    before = StudyStore("sequence").table()
    assert before["latency_ms"].tolist() == [1.0, 1.0, 2.0, 2.0]
    damage(study / name)
    pd.testing.assert_frame_equal(StudyStore("sequence").table(), before, check_dtype=False)


@pytest.mark.parametrize("key", KEYS)
def test_a_damaged_training_is_named_where_the_table_must_be_made_anew(study, key):
    (study / "table.parquet").unlink()
    path = study / "cells" / "cnn-s0" / "run.json"
    original, refused = path.read_text(), 0
    for odd in ((), *zip(ODD)):
        changing(key, *odd)(path)
        try:
            StudyStore("sequence").table()
        except RunError as error:
            assert_sentence(str(error), "cells/cnn-s0/run.json")
            refused += 1
        path.write_text(original)
    assert refused >= 8


@pytest.mark.parametrize("name", [*READ, *COMPUTED_AGAIN, "cells/cnn-s0/history.jsonl"])
def test_the_page_opens_beside_a_damaged_file(study, name):
    (study / name).write_bytes(b"\xff damaged")
    page = open_page("does_the_lstm_lose", curves=["cnn"])
    assert page.title[0].value == "Does the LSTM lose?"
    told = [error.value for error in page.error]
    needed = name in READ or "history" in name or "run.json" in name
    assert len(told) == needed
    assert all(name in sentence and UNFORESEEN not in sentence for sentence in told)
    if not needed or "history" in name:
        assert "Is there a difference?" in said(page)
