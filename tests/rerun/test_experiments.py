"""The file of experiments: the one of this book, what is refused, and how it is run."""

import itertools
import re

import pandas
import pytest
import yaml

from aebook.parameters import InputError
from aebook.rerun import command
from aebook.rerun.experiments import read_experiments
from tests.rerun.helpers import ROOT, and_then, notebooks, rows

pytestmark = pytest.mark.usefixtures("small_figures")

TABLES = {path.stem for path in (ROOT / "results").glob("*.csv")}


@pytest.fixture(scope="module")
def book():
    """The experiments of this book by their names."""
    return {experiment.name: experiment for experiment in read_experiments(ROOT / "experiments.yml")}


def test_every_stored_table_has_its_experiment(book):
    assert set(book) == TABLES
    for experiment in book.values():
        assert re.fullmatch(r"[A-Z][^.]+\.", experiment.why), "one sentence"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_stored_row_is_planned_and_every_planned_run_is_stored(book, name):
    stored = pandas.read_csv(ROOT / "results" / f"{name}.csv")
    planned = pandas.DataFrame(book[name].plan.runs.values())
    names = list(planned.columns)
    assert sorted(stored[names].values.tolist()) == sorted(planned.values.tolist())
    assert set(stored["notebook"]) == {book[name].plan.notebook.name}


def test_what_is_timed_is_run_in_one_go(book):
    assert (
        {name: experiment.workers for name, experiment in book.items() if experiment.fresh}
        == {"one_worker": 1, "two_workers": 2}
        == {name: experiment.workers for name, experiment in book.items() if experiment.workers}
    )


# Files of experiments


@pytest.fixture
def declare(tmp_path, write):
    """Write a file of experiments of the small notebook, and return its path."""

    def declare(**entries):
        write()
        whole = {
            name: entry
            if entry is None or isinstance(entry, list)
            else {"why": "A reason.", "notebook": "small.ipynb", **entry}
            for name, entry in entries.items()
        }
        path = tmp_path / "experiments.yml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        return path

    return declare


def grid_of(experiment):
    return [(run["z_dim"], run["seed"]) for run in experiment.plan.runs.values()]


def test_settings_are_for_all_runs_and_each_run_adds_its_own(declare):
    first, second, third = read_experiments(
        declare(
            a={"settings": {"z_dim": 2}, "runs": [{"seed": [0, 1]}, {"seed": 5}]},
            b={"settings": {"z_dim": [2, 4], "seed": 3}, "workers": 1, "fresh": True},
            c={},
        )
    )
    assert grid_of(first) == [(2, 0), (2, 1), (2, 5)] and (first.workers, first.fresh) == (None, False)
    assert grid_of(second) == [(2, 3), (4, 3)] and (second.workers, second.fresh) == (1, True)
    assert grid_of(third) == [(8, 0)]


