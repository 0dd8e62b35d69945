"""The pace of a run over pictures: the seconds that its work takes, from which a forecast for any number of pictures follows."""

from __future__ import annotations

import math

from capt_engine.frozen import dataclass


@dataclass(frozen=True)
class Pace:
    """Seconds of work: `batch_s` for each batch of at most `most` pictures, `picture_s` for each picture, `after_s` once, behind them.

    What a batch costs beside its pictures tells a small model from a large one: twice as many pictures at once take twice as long
    with the one, and hardly longer with the other. after_s: of the checks that follow, on `checked` pictures, of `most_checked` at most.
    """

    batch_s: float
    picture_s: float
    most: int
    after_s: float = 0.0
    checked: int = 0
    most_checked: int = 0

    def pictures_s(self, n: int) -> float:
        """Return the seconds that `n` pictures take, without what follows."""
        return math.ceil(n / self.most) * self.batch_s + n * self.picture_s

    def seconds(self, n: int) -> float:
        """Return the seconds that a whole run over `n` pictures takes, with the checks, which grow with the pictures up to their most."""
        share = min(n, self.most_checked) / self.checked if self.checked else 1.0
        return self.pictures_s(n) + share * self.after_s
