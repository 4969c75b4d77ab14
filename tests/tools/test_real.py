"""What make test says where not all of the real images are here."""

import dataclasses
import sys

import pytest

from aebook import data
from aebook.parameters import InputError
from tools import real


@pytest.fixture
def without_fashion(monkeypatch, stand_in):
    """MNIST is in Keras's cache, and nothing else can be downloaded."""

    def load(name):
        if name == "mnist":
            return dataclasses.replace(stand_in, source="keras", verified=True)
        raise InputError(f"{name} is not to be had")

    monkeypatch.delenv("AEBOOK_DATA", raising=False)
    monkeypatch.setattr(data, "load", load)


def answer(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["tools.real", *arguments])
    return real.main()


def test_what_is_not_to_be_had_is_named(monkeypatch, capsys, without_fashion):
    assert answer(monkeypatch) == 0 and answer(monkeypatch, "--ask") == 3
    said = capsys.readouterr().out
    assert "NOT VERIFIED on this computer" in said and "(fashion_mnist is not to be had)" in said
    needed = "the real images are required here, and are not to be had: fashion_mnist is not to be had"
    assert answer(monkeypatch, "--required") == needed


def test_a_folder_without_it_is_an_error(monkeypatch, without_fashion):
    monkeypatch.setenv("AEBOOK_DATA", "folder")
    assert answer(monkeypatch, "--ask") == "fashion_mnist is not to be had"


def test_other_arrays_are_not_the_real_ones(monkeypatch, stand_in):
    monkeypatch.setattr(data, "load", lambda name: dataclasses.replace(stand_in, source="folder"))
    monkeypatch.setenv("AEBOOK_DATA", "folder")
    assert answer(monkeypatch) == "the stored outputs come from the official MNIST, got other arrays from: folder"
