"""The settings that Sphinx builds the pages with: those of _config.yml, as Jupyter Book reads them.

Sphinx is called by itself (see the Makefile), because Jupyter Book's command cannot build a second language from the
same settings. This is no module to import: Sphinx runs it with each build.
"""

from pathlib import Path

from jupyter_book.config import get_final_config

ROOT = Path(__file__).parents[1]
# They put scripts and styles on every page, for buttons and boxes that this book does not have.
NEEDLESS = {"sphinx_thebe", "sphinx_togglebutton", "sphinx_design", "sphinx_comments"}

settings, _ = get_final_config(user_yaml=ROOT / "_config.yml", cli_config={"latex_individualpages": False})
settings["extensions"] = [name for name in settings["extensions"] if name not in NEEDLESS]
for name in ("bibtex_bibfiles", "locale_dirs"):  # meant from the root, wherever the pages are
    settings[name] = [str(ROOT / path) for path in settings[name]]
globals().update(settings)
