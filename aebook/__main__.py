"""The package's commands, such as ``python -m aebook sweep``: those that its installation names (pyproject.toml)."""

import sys
from importlib.metadata import entry_points


def main() -> str | int:
    """Run the command that the first argument names; returns what `sys.exit` takes."""
    commands = {entry.name: entry for entry in entry_points(group="aebook.commands")}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        return f"usage: python -m aebook {{{','.join(sorted(commands))}}} ... (--help after a command explains it)"
    return commands[sys.argv[1]].load()(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
