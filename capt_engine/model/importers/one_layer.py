"""MaPLe's and FAP's prompts of one layer: the same tensors and the same equations, in two sentences.

MaPLe writes "a photo of a cat."; FAP leaves the braces of the data set's template in, "a photo of a {}. cat.". With the words that the file
keeps it can be seen which it is; without them somebody has to say so, because the wrong sentence gives other logits and no error.
"""

from __future__ import annotations

from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import WORDS_OF_PHOTO, State, learner, needed
from capt_engine.model.importers.suffix_texts import suffix_texts


def has_one_layer(state: State) -> bool:
    """Recognise prompts of one layer that are mapped to vision.

    Args:
        state: the tensors of a file by name.

    Returns:
        True for those of MaPLe or FAP, which look the same.
    """
    own = learner(state)
    return {"ctx", "proj.weight"} <= own.keys() and not any(name.startswith("compound_prompts_") for name in own)


def method_of(state: State, backbone: Backbone) -> str:
    """Tell MaPLe's prompts of one layer from FAP's by the words behind them.

    Args:
        state: the tensors of a file by name.
        backbone: the model that they are for.

    Returns:
        "maple" or "fap"; "" where nothing tells, because the file does not hold this model's words.
    """
    own = learner(state)
    if len(needed(own, "ctx")) > WORDS_OF_PHOTO:
        return "maple"  # both write the class name behind placeholders, and nothing else
    found = suffix_texts(own.get("token_suffix"), backbone)
    if found is None:
        return ""
    return "fap" if all("{" in text for text in found.texts) else "maple"


def is_open(state: State, backbone: Backbone) -> bool:
    """Return True where prompts of one layer are MaPLe's or FAP's and the file does not tell which.

    Args:
        state: the tensors of a file by name.
        backbone: the model that they are for.

    Returns:
        False for prompts of another kind, and where the words in the file tell.
    """
    return has_one_layer(state) and not method_of(state, backbone)
