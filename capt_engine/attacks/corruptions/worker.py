"""A process that corrupts pictures one after the other, each as it comes on its input, for `workers.Workers`.

In: a line of JSON (kind, severity, shape, words of the picture's random stream), then the pixels, float32. Out: the pixels. It ends where
its input does, so also with the program that started it.
"""

from __future__ import annotations

import json
import math
import signal
import sys

import numpy as np
import torch

from capt_engine.attacks.base import PictureRngs
from capt_engine.attacks.corruptions import CORRUPTIONS


def main() -> None:
    """Answer until the input ends. An interrupt is for the program that started this process, which then ends its input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    with torch.no_grad():
        while line := source.readline():
            task = json.loads(line)
            data = source.read(4 * math.prod(task["shape"]))
            picture = torch.from_numpy(np.frombuffer(data, np.float32).reshape(task["shape"]).copy())
            stream = PictureRngs([tuple(task["words"])])
            sink.write(CORRUPTIONS[task["kind"]](picture, task["severity"], stream).contiguous().numpy().tobytes())
            sink.flush()


if __name__ == "__main__":
    main()
