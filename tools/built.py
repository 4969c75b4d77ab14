"""The built book: which pages it has, how it is built, and how a browser gets it."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, sync_playwright

from book.editions import EDITIONS

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
SCHEMES = ("light", "dark")


def contents() -> dict[str, Any]:
    """What `_toc.yml` says: the root, and the chapters of each part."""
    return yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def lessons() -> list[str]:
    """The names of the lessons' pages: the notebooks in the first part of the book."""
    pages = [chapter["file"] for chapter in contents()["parts"][0]["chapters"]]
    return [page for page in pages if (ROOT / f"{page}.ipynb").is_file()]


def english_pages() -> list[str]:
    """The names of the English pages, in the order of the book."""
    chapters = [chapter["file"] for part in contents()["parts"] for chapter in part["chapters"]]
    return [contents()["root"], *chapters, "search", "genindex"]


def all_pages() -> list[str]:
    """The names of the pages of every edition, as they lie in the folder of the book."""
    return [edition.folder + page for edition in EDITIONS.values() for page in english_pages()]


def build(source: Path, out: Path, builder: str = "html", language: str = "en") -> None:
    """Build the pages of a folder as `make book` does; warnings are errors.

    Args:
        source: the folder of the pages, with a `_toc.yml`.
        out: the folder that is filled.
        builder: Sphinx's, by its name.
        language: that of the edition.

    Raises:
        RuntimeError: they could not be built; the message holds what Sphinx said.
    """
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "-c", ROOT / "book", "-W", "--keep-going", "-n", "-E", "-q", "-b", builder,
         "-D", f"language={language}", source, out],
        cwd=ROOT, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    if built.returncode != 0:
        raise RuntimeError(f"{source} could not be built:\n{built.stdout}{built.stderr}")


def small_book(folder: Path, pages: dict[str, str], language: str = "en", builder: str = "html") -> Path:
    """The folder of what is built of a book of a few pages, as this one is.

    Args:
        folder: an empty one, for the sources and for what is built.
        pages: the text of each, by the name of its file; the first is the root.
        language: that of the edition.
        builder: Sphinx's, by its name.
    """
    first, *others = [name.partition(".")[0] for name in pages]
    contents = {"format": "jb-book", "root": first}
    if others:
        contents["chapters"] = [{"file": name} for name in others]
    for name, text in {**pages, "_toc.yml": yaml.safe_dump(contents)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    out = folder / "_build" / builder
    build(folder, out, builder, language)
    return out


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    Raises:
        FileNotFoundError: it is not installed.
    """
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("there is no Chromium; Debian's package chromium has it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Silent(SimpleHTTPRequestHandler):
    """Serves files, several over one connection as servers do, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which the files of a folder are served to this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
