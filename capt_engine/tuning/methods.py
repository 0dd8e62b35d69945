"""CAPT and its relatives as presets of one loop: an objective, a prompt shape and a learning rate each; nothing else differs."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.errors import BadRequest, UnknownName
from capt_engine.registry import Table


@dataclass(frozen=True)
class Method:
    """One way of tuning.

    Attributes:
        objective: a name of OBJECTIVES.
        coupling: with n_ctx and depth the prompts' shape where the request names none.
        random_context: start the first text layer at N(0, 0.02²) instead of at the template's words.
        summary: for whoever has to choose.
        learns_tower: tune the image tower itself instead of prompts; what stands about prompts then says nothing.
    """

    name: str
    label: str
    source: str
    objective: str
    coupling: str = "vision_to_text"
    n_ctx: int = 2
    depth: int = 9
    lr: float = 0.0035
    lambda_: float = 2.5
    random_context: bool = False
    summary: str = ""
    learns_tower: bool = False

    @property
    def attacked(self) -> bool:
        """Return True where training attacks its pictures, False where the loss uses clean pictures alone."""
        return self.objective != "clean"


def _fits(one: object) -> bool:
    """Accept a preset for the prompts of the one loop; raises BadRequest for what that loop does not know."""
    if not isinstance(one, Method):
        return False
    if one.learns_tower:
        raise BadRequest("A method of a plug-in learns prompts, no tower.")
    # Only plug-ins need these, and they need torch.
    from capt_engine.model.prompts import PromptShape
    from capt_engine.tuning.objective import OBJECTIVES

    if one.objective not in OBJECTIVES:
        raise UnknownName("objective", one.objective, OBJECTIVES)
    PromptShape(one.coupling, one.n_ctx, one.depth)
    return all(isinstance(text, str) for text in (one.label, one.source, one.summary)) and one.lr > 0


METHODS: Table[Method] = Table(
    "method",
    Method(
        "capt",
        "CAPT",
        "arXiv 2405.11154",
        "capt",
        summary="Learns from clean and attacked pictures alike, and asks a frozen CLIP what the answer was, as far as it can be trusted.",
    ),
    Method(
        "coop",
        "CoOp",
        "IJCV 2022",
        "clean",
        "text_only",
        16,
        1,
        lr=0.002,
        random_context=True,
        summary="Learns words before the class name from clean pictures alone; no defence, but what others are measured against.",
    ),
    Method(
        "apt",
        "APT",
        "CVPR 2024",
        "adversarial",
        "text_only",
        16,
        1,
        lr=0.002,
        random_context=True,
        summary="Learns words before the class name from attacked pictures alone.",
    ),
    Method(
        "vpt",
        "VPT",
        "ECCV 2022",
        "clean",
        "vision_only",
        summary="Learns tokens of the image tower from clean pictures alone; no defence.",
    ),
    Method(
        "maple",
        "MaPLe",
        "CVPR 2023",
        "clean",
        "text_to_vision",
        summary="Learns tokens of both towers together from clean pictures alone; no defence.",
    ),
    Method(
        "adv-maple",
        "adversarial MaPLe",
        "baseline of FAP, NeurIPS 2024",
        "adversarial",
        "text_to_vision",
        summary="MaPLe, but from attacked pictures alone.",
    ),
    Method(
        "fap",
        "FAP",
        "NeurIPS 2024",
        "fap",
        lambda_=1.5,
        summary="Keeps answers to clean and attacked pictures together, the more the more alike their features are; asks no frozen CLIP.",
    ),
    Method(
        "trades",
        "TRADES-style prompts",
        "ICML 2019, for prompts: CAPT with α = 0",
        "trades",
        summary="Keeps answers to clean and attacked pictures together; CAPT without the frozen CLIP.",
    ),
    Method(
        "pmg-aft",
        "PMG-AFT-style prompts",
        "CVPR 2024, for prompts",
        "pmg-aft",
        summary="Learns from attacked pictures, and stays near a frozen CLIP and its own clean answers.",
    ),
    Method(
        "tecoa",
        "TeCoA",
        "ICLR 2023",
        "adversarial",
        "",
        0,
        0,
        lr=2e-4,
        summary="Tunes the image tower itself on attacked pictures; no prompts, and a model of its own comes of it.",
        learns_tower=True,
    ),
    plugins="capt.tuning_methods",
    fits=_fits,
)


def prompt_methods() -> tuple[Method, ...]:
    """Return the tuning methods that learn prompts, those of plug-ins too; not those that tune the image tower."""
    return tuple(method for method in METHODS if not method.learns_tower)
