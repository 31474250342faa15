"""The command line: `cvxinv demo`, `convert`, `invert`, `verify`, `check`, `check-solver`,
`bench`; one file per command.
"""

import os
import sys
from collections.abc import Sequence

from cvxinv.cli.output import InterruptedRunError
from cvxinv.errors import MissingPackageError, MissingSolverError

INTERRUPTED = 130  # what shells say of Ctrl-C, and typer, too


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors of the user are one line on stderr and
    code 2.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind `cvxinv`; `sys.argv[1:]` by default.
    """
    # the systems here are many and small: OpenBLAS threads spend more time waiting for each other
    # than solving (read when numpy is first imported, hence before the commands are)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import typer

    from cvxinv.cli.app import app

    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = int(app(arguments or ["--help"], prog_name="cvxinv", standalone_mode=False) or 0)
        return _complain("interrupted", code) if code == INTERRUPTED else code
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except InterruptedRunError as error:
        return _complain(str(error), INTERRUPTED)
    except OSError as error:
        _drop_what_cannot_be_written()
        return _complain(
            f"{error.filename}: {error.strerror}"
            if error.filename and error.strerror
            else str(error)
        )
    except (ValueError, TypeError, MissingPackageError, MissingSolverError, MemoryError) as error:
        return _complain(str(error))
    except Exception as error:
        if hasattr(
            error, "format_message"
        ):  # a usage error of click, which typer may ship under a private name
            return _complain(error.format_message())
        raise


def _drop_what_cannot_be_written() -> None:
    """Where stdout is full, what it still holds goes nowhere: else Python complains again at exit,
    and exits with 120.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, code: int = 2) -> int:
    print(f"cvxinv: {' '.join(message.split())}", file=sys.stderr)
    return code
