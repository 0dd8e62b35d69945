"""An analysis in a notebook's hands: without the door, with whatever classifier and tick one has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from capt_engine.errors import DeviceProblem
from capt_engine.evaluation.analysis import analyze
from capt_engine.evaluation.plan import Plan, Variant, plan_analysis
from capt_engine.metrics.alpha import AlphaRule
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import no_progress
from capt_engine.records import AnalyzeRequest, AttackSpec, ThreatModel
from capt_engine.runs.table import cells
from tests.engine.settings import changed


@pytest.fixture
def request_of_six(tmp_path: Path) -> AnalyzeRequest:
    """Six pictures and a brief attack on them."""
    stream = np.random.default_rng(1)
    for number in range(6):
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    return AnalyzeRequest((str(tmp_path),), attack=AttackSpec("pgd", (("steps", 2),)))


def plan_of(request: AnalyzeRequest, classifier: Classifier, frozen: Classifier | None = None) -> Plan:
    """The plan of a request for one model."""
    return plan_analysis(request, [Variant("none", classifier)], frozen or classifier)


def rows_of(request: AnalyzeRequest, classifier: Classifier, frozen: Classifier | None = None) -> list[Any]:
    """All rows of an analysis, without their times."""
    rows: list[Any] = []

    def emit(some: Sequence[Any]) -> None:
        rows.extend(replace(row, time_s=0.0) for row in some)

    analyze(plan_of(request, classifier, frozen), request.paths, emit, no_progress)
    return rows


def test_rows_leave_as_they_become_ready(request_of_six: AnalyzeRequest, tiny_classifier: Classifier) -> None:
    """Left to itself the engine begins with one picture, so that the first row comes soon, and doubles."""
    batches: list[int] = []
    work = plan_of(request_of_six, tiny_classifier)
    analyze(work, request_of_six.paths, lambda some: batches.append(len(some)), no_progress)
    assert batches == [1, 2, 3]


def test_work_is_counted_in_units(request_of_six: AnalyzeRequest, tiny_classifier: Classifier) -> None:
    """Every tick lies between nothing and all of six pictures' units, in order, batch after batch."""
    work = plan_of(request_of_six, tiny_classifier)
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int, note: str = "") -> None:
        del note
        told.append((done, total))

    analyze(work, request_of_six.paths, lambda _: None, progress)
    counted = [done for done, total in told if total]
    assert {total for _, total in told} == {0, 6 * work.units}
    assert counted == sorted(counted)
    assert counted[0] == 0
    assert 3 * work.units < counted[-1] < 6 * work.units


def test_the_frozen_model_is_asked_about_the_clean_picture(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier
) -> None:
    """Its metrics compare the attacked answer with the zero-shot one; against itself they equal the plain ones."""
    other = Classifier(tiny_classifier.backbone, tiny_classifier.classes, "a bad drawing of {}.")
    for same, mixed in zip(
        rows_of(request_of_six, tiny_classifier), rows_of(request_of_six, tiny_classifier, other), strict=True
    ):
        one, two = dict(same.metrics), dict(mixed.metrics)
        assert one["frozen_kl"] == one["kl"] == two["kl"]
        assert two["frozen_kl"] != two["kl"]
        assert same.clean == mixed.clean


def test_cosines_are_the_margin_without_the_logit_scale(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier
) -> None:
    """Times the scale they are the margin in logits, clean and attacked; the frozen model's answer stands in every row."""
    scale = float(tiny_classifier.backbone.clip.logit_scale.exp())
    for row in rows_of(request_of_six, tiny_classifier):
        found = dict(row.metrics)
        for state in ("clean", "attacked"):
            assert found[f"cosine_margin_{state}"] * scale == pytest.approx(found[f"margin_{state}"], abs=1e-4)
            assert abs(found[f"label_cosine_{state}"]) <= 1
        assert row.frozen == row.classes[row.clean.winner]


def test_rows_name_the_rule_of_alpha(request_of_six: AnalyzeRequest, tiny_classifier: Classifier) -> None:
    """Each set of prompts is measured by its own rule, plain text by label_prob, and every row says by which."""
    rule = AlphaRule("const", 0.25)
    variants = [Variant("tuned", tiny_classifier, alpha=rule), Variant("none", tiny_classifier)]
    rows: list[Any] = []
    analyze(plan_analysis(request_of_six, variants, tiny_classifier), request_of_six.paths, rows.extend, no_progress)
    found = {(row.prompt_id, row.alpha_rule, dict(row.metrics)["alpha"]) for row in rows}
    assert found == {("tuned", "const", 0.25), ("none", "label_prob", 0.5)}


