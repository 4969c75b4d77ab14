"""aebook: the helper package of the book on autoencoders.

Data flows one way, and no module imports one to its right: ``parameters`` → ``published`` →
``data`` → ``models`` → ``training`` → ``metrics`` → ``claims`` → ``plots`` → ``listings`` →
``execute`` → ``report`` → ``worker`` → ``sweep`` → ``contenders`` → ``bench``.
Importing ``aebook`` imports none of them; TensorFlow comes in with ``aebook.models``.
"""

__version__ = "0.1.0"
