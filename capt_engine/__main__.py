"""`python -m capt_engine`, the same as `capt`."""

from __future__ import annotations

import sys

from capt_engine.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