BAD = {
    "unknown_parameter": (
        {"settings": {"depth": 3}},
        "small.ipynb has no parameter 'depth'; it has z_dim, learning_rate, seed",
    ),
    "refused_value": ({"runs": [{"z_dim": 2}, {"z_dim": [4, 0]}]}, "z_dim must be at least 1, got 0"),
    "no_number": ({"settings": {"learning_rate": "1e-3"}}, "learning_rate must be a number, got '1e-3'"),
    "no_value": ({"settings": {"z_dim": []}}, "z_dim must have at least one value, got none"),
    "empty_value": ({"settings": {"z_dim": None}}, "z_dim must be a number, a text, True or False; got None"),
    "unknown_key": ({"seeds": [1]}, "there is no key 'seeds'; there are why, notebook, settings, runs, workers, fresh"),
    "no_why": ({"why": 3}, "why must be a text, got 3"),
    "no_workers": ({"workers": 0}, "workers must be at least 1, got 0"),
    "worker": ({"workers": "two"}, "workers must be a whole number, got 'two'"),
    "true": ({"workers": True}, "workers must be a whole number, got True"),
    "twice": (
        {"settings": {"z_dim": 2}, "runs": [{"z_dim": 4}]},
        "z_dim stands in settings and in runs; name it in one of them",
    ),
    "text_runs": ({"runs": ["z_dim"]}, "runs must be a list of names with values, got 'z_dim' in it"),
    "nothing": (None, "it must have why, notebook, settings, runs, workers, fresh; got None"),
    "../up": ({}, "the name must be of letters, digits and _, because files are called by it"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_entry_is_one_line_and_nothing_starts(declare, main, ran, tmp_path, name):
    entry, message = BAD[name]
    assert main(declare(good={}, **{name: entry})) == f"{name}: {message}"
    assert ran() == [] and not (tmp_path / "runs").exists() and not (tmp_path / "results").exists()


def test_every_bad_entry_is_named(declare, main, tmp_path):
    answer = main(declare(first={"notebook": "nowhere.ipynb"}, good={}, second={"settings": {"z_dim": 0}}))
    assert answer == (
        f"first: there is no notebook {tmp_path / 'nowhere.ipynb'}\nsecond: z_dim must be at least 1, got 0"
    )


def test_an_entry_needs_a_notebook_and_a_reason(tmp_path):
    path = tmp_path / "experiments.yml"
    for missing, text in (("why", "a: {notebook: small.ipynb}"), ("notebook", "a: {why: A reason.}")):
        path.write_text(text)
        with pytest.raises(InputError, match=f"^a: it has no {missing}$"):
            read_experiments(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "experiments.yml cannot be read as YAML: while parsing"),
        ("", "experiments.yml must hold experiments by their names, got None"),
        ("- a", "experiments.yml must hold experiments by their names, got ['a']"),
        (None, "there is no file"),
    ],
)
def test_what_is_no_file_of_experiments(tmp_path, text, message):
    path = tmp_path / "experiments.yml"
    if text is not None:
        path.write_text(text)
    answer = command.main([str(path)])
    assert message in answer and "\n" not in answer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "c"], "experiments.yml has no experiment 'c'; it has a, b"),
        (["--set", "z_dim=2"], "--set is for a notebook; experiments.yml says it itself"),
        (["--out", "x"], "--out is for a notebook; experiments.yml says it itself"),
        (["--rerun"], "--rerun is for a notebook; experiments.yml says it itself"),
        (["--parquet"], "--parquet is for a notebook; experiments.yml says it itself"),
    ],
)
def test_refusals_are_one_line(declare, main, ran, arguments, message):
    assert main(declare(a={}, b={}), *arguments) == message
    assert ran() == []


def test_each_table_is_made_of_its_runs(declare, main, ran, tmp_path, write, capsys):
    path = declare(a={"settings": {"z_dim": [2, 4]}}, b={"settings": {"seed": 7}, "workers": 2})
    assert main(path, "--only", "b") == 0
    assert ran() == ["8 7"] and main.asked == [(None, 2)]
    assert "b: A reason.\n1 runs of small.ipynb: 0 complete, 1 to do" in capsys.readouterr().out
    assert main(path, "--workers", 5) == 0
    assert sorted(ran()) == ["2 0", "4 0", "8 7"] and main.asked == [(None, 2), (None, 5)]
    for name, values in (("a", [2, 4]), ("b", [8])):
        table = pandas.read_csv(tmp_path / "results" / f"{name}.csv")
        assert list(table["z_dim"]) == values and list(table["run"]) == notebooks(tmp_path / "runs" / name)

    declare(a={"settings": {"z_dim": [4, 8]}})  # another design: the table has its runs only
    assert main(path) == 0
    assert list(pandas.read_csv(tmp_path / "results" / "a.csv")["z_dim"]) == [4, 8]
    assert len(ran()) == 4 and len(rows(tmp_path / "runs" / "a")) == 3
    write("changed = True")  # other code: again, without being asked
    assert main(path) == 0
    assert len(ran()) == 6


def test_a_table_with_a_failed_run_stays_as_it_was(declare, main, tmp_path):
    path = declare(a={"settings": {"z_dim": [2, 4]}}, b={})
    runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
    answer = main(path, runner=runner)
    assert answer.startswith("a: 1 of 2 runs failed:\n  z_dim=4,")
    assert answer.endswith(f"division by zero')\n  {tmp_path / 'results' / 'a.csv'} stays as it was")
    assert [table.name for table in (tmp_path / "results").iterdir()] == ["b.csv"]
    assert main(path) == 0
    assert len(pandas.read_csv(tmp_path / "results" / "a.csv")) == 2


def test_what_is_timed_is_always_done_from_scratch(declare, main, ran, tmp_path):
    path = declare(a={"settings": {"z_dim": [2, 4]}, "fresh": True})
    left = itertools.count()

    def interrupt(parameters):
        if next(left):
            raise KeyboardInterrupt

    assert main(path, runner=and_then(interrupt)).startswith("interrupted")
    assert not (tmp_path / "results").exists()
    before = len(ran())
    for times in (1, 2):
        assert main(path) == 0
        assert len(ran()) == before + 2 * times
        assert len(rows(tmp_path / "runs" / "a")) == len(notebooks(tmp_path / "runs" / "a")) == 2
