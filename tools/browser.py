"""The built book in Debian's Chromium: `make pdf`, `make screenshots`, and what the tests of the pages share."""

import logging
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
ENGLISH = [TOC["root"], *(chapter["file"] for chapter in TOC["chapters"]), "search", "genindex"]
PAGES = [*ENGLISH, *(f"ko/{page}" for page in ENGLISH)]
# For each edition its settings, and the PDF that `make pdf` prints.
PRINTED = {"en": ("_config.yml", ROOT / "_build/aebook.pdf"), "ko": ("_build/ko.yml", ROOT / "_build/aebook-ko.pdf")}
SCHEMES = ("light", "dark")


def build(source, out, *options):
    """Build a book as `make book` does, into a folder of its own; warnings are errors.

    Raises:
        RuntimeError: it could not be built; the message holds what Jupyter Book said.
    """
    command = [Path(sys.executable).parent / "jupyter-book", "build", source, "-W", "--keep-going", "-n", "--all", "--quiet"]
    built = subprocess.run([*command, "--path-output", out, *options], cwd=ROOT, capture_output=True, text=True)
    if built.returncode != 0:
        raise RuntimeError(f"{source} could not be built:\n{built.stdout}{built.stderr}")


def small_book(folder, pages):
    """The folder with the HTML of a book of a few pages, made with the settings, the theme and the extension of this one.

    Args:
        folder: an empty one, for the sources and for what is built.
        pages: the text of each, by the name of its file; the first is the root.
    """
    shutil.copytree(ROOT / "static", folder / "static")
    (folder / "references.bib").touch()
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    places = config["sphinx"]["local_extensions"]
    config["sphinx"]["local_extensions"] = {name: str(ROOT / place) for name, place in places.items()}
    first, *others = [name.partition(".")[0] for name in pages]
    toc = {"format": "jb-book", "root": first}
    if others:
        toc["chapters"] = [{"file": name} for name in others]
    for name, text in {**pages, "_config.yml": yaml.safe_dump(config), "_toc.yml": yaml.safe_dump(toc)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    build(folder, folder)
    return folder / "_build" / "html"


@contextmanager
def chromium():
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
    protocol_version = "HTTP/1.1"  # several files over one connection, as servers do

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """The address at which the files of a folder are served to this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


CONTENTS = """pages => {
  document.querySelector("nav.printed-contents")?.remove();
  const list = document.createElement("nav");
  list.className = "printed-contents";
  const title = document.documentElement.lang == "ko" ? "차례" : "Contents";
  list.append(Object.assign(document.createElement("h2"), {textContent: title}));
  const headings = document.querySelectorAll('article span[id^="document-"] + section :is(h2, h3)');
  for (const [number, heading] of headings.entries()) {
    const id = heading.id = "heading-" + number, line = document.createElement("a");
    const words = heading.cloneNode(true);
    words.querySelector(".headerlink")?.remove();
    line.href = "#" + id;
    line.className = heading.localName == "h2" ? "chapter" : "section";
    line.append(Object.assign(document.createElement("span"), {textContent: words.textContent}), String(pages[id] ?? ""));
    list.append(line);
  }
  document.querySelector("article h2").closest("section").before(list);
  document.querySelectorAll("details").forEach(fold => fold.open = true);
}"""
FOOTER = '<p style="font: 9px sans-serif; width: 100%; text-align: center"><span class="pageNumber"></span></p>'


def pdf():
    """Print each edition as one tagged PDF."""
    with chromium() as browser:
        for language, (_, path) in PRINTED.items():
            pages = print_twice(browser.new_page(), whole_book(language, ROOT / "_build" / "pdf" / language), path)
            print(f"The book is in {path.relative_to(ROOT)}: {pages} pages.")


def whole_book(language, out):
    """The path of an edition as one page, built into a folder."""
    build(".", out, "--config", PRINTED[language][0], "--builder", "custom", "--custom-builder", "singlehtml")
    return out / "_build" / "singlehtml" / "index.html"


def print_twice(page, whole, path):
    """Print the book, the first time only to find the pages of its headings; how many pages it has."""
    pages = {}
    for _ in range(2):
        page.goto(whole.as_uri())  # anew: Chromium breaks pages elsewhere when it prints what it has printed before
        page.evaluate(CONTENTS, pages)
        page.pdf(
            path=path, format="A4", tagged=True, outline=True, display_header_footer=True,
            header_template="<p></p>", footer_template=FOOTER,
            margin={"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"},
        )
        reader = PdfReader(path)
        places = reader.named_destinations.items()
        pages = {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places}
    mend_bookmarks(path)
    return len(reader.pages)


def mend_bookmarks(path):
    """Where Chromium has moved a heading to the next page, its bookmark says the title twice; let it say it once."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # Chromium's count of objects is too low, which harms nothing
    writer = PdfWriter(clone_from=path)

    def below(entry):
        child = entry.get("/First")
        while child is not None:
            child = child.get_object()
            yield child
            yield from below(child)
            child = child.get("/Next")

    for entry in below(writer.root_object["/Outlines"]):
        if repeated := re.fullmatch(r"(.+?)\1+", entry["/Title"]):
            entry[NameObject("/Title")] = TextStringObject(repeated[1])
    writer.write(path)


def screenshots():
    """Every page at the width of a phone and of a desktop, light and dark, into _build/screenshots."""
    out = ROOT / "_build" / "screenshots"
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, served(HTML) as address:
        for scheme in SCHEMES:
            for width in (375, 1280):
                page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}, locale="de")
                for name in PAGES:  # a browser that prefers neither language is offered none
                    page.goto(f"{address}/{name}.html")
                    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=out / f"{name.replace('/', '_')}_{width}_{scheme}.png", full_page=True)
                page.close()
    print(f"The screenshots are in {out.relative_to(ROOT)}.")


if __name__ == "__main__":
    try:
        {"pdf": pdf, "screenshots": screenshots}[sys.argv[1]]()
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(str(error))
