"""`capt`: finds the verb, runs it, and turns expected failures into a sentence and an exit code. Help needs nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Sequence

from capt_engine import files, plugins
from capt_engine.cli import interrupts, terminal
from capt_engine.cli.run_job import JobEnded
from capt_engine.cli.terminal import tell
from capt_engine.errors import CaptError, ExitCode

VERBS = (
    "analyze",
    "evaluate",
    "compare",
    "tune",
    "protocol",
    "run",
    "report",
    "merge",
    "models",
    "prompts",
    "lpips",
    "cache",
    "demo",
    "photo",
    "doctor",
)

_EXIT_CODES = f"exit codes: {', '.join(f'{code} {code.meaning}' for code in ExitCode)}"


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line, with all subcommands; this loads neither torch nor Qt."""
    top = argparse.ArgumentParser(
        prog="capt", description="See whether an image model can be trusted.", epilog=_EXIT_CODES, allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"capt-explorer {_version()}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in VERBS:
        module = importlib.import_module(f"capt_engine.cli.{name}")
        sentence = f"{module.HELP[0].upper()}{module.HELP[1:]}."
        verb = verbs.add_parser(name, help=module.HELP, description=sentence, epilog=_EXIT_CODES, allow_abbrev=False)
        module.configure(verb)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: that of the process) and return its exit code.

    A failure of the command is printed, never raised. Raises SystemExit for options that cannot be parsed, and for
    --help.
    """
    args = parser().parse_args(argv)
    if terminal.is_closed("stdout") and not getattr(args, "quiet", False):
        tell("Standard output is closed: results are not printed.")
    terminal.print_logs(is_verbose=getattr(args, "verbose", False))
    if getattr(args, "offline", False):
        os.environ["HF_HUB_OFFLINE"] = "1"
    if getattr(args, "no_plugins", False):
        os.environ[plugins.OFF] = "1"
    interrupts.work_begins()
    try:
        code: int = args.run(args) or 0
        sys.stdout.flush()
    except CaptError as error:
        tell(str(error))
        return error.exit_code
    except JobEnded as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        tell("Cancelled.")
        return interrupts.exit_code()
    except BrokenPipeError:
        # The reader has seen enough (`capt … | head`); nothing is left to flush to.
        terminal.silence(sys.stdout.fileno())
        return 0
    except Exception as error:
        if (expected := plugins.blamed(error) or files.disk_problem(error)) is not None:
            tell(str(expected))
            return expected.exit_code
        from capt_engine import crash_log

        tell(f"Something went wrong that should not have: {error}")
        tell(f"This is a bug in CAPT Explorer. {crash_log.keep(traceback.format_exc())}")
        return ExitCode.BUG
    return code


def _version() -> str:
    try:
        return importlib.metadata.version("capt-explorer")
    except importlib.metadata.PackageNotFoundError:
        return "0 (not installed)"
