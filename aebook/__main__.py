"""The package's commands, such as ``python -m aebook sweep``: those that its installation names (pyproject.toml)."""

import sys
from importlib.metadata import entry_points


def main() -> str | int:
    """Run the command that the first argument names; returns what `sys.exit` takes."""
    commands = {entry.name: entry for entry in entry_points(group="aebook.commands")}
    if not commands:
        return "aebook must be installed to have its commands: python -m pip install --no-deps --editable ."
    usage = f"usage: python -m aebook {{{','.join(sorted(commands))}}} ... (--help after a command explains it)"
    if len(sys.argv) < 2:
        return usage
    if sys.argv[1] not in commands:
        return f"there is no command {sys.argv[1]}; {usage}"
    return commands[sys.argv[1]].load()(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
