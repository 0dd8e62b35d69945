"""The state of a stopped run on disk: it comes back as it was, and what is no such file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from capt_engine.errors import BadCheckpoint, CannotWrite
from capt_engine.records import Share, TuneEpoch
from capt_engine.tuning.state import Saved, first_difference, read, state_path, write


def saved() -> Saved:
    """A run after two epochs."""
    context = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    return Saved(
        settings={"shots": 2, "classes": ["a", "b"], "lr": 0.1},
        epoch=2,
        batch_size=4,
        best_epoch=1,
        prompts={"context": context, "deep_vision.0": context + 1},
        best={"context": context * 2},
        momentum={"context": context / 3},
        epochs=[TuneEpoch(1, 3, 0.1 + 0.2, Share(1, 2, 0.1, 0.9), None, is_best=True)],
        notes=["a note"],
    )


def test_a_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    """Tensors, numbers and words are what they were, and no partial file is left."""
    path = state_path(tmp_path / "p.safetensors")
    assert path.name == "p.safetensors.state"
    write(path, saved())
    write(path, saved())
    found, wanted = read(path), saved()
    for part in ("prompts", "best", "momentum"):
        ours, theirs = getattr(found, part), getattr(wanted, part)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    for name in ("settings", "epoch", "batch_size", "best_epoch", "epochs", "notes"):
        assert getattr(found, name) == getattr(wanted, name)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Bytes, other safetensors files and a state with something missing are no state."""
    path = tmp_path / "p.state.safetensors"
    for content in (
        b"",
        b"not safetensors at all",
        safetensors.torch.save({"context": torch.zeros(1)}),
        safetensors.torch.save({"prompts/context": torch.zeros(1)}, {"capt_tuning": '{"format": 1}'}),
        safetensors.torch.save({"stranger": torch.zeros(1)}, {"capt_tuning": '{"format": 1}'}),
        safetensors.torch.save({"prompts/context": torch.zeros(1)}, {"capt_tuning": "[" * 5000}),
    ):
        path.write_bytes(content)
        with pytest.raises(BadCheckpoint, match="state of a tuning run"):
            read(path)


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """A file where a folder should be is named."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CannotWrite, match="cannot be written"):
        write(tmp_path / "file" / "p.state.safetensors", saved())


def test_the_first_difference_is_named() -> None:
    """A list and a tuple are the same, a missing setting is a difference, and a long value is shortened."""
    assert first_difference({"a": (1, 2)}, {"a": [1, 2]}) == ""
    assert first_difference({"a": 1, "b": 2}, {"a": 1, "b": 3}) == "b was 3, now it is 2"
    assert first_difference({"a": 1}, {"a": 1, "old": True}) == "old was true, now it is null"
    assert len(first_difference({"a": "x" * 500}, {"a": "y"})) < 120
