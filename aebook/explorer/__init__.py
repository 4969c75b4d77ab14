"""A trained model to touch: packed as plain values, which engine.js runs in a page or in JupyterLab."""

from pathlib import Path

ENGINE = Path(__file__).parent / "engine.js"
"""Models, images and drawings, in JavaScript."""

TRAINING = Path(__file__).parent / "training.js"
"""The dense autoencoder, trained in the page."""
