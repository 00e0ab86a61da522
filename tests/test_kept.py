"""Results kept on disk: the same as computed, once per inputs, whatever state the cache is in."""

import threading
from dataclasses import fields

import pandas as pd
import pytest

from fercore.analysis.audit import audit
from fercore.data.cache import cache_folder
from fercore.data.kept import kept
from fercore.study.results import study_results
from fercore.study.store import StudyStore
from fercore.study.variants import find_study

TABLE = pd.DataFrame({"name": ["a", None], "share": [0.5, float("nan")], "n": [1, 2]})


class Counted:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return {"table": TABLE, "empty": TABLE.iloc[:0]}


@pytest.fixture
def compute():
    return Counted()


def folders():
    return list((cache_folder() / "results").glob("[!.]*"))


def test_the_same_inputs_are_computed_once(compute):
    first, again = kept("sums", ["x"], compute), kept("sums", ["x"], compute)
    assert compute.times == 1
    for name in ("table", "empty"):
        pd.testing.assert_frame_equal(again[name], first[name])
    kept("sums", ["y"], compute)
    assert compute.times == 2


def test_inputs_do_not_run_into_each_other(compute):
    kept("sums", ["ab", "c"], compute)
    kept("sums", ["a", "bc"], compute)
    assert compute.times == 2


@pytest.mark.parametrize("content", [b"", b"no table"])
def test_a_damaged_file_is_computed_again(compute, content):
    kept("sums", ["x"], compute)
    (folders()[0] / "table.parquet").write_bytes(content)
    pd.testing.assert_frame_equal(kept("sums", ["x"], compute)["table"], TABLE)
    kept("sums", ["x"], compute)
    assert compute.times == 2


def test_a_cache_that_cannot_be_written_costs_no_result(compute, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the place of a folder")
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path / "file" / "cache"))
    assert kept("sums", ["x"], compute)["table"] is TABLE


def test_old_results_go(compute):
    for number in range(20):
        kept("sums", [str(number)], compute)
    assert len(folders()) == 12
    kept("sums", ["19"], compute)
    assert compute.times == 20


def test_threads_that_begin_together_all_get_it(compute):
    start, found = threading.Barrier(8), []

    def ask():
        start.wait()
        found.append(kept("sums", ["x"], compute))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(tables["table"].equals(TABLE) for tables in found)
    assert len(folders()) == 1


def equal(first, again):
    for field in fields(first):
        a, b = getattr(first, field.name), getattr(again, field.name)
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b)
        else:
            assert a == b


def test_an_audit_is_as_it_was_computed(faces):
    equal(audit(faces), audit(faces))


def test_a_fresh_server_does_not_compute_the_study_again(monkeypatch):
    monkeypatch.delenv("FERCORE_ARTIFACTS")
    study, store = find_study("best"), StudyStore("best")
    first = study_results(study, store, "private")
    monkeypatch.setattr("fercore.study.results.variant_table", lambda *_: pytest.fail("again"))
    equal(first, study_results(study, store, "private"))
