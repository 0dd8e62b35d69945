"""The symmetric colour scale of perturbations: the one that the window and every report draw them on."""

from __future__ import annotations

from itertools import pairwise

from capt_engine.formatting import MINUS, budget, over_255
from capt_engine.frozen import dataclass
from capt_engine.records.pictures import Picture, SignedPicture

DARKER, BRIGHTER = "blue", "orange"
"""The colours of the two halves of the scale, in words."""

# share of the scale's end -> red, green, blue; light in the middle, so that a pixel that hardly changed hardly shows
_STOPS = (
    (-1.0, (33, 102, 172)),
    (-0.5, (146, 190, 222)),
    (0.0, (247, 247, 247)),
    (0.5, (244, 184, 130)),
    (1.0, (204, 96, 10)),
)
_STEPS = 127


@dataclass(frozen=True)
class SignedScale:
    """A scale from −`end` to +`end` in pixel units [0, 1]: blue is darker than before, near white is no change, orange is brighter.

    A pixel is drawn by the mean change of its three colours; a change beyond an end has the colour of that end.
    """

    end: float

    @property
    def labels(self) -> tuple[str, str, str]:
        """The texts at the lower end, the middle and the upper end of the scale's bar: "−4/255", "0", "+4/255"."""
        text = budget(self.end)
        text = text if text.endswith("/255") else over_255(self.end)
        return f"{MINUS}{text}", "0", f"+{text}"

    def levels(self, change: SignedPicture) -> bytes:
        """Return one byte a pixel of `change`, rows from the top: 0 at the lower end of the scale, 127 for no change, 254 at the upper."""
        # the door of the engine stays light
        import numpy as np

        sums = np.frombuffer(change.values, np.int8).reshape(-1, 3).sum(axis=1, dtype=np.int16)
        shares = sums * (change.scale / (3 * 127 * self.end)) if self.end > 0 else np.zeros(len(sums))
        levels: bytes = (np.rint(shares.clip(-1, 1) * _STEPS) + _STEPS).astype(np.uint8).tobytes()
        return levels

    def draw(self, change: SignedPicture) -> Picture:
        """Return `change` as a picture in the colours of this scale."""
        import numpy as np

        colours = np.frombuffer(palette(), np.uint8).reshape(-1, 3)
        rgb: bytes = colours[np.frombuffer(self.levels(change), np.uint8)].tobytes()
        return Picture(change.width, change.height, rgb)


def amplified(change: SignedPicture, factor: float) -> Picture:
    """Return `change` times `factor` around middle grey, each colour by itself; what leaves [0, 1] is cut off."""
    import numpy as np

    values = np.frombuffer(change.values, np.int8) * (change.scale / 127 * factor)
    rgb: bytes = np.rint((0.5 + values).clip(0, 1) * 255).astype(np.uint8).tobytes()
    return Picture(change.width, change.height, rgb)


def values_csv(change: SignedPicture) -> str:
    """Return `change` as a table: x, y, and the change of red, green and blue in pixel units [0, 1], a line for each pixel."""
    lines = ["x,y,red,green,blue"]
    values = [(value - 256 if value > 127 else value) / 127 * change.scale for value in change.values]
    for place in range(change.width * change.height):
        colours = ",".join(map(repr, values[3 * place : 3 * place + 3]))
        lines.append(f"{place % change.width},{place // change.width},{colours}")
    return "\n".join(lines) + "\n"


def palette() -> bytes:
    """Return the colours of the scale from its lower to its upper end, for the levels 0 to 254: three bytes each."""
    return bytes(part for step in range(-_STEPS, _STEPS + 1) for part in _shade(step / _STEPS))


def _shade(share: float) -> tuple[int, ...]:
    (low, first), (high, last) = next((left, right) for left, right in pairwise(_STOPS) if share <= right[0])
    way = (share - low) / (high - low)
    return tuple(round(one + (other - one) * way) for one, other in zip(first, last, strict=True))
