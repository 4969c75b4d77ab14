"""A small book, built in both languages as the whole one is."""

import subprocess
import sys

import pytest

from tools import built

PAGE = """# A page

Sigmoid: $\\sigma(x)$.

```{glossary}
code
: What is left of an image.
```

<p title="">A word.</p>
<script>console.log()</script>
"""


@pytest.mark.slow
@pytest.mark.parametrize("language, menu", [("en", "Main"), ("ko", "주 메뉴")])
def test_one_set_of_settings_builds_every_language(language, menu, tmp_path):
    html = built.small_book(tmp_path, {"index.md": PAGE}, language)
    page = (html / "index.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}"' in page and f'aria-label="{menu}"' in page and "<math" in page
    assert '<p title="">A word.</p>' in page and "Content-Type:" not in page
    assert "<script>console.log()</script>" in page  # a page's own script is nobody else's business
    assert not list(tmp_path.glob("conf.py"))


@pytest.mark.slow
def test_the_messages_are_those_of_the_pages(tmp_path):
    """A catalogue of the templates' words alone would make obsolete what sphinx.po says for the theme."""
    built.small_book(tmp_path, {"index.md": PAGE})
    built.build(tmp_path, tmp_path / "messages", "gettext")
    assert [path.name for path in (tmp_path / "messages").glob("*.pot")] == ["index.pot"]


@pytest.mark.slow
def test_a_warning_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="nowhere"):
        built.small_book(tmp_path, {"index.md": "# A page\n\n{doc}`nowhere`"})


def test_a_language_nobody_has_written_is_one_line(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    (tmp_path / "index.md").write_text("# A page", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-c", built.ROOT / "book", "-D", "language=de", tmp_path, tmp_path / "out"],
        cwd=built.ROOT, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 2 and "language must be one of en, ko, got de" in run.stderr
