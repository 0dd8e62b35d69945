"""Several settings of one attack in a run, and the table of corruptions: what is counted, what it costs, and what it does not claim."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from capt_engine.attacks.corruptions import CORRUPTIONS, corruption_specs
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Variant, plan_evaluation
from capt_engine.model.classifier import Classifier, Output
from capt_engine.progress import no_progress
from capt_engine.records import SUITES, AnalyzeResult, AttackSpec, EvaluateRequest, PictureRow, RunOptions, ThreatModel
from tests.engine.settings import changed

FOG = tuple(AttackSpec("corruption", (("kind", "fog"), ("severity", severity))) for severity in (1, 5))


class Asked(Classifier):
    """A classifier that counts the pictures it is asked about."""

    seen = 0

    def forward(self, images: Tensor) -> Output:
        """As ever, counted."""
        type(self).seen += len(images)
        return super().forward(images)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """Three pictures of noise, labelled 0 and 1 in turn."""
    stream = np.random.default_rng(1)
    found = []
    for i in range(3):
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        found.append(Item(str(tmp_path / f"{i}.png"), i % 2))
    return found


def evaluated(model: Classifier, items: list[Item], **more: Any) -> tuple[AnalyzeResult, list[PictureRow]]:
    """The result of an evaluation, and its rows."""
    rows: list[Any] = []
    request = changed(EvaluateRequest("somewhere"), checks="off", **{"attacks": (), **more})
    work = plan_evaluation(request, [Variant("a", model)], model, "folder")
    return evaluate(work, items, rows.extend, no_progress), rows


def test_the_suites_are_the_table_of_corruptions() -> None:
    """Every kind there is at every severity, in the table's order; the shorter suite without those held out."""
    suites = {one.name: one.of("linf") for one in SUITES if not one.adversarial}
    assert suites == {
        "corruptions": corruption_specs(),
        "corruptions-extra": corruption_specs(held_out=True),
    }
    assert len(suites["corruptions-extra"]) == 5 * len(CORRUPTIONS.names()) == 95


