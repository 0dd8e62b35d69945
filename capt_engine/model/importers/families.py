"""All the families of published prompts that can be imported, and how a file is recognised as one of them."""

from __future__ import annotations

from capt_engine.errors import BadCheckpoint, BadRequest
from capt_engine.model.clip import Backbone
from capt_engine.model.importers import one_layer, recognised
from capt_engine.model.importers.base import Family
from capt_engine.model.importers.coop import COOP
from capt_engine.model.importers.fap import FAP
from capt_engine.model.importers.independent import IVLP, VPT
from capt_engine.model.importers.maple import MAPLE
from capt_engine.model.importers.prompter import PROMPTER
from capt_engine.model.importers.reading import Contents
from capt_engine.registry import Table

# The first that fits is the one: those with more of their own come first.
IMPORTERS: Table[Family] = Table(
    "family of prompts",
    FAP,
    MAPLE,
    IVLP,
    VPT,
    PROMPTER,
    COOP,
    plugins="capt.importers",
    fits=lambda one: (
        isinstance(one, Family) and callable(one.fits) and callable(one.learn) and isinstance(one.label, str)
    ),
)


def sniffed(contents: Contents, name: str, wanted: str, folder: str, backbone: Backbone) -> Family:
    """Return the family of prompts (such as CoOp's or MaPLe's) that a file's contents belong to.

    name: the file's name, for messages. wanted: the family that the user names, folder: the one that the file's folder
    is named after, which decides only where the file tells nothing; "" for none. backbone: the model that the prompts
    are for, whose words the file may hold. Raises UnknownName where no family has
    the wanted name, BadCheckpoint for a file of another family or of none, and says what that is where it is known,
    BadRequest where only the user can tell two families apart.
    """
    if wanted:
        family = IMPORTERS[wanted]
        if not family.fits(contents.state):
            raise BadCheckpoint(f"{name!r} does not hold prompts of {family.label}.", "Leave --family out.")
        return family
    if one_layer.has_one_layer(contents.state):
        method = one_layer.method_of(contents.state, backbone) or folder
        if not method:
            raise BadRequest(
                f"{name!r} holds prompts of one layer, which look the same in MaPLe's and FAP's files; the sentences around them differ.",
                "Say which they are with --family maple or --family fap.",
            )
        return IMPORTERS[method]
    for family in IMPORTERS:
        if family.fits(contents.state):
            return family
    if "vision_encoder_state_dict" in contents.groups or "conv1.weight" in contents.state:
        raise BadCheckpoint(f"{name!r} holds an image tower, not prompts.", "Import it with `capt models import`.")
    if {"visual.conv1.weight", "token_embedding.weight"} <= contents.state.keys():
        raise BadCheckpoint(f"{name!r} holds a whole CLIP, not prompts.", "Import it with `capt models import`.")
    known = f"Known: {'; '.join(family.label for family in IMPORTERS)}."
    raise recognised.refusal(name, contents.state, "family of prompts", known)
