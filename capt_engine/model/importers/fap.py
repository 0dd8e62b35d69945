"""FAP (Zhou et al., NeurIPS 2024) and the AdvMaPLe of its repository: layer 0 is text, mapped to vision; deeper layers the other way.

Its sentence is the data set's template with the braces left in, then the class name and a full stop, as in "a photo of a {}, a type of
pet. abyssinian."; the learned vectors take the places of its first words.
"""

from __future__ import annotations

from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import (
    BARE,
    PHOTO,
    WORDS_OF_PHOTO,
    Family,
    ImportOptions,
    Learned,
    State,
    learner,
    linear_map,
    numbered,
    photo_template,
    shared_context,
)
from capt_engine.model.importers.one_layer import has_one_layer
from capt_engine.model.importers.sentence import sentence_of
from capt_engine.model.prompts import PromptShape
from capt_engine.model.text import keeping_braces


def _fits(state: State) -> bool:
    own = learner(state)
    # Of one layer it looks like MaPLe's, and `families.sniffed` decides.
    deep = any(name.startswith("compound_prompts_image") for name in own)
    return "ctx" in own and (deep or has_one_layer(state))


def _learn(state: State, options: ImportOptions, backbone: Backbone) -> Learned:
    own = learner(state)
    ctx, deeper = shared_context(own), numbered(own, "compound_prompts_image.")
    usual = keeping_braces(PHOTO)
    because = f"The data set's template was {PHOTO!r} (ImageNet's, Caltech's, Cars' and SUN's); others are given with --template."
    if len(ctx) > WORDS_OF_PHOTO:
        usual, because = photo_template(len(ctx))
    in_braces = ImportOptions(keeping_braces(options.template) if options.template else "", options.classes)
    template, classes, said, assumed = sentence_of(own, in_braces, backbone, usual, because, length=len(ctx))
    tensors = {"context": ctx, **{f"deep_vision.{i}": value for i, value in enumerate(deeper)}}
    tensors |= linear_map(own, "proj", "to_vision.0")
    for i in range(len(deeper)):
        tensors |= linear_map(own, f"compound_prompt_projections.{i}", f"to_text.{i}")
    shape = PromptShape("vision_to_text", len(ctx), len(deeper) + 1)
    plain = template.removesuffix(" {}.").replace("{{}}", "{}")
    if plain.count("{}") != 1:  # read back from the file, where the learned vectors stand in the place of its braces
        plain = PHOTO
    rule = (
        "own" if template == BARE else "braces"
    )  # longer than four tokens they start from noise, and no template is there
    return Learned(shape, tensors, template, classes, said, assumed, sentence=rule, plain=plain)


FAP = Family("fap", "FAP or its AdvMaPLe", _fits, _learn)
