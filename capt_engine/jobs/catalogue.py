"""What there is to choose from, as plain records: drawn from the tables, so that nothing is listed twice."""

from __future__ import annotations

from dataclasses import replace

from capt_engine.attacks import ATTACKS, attack_info
from capt_engine.attacks.base import NORMS
from capt_engine.demo.world import TASKS
from capt_engine.metrics import METRICS
from capt_engine.model.clip import imagenet_classes
from capt_engine.model.prompt_shelf import entries
from capt_engine.model.text import DEFAULT_TEMPLATE
from capt_engine.records import Catalogue, ModelInfo

DEMO = ModelInfo(
    id="demo",
    label="Demo CLIP (toy world)",
    summary="A tiny CLIP that ships with the app and works offline.",
    classes=TASKS["shapes"].classes,
    template=TASKS["shapes"].template,
    warning="Demo model: knows only the toy world. Good for learning the tool, not for conclusions about your pictures.",
    eps=1 / 255,
)
DEMO_ROBUST = replace(
    DEMO,
    id="demo-robust",
    label="Demo CLIP, robust (toy world)",
    summary="The demo with an image tower tuned on attacked pictures (TeCoA-style): it gives way later.",
    eps=4 / 255,
)
BUNDLED = (DEMO, DEMO_ROBUST)


def catalogue() -> Catalogue:
    """Everything that ships with the engine."""
    return Catalogue(
        attacks=tuple(attack_info(attack) for attack in ATTACKS),
        norms=tuple(norm.info for norm in NORMS),
        metrics=tuple(metric.info for metric in METRICS),
        models=BUNDLED,
        prompts=tuple(info for entry in entries() if (info := entry.info) is not None),
    )


def suggestion(model: str) -> tuple[tuple[str, ...], str]:
    """The classes and the template a model is asked about when the user has not said."""
    bundled = {one.id: (one.classes, one.template) for one in BUNDLED}
    return bundled.get(model) or (imagenet_classes(), DEFAULT_TEMPLATE)
