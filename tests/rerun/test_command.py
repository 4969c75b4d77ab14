"""The command, on threads."""

import ast

import pandas
import pytest

from aebook.rerun import command
from tests.rerun.helpers import ROOT, add_word, and_then, assert_whole, notebooks, wait_until

pytestmark = pytest.mark.usefixtures("small_figures")


def test_changed_code_is_noticed_and_rerun_on_request(write, out, main, ran, capsys):
    arguments = [write(), "--set", "z_dim=2,4", "--out", out]
    assert main(*arguments) == 0
    write("# a comment")
    assert main(*arguments) == 0
    assert "other code" not in capsys.readouterr().out
    write("changed = True")
    assert main(*arguments) == 0
    assert "2 of the complete runs were made with other code; --rerun repeats them" in capsys.readouterr().out
    assert len(ran()) == 2
    assert main(*arguments, "--rerun") == 0
    assert len(ran()) == 4
    assert_whole(out, 2)
    assert main(*arguments, "--rerun") == 0
    assert "other code" not in capsys.readouterr().out and len(ran()) == 4


def test_a_damaged_store_is_one_line_and_the_advice_works(write, out, main, ran):
    arguments = [write(), "--set", "z_dim=2,4", "--out", out]
    assert main(*arguments) == 0
    (out / "runs.sqlite").write_text("text")
    advice = "is damaged (file is not a database); delete it, and the same command runs everything again"
    assert main(*arguments) == f"{out / 'runs.sqlite'} {advice}"
    (out / "runs.sqlite").unlink()
    assert main(*arguments) == 0
    assert len(ran()) == 4
    assert_whole(out, 2)


def test_parquet_is_the_same_table(write, out, main):
    assert main(add_word(write(), write()), "--set", "word=a,1", "--out", out, "--parquet") == 0
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(out / "runs.parquet"),
        pandas.read_csv(out / "runs.csv", keep_default_na=False),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "z_dim=0,8"], "z_dim must be at least 1, got 0"),
        (["--set", "depth=3"], "small.ipynb has no parameter 'depth'; it has z_dim, learning_rate, seed"),
        (["--workers", "0"], "--workers must be at least 1, got 0"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "name one of them"),
        (["--scheduler", "host"], "--scheduler must look like tcp://host:8786, got host"),
        (["--only", "a"], "--only is for a file of experiments, such as experiments.yml; got"),
        pytest.param(
            ["--scheduler", "tcp://127.0.0.1:9"],
            "Timed out trying to connect to tcp://127.0.0.1:9 after 10 s",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_refusals_are_one_line(write, out, arguments, message):
    answer = command.main([str(write()), "--out", str(out), *arguments])
    assert message in answer and "\n" not in answer
    assert notebooks(out) == []
    assert "--scheduler" in arguments or not out.exists()


def test_the_runs_need_a_folder(write):
    assert command.main([str(write())]) == f"--out must name a folder for the runs of {write()}"


def test_failures_make_the_exit_status_and_do_not_stop_the_others(write, out, main):
    runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
    answer = main(write(), "--set", "z_dim=2,4,8", "--out", out, runner=runner)
    assert answer.startswith("1 of 3 runs failed:\n  z_dim=4,")
    assert answer.endswith(": cell [5]: ZeroDivisionError('division by zero')")
    assert sorted(pandas.read_csv(out / "runs.csv")["status"]) == ["complete", "complete", "failed"]


def test_interrupted_whatever_the_values(write, out, main, monkeypatch):
    """The page of what is complete must not be in the way, and the same command goes on."""
    monkeypatch.undo()  # with the figures themselves
    arguments = add_word(write(), write()), "--set", "word=1,a,b", "--set", "seed=0,1", "--out", out

    def interrupt(parameters):
        if parameters["word"] == "b":
            wait_until(lambda: len(notebooks(out)) == 4)
            raise KeyboardInterrupt

    answer = main(*arguments, runner=and_then(interrupt))
    assert answer == "interrupted; the runs that are complete are stored, and the same command goes on with the rest"
    assert set(pandas.read_csv(out / "runs.csv")["word"]) == {"1", "a"}
    assert main(*arguments) == 0
    assert set(pandas.read_csv(out / "runs.csv")["word"]) == {"1", "a", "b"}


def test_a_system_that_cannot_limit_memory_says_so_once(monkeypatch, capsys):
    class Nothing:
        __enter__ = __exit__ = __init__ = lambda *_, **__: None

    monkeypatch.setattr(command, "LocalCluster", Nothing)
    monkeypatch.setattr(command, "Client", Nothing)
    for can, said in ((True, "at most"), (False, "as much memory as it takes, which this system cannot limit")):
        monkeypatch.setattr(command.worker, "CAN_LIMIT_MEMORY", can)
        with command._dask(None, 2):
            printed = capsys.readouterr().out
        assert printed.startswith("2 workers on this machine, each with one thread and ") and said in printed
        assert printed.count("\n") == 1


def test_no_module_needs_what_windows_lacks():
    """Where a library needs it on this system, that is the library's."""
    imported = {
        alias.name: path.name
        for path in (ROOT / "aebook").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "os" in imported and not {"fcntl", "resource"} & set(imported), imported
