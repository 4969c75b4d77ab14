"""A small notebook, a folder for its runs, and the command on threads."""

import contextlib
import functools
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from matplotlib.figure import Figure

from aebook.rerun import cluster, command, report
from tests.rerun.helpers import SOURCES, lines, pretend


@pytest.fixture
def write(tmp_path):
    """Write the notebook, with a cell of one's own, and return its path."""

    def write(cell="#"):
        cells = [nbformat.v4.new_code_cell(cell if source == "#" else source) for source in SOURCES]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "small.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
        return path

    return write


@pytest.fixture
def ran(tmp_path):
    """What was executed so far: one "z_dim seed" for each."""
    return lambda: lines(tmp_path / "ran")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def small_figures(monkeypatch):
    """What a page shows is for test_report; drawing it is slow."""
    monkeypatch.setattr(report.charts, "spread", lambda *_: Figure((1, 1)))


@pytest.fixture
def main(monkeypatch, threads):
    """The command with another function in the place of worker.run, and on threads or another executor.

    ``main.asked`` has the scheduler and the workers that each sweep asked for.
    """

    def main(*arguments, runner=pretend, executor=threads):
        client = type("Client", (), {"get_executor": lambda *_, **__: executor})

        def dask(*wanted):
            main.asked.append(wanted)
            return contextlib.nullcontext(client())

        with monkeypatch.context() as patch:
            patch.setattr(cluster, "Sweep", functools.partial(cluster.Sweep, runner=runner))
            if "--scheduler" not in arguments:
                patch.setattr(command, "_dask", dask)
            return command.main(list(map(str, arguments)))

    main.asked = []
    return main
