"""`capt`: finds the verb, runs it, and turns expected failures into a sentence and an exit code. Help needs nothing heavy."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Sequence

from capt_engine import plugins
from capt_engine.cli.run_job import JobEnded
from capt_engine.errors import Cancelled, CaptError, ExitCode

VERBS = (
    "analyze",
    "evaluate",
    "tune",
    "protocol",
    "run",
    "report",
    "merge",
    "models",
    "prompts",
    "lpips",
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
    for stream in (sys.stdout, sys.stderr):
        # A file name may hold what the terminal's encoding cannot say; it is shown escaped instead of ending the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(argv)
    if getattr(args, "offline", False):
        os.environ["HF_HUB_OFFLINE"] = "1"
    if getattr(args, "no_plugins", False):
        os.environ[plugins.OFF] = "1"
    try:
        code: int = args.run(args) or 0
        sys.stdout.flush()
    except CaptError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except JobEnded as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return Cancelled.exit_code
    except BrokenPipeError:
        # The reader has seen enough (`capt … | head`); nothing is left to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if (blamed := plugins.blamed(error)) is not None:
            print(blamed, file=sys.stderr)
            return blamed.exit_code
        from capt_engine import crash_log

        print(f"Something went wrong that should not have: {error}", file=sys.stderr)
        print(f"This is a bug in CAPT Explorer. {crash_log.keep(traceback.format_exc())}", file=sys.stderr)
        return ExitCode.BUG
    return code


def _version() -> str:
    try:
        return importlib.metadata.version("capt-explorer")
    except importlib.metadata.PackageNotFoundError:
        return "0 (not installed)"
