"""CAPT and its relatives as presets of one loop: an objective, a prompt shape and a rate each; nothing else differs."""

from __future__ import annotations

from dataclasses import dataclass

from capt_engine.registry import Table


@dataclass(frozen=True)
class Method:
    """objective: a name of OBJECTIVES. coupling, length, depth: the prompt shape used when nobody says. random_context: start the first
    text layer at N(0, 0.02²) instead of at the template's words. attacked: does training need adversarial pictures."""

    name: str
    label: str
    source: str
    objective: str
    coupling: str
    length: int
    depth: int
    rate: float = 0.0035
    weight: float = 2.5
    random_context: bool = False

    @property
    def attacked(self) -> bool:
        """Only methods that never look at an adversarial picture are spared the inner attack."""
        return self.objective != "clean"


METHODS: Table[Method] = Table(
    "method",
    Method("capt", "CAPT", "arXiv 2405.11154", "capt", "vision_to_text", 2, 9),
    Method("coop", "CoOp", "IJCV 2022", "clean", "text_only", 16, 1, rate=0.002, random_context=True),
    Method("apt", "APT", "CVPR 2024", "adversarial", "text_only", 16, 1, rate=0.002, random_context=True),
    Method("vpt", "VPT", "ECCV 2022", "clean", "vision_only", 2, 9),
    Method("maple", "MaPLe", "CVPR 2023", "clean", "text_to_vision", 2, 9),
    Method("adv-maple", "adversarial MaPLe", "baseline of FAP, NeurIPS 2024", "adversarial", "text_to_vision", 2, 9),
    Method("fap", "FAP", "NeurIPS 2024", "fap", "vision_to_text", 2, 9, weight=1.5),
    Method(
        "trades", "TRADES-style prompts", "ICML 2019, for prompts: CAPT with α = 0", "trades", "vision_to_text", 2, 9
    ),
    Method("pmg-aft", "PMG-AFT-style prompts", "CVPR 2024, for prompts", "pmg-aft", "vision_to_text", 2, 9),
)
