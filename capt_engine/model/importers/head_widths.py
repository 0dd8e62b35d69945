"""The width of attention heads, which the shapes of weights do not show: from the published models of the same width, or from the user.

Most CLIPs have heads 64 wide; ViT-H, g, bigG and e have 80, 88, 104 and 112. With a wrong width the same weights give other logits
without any error.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

from capt_engine.errors import BadRequest
from capt_engine.model.clip import open_clip

Tower = Literal["vision_cfg", "text_cfg"]
_USUAL = 64


@functools.cache
def published(tower: Tower) -> Mapping[int, int]:
    """Return the head width of each width of a tower that the models in open_clip's list agree on.

    tower: "vision_cfg" or "text_cfg", as their configurations call them.
    """
    found: dict[int, set[int]] = defaultdict(set)
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        part = config[tower]
        width = part.get("width")
        # Towers of other libraries, those of another kind than CLIP's, and ResNets.
        if config.get("custom_text") or not width or isinstance(part.get("layers"), list):
            continue
        heads = part.get("heads")
        found[width].add(width // heads if heads else part.get("head_width", _USUAL))
    return {width: min(heads) for width, heads in found.items() if len(heads) == 1}


def head_width(tower: Tower, width: int, given: int) -> tuple[int, str]:
    """Decide how wide the heads of a tower are whose weights alone are known.

    tower: "vision_cfg" or "text_cfg". width: the tower's. given: what the user says, 0 for nothing; of the image tower
    it comes before the published models, of the text tower behind them. Returns the width of a head, and a sentence on
    what was assumed. Raises BadRequest where nobody knows, or where the heads do not fill the width.
    """
    called = "image" if tower == "vision_cfg" else "text"
    known = published(tower).get(width, 0)
    found = known or given if tower == "text_cfg" else given or known
    if not found:
        raise BadRequest(
            f"Nothing says how wide the attention heads of the {called} tower are: its width of {width} is no published model's.",
            "Say it with --head-width (64 in most CLIPs); with a wrong one the logits are wrong without an error.",
        )
    if found < 0 or width % found:
        raise BadRequest(
            f"Heads {found} wide do not fill the {called} tower, which is {width} wide.", "Give another --head-width."
        )
    source = "as the published models of this width have them" if found == known else "because --head-width says so"
    return (
        found,
        f"The {width // found} attention heads of the {called} tower are {found} wide, {source}; the file does not say.",
    )