def test_every_cell_has_a_row_a_picture_and_one_forward_pass(items: list[Item], tiny_classifier: Classifier) -> None:
    """Seventy-five rows and seventy-six passes a picture; cells and means are those of the rows; nobody is said to have attacked."""
    Asked.seen = 0
    model = Asked(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    result, rows = evaluated(model, items, suite="corruptions", skip_broken=True)
    assert len(rows) == 75 * 3
    assert Asked.seen == 76 * 3
    (table,) = result.corruptions
    kept = Counter(row.attacked_by for row in rows if row.attacked and row.classes[row.attacked.winner] == row.label)
    assert {f"corruption[kind={one.kind},severity={one.severity}]": one.kept for one in table.cells if one.kept} == kept
    assert {one.n for one in table.cells} == {3}
    assert table.mean.accuracy == pytest.approx(sum(kept.values()) / (75 * 3))
    assert [one.kind for one in table.kinds] == [one.name for one in CORRUPTIONS if not one.held_out]
    assert (result.robust_accuracy, result.attacks, result.curve) == (None, (), ())
    assert result.clean_accuracy is not None
    assert not any(row.skipped for row in rows)
    assert {row.threat.knowledge for row in rows} == {"no search"}
    assert result.threat_model.budget == "75 corruptions, each at its own severity"


def test_few_pictures_have_no_interval(items: list[Item], tiny_classifier: Classifier) -> None:
    """Three pictures, drawn again and again, say nothing of others."""
    result, _ = evaluated(tiny_classifier, items, attacks=FOG)
    assert {(one.low, one.high) for one in (*result.corruptions[0].kinds, result.corruptions[0].mean)} == {(None, None)}


def test_settings_choose_among_the_corruptions(items: list[Item], tiny_classifier: Classifier) -> None:
    """One severity of every kind, or one kind at every severity; one that there is not is refused."""
    result, rows = evaluated(tiny_classifier, items, suite="corruptions", shared_values=(("severity", 5),))
    assert {one.severity for one in result.corruptions[0].cells} == {5}
    assert len(rows) == 15 * 3
    with pytest.raises(BadRequest, match="severity=9"):
        evaluated(tiny_classifier, items, suite="corruptions", shared_values=(("severity", 9),))


@pytest.mark.parametrize("k", [2, 1000])
def test_any_number_of_classes(k: int, items: list[Item], tiny_classifier: Classifier) -> None:
    """Two classes or a thousand, all kinds with those held out."""
    model = Classifier(tiny_classifier.backbone, [f"thing {i}" for i in range(k)], "a photo of {}.")
    result, rows = evaluated(model, items[:1], suite="corruptions-extra", shared_values=(("severity", 3),))
    assert len(rows) == 19
    assert len(result.corruptions[0].kinds) == 19


def test_two_sets_of_prompts_see_the_same_corruptions(items: list[Item], tiny_classifier: Classifier) -> None:
    """The same model twice answers the same in every cell; each has a table of its own."""
    other = Classifier(tiny_classifier.backbone, tiny_classifier.classes, tiny_classifier.template)
    rows: list[Any] = []
    request = EvaluateRequest("somewhere", attacks=FOG, checks="off", options=RunOptions(compare="b", aim="a"))
    work = plan_evaluation(request, [Variant("a", tiny_classifier), Variant("b", other)], other, "folder")
    result = evaluate(work, items, rows.extend, no_progress)
    first, second = result.corruptions
    assert (first.prompts, second.prompts) == ("a", "b")
    assert first == replace(second, prompts="a")
    assert {(row.aimed_at, row.prompt_id) for row in rows} == {("a", "a"), ("b", "b")}


def test_one_attack_with_several_settings(items: list[Item], tiny_classifier: Classifier) -> None:
    """Side by side, each by its name and settings; later ones see what is left; the same thing twice is refused."""
    some = (
        AttackSpec("pgd", (("steps", 1),)),
        AttackSpec("pgd", (("steps", 3), ("stop_early", True))),
        AttackSpec("fgsm"),
    )
    _, clean = evaluated(tiny_classifier, items)
    items = [Item(row.path, row.clean.winner) for row in clean]
    result, rows = evaluated(
        tiny_classifier, items, attacks=some, skip_broken=True, threat=ThreatModel(eps=0.5), shared_values=()
    )
    names = ["pgd[steps=1]", "pgd[steps=3,stop_early=true]", "fgsm"]
    assert [one.name for one in result.attacks] == names
    assert [row.attacked_by for row in rows] == names * 3
    assert {row.attack.name for row in rows if row.attack} == {"pgd", "fgsm"}
    assert {row.skipped for row in rows} <= {"", "wrong before", *(f"broken by {name}" for name in names)}
    assert any("[" in row.skipped for row in rows)
    with pytest.raises(BadRequest, match="named twice"):
        evaluated(tiny_classifier, items, attacks=(some[0], some[0]))


def test_a_suite_beside_another_setting_of_its_attack() -> None:
    """PGD once more with more steps is another attack; named again without any settings it is the same."""
    more = EvaluateRequest("d", suite="quick", attacks=(AttackSpec("pgd", (("steps", 50),)),))
    assert more.labels == ("fgsm", "pgd[steps=10,stop_early=true]", "pgd[steps=50]")
    assert EvaluateRequest("d", suite="quick").labels == ("fgsm", "pgd")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"attacks": (*FOG, AttackSpec("patch"))}, "no figure together"),
        ({"attacks": FOG, "matrix": ("a", "b")}, "no matrix"),
        ({"attacks": (*FOG, AttackSpec("corruption", (("kind", "snow"),)))}, "no kind or no severity"),
        ({"attacks": FOG, "curve": (0.01, 0.02)}, "no curve"),
    ],
)
def test_what_has_no_place_in_the_table(
    more: dict[str, Any], said: str, items: list[Item], tiny_classifier: Classifier
) -> None:
    """Attacks, matrices and curves are refused before any picture is read."""
    with pytest.raises(BadRequest, match=said):
        evaluated(tiny_classifier, items, **more)
