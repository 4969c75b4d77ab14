"""A chapter with other settings, as a page: python -m book.rerun LANGUAGE NOTEBOOK [NAME=VALUE ...]

The notebook runs in papermill, after the same checks as in a sweep. Its page, with its numbers in the sentences, lies
beside that of the chapter in the built book. What papermill has executed already gets its page without a run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import nbformat
import papermill

from aebook.parameters import InputError
from aebook.rerun.plan import make_plan, read_settings
from aebook.rerun.store import FILE
from aebook.rerun.worker import escape_braces
from book import runs
from book.cells import load_cell
from book.editions import EDITIONS
from book.readers import FOLDER

ROOT = Path(__file__).parents[1]


def execute(path: Path, settings: Sequence[str], language: str, folder: Path) -> Path:
    """Run a notebook into a folder; gives the executed one.

    Args:
        path: the notebook.
        settings: what to set, such as z_dim=8.
        language: that of the figures.
        folder: where the executed notebook goes.

    Raises:
        InputError: before the run, for settings that cannot work; after it, for a cell that failed.
    """
    grid = read_settings(settings)
    if several := [name for name, values in grid.items() if len(values) > 1]:
        raise InputError(f"{several[0]} must have one value here; a sweep takes several: python -m aebook sweep")
    (run,) = make_plan(path, grid).runs.values()
    chosen = {name: run[name] for name in grid}
    executed = folder / f"{','.join([path.stem, *(f'{name}={value}' for name, value in chosen.items())])}.ipynb"
    folder.mkdir(exist_ok=True)
    notebook = nbformat.read(path, as_version=4)
    if language != "en":
        notebook.cells.insert(1, load_cell(language))
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # of the kernel
    try:
        with TemporaryDirectory() as temporary:
            source = Path(temporary, path.name)
            nbformat.write(notebook, source)
            papermill.execute_notebook(
                source,
                escape_braces(executed),
                chosen,
                cwd=path.parent,
                # What TensorFlow's C++ code writes to the terminal is not an output of a cell.
                extra_arguments=["--IPKernelApp.capture_fd_output=False"],
            )
    except papermill.PapermillExecutionError as error:
        raise InputError(f"{executed} ends at cell [{error.exec_count}]: {error.ename}: {error.evalue}") from None
    return executed


def chapter_of(notebook: nbformat.NotebookNode, path: Path) -> str:
    """The name of the chapter that a notebook is a run of.

    Raises:
        InputError: if it is none, or papermill set nothing.
    """
    if not runs.settings_of(notebook):
        raise InputError(f'{path} has no settings of its own; name some, such as SET="z_dim=8 epochs=1"')
    for chapter in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if runs.is_of(notebook, nbformat.read(chapter, as_version=4)):
            return chapter.stem
    raise InputError(f"{path} must have the cells of a chapter of this book")


def build(executed: Path, language: str, html: Path) -> tuple[Path, Path]:
    """Make the page and the reader's notebook of an executed notebook; gives both.

    Args:
        executed: the notebook.
        language: that of the edition.
        html: the built pages of that edition, among which both are put.

    Raises:
        InputError: if the notebook is none, or no run of a chapter.
        RuntimeError: if Sphinx cannot build the page; the message holds what it said.
    """
    try:
        notebook = nbformat.read(executed, as_version=4)
    except ValueError as error:
        raise InputError(f"{executed} cannot be read as a notebook: {error}") from None
    stem = chapter_of(notebook, executed)
    name = executed.stem if executed.stem.startswith(f"{stem},") else f"{stem},{executed.stem}"
    with TemporaryDirectory() as temporary:
        run = Path(temporary, stem, f"{name}.ipynb")  # the folder says which chapter it is
        run.parent.mkdir()
        shutil.copy(executed, run)
        shutil.copytree(ROOT / "_build" / EDITIONS[language].folder / "doctrees", Path(temporary, "doctrees"))
        new = Path(temporary, "html")
        built = subprocess.run(
            [sys.executable, "-m", "sphinx", "-c", "book", "-q", "-d", f"{temporary}/doctrees",
             "-D", f"language={language}", "-D", f"{runs.RUN}={run}", ".", new, f"notebooks/{stem}.ipynb"],
            cwd=ROOT, capture_output=True, encoding="utf-8",
        )  # fmt: skip
        if built.returncode:
            raise RuntimeError(f"{executed} could not become a page:\n{built.stdout}{built.stderr}")
        shutil.copytree(new / "_images", html / "_images", dirs_exist_ok=True)
        page, readers = html / "notebooks" / f"{name}.html", html / FOLDER / f"{name}.ipynb"
        shutil.copy(new / "notebooks" / f"{stem}.html", page)
        shutil.copy(new / FOLDER / run.name, readers)
    if (executed.parent / FILE).exists():  # a sweep's folder: its index.html links what lies beside a run
        address = quote(Path(os.path.relpath(page, executed.parent)).as_posix())
        link = f'<meta http-equiv="refresh" content="0; url={address}">\n'
        executed.with_suffix(".html").write_text(link, encoding="utf-8")
    return page, readers


def main(language: str, notebook: str, *settings: str) -> str | int:
    """Run the command; gives what `sys.exit` takes."""
    try:
        if language not in EDITIONS:
            raise InputError(f"LANGUAGE must be one of {', '.join(EDITIONS)}, got {language}")
        if any(text.endswith(".ipynb") for text in settings):
            raise InputError("NB must name one notebook, such as NB=notebooks/6_2_dense.ipynb")
        path = Path(notebook)
        executed = execute(path, settings, language, ROOT / "runs") if settings else path
        page, readers = build(executed, language, ROOT / "_build" / "html" / EDITIONS[language].folder)
    except (InputError, RuntimeError, OSError) as error:
        return str(error)
    print(f"executed notebook: {executed}\nfor readers:       {readers}\npage:              {page}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(f"book.rerun needs a language and a notebook, got {sys.argv[1:]}")
    sys.exit(main(*sys.argv[1:]))
