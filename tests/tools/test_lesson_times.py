"""How long the lessons run: what is measured, stored and refused, without running any."""

import dataclasses
import json
from itertools import count

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from book import times
from tools import built, lesson_times

PICTURE = new_output("display_data", {"image/png": "iVBORw0KGgo="})


@pytest.fixture
def lesson(tmp_path):
    """The path of a notebook of three cells with code; a picture is stored with the first."""
    cells = [new_code_cell("1", outputs=[PICTURE]), new_markdown_cell("text"), new_code_cell("2"), new_code_cell("3")]
    path = tmp_path / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def runner(verified=True):
    """Runs a notebook in no time: its second code cell draws a picture."""

    def run(notebook, folder, before_cell, after_cell):
        recorded = {"scrapbook": {"name": "data_verified"}}
        outputs = [
            [new_output("display_data", {"text/plain": str(verified)}, metadata=recorded)],
            [PICTURE],
            [PICTURE],
        ]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                before_cell(cell)
                cell.outputs = outputs.pop(0)
                after_cell(cell)

    return run


def test_the_times_begin_with_the_first_cell(lesson):
    before = lesson.read_bytes()
    clock = count(100, 10)  # of the starts and ends of three cells
    assert lesson_times.measure(lesson, runner(), lambda: next(clock)) == {"run_s": 50, "first_picture_s": 30}
    assert lesson.read_bytes() == before


@pytest.mark.parametrize("verified", [False, None])
def test_times_of_other_images_are_refused(verified, lesson):
    with pytest.raises(RuntimeError, match="lesson.ipynb must record data_verified as True"):
        lesson_times.measure(lesson, runner(verified))


@pytest.fixture
def measured(monkeypatch, tmp_path, stand_in):
    """The paths of the lessons that were measured, by one that takes no time; the images pass for the real ones."""

    def measure(path):
        measured.append(path)
        return {"run_s": 80.0, "first_picture_s": 9.0}

    measured = []
    monkeypatch.setattr(lesson_times, "OUT", tmp_path / "lessons.json")
    monkeypatch.setattr(lesson_times, "measure", measure)
    monkeypatch.setattr(lesson_times.data, "load", lambda name: dataclasses.replace(stand_in, verified=True))
    return measured


def test_every_lesson_is_measured_and_it_is_said_when_and_where(measured, capsys):
    assert lesson_times.main() == 0
    stored = json.loads(lesson_times.OUT.read_text())
    assert list(stored["lessons"]) == built.lessons() == [f"notebooks/{path.stem}" for path in measured]
    assert stored["measured"] and stored["machine"]["processor"] and stored["machine"]["cores"] >= 1
    said = capsys.readouterr()
    assert "notebooks/6_1_principle           80.0 s,   9.0 s to the first picture" in said.out and not said.err


def test_nothing_runs_where_there_is_only_the_stand_in(measured, monkeypatch, stand_in):
    monkeypatch.setattr(lesson_times.data, "load", lambda name: stand_in)
    assert "is made from the verified MNIST only; got stand-in" in lesson_times.main()
    assert not measured and not lesson_times.OUT.exists()


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), DeadKernelError("died"), RuntimeError("not verified")])
def test_nothing_is_stored_unless_every_lesson_has_run(fault, measured, monkeypatch):
    def fail(path):
        raise fault

    monkeypatch.setattr(lesson_times, "measure", fail)
    assert lesson_times.main() in (f"interrupted, or the kernel died; {times.FILE} stays as it was", "not verified")
    assert not lesson_times.OUT.exists()
