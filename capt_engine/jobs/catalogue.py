"""Everything that a user can choose from, as plain records, drawn from the tables so that nothing is listed twice."""

from __future__ import annotations

from dataclasses import replace

from capt_engine.attacks import ATTACKS, attack_info
from capt_engine.attacks.base import NORMS
from capt_engine.data.class_lists import EVERYDAY, IMAGENET, names_of
from capt_engine.demo.world import TASKS
from capt_engine.metrics import METRICS
from capt_engine.model.store import catalog, lpips_store
from capt_engine.model.store.prompt_store import entries
from capt_engine.model.text import DEFAULT_TEMPLATE
from capt_engine.records import PHOTOGRAPHS, TOY_WORLD, Catalogue, ClassList, ModelInfo
from capt_engine.tuning import presets
from capt_engine.tuning.defaults import of_demo

DEMO = ModelInfo(
    id="demo",
    label="Demo CLIP (toy world)",
    summary="A tiny CLIP that ships with the app and works offline.",
    classes=TASKS["shapes"].classes,
    template=TASKS["shapes"].template,
    warning="Demo model: knows only the toy world. Good for learning the tool, not for conclusions about your pictures.",
    eps=1 / 255,
    tuning=tuple(of_demo("demo").items()),
    knows=TOY_WORLD,
)
DEMO_ROBUST = replace(
    DEMO,
    id="demo-robust",
    label="Demo CLIP, robust (toy world)",
    summary="The demo with an image tower tuned on attacked pictures (TeCoA-style): it gives way later.",
    eps=4 / 255,
    tuning=tuple(of_demo("demo-robust").items()),
)
PHOTO = ModelInfo(
    id="photo",
    label="Photo CLIP (ImageNet words)",
    summary="A small CLIP that ships with the app, works offline, and knows photographs of what ImageNet's 1,000 classes name.",
    classes=names_of(EVERYDAY),
    template=DEFAULT_TEMPLATE,
    eps=1 / 255,
    knows=PHOTOGRAPHS,
)
PHOTO_ROBUST = replace(
    PHOTO,
    id="photo-robust",
    label="Photo CLIP, robust (ImageNet words)",
    summary="The photograph model with an image tower tuned on attacked pictures: it gives way later, and knows clean ones less well.",
)
_BUNDLED = (PHOTO, PHOTO_ROBUST, DEMO, DEMO_ROBUST)


def catalogue() -> Catalogue:
    """Return all that can be chosen: attacks, norms, metrics, models, prompts, tuning methods, presets, LPIPS.

    Models and prompts are those that come with the program and those that the user has installed or tuned.
    """
    return Catalogue(
        attacks=tuple(attack_info(attack) for attack in ATTACKS),
        norms=tuple(norm.info for norm in NORMS),
        metrics=tuple(metric.info for metric in METRICS),
        models=(*_BUNDLED, *_installed()),
        prompts=tuple(info for entry in entries() if (info := entry.info) is not None),
        methods=presets.methods(),
        presets=tuple(presets.PRESETS),
        tuning=presets.settings(),
        lpips=lpips_store.names(),
        class_lists=class_lists(),
    )


def class_lists() -> tuple[ClassList, ...]:
    """Return the lists of class names that ship: the everyday words, which suit most photographs, then ImageNet's classes."""
    everyday, imagenet = names_of(EVERYDAY), names_of(IMAGENET)
    return (
        ClassList(
            EVERYDAY,
            "Everyday words",
            "Broad words such as dog, car or fruit: a good question about most photographs.",
            f"{len(everyday):,} everyday words",
            everyday,
        ),
        ClassList(
            IMAGENET,
            "ImageNet",
            "The classes of ImageNet, down to breeds of dogs and makes of boats: a hard question.",
            f"ImageNet's {len(imagenet):,} names",
            imagenet,
        ),
    )


def _installed() -> tuple[ModelInfo, ...]:
    """The models in the user's own folder: those of the curated list in its order, then the others by name."""
    listed = catalog.listed()
    classes = names_of(EVERYDAY)
    here = tuple(
        ModelInfo(one.id, one.label, one.purpose, classes, DEFAULT_TEMPLATE)
        for one in listed.offered
        if one.state == "installed"
    )
    return here + tuple(
        ModelInfo(name, name, "Installed from a folder or file of yours.", classes, DEFAULT_TEMPLATE)
        for name in listed.others
    )


def suggestion(model: str) -> tuple[tuple[str, ...], str]:
    """Return the class names and the template to use with the model of the id `model` when the user has given none.

    For a model that does not come with the program, these are the everyday words and the default template.
    """
    bundled = {one.id: (one.classes, one.template) for one in _BUNDLED}
    return bundled.get(model) or (names_of(EVERYDAY), DEFAULT_TEMPLATE)
