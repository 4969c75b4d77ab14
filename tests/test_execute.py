import base64

import nbformat
import pytest

from aebook import execute

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RECORD = "from myst_nb import glue\nglue('data_source', {!r}, display=False)"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a notebook whose cells hold an old output; work in its folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "static").mkdir()

    def write(*sources, **metadata):
        old = [nbformat.v4.new_output("stream", text="old")]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source, outputs=old, metadata=metadata) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        path = tmp_path / "notebook.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


def test_outputs_are_stored_without_timings(write):
    path = write("print('a')\nprint('b')", RECORD.format("folder"))
    execute.execute(path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].outputs[0].text == "a\nb\n"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2]
    assert [cell.metadata for cell in notebook.cells] == [{}, {}]
    assert execute.glued(notebook) == {"data_source": "folder"}


def test_a_run_on_the_stand_in_is_not_stored(write):
    path = write(RECORD.format("stand-in"))
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="ran on the stand-in"):
        execute.execute(path)
    assert path.read_bytes() == before


def test_a_failed_run_is_not_stored(write, real_mnist):
    path = write("print('new')", "raise ValueError('late')")
    before = path.read_bytes()
    assert "'late'" in execute.main([str(path)])
    assert path.read_bytes() == before


def test_nothing_runs_where_there_is_only_the_stand_in(write, no_network):
    path = write("open('ran', 'w')")
    assert "real data only" in execute.main([str(path)])
    assert not (path.parent / "ran").exists()


def test_a_missing_notebook(write):
    assert execute.main(["nowhere.ipynb"]) == "there is no notebook nowhere.ipynb"


def test_the_cover_follows_its_figure(write):
    show = f"from IPython.display import Image\nImage({PNG!r})"
    execute.execute(write(show, mystnb={"figure": {"name": execute.COVER_FIGURE}}))
    with open(execute.COVER_FILE, "rb") as cover:
        assert cover.read() == PNG


@pytest.fixture
def real_mnist(stand_in, monkeypatch):
    """As if the images at hand were the real ones."""
    import dataclasses

    monkeypatch.setattr(execute.data, "load", lambda name: dataclasses.replace(stand_in, source="folder"))
