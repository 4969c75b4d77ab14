"""The directive `explorer`: a part of aebook/explorer in a page, and a still figure where no script runs.

```{explorer} draw
:models: 6_2_dense 6_3_convolutional
```
"""

import shutil
from pathlib import Path
from typing import Any
from zlib import crc32

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from aebook.explorer import bundle
from book.words import translated

PARTS = ("draw", "turn", "walk", "map", "train")
PACKS = Path(__file__).parent / "explorer"
"""Models and images, packed for the pages."""
IMAGES = {"test", "training"}
STILLS = "/static/explorer"
"""Where the still figures are, one for each part."""
FILES = {"script": "explorer.js", "styles": "explorer.css"}


class Host(nodes.General, nodes.Element):
    """In the place of a part: the script fills it. Its child is the still figure."""


class Explorer(SphinxDirective):
    """A part of the explorer; its argument is the name of the part."""

    required_arguments = 1
    option_spec = {"models": directives.unchanged, "small": directives.flag}

    def run(self) -> list[nodes.Node]:
        part = self.arguments[0]
        if part not in PARTS:
            raise self.error(f"explorer must be one of {', '.join(PARTS)}; got {part}")
        models = self.options.get("models", "").split()
        known = sorted({path.stem for path in PACKS.glob("*.js")} - IMAGES)
        if set(models) - set(known) or bool(models) == (part == "train"):
            wanted = "no model" if part == "train" else f"one or more of {', '.join(known)}"
            raise self.error(f"the models of explorer {part} must be {wanted}; got {' '.join(models) or 'none'}")
        self.env.metadata[self.env.docname]["explorer"] = True
        still = nodes.image(uri=f"{STILLS}/{part}.png")
        return [Host("", still, part=part, models=" ".join(models), small="small" in self.options)]


def still_caption(part: str) -> str:
    """What stands below the still figure of a part, in the language of the edition."""
    words = bundle.words()
    title, still = words[f"{part}Title"], words["stillOnly"]
    return f"{translated(title)}: {translated(still)}"


def visit_host(self: HTML5Translator, node: Host) -> None:
    """Write the host with its still figure; in the book as one page, which is printed, the figure alone."""
    words = bundle.words()
    node[0]["alt"] = translated(words[f"{node['part']}Still"])
    caption = f'<figcaption class="explorer-caption">{still_caption(node["part"])}</figcaption>'
    if self.builder.name != "html":
        self.body.append('<figure class="align-default">\n')
        self.context.append(f"{caption}</figure>\n")
        return
    names = {"data-part": node["part"], "data-models": node["models"]} | ({"data-small": ""} if node["small"] else {})
    self.body.append(self.starttag(node, "div", CLASS="explorer", **names))
    self.body.append(f'<p class="explorer-wait">{translated(words["noScript"])}</p>\n<noscript><figure>\n')
    self.context.append(f"{caption}</figure></noscript></div>\n")


def depart_host(self: HTML5Translator, node: Host) -> None:
    """End what visit_host has begun."""
    self.body.append(self.context.pop())


def write_scripts(app: Sphinx) -> None:
    """Write the script, in the language of the edition, with its styles and the packs beside it."""
    if app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    static.mkdir(parents=True, exist_ok=True)
    words = {key: translated(text) for key, text in bundle.words().items()}
    (static / FILES["script"]).write_text(bundle.script(words), encoding="utf-8")
    (static / FILES["styles"]).write_text(bundle.style(), encoding="utf-8")
    shutil.copytree(PACKS, static / "explorer", dirs_exist_ok=True)


def add_scripts(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Let a page that has a part load what brings the explorer in time."""
    if app.builder.name == "html" and "explorer" in app.env.metadata.get(name, {}):
        static = Path(app.outdir) / "_static"
        versions = {kind: f"{crc32((static / file).read_bytes()):08x}" for kind, file in FILES.items()}
        app.add_js_file("touch.js", loading_method="defer", **{f"data-{kind}": v for kind, v in versions.items()})


def setup(app: Sphinx) -> None:
    """Offer the directive `explorer`."""
    app.add_node(Host, html=(visit_host, depart_host))
    app.add_directive("explorer", Explorer)
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", add_scripts)
