"""Pictures are read by threads one batch ahead, and come as they did one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from capt_engine.data.images import Photo
from capt_engine.errors import BadImage
from capt_engine.evaluation import picture_reader
from capt_engine.evaluation.batch_limit import BatchLimit
from capt_engine.evaluation.course import Input
from capt_engine.evaluation.picture_reader import read
from capt_engine.evaluation.plan import Plan, Variant, plan_analysis
from capt_engine.model.classifier import Classifier
from capt_engine.records import AnalyzeRequest, RunOptions, ThreatModel
from capt_engine.viewing import view

N = 13


class Files:
    """Picture files that are pretended, the earlier ones slower to read, and one of them bad. names: those that were read so far."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pixels(self, classifier: Classifier, path: str, data: bytes | None = None) -> tuple[Photo, torch.Tensor]:
        """In the place of `pixels_for`."""
        del classifier, data
        self.names.append(path)
        time.sleep(0.002 * (N - int(path)))
        if path == "5":
            raise BadImage("It is bad.", "Take another.")
        return Photo(path, path, 1, 1, None), torch.full((3, 24, 24), float(path))  # type: ignore[arg-type]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Files that are read in the place of true ones."""
    files = Files()
    monkeypatch.setattr(picture_reader, "pixels_for", files.pixels)
    return files


def plan_of(tiny_classifier: Classifier, perturb: str = "input", batch: int = 0) -> Plan:
    """A plan without attacks."""
    options = RunOptions(model="tiny", threat=ThreatModel(perturb=perturb), batch_size=batch)
    request = AnalyzeRequest(("x",), attack=None, options=options)
    return plan_analysis(request, [Variant("none", tiny_classifier)], tiny_classifier)


def begun(plan: Plan, reading: Callable[[], None] = lambda: None) -> Any:
    """A reading of all files."""
    return read(plan, [(str(i), i, None) for i in range(N)], reading, None, BatchLimit(plan))


def settled(files: Files, n: int) -> list[str]:
    """The names of the files read, after some time in which there may be more than `n`."""
    for _ in range(200):
        if len(files.names) >= n:
            break
        time.sleep(0.005)
    time.sleep(0.03)
    return sorted(files.names, key=int)


def test_order_is_kept_and_a_bad_picture_is_a_sentence(files: Files, tiny_classifier: Classifier) -> None:
    """Whatever is read first; one picture, then two, then four at a time."""
    batches = list(begun(plan_of(tiny_classifier)))
    assert [[one.label for one in found] for found, _ in batches] == [[0], [1, 2], [3, 4, 6], [*range(7, 13)]]
    assert [[(one.path, one.message) for one in failed] for _, failed in batches] == [[], [], [("5", "It is bad.")], []]
    assert all(
        isinstance(one, Input) and float(one.seen[0, 0, 0]) == one.label for found, _ in batches for one in found
    )
    assert sorted(files.names, key=int) == [str(i) for i in range(N)]


def test_one_batch_is_read_ahead_and_no_more(files: Files, tiny_classifier: Classifier) -> None:
    """While the first picture is worked on, the next two come; pictures of their own sizes are not read ahead."""
    batches = begun(plan_of(tiny_classifier))
    next(batches)
    assert settled(files, 3) == ["0", "1", "2"]
    next(batches)
    assert settled(files, 7) == [str(i) for i in range(7)]
    batches.close()
    files.names.clear()
    batches = begun(plan_of(tiny_classifier, "original"))
    next(batches)
    assert settled(files, 1) == ["0"]


def test_reading_can_be_stopped(files: Files, tiny_classifier: Classifier) -> None:
    """At any picture; what was not begun is not read."""

    def stopping() -> None:
        if "3" in files.names:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(begun(plan_of(tiny_classifier, batch=3), stopping))
    assert len(settled(files, 0)) < N


def test_pictures_are_the_same_as_read_one_by_one(tmp_path: Path, tiny_classifier: Classifier) -> None:
    """Bit for bit, from files that have to be scaled."""
    import numpy as np
    from PIL import Image

    drawn = np.random.default_rng(0)
    paths = []
    for i in range(6):
        paths.append(str(tmp_path / f"{i}.jpg"))
        Image.fromarray(drawn.integers(0, 256, (90 + i, 120, 3), dtype=np.uint8)).save(paths[-1])
    plan = plan_of(tiny_classifier)
    subjects = [(path, None, None) for path in paths]
    found = [one for batch, _ in read(plan, subjects, lambda: None, None, BatchLimit(plan)) for one in batch]
    for one, path in zip(found, paths, strict=True):
        photo, seen = view(path, tiny_classifier.backbone)
        assert isinstance(one, Input)
        assert one.photo.sha256 == photo.sha256
        assert torch.equal(one.seen, seen)
