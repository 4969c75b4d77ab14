"""Buttons that open a chapter in Colab or Binder, and the public address of the pages, where the repository has one."""

import os
import re
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from book.colab import BRANCH, folder_on_branch
from book.editions import EDITIONS

ADDRESS = "AEBOOK_REPOSITORY"
"""The environment variable that holds the address of the repository on GitHub."""


def add_buttons(app: Sphinx, config: Config) -> None:
    """Ask the theme for the buttons; without an address there are none.

    Raises:
        ConfigError: if the address would give dead buttons.
    """
    address = os.environ.get(ADDRESS, "")
    if not address:
        return
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+(?<!\.git)", address):
        raise ConfigError(f"{ADDRESS} must be https://github.com/OWNER/NAME, got {address}")
    config.html_baseurl = pages_of(address) + EDITIONS[config.language].folder
    config.html_theme_options.update(
        repository_url=address,
        repository_branch=BRANCH,
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
        },
    )


def pages_of(address: str) -> str:
    """Where GitHub shows the pages of a repository."""
    owner, name = address.split("/")[-2:]
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def lead_to_edition(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Let the buttons open the notebook of the edition, which has a folder of its own on the branch."""
    here, there = f"/{name}.ipynb", f"/{folder_on_branch(app.config.language)}/{PurePosixPath(name).name}.ipynb"
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = button["url"].replace(here, there)


def setup(app: Sphinx) -> None:
    """Look for the address when a build begins; change the buttons after the theme has made them."""
    app.connect("config-inited", add_buttons)
    app.connect("html-page-context", lead_to_edition, priority=900)
