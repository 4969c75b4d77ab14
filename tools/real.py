"""Whether the real images are here, without which no stored output can be verified: ``python -m tools.real``."""

import argparse
import os
import shutil
import sys

from aebook import data
from aebook.parameters import InputError

NOT_VERIFIED = """
NOT VERIFIED on this computer:
  the stored outputs of the notebooks, and what follows from the stored models ({reason}).
  With mnist.npz and fashion_mnist.npz in a folder (the README says which): AEBOOK_DATA=FOLDER make verify check"""
NOT_SEEN = """
NOT TESTED on this computer:
  the pages in a browser (there is no Chromium; on Debian: apt-get install chromium fonts-nanum)."""


def missing() -> str:
    """Why the real images are not to be had, in words, or "" where they are here.

    Raises:
        InputError: if AEBOOK_DATA is set and does not lead to the official images.
    """
    try:
        for name, title in data.TITLES.items():
            images = data.load(name)
            if images.is_stand_in:
                return images.reason
            if not images.verified:
                raise InputError(
                    f"the stored outputs come from the official {title}, got other arrays from: {images.source}"
                )
    except InputError as error:
        if os.environ.get("AEBOOK_DATA"):
            raise
        return str(error)
    return ""


def why_no_mnist() -> str:
    """Why no new run can be compared with the stored outputs, in words, or "" where there is an MNIST to run on."""
    try:
        images = data.load("mnist")
    except InputError as error:
        return str(error)
    if images.is_stand_in:
        return f"the stored outputs come from the real MNIST, and there is only the stand-in: {images.reason}"
    return ""


def main() -> str | int:
    """Print what cannot be verified here; an error, or the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.real", description=__doc__)
    parser.add_argument("--required", action="store_true", help="an error where they are not here")
    parser.add_argument("--ask", action="store_true", help="only the exit status: 0 where they are here, else 3")
    arguments = parser.parse_args()
    try:
        reason = missing()
    except InputError as error:
        return str(error)
    if arguments.ask:
        return 3 if reason else 0
    if reason and arguments.required:
        return f"the real images are required here, and are not to be had: {reason}"
    if reason:
        print(NOT_VERIFIED.format(reason=reason))
    if shutil.which("chromium") is None:
        print(NOT_SEEN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
