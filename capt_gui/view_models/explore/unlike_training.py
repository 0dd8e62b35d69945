"""A picture that the model cannot know, put into words, and the models that may know it."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.formatting import exact_percent
from capt_engine.records import OOD_FALSE_ALARM, PHOTOGRAPHS, TOY_WORLD, Catalogue, PictureRow
from capt_gui.translate import tr


@dataclass(frozen=True)
class Help:
    """A way out, as the text of a button. model: the id of the model that it chooses, "" for the page where models are downloaded."""

    text: str
    model: str = ""


def headline() -> str:
    """Return the sentence about a picture that is out of the model's distribution."""
    return tr("This model has never seen anything like this picture.")


def answer(line: str) -> str:
    """Return the model's answer, `line`, as something that means nothing."""
    return tr("Its answer means nothing: {}").format(line)


def evidence() -> str:
    """Return a sentence on what such a judgement rests on, and how often it errs."""
    text = tr("Judged by its features. About {} of the pictures it knows get this too.")
    return text.format(exact_percent(OOD_FALSE_ALARM))


def helps(row: PictureRow, catalogue: Catalogue) -> tuple[Help, ...]:
    """Return what may help with the picture of `row`, the likeliest first: a bundled model that knows another world, a real CLIP.

    A real CLIP that is in the catalogue is offered in place of the download of one.
    """
    knows = next((one.knows for one in catalogue.models if one.id == row.model_id), "")
    first = {one.knows: one for one in reversed(catalogue.models)}
    texts = {PHOTOGRAPHS: tr("Use the photograph model"), TOY_WORLD: tr("Try the toy world")}
    found = [Help(text, first[world].id) for world, text in texts.items() if world in first and world != knows]
    real = first.get("")
    any_clip = Help(tr("Download a real CLIP")) if real is None else Help(tr("Use {}").format(real.label), real.id)
    return (*found, any_clip)
