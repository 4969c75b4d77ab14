"""The store: one writer, damage, and what is left after a kill between any two steps."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from aebook.parameters import InputError
from aebook.rerun.files import write_whole
from aebook.rerun.store import Store
from tests.rerun.death import STEPS, Death, often

OPEN_AND_WAIT = """
import pathlib, sys, time
from aebook.rerun.store import Store
with Store(pathlib.Path(sys.argv[1])) as store:
    store.record("a", {"run": "a.ipynb"}, "a.ipynb", "text")
    print("open", flush=True)
    time.sleep(10 ** 6)
"""


def in_another_process(folder):
    return subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT, folder], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def assert_refused(folder):
    words = f"^another sweep or bench is writing to {folder}; wait until it ends$"
    with pytest.raises(BlockingIOError, match=words), Store(folder):
        pass


def test_one_writer(tmp_path):
    """The one that is refused, and its end, do not let others in."""
    with Store(tmp_path) as store:
        for _ in range(2):
            assert_refused(tmp_path)
            other = in_another_process(tmp_path)
            assert other.wait() == 1 and "another sweep or bench is writing to" in other.stderr.read()
        store.record("b", {})
    with Store(tmp_path) as store:
        assert store.rows == {"b": {}}


def test_the_folder_of_a_process_that_was_killed_is_free(tmp_path):
    other = in_another_process(tmp_path)
    assert other.stdout.readline() == "open\n"
    assert_refused(tmp_path)
    other.kill()
    other.wait()
    with Store(tmp_path) as store:
        assert store.rows["a"]["run"] == "a.ipynb" and (tmp_path / "a.ipynb").read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_does_not_free_the_folder(tmp_path):
    with Store(tmp_path):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        other = in_another_process(tmp_path)
        assert other.wait() == 1


def overwrite(path, position, new):
    with open(path, "r+b") as file:
        file.seek(position)
        file.write(new)


def other_table(path):
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE runs (name)")


def no_row(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE runs SET row = '{'")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"text" * 100),
        lambda path: overwrite(path, 0, b"\0" * 50),
        lambda path: overwrite(path, 4096, b"\xff" * 4096),
        other_table,
        no_row,
    ],
    ids=["text", "no header", "a page", "another table", "no row"],
)
def test_damage_is_one_clear_line(tmp_path, damage):
    with Store(tmp_path) as store:
        for number in range(100):
            store.record(str(number), {"run": "", "more": "x" * 100})
    damage(tmp_path / "runs.sqlite")
    for _ in range(2):  # it does not keep the folder, either
        with pytest.raises(InputError) as caught, Store(tmp_path):
            pass
        message = str(caught.value)
        assert message.startswith(f"{tmp_path / 'runs.sqlite'} is damaged (")
        assert message.endswith("); delete it, and the same command runs everything again") and "\n" not in message
    (tmp_path / "runs.sqlite").unlink()
    with Store(tmp_path) as store:
        assert store.rows == {}


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="the runs need a folder, and .*file is a file"), Store(tmp_path / "file"):
        pass
    (tmp_path / "runs.sqlite").mkdir()
    with pytest.raises(OSError, match="runs.sqlite cannot be used: unable to open database file"), Store(tmp_path):
        pass


def test_what_a_row_may_hold(tmp_path):
    with Store(tmp_path) as store:
        store.record("a", {"nan": float("nan"), "set": {1}, "text": "…"}, "a.ipynb", "…\n")
        kept = store.rows["a"]
        assert kept["store_s"] >= 0
    with Store(tmp_path) as store:
        assert repr(store.rows["a"]) == repr(kept) and kept["set"] == "{1}"
    assert (tmp_path / "a.ipynb").read_bytes() == "…\n".encode()


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    """Whoever opens runs.csv or a notebook while it is written, or after a kill, sees the one before."""
    path, death = tmp_path / "runs.csv", Death(monkeypatch)
    write_whole(path, "before")
    for step in (1, 2):
        assert death.strikes(step, lambda: write_whole(path, "after" * 100))
        assert path.read_text() == "before"
    assert not death.strikes(3, lambda: write_whole(path, "after"))
    assert path.read_text() == "after" and [file.name for file in tmp_path.iterdir()] == ["runs.csv"]


class Folder(RuleBasedStateMachine):
    """A folder against what should be in it: for each run a number, and a notebook or none."""

    keys = st.sampled_from("abc")

    def __init__(self):
        super().__init__()
        self.patch, self.place = pytest.MonkeyPatch(), tempfile.TemporaryDirectory()
        self.death, self.folder = Death(self.patch), Path(self.place.name)
        self.expected, self.number = {}, 0
        self.store = Store(self.folder).__enter__()

    def teardown(self):
        self.store.__exit__(None, None, None)
        self.patch.undo()
        self.place.cleanup()

    def found(self):
        return {key: (row["number"], row["run"] != "") for key, row in self.store.rows.items()}

    def attempt(self, step, act, after):
        """Do something; where it is killed, all of it has happened, or nothing."""
        if self.death.strikes(step, act):
            self.store.__exit__(None, None, None)
            self.store = Store(self.folder).__enter__()
            assert self.found() in (self.expected, after)
            self.expected = self.found()
        else:
            self.expected = after

    @rule(key=keys, has_notebook=st.booleans(), step=STEPS)
    def record(self, key, has_notebook, step):
        self.number += 1
        row = {"run": f"{key}.ipynb" if has_notebook else "", "number": self.number}
        text = f"notebook {self.number}" if has_notebook else ""
        self.attempt(
            step,
            lambda: self.store.record(key, row, f"{key}.ipynb", text),
            {**self.expected, key: (self.number, has_notebook)},
        )

    @rule(keys=st.sets(keys), step=STEPS)
    def forget(self, keys, step):
        self.attempt(
            step,
            lambda: self.store.forget({key: f"{key}.ipynb" for key in keys}),
            {key: value for key, value in self.expected.items() if key not in keys},
        )

    @rule(step=STEPS)
    def open_again(self, step):
        self.store.__exit__(None, None, None)
        self.store = Store(self.folder)
        self.attempt(step, self.store.__enter__, self.expected)

    @rule()
    def open_a_second_time(self):
        with pytest.raises(BlockingIOError), Store(self.folder):
            pass

    @invariant()
    def is_whole(self):
        assert self.found() == self.expected
        files = {path.name: path.read_text() for path in self.folder.glob("*.ipynb")}
        assert files == {f"{key}.ipynb": f"notebook {number}" for key, (number, has) in self.expected.items() if has}


def test_killed_between_any_two_steps():
    run_state_machine_as_test(Folder, settings=often(runs=100, steps=50))
