"""aebook: what a lesson of the book on autoencoders imports, one module for each noun of the chapter.

``aebook.rerun`` runs notebooks again, ``aebook.bench`` times trainings; the lessons need neither.
Importing ``aebook`` imports nothing else; TensorFlow comes in with ``aebook.models``.
"""

__version__ = "0.2.0"
