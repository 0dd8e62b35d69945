"""`capt` and `python -m capt_engine`: the process around the command line. Nothing is imported before an interrupt would be heard."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line of this process and return its exit code.

    SIGINT and SIGTERM end it from here on with 130 and 143.
    """
    try:
        from capt_engine.cli import interrupts

        interrupts.install()
    except KeyboardInterrupt:
        os.write(2, b"Cancelled.\n")
        os._exit(130)
    from capt_engine.cli import terminal

    terminal.take_streams()
    from capt_engine.cli.main import main as command

    try:
        code = terminal.sent(command())
    except SystemExit as ended:
        code = terminal.sent(ended.code if isinstance(ended.code, int) else 2)
    except KeyboardInterrupt:
        code = interrupts.exit_code()
    if interrupts.over(code):
        # A thread that is still loading something large would be waited for, or would crash while the interpreter ends.
        terminal.sent(code)
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
