"""The command line: exit 0 ok, 1 the run failed or was interrupted, 2 bad input, 3 a check refused."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import time

STARTED = time.monotonic()
"""When the command began: a time limit counts from here."""

import typer  # noqa: E402

from wellfit.cli.app import app  # noqa: E402 - the clock is read before anything is imported
from wellfit.cli.console import complain  # noqa: E402
from wellfit.errors import CheckRefused, WellfitError  # noqa: E402

__all__ = ["STARTED", "app", "main"]

_COLLECTED_AFTER = (10_000, 10, 50)
"""New objects, and rounds of younger ones, after which each generation is looked at."""


def main() -> None:
    """Run the command line; no error of ours, and no bad input, ever shows a traceback."""
    as_json = "--json" in sys.argv
    _hear_the_end()
    _spare_collections()
    try:
        # Typer turns Ctrl-C into a code of its own, 130, and gives the code of --help and --version back.
        if app(standalone_mode=False, prog_name="wellfit") == 130:
            raise KeyboardInterrupt
    except typer.TyperException as error:
        _complain_of_usage(error, as_json=as_json)
        sys.exit(error.exit_code)
    except CheckRefused as refusal:
        # What it refuses was printed as the one JSON object already.
        complain(str(refusal), refusal.exit_code, as_json=False)
        sys.exit(refusal.exit_code)
    except WellfitError as error:
        complain(str(error), error.exit_code, as_json=as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        complain("Interrupted.", 1, as_json=as_json)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of a pipe is gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        complain("There is not enough memory for this. Train on fewer rows or columns.", 1, as_json=as_json)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("WELLFIT_DEBUG"):
            raise
        kind = type(error).__name__
        complain(
            f"wellfit itself failed ({kind}: {error}). This is a fault in wellfit; "
            "set WELLFIT_DEBUG=1 for the details to report.",
            1,
            as_json=as_json,
        )
        sys.exit(1)


def _spare_collections() -> None:
    """Look for garbage in cycles less often, and not when all is over.

    Libraries make some hundred thousand objects that stay, and each look at them takes a tenth of a second; the last
    one, which Python makes before it ends, takes most of one.
    """
    gc.set_threshold(*_COLLECTED_AFTER)
    atexit.register(gc.freeze)


def _hear_the_end() -> None:
    """Take the signal by which schedulers end a process for Ctrl-C, so that it ends with a sentence at any time."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _complain_of_usage(error: typer.TyperException, *, as_json: bool) -> None:
    """Say which option or argument is wrong; without any argument the help was printed, and says it all."""
    message = error.format_message().strip()
    if message:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "wellfit"
        complain(f"{message.rstrip('.')}. Try: {command} --help", error.exit_code, as_json=as_json)
