"""The explorer without a browser: its words, its modules, its directive."""

import re
import shutil
import subprocess

import pytest
from bs4 import BeautifulSoup
from sphinx_intl.catalog import load_po

from aebook.explorer import bundle
from book import explorer
from tools import built

MODULES = sorted(bundle.HERE.glob("*.js"))
OWN = [path for path in MODULES if path.stem not in ("engine", "training")]
CODE = "\n".join(path.read_text(encoding="utf-8") for path in OWN)
BY_NAME = re.compile(rf"({'|'.join(explorer.PARTS)})(Title|Lead|Still)|(kind|reason)_[\w ]+")
KOREAN = built.ROOT / "locale" / "ko" / "LC_MESSAGES" / "sphinx.po"


def blanks(text):
    return sorted(re.findall(r"\{\w+\}", text))


def test_every_word_is_used_and_no_other():
    in_code = re.findall(r'"([\w ]+)"|WORDS\.(\w+)|^  (\w+): \[', CODE, re.MULTILINE)
    in_python = set(re.findall(r'words\["(\w+)"\]', (built.ROOT / "book" / "explorer.py").read_text(encoding="utf-8")))
    used = in_python.union(*in_code)
    assert [key for key in bundle.words() if key not in used and not BY_NAME.fullmatch(key)] == []
    said = re.findall(r'\bword\("(\w+)"', CODE)
    assert len(said) > 60 and [key for key in said if key not in bundle.words()] == []


@pytest.mark.parametrize("part", explorer.PARTS)
def test_a_part_has_all_that_it_needs(part):
    assert {f"{part}Title", f"{part}Lead", f"{part}Still"} <= bundle.words().keys()
    assert (built.ROOT / explorer.STILLS.lstrip("/") / f"{part}.png").is_file()


def test_every_word_has_its_korean_with_the_same_blanks():
    korean = {message.id: message.string for message in load_po(KOREAN)}
    for key, text in bundle.words().items():
        assert re.search("[가-힣]", korean.get(text, "")) or text in ("PCA", "{percent} %"), key
        assert blanks(korean[text]) == blanks(text), key


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_module_is_read_in_five_minutes(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200 and max(map(len, lines)) <= 120 and lines[0].startswith("// ")


@pytest.mark.parametrize("joined", [bundle.module(), bundle.script(bundle.words())], ids=["module", "script"])
def test_the_modules_are_joined_to_one(joined, tmp_path):
    here = {path.stem for path in MODULES} - (set() if joined.startswith("(() => {") else {"page"})
    assert set(re.findall(r"^const \$(\w+) = ", joined, re.MULTILINE)) == here
    assert not re.search(r"^import ", joined, re.MULTILINE)
    if node := shutil.which("node"):
        (tmp_path / "joined.mjs").write_text(joined, encoding="utf-8")
        subprocess.run([node, "--check", tmp_path / "joined.mjs"], check=True)


def test_a_module_that_imports_in_another_way_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "HERE", tmp_path)
    (tmp_path / "explorer.js").write_text('import * as all from "./dom.js";\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"explorer.js must import and export as the other modules do, got 'import"):
        bundle.module()


PAGE = """# A page

```{{explorer}} {}
```
"""
FAULTS = {
    "paint": "explorer must be one of draw, turn, walk, map, train; got paint",
    "draw": "the models of explorer draw must be one or more of 6_1_map, .*; got none",
    "walk\n:models: 6_9_other": "the models of explorer walk must be one or more of 6_1_map, .*; got 6_9_other",
    "train\n:models: 6_2_dense": "the models of explorer train must be no model; got 6_2_dense",
}


@pytest.mark.slow
def test_what_the_explorer_does_not_have_is_an_error(tmp_path):
    pages = {f"page_{n}.md": PAGE.format(said) for n, said in enumerate(FAULTS)}
    with pytest.raises(RuntimeError) as found:
        built.small_book(tmp_path, pages)
    for n, fault in enumerate(FAULTS.values()):
        assert re.search(rf"page_{n}\.md:\d+: .*{fault}", str(found.value)), fault


@pytest.mark.slow
def test_in_the_book_as_one_page_a_part_is_a_figure(tmp_path):
    shutil.copytree(built.ROOT / "static", tmp_path / "static")
    whole = built.small_book(tmp_path, {"index.md": PAGE.format("draw\n:models: 6_2_dense")}, "ko", "singlehtml")
    page = BeautifulSoup((whole / "index.html").read_text(encoding="utf-8"), "html.parser")
    figure = page.select_one("article figure")
    assert len(figure.img["alt"].split()) > 10 and figure.figcaption.get_text().startswith("숫자 그리기")
    assert not page.select(".explorer") and not page.select("script[src*='touch.js']")
    assert (whole / figure.img["src"]).is_file()
