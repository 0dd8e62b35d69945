"""Waits of the host for an accelerator, and copies to it: in loading a model, and in a step of each attack and of tuning.

Counted on the pretended accelerator of the tests, on the demo model: no GPU is needed, and every line of the product is seen. The same
counts are asserted in tests/devices/test_laws.py. A minute or more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from capt_engine.model.store.model_store import folder_named

ROOT = Path(__file__).parents[1]


def main() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.devices.laws", str(folder_named("demo")), "waits", *sys.argv[1:]],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    counts = json.loads(done.stdout)["waits"]
    print(f"{'':44} {'waits':>6} {'copies to it':>13}")
    for name, one in counts.items():
        print(f"{name:44} {one['waits']:>6g} {one['copies to it']:>13g}")


if __name__ == "__main__":
    main()
