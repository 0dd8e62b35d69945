"""Image towers that were tuned against attacks and published alone: TeCoA's container, APT's backbones, and the bare ones of FARE (chs20).

They belong to a model whose text tower, tokenizer and preprocessing they share; which, the file does not say.
"""

from __future__ import annotations

from torch import Tensor

from capt_engine.errors import BadCheckpoint
from capt_engine.formatting import percent
from capt_engine.model.clip import Backbone
from capt_engine.model.importers.base import State
from capt_engine.model.importers.reading import Contents

TECOA_GROUP = "vision_encoder_state_dict"
# The dictionaries of TeCoA's visual prompts.
_PROMPTERS = ("state_dict", "add_prompter", "prompter")
# Places for the tokens of TeCoA's visual prompts, which the plain tower does not have.
_PROMPTED = ("prompt_pos_embedding",)
# The names of modules that a tower's tensors may all stand below, and the beginnings of names of a text tower's.
_MODULES, _TEXT = ("", "visual.", "model.", "model.visual."), ("text", "token_embedding", "visual.text", "model.text")
# Adversarial fine-tuning moves weights by a few per cent; two CLIPs trained apart are as far from each other as from nothing.
_FAR = 0.7


def tower(contents: Contents) -> tuple[str, dict[str, Tensor]] | None:
    """Return the kind and the tensors of the image tower that a file holds without a text tower; None for another file.

    The kind is "tecoa" for a file that keeps the tower in TeCoA's container, "fare" for a bare tower.
    """
    if TECOA_GROUP in contents.groups:
        return "tecoa", _plain(contents.groups[TECOA_GROUP])
    for module in _MODULES:
        alone = all(name.startswith(module) and not name.startswith(_TEXT) for name in contents.state)
        if f"{module}conv1.weight" in contents.state and alone:
            state = {name.removeprefix(module): value for name, value in contents.state.items()}
            return None if "VPT" in state else ("fare", _plain(state))
    return None


def has_prompts(contents: Contents) -> bool:
    """Return True if a file holds visual prompts, tokens or a border, beside an image tower.

    Raises BadCheckpoint where it holds something else that may be learned, which the tower alone would be without.
    """
    if TECOA_GROUP not in contents.groups:
        if contents.beside:
            raise _beside(contents.beside)
        return False
    found = False
    for group, tensors in contents.groups.items():
        for name, value in tensors.items():
            if group == TECOA_GROUP or not value.is_floating_point() or value.numel() <= 1:
                continue
            if group not in _PROMPTERS:
                raise _beside(f"{group}/{name}" if group else name)
            found = True
    return found


def _beside(tensor: str) -> BadCheckpoint:
    return BadCheckpoint(
        f"The file holds {tensor[:80]!r} beside the image tower: which of them is wanted cannot be seen.",
        "Save the tower's own state dict alone.",
    )


def _plain(state: State) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if name not in _PROMPTED}


def fitted(state: State, base: Backbone) -> dict[str, Tensor]:
    """Check that an image tower has the tensors and shapes of another model's image tower.

    Args:
        state: the tower's tensors by open_clip's names.
        base: the model that it was tuned from.

    Returns:
        The same tensors.

    Raises:
        BadCheckpoint: names or shapes are not those of the base's image tower.
    """
    wanted = base.clip.visual.state_dict()
    for name in sorted(wanted.keys() ^ state.keys()):
        verb, whose = ("lacks", "has") if name in wanted else ("holds", "lacks")
        raise BadCheckpoint(
            f"The image tower {verb} {name!r}, which {base.id!r} {whose}.",
            "Name with --base the model that it was tuned from.",
        )
    for name, value in wanted.items():
        if state[name].shape != value.shape:
            raise BadCheckpoint(
                f"The image tower has {name!r} as {tuple(state[name].shape)}; {base.id!r} has {tuple(value.shape)}.",
                "Name with --base the model that it was tuned from.",
            )
    return dict(state)


def remark(state: State, base: Backbone) -> str:
    """Return a warning where an image tower was probably tuned from another model than the one named.

    Args:
        state: the tower's tensors by open_clip's names.
        base: the model that it is said to be tuned from.

    Returns:
        A sentence where the weights are as far from the base's as another model's would be; "" where they are near.
    """
    own = base.clip.visual.state_dict()
    distances = {
        name: float((state[name].float() - own[name].cpu().float()).norm() / own[name].float().norm().clamp(min=1e-12))
        for name in ("conv1.weight", "positional_embedding", "proj")
        if name in own
    }
    if not distances or min(distances.values()) < _FAR:
        return ""
    return (
        f"The tower is far from {base.id!r}'s own (by {percent(min(distances.values()))} of its length): "
        "it was probably tuned from another model, for instance one trained on LAION instead of OpenAI's."
    )
