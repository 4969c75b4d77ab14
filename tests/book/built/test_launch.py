"""The buttons to Colab and Binder: `book.launch`."""

import os
import re

import nbformat
import pytest

from book import launch
from tools import built

NAME = "notebooks/6_2_dense"


@pytest.mark.parametrize("language, place", [("en", "notebooks/6_2_dense.ipynb"), ("ko", "ko/6_2_dense.ipynb")])
def test_buttons_to_colab_and_binder_need_an_address(language, place, tmp_path, look_at, monkeypatch):
    if not os.environ.get(launch.ADDRESS):
        assert not re.search("colab|binder", (built.HTML / f"{NAME}.html").read_text(encoding="utf-8"))
    monkeypatch.setenv(launch.ADDRESS, "https://github.com/someone/aebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A chapter")])
    html = built.small_book(tmp_path, {"index.md": "# A book", f"{NAME}.ipynb": nbformat.writes(notebook)}, language)
    text = (html / f"{NAME}.html").read_text(encoding="utf-8")
    assert f'"https://colab.research.google.com/github/someone/aebook/blob/launch/{place}"' in text
    assert f'"https://mybinder.org/v2/gh/someone/aebook/launch?urlpath=lab/tree/{place}"' in text
    with built.served(html) as address:
        assert look_at(html, address, NAME)[0] == []
