"""All the families of published prompts that can be imported, and how a file is recognised as one of them."""

from __future__ import annotations

from capt_engine.errors import BadCheckpoint
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


def sniffed(contents: Contents, name: str) -> Family:
    """Return the family of prompts (such as CoOp's or MaPLe's) that a file's contents belong to.

    name: the file's name, for messages. Raises BadCheckpoint for anything else, and says what that is where it is
    known.
    """
    for family in IMPORTERS:
        if family.fits(contents.state):
            return family
    if "vision_encoder_state_dict" in contents.groups or "conv1.weight" in contents.state:
        raise BadCheckpoint(f"{name!r} holds an image tower, not prompts.", "Import it with `capt models import`.")
    if {"visual.conv1.weight", "token_embedding.weight"} <= contents.state.keys():
        raise BadCheckpoint(f"{name!r} holds a whole CLIP, not prompts.", "Import it with `capt models import`.")
    shown = ", ".join(repr(one[:60]) for one in sorted(contents.state)[:5])
    raise BadCheckpoint(
        f"{name!r} is of no known family of prompts; it holds {len(contents.state)} tensors: {shown} …",
        f"Known: {'; '.join(family.label for family in IMPORTERS)}.",
    )
