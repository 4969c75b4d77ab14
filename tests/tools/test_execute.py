import base64
import dataclasses
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from aebook.notebooks import glued
from tools import execute

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RECORD = "from myst_nb import glue\nglue('data_verified', {!r}, display=False)"


@pytest.fixture
def write(tmp_path):
    """Write a notebook whose cells hold an old output, in a folder like the repository's."""
    (tmp_path / "static").mkdir()
    (tmp_path / "notebooks").mkdir()

    def write(*sources, **metadata):
        old = [nbformat.v4.new_output("stream", text="old")]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source, outputs=old, metadata=metadata) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = tmp_path / "notebooks" / "notebook.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


def test_outputs_are_stored_without_timings_and_the_cover_follows_its_figure(write):
    show = f"from IPython.display import Image\nImage({PNG!r})"
    words = {"mystnb": {"figure": {"name": execute.COVER_FIGURE}}}
    path = write("print('a')\nprint('b')", f"{RECORD.format(True)}\n{show}", **words)
    execute.execute(path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].outputs[0].text == "a\nb\n"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]
    assert [cell.metadata for cell in notebook.cells] == [words, words]
    assert glued(notebook) == {"data_verified": True}
    assert (path.parent.parent / execute.COVER_FILE).read_bytes() == PNG


@pytest.mark.parametrize("verified", [None, False])
def test_a_run_that_does_not_record_verified_images_is_not_stored(write, verified):
    path = write("print('new')" if verified is None else RECORD.format(verified))
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match=f"must record data_verified as True, got {verified!r}"):
        execute.execute(path)
    assert path.read_bytes() == before


def test_a_failed_run_is_not_stored(write, real_mnist):
    path = write("print('new')", "raise ValueError('late')")
    before = path.read_bytes()
    assert "'late'" in execute.main([str(path)])
    assert path.read_bytes() == before


def test_nothing_runs_where_there_is_only_the_stand_in(write, no_network):
    path = write("open('ran', 'w')")
    assert "from the verified MNIST only; got stand-in" in execute.main([str(path)])
    assert not (path.parent / "ran").exists()


def test_a_wrong_folder_is_one_line(write, monkeypatch):
    monkeypatch.setenv("AEBOOK_DATA", "nowhere")
    assert "there is no folder" in execute.main([str(write("1"))])


def test_an_interrupted_run_is_not_stored(write):
    path = write("open('started', 'w').close()\nimport time\ntime.sleep(10**6)")
    before = path.read_bytes()
    # In a process of its own, with the stand-in passed off as verified, so that the run begins.
    program = f"""
import dataclasses, sys
from aebook import data
from tools import execute
images = dataclasses.replace(data.load("mnist", n_train=10), verified=True)
data.load = lambda name: images
sys.exit(execute.main([{str(path)!r}]))
"""
    run = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    while not (path.parent / "started").exists():
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=600)
    assert run.returncode == 1, errors
    assert errors.splitlines()[-1].startswith("interrupted, or the kernel died; notebooks that had not ended keep")
    assert path.read_bytes() == before


def test_a_missing_notebook(write):
    assert execute.main(["nowhere.ipynb"]) == "there is no notebook nowhere.ipynb"


@pytest.fixture
def real_mnist(stand_in, monkeypatch):
    """As if the images at hand were the real ones."""
    monkeypatch.setattr(execute.data, "load", lambda name: dataclasses.replace(stand_in, verified=True))
