"""The package's commands: ``python -m aebook sweep`` and ``... bench``."""

import importlib
import sys

COMMANDS = ("sweep", "bench")


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        return f"usage: python -m aebook {{{','.join(COMMANDS)}}} ... (--help after a command explains it)"
    return importlib.import_module(f"aebook.{sys.argv[1]}").main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
