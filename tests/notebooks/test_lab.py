"""A chapter in the real JupyterLab, as a reader runs it: open it, run all cells, see the figures, touch the model.

It is the notebook for readers, which `make book` makes, and JupyterLab has no extension for it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading

import nbformat
import pytest
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from playwright.sync_api import expect

from book.editions import EDITIONS
from tools import built

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no Chromium; Debian's package chromium has it"
)
CHAPTER = built.HTML / EDITIONS["ko"].folder / "readers" / "6_2_dense.ipynb"
"""The Korean one: its code is that of the English one, with what turns into Korean what the cells show."""
SAYS = ["매개변수 13,336개", "테스트 이미지로 검증해도 되는가?", "검증 손실 0."]
"""What the run and the text beside it say."""
SMALL = {"z_dim": 8, "epochs": 1, "n_train": 2000}
TOUCH = [
    "from aebook.widgets import Explorer\n\nexplorer = Explorer(autoencoder, images)\nexplorer",
    """if explorer.drawing is None:
    print("nothing is drawn")
else:
    again = autoencoder.predict(explorer.drawing.reshape(1, 784), verbose=0)
    difference = np.abs(again.reshape(28, 28) - explorer.reconstruction).max()
    print("drawn:", explorer.drawing.shape, explorer.drawing.min(), explorer.drawing.max(), difference < 1e-5)""",
]
"""What a reader adds to the chapter."""
PATIENCE = 1_200_000  # milliseconds: what needs longer hangs


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab on a copy of a chapter with small parameters and no outputs."""
    notebook = parameterize_notebook(load_notebook_node(str(CHAPTER)), SMALL)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells += map(nbformat.v4.new_code_cell, TOUCH)
    (tmp_path / "book").mkdir()
    nbformat.write(notebook, tmp_path / "book" / "chapter.ipynb")
    # All cells are drawn at once, so that all can be looked at.
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    (tmp_path / "config" / "labconfig").mkdir(parents=True)
    without = json.dumps({"disabledExtensions": {"jupyterlab-myst": True}})
    (tmp_path / "config" / "labconfig" / "page_config.json").write_text(without)
    folders = {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--IdentityProvider.token=",
            f"--ServerApp.root_dir={tmp_path / 'book'}",
        ],  # the first free port
        env=os.environ | {name: str(tmp_path / folder) for name, folder in folders.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        for line in server.stderr:
            lines.append(line)
            if address := re.search(r"http://localhost:\d+(?=/lab)", line):
                break
        else:
            pytest.fail("JupyterLab ended before it answered:\n" + "".join(lines))
        threading.Thread(target=server.stderr.read, daemon=True).start()  # a full pipe would stop it
        yield address[0]
    finally:
        server.terminate()
        server.wait()


def test_a_chapter_runs_in_jupyterlab_and_its_model_can_be_touched(lab, chromium):
    cells = nbformat.read(CHAPTER, as_version=4).cells
    figures = sum("figure" in cell.metadata.get("mystnb", {}) for cell in cells)
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab}/lab/tree/chapter.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    failed = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    last_output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    failed.or_(last_output).first.wait_for()
    assert failed.all_inner_texts() == []
    expect(page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[*]")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_function("[...document.images].every(image => image.complete)")
    images = page.locator(".jp-OutputArea-output img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(images) == figures and min(images) > 500
    text = page.locator(".jp-Notebook").inner_text()
    assert not [words for words in SAYS if words not in text]
    assert not re.search(r"validation loss \d", text)
    sentences = " ".join(page.locator(".jp-MarkdownOutput").all_inner_texts())
    assert not re.search(r"\*\*|`{3}|\{\w+(:\w+)?\}`|</?a\b", sentences)
    last, code_cells = page.locator(".jp-CodeCell").last, page.locator(".jp-CodeCell").count()
    assert "nothing is drawn" in last.inner_text()
    assert page.locator(".explorer-part").count() == 3 and page.locator(".explorer-fault").count() == 0
    page.locator(".explorer-pad").focus()
    for key in (" ", *["ArrowDown"] * 9, " ", "a"):
        page.keyboard.press(key)
    assert page.locator(".jp-CodeCell").count() == code_cells  # JupyterLab itself would add a cell for the "a"
    for _ in range(30):  # the kernel knows of the drawing a moment after the pen has stopped
        last.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1000)
        if said := re.search(r"\(28, 28\) .*", last.locator(".jp-OutputArea-output").inner_text()):
            break
    assert said and said[0] == "(28, 28) 0.0 1.0 True"