def test_no_two_columns_hold_the_same_numbers(request_of_six: AnalyzeRequest, tiny_classifier: Classifier) -> None:
    """In the rows of a real run, of two sets of prompts, every column of numbers is its own."""
    other = Classifier(tiny_classifier.backbone, tiny_classifier.classes, "a bad drawing of {}.")
    rows: list[Any] = []
    work = plan_analysis(request_of_six, [Variant("tuned", other), Variant("none", tiny_classifier)], tiny_classifier)
    analyze(work, request_of_six.paths, rows.extend, no_progress)
    columns: dict[tuple[object, ...], list[str]] = {}
    table = [cells(row) for row in rows]
    for name in table[0]:
        values = tuple(line[name] for line in table)
        if any(isinstance(value, float) for value in values) and len(set(values)) > 2:
            columns.setdefault(values, []).append(name)
    assert len(columns) > 30
    assert [names for names in columns.values() if len(names) > 1] == []


def test_drift_is_told_of_whoever_is_not_plain_text(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier
) -> None:
    """Another sentence moves every class; the zero-shot model itself has nothing to drift from. Memory is the process's."""
    other = Classifier(tiny_classifier.backbone, tiny_classifier.classes, "a bad drawing of {}.")
    work = plan_analysis(request_of_six, [Variant("tuned", other), Variant("none", tiny_classifier)], tiny_classifier)
    result = analyze(work, request_of_six.paths, lambda _: None, no_progress)
    (drift,) = result.text_drift
    expected = 1 - (other.text * tiny_classifier.text).sum(dim=1).mean()
    assert (drift.prompts, drift.classes) == ("tuned", len(other.classes))
    assert drift.value == pytest.approx(float(expected), abs=1e-6)
    assert 0 < drift.value < 2
    assert result.memory_bytes > 2**20


class Cramped(Classifier):
    """A classifier on a device that holds only so many pictures at a time."""

    room = 2
    refused = 0

    def forward(self, images: torch.Tensor) -> Output:
        """As ever, if there is room."""
        if len(images) > self.room:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().forward(images)


def test_a_batch_too_large_for_the_memory_is_halved(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier
) -> None:
    """Nobody has to know how much fits: the rows are those of smaller batches."""
    cramped = Cramped(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    halved = rows_of(changed(request_of_six, batch_size=6), cramped)
    assert halved == rows_of(changed(request_of_six, batch_size=6), tiny_classifier)
    # Six, then three; the other three are not tried together.
    assert cramped.refused == 2


def test_a_picture_too_large_for_the_memory_is_a_sentence(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not even one fits, the device is named and another proposed."""
    monkeypatch.setattr(Cramped, "room", 0)
    cramped = Cramped(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    with pytest.raises(DeviceProblem) as caught:
        rows_of(request_of_six, cramped)
    assert "single picture" in caught.value.message
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize(("norm", "eps"), [("linf", 1.0), ("l2", 100.0), ("linf", 0.0)])
def test_the_ends_of_a_budget_may_be_asked_for(
    request_of_six: AnalyzeRequest, tiny_classifier: Classifier, norm: str, eps: float
) -> None:
    """Nothing at all and everything there is are both budgets."""
    rows = rows_of(changed(request_of_six, threat=ThreatModel(norm, eps)), tiny_classifier)
    assert len(rows) == 6
    assert max(dict(row.metrics)[norm] for row in rows) <= eps + 1e-5


def test_pictures_that_were_done_are_left_out(request_of_six: AnalyzeRequest, tiny_classifier: Classifier) -> None:
    """A stopped analysis goes on with the others alone, and ends where none is left."""
    folder = Path(request_of_six.paths[0])
    done = [str(folder / f"{number}.png") for number in (0, 2, 3)]
    work, rows = plan_of(request_of_six, tiny_classifier), list[Any]()
    assert analyze(work, request_of_six.paths, rows.extend, no_progress, done).n == 3
    assert [Path(row.path).stem for row in rows] == ["1", "4", "5"]
    all_six = [str(file) for file in folder.iterdir()]
    assert analyze(work, request_of_six.paths, rows.extend, no_progress, all_six).n == 0
