"""Batches that fitted are remembered by what they hang on, and follow the memory that is free."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from capt_engine import folders
from capt_engine.model import batch_sizes
from capt_engine.model.batch_sizes import memory_key, remember, remembered

GPU = torch.device("meta")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is remembered."""
    monkeypatch.setattr(folders, "data_dir", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(("free", "expected"), [(8, 12), (4, 6), (16, 24), (0, 12), (1, 1)])
def test_a_batch_follows_the_free_memory(monkeypatch: pytest.MonkeyPatch, free: int, expected: int) -> None:
    """Half of it is half of the pictures, and never none; a device that does not say gets what fitted."""
    key = memory_key("a" * 64, "gradients", GPU, "fp32", 224, 224)
    monkeypatch.setattr(batch_sizes, "free_bytes", lambda _: 8)
    remember(key, 12, GPU)
    monkeypatch.setattr(batch_sizes, "free_bytes", lambda _: free)
    assert remembered(key, GPU) == expected


def test_another_model_attack_precision_or_size_is_another_batch() -> None:
    """Of each is known what it did itself; of the processor, and of a model without a name, nothing."""
    given = ("a" * 64, "gradients", GPU, "fp32", 224, 224)
    remember(memory_key(*given), 3, GPU)
    others = [
        ("b" * 64, *given[1:]),
        (given[0], "answers", *given[2:]),
        (*given[:3], "bf16", 224, 224),
        (*given[:5], 9),
    ]
    assert [remembered(memory_key(*one), GPU) for one in (given, *others)] == [3, 0, 0, 0, 0]
    assert memory_key(given[0], "gradients", torch.device("cpu"), "fp32", 224, 224) == ""
    assert memory_key("", *given[1:]) == ""
    remember("", 5, GPU)
    assert remembered("", GPU) == 0


@pytest.mark.parametrize("text", ["", "[]", '{"a": 3}', '{"%s": {"n": 0, "free": 0}}', '{"%s": {"n": -4, "free": -1}}'])
def test_a_damaged_file_is_no_memory(folder: Path, text: str) -> None:
    """The next batch that fails writes it anew."""
    key = memory_key("a" * 64, "gradients", GPU, "fp32", 224, 224)
    (folder / "batch-sizes.json").write_text(text.replace("%s", key), encoding="utf-8")
    assert remembered(key, GPU) == 0
    remember(key, 7, GPU)
    assert remembered(key, GPU) == 7


def test_a_disk_that_refuses_ends_no_run(folder: Path) -> None:
    """A folder in the place of the file cannot be written over."""
    (folder / "batch-sizes.json").mkdir()
    key = memory_key("a" * 64, "gradients", GPU, "fp32", 224, 224)
    remember(key, 7, GPU)
    assert remembered(key, GPU) == 0
