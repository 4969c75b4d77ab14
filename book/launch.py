"""Buttons that open a chapter in Colab or Binder, where the repository has a public address."""

import os
import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from book.colab import BRANCH

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
    config.html_theme_options.update(
        repository_url=address,
        repository_branch=BRANCH,
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
        },
    )


def setup(app: Sphinx) -> None:
    """Look for the address when a build begins."""
    app.connect("config-inited", add_buttons)
