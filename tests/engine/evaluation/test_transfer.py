"""Attacks computed on another model and shown to this one: who was attacked is said, sizes differ, and nonsense is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from capt_engine.checks.table import TOO_FEW
from capt_engine.data.labelled_set import Item
from capt_engine.errors import BadRequest
from capt_engine.evaluation.analysis import evaluate
from capt_engine.evaluation.plan import Plan, Variant, plan_evaluation
from capt_engine.model.classifier import Classifier
from capt_engine.model.clip import load_backbone, open_clip
from capt_engine.progress import no_progress
from capt_engine.records import SUITES, AnalyzeResult, AttackSpec, EvaluateRequest, PictureRow, ThreatModel
from tests.conftest import TINY_CLASSES, TINY_CONFIG
from tests.engine.settings import changed

PGD = AttackSpec("pgd", (("steps", 5),))
THREAT = ThreatModel(eps=8 / 255)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Another untrained CLIP, which looks at pictures of 32 pixels instead of 24."""
    folder = tmp_path_factory.mktemp("larger")
    model = {**TINY_CONFIG["model_cfg"], "vision_cfg": {**TINY_CONFIG["model_cfg"]["vision_cfg"], "image_size": 32}}
    (folder / "open_clip_config.json").write_text(json.dumps({**TINY_CONFIG, "model_cfg": model}), encoding="utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(7)
        weights = open_clip.CLIP(**model).state_dict()
    weights["logit_scale"] = torch.tensor(100.0).log()
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "open_clip_model.safetensors")
    return Classifier(load_backbone(f"local-dir:{folder}", torch.device("cpu")), TINY_CLASSES, "a photo of {}.")


@pytest.fixture
def items(tmp_path: Path, tiny_classifier: Classifier) -> list[Item]:
    """Eight pictures of noise with the tiny CLIP's own answers as labels."""
    stream = np.random.default_rng(1)
    found = []
    for i in range(8):
        path = tmp_path / f"{i}.png"
        Image.fromarray(stream.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path)
        with torch.no_grad():
            answer = tiny_classifier(tiny_classifier.backbone.view(Image.open(path))[None]).argmax()
        found.append(Item(str(path), int(answer)))
    return found


def planned(model: Classifier, source: Classifier | None, **values: Any) -> Plan:
    """A plan with the attack computed on `source`."""
    asked = {"attacks": (PGD,), "threat": THREAT, "source_model": "other" if source else "", **values}
    request = changed(EvaluateRequest("d"), with_pictures=True, **asked)
    return plan_evaluation(request, [Variant("none", model)], model, "folder", source=source)


def evaluated(work: Plan, items: list[Item]) -> tuple[AnalyzeResult, list[PictureRow]]:
    """A result and its rows."""
    rows: list[Any] = []
    return evaluate(work, items, rows.extend, no_progress), rows


def test_a_transfer_says_so_and_does_less(tiny_classifier: Classifier, larger: Classifier, items: list[Item]) -> None:
    """Rows and summary name the other model; the pictures have this model's size and keep to ε; less breaks than white-box."""
    result, rows = evaluated(planned(tiny_classifier, larger), items)
    own, _ = evaluated(planned(tiny_classifier, None), items)
    assert result.threat_model.knowledge == "transfer from other"
    assert own.threat_model.knowledge == "white-box"
    for row in rows:
        assert row.aimed_at == "model:other"
        assert row.prompt_id == "none"
        assert row.threat.knowledge == "transfer from other"
        assert row.pictures is not None
        assert (row.pictures.adversarial.width, row.pictures.adversarial.height) == (24, 24)
        assert 0 < dict(row.metrics)["linf"] <= 8 / 255 + 1e-6
    assert result.robust_accuracy is not None
    assert own.robust_accuracy is not None
    assert result.robust_accuracy > own.robust_accuracy
    assert "budget-kept" in {one.name for one in result.checks if one.status == "pass"}


