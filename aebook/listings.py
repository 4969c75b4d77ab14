"""The package's own code, shown in a chapter: what the reader sees is what runs."""

import inspect

from IPython.display import Markdown


def show(thing):
    """The source code of a class or function, for a notebook to display."""
    return Markdown(f"```python\n{inspect.getsource(thing).rstrip()}\n```")
