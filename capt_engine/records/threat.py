"""The threat model, and the model that an attack is computed on."""

from __future__ import annotations

from capt_engine.frozen import dataclass

AIMS = ("each", "a", "b")
"""The prompts that attacks are computed on where two sets are compared: each set's own, or for both those of A, or of B."""

PERTURBED = ("input", "original")
"""Pixels that an attack perturbs: the model's input, after resizing; or the picture's own, which are resized inside the forward pass."""


OTHER_MODEL = "model:"
"""The text before a model's id where an attack was computed on another model instead of on some prompts of this one."""

ROUNDINGS = ("none", "8-bit")
"""The form in which an attacked picture is judged: at full precision, and what saving does to it stands beside; or of 8-bit values, as a
file holds it, which the attack knows."""


@dataclass(frozen=True)
class ThreatModel:
    """The threat model: the attacker's goal, knowledge and means; it travels with every number.

    eps: budget in pixel units [0, 1] of the norm (for "l2": the Euclidean length over all h × w × 3 values).
    target: the class the attacker wants to see, None when any wrong class will do. target_column: the column of the list of pictures
    that holds the index of each picture's target among the class names, "" for none; in a picture's row, target is that class. budget:
    in words, what the attacker may do where that is no ball of a norm (a patch, a turn, a printed word); norm and eps say nothing then.
    perturb: one of PERTURBED. rounding: one of ROUNDINGS.
    """

    norm: str = "linf"
    eps: float = 4 / 255
    target: str | None = None
    knowledge: str = "white-box"
    perturb: str = "input"
    budget: str = ""
    rounding: str = "none"
    target_column: str = ""

    @property
    def goal(self) -> str:
        """Return "targeted" if a given class is wanted as the answer; "untargeted" if any wrong answer will do."""
        return "targeted" if self.targeted else "untargeted"

    @property
    def targeted(self) -> bool:
        """Return True if a given class is wanted as the answer, the same for all pictures or one for each."""
        return self.target is not None or bool(self.target_column)

    @property
    def unusual(self) -> tuple[str, ...]:
        """Return a phrase for each point in which this differs from the usual threat model; empty where nothing does.

        The points are perturbing the pictures' own pixels instead of the model's input, and rounding to 8 bits.
        """
        pixels = ("on the pictures' own pixels",) if self.perturb != PERTURBED[0] else ()
        rounded = ("rounded to 8 bits",) if self.rounding != ROUNDINGS[0] else ()
        return (*pixels, *rounded)


USUAL_THREAT = ThreatModel()
"""The threat model of a request that names none."""
