"""A device is one that is there, or a sentence."""

from __future__ import annotations

import pytest
import torch

from capt_engine.errors import DeviceProblem
from capt_engine.model.devices import describe_device, is_out_of_memory, pick_device


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any accelerator."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("bare")
def test_a_bare_machine_computes_on_its_processor() -> None:
    """Auto finds the CPU, and the CPU can be asked for."""
    assert pick_device("auto").type == pick_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "xpu", "tpu", "cuda:", "cuda:x", "cpu:0", ""])
@pytest.mark.usefixtures("bare")
def test_what_is_not_there_is_refused(name: str) -> None:
    """Nobody computes elsewhere in silence than where the user said."""
    with pytest.raises(DeviceProblem) as caught:
        pick_device(name)
    assert caught.value.hint.endswith(".")


def test_auto_prefers_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Apple's GPU before the processor."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == pick_device("mps").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"


def test_one_of_several_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from 0; the sentence says how many there are."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(DeviceProblem, match="has 2, counted from 0"):
        pick_device("cuda:2")


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB, other allocations: 1 GB)"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_every_device_runs_out_of_memory_in_its_own_words(error: Exception, *, is_memory: bool) -> None:
    """CUDA and XPU have a type for it; MPS and the processor raise what any mistake raises."""
    assert is_out_of_memory(error) == is_memory


def test_the_processor_describes_itself() -> None:
    """Its threads are counted in words."""
    info = describe_device(torch.device("cpu"))
    assert (info.name, info.memory_bytes) == ("cpu", None)
    assert info.label.startswith(f"CPU, {torch.get_num_threads()} thread")
