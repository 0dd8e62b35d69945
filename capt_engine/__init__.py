"""The science: runs in a notebook, a test, a terminal or a server; has never heard of Qt.

The two settings stand here because they are read once, when torch loads its libraries, and every way to torch leads past this file.
"""

import os as _os

# Threads that wait sleep instead of spinning: on a machine that does anything else at the same time, a window included, spinning
# made the same analysis ten times slower (docs/decisions/0009-two-settings-before-torch.md).
_os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Intel's BLAS otherwise picks its order of summation by the shape of the whole batch, and the same picture gets other last bits,
# hence other adversarial pixels, in another batch. Strict mode costs nothing that could be measured.
_os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