def test_from_itself_it_is_the_adaptive_attack(tiny_classifier: Classifier, items: list[Item]) -> None:
    """Computed on a model with the same weights, the pictures are the very same."""
    _, rows = evaluated(planned(tiny_classifier, tiny_classifier), items)
    _, own = evaluated(planned(tiny_classifier, None), items)
    assert [row.attacked for row in rows] == [row.attacked for row in own]
    assert [row.pictures for row in rows] == [row.pictures for row in own]


@pytest.mark.parametrize("values", [{"perturb": "original"}, {"rounding": "8-bit"}])
def test_it_goes_with_every_kind_of_pixel(
    values: dict[str, str], tiny_classifier: Classifier, larger: Classifier, items: list[Item]
) -> None:
    """On the pictures' own pixels, and on those of 8 bits."""
    _, rows = evaluated(planned(tiny_classifier, larger, threat=ThreatModel(eps=8 / 255, **values)), items)
    assert {row.aimed_at for row in rows} == {"model:other"}


def test_a_suite_is_carried_over_as_a_whole(tiny_classifier: Classifier, larger: Classifier, items: list[Item]) -> None:
    """Later attacks are computed on the other model only for what this one still has right."""
    brief = (("steps", 2), ("queries", 4), ("targets", 2))
    work = planned(tiny_classifier, larger, attacks=(), suite="standard", shared_values=brief, skip_broken=True)
    result, rows = evaluated(work, items)
    assert len(rows) == 3 * len(items)
    broken = {row.path for row in rows if row.success}
    assert sum(bool(row.skipped) for row in rows) >= len(broken) - 1
    assert result.robust_accuracy == 1 - len(broken) / len(items)


def test_checks_try_transfer_from_the_other_model(
    tiny_classifier: Classifier, larger: Classifier, items: list[Item]
) -> None:
    """Plain CLIP has no tuned twin to carry an attack over from; here it has."""
    work = planned(tiny_classifier, larger, attacks=(AttackSpec("pgd", (("steps", 2),)),), checks="full")
    checks = {one.name: one for one in evaluated(work, items)[0].checks}
    # Eight pictures are too few for a share, but they were tried.
    assert checks["transfer-weaker"].shown == TOO_FEW
    assert "transfer broke 0, the attack on itself" in checks["transfer-weaker"].message
    without = planned(tiny_classifier, None, attacks=(AttackSpec("pgd", (("steps", 2),)),), checks="full")
    alone = {one.name: one for one in evaluated(without, items)[0].checks}["transfer-weaker"]
    assert (alone.status, "is not a tuned one" in alone.message) == ("not_run", True)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"aim": "b"}, "one of the prompts"),
        ({"matrix": ("none", "x")}, "one of the prompts"),
        ({"minimal_eps": 0.1}, "smallest"),
        ({"attacks": (), "suite": next(one.name for one in SUITES if not one.adversarial)}, "no model"),
    ],
)
def test_what_makes_no_sense_beside_it_is_refused(
    values: dict[str, Any], told: str, tiny_classifier: Classifier, larger: Classifier
) -> None:
    """With a sentence that says which of the two to leave away."""
    with pytest.raises(BadRequest, match=told):
        planned(tiny_classifier, larger, **values)


def test_a_model_of_the_same_size_needs_no_resizing_inside(
    tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one whose preprocessing could not be put inside is taken all the same, as long as nobody asks for whole pictures."""
    visual = tiny_classifier.backbone.clip.visual
    monkeypatch.setattr(visual, "preprocess_cfg", {**visual.preprocess_cfg, "resize_mode": "longest"})
    work = planned(tiny_classifier, tiny_classifier)
    assert work.source is not None
    assert work.source.classifier is tiny_classifier
    with pytest.raises(BadRequest, match="longest"):
        planned(tiny_classifier, tiny_classifier, threat=ThreatModel(eps=8 / 255, perturb="original"))
