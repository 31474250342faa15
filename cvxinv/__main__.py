"""`python -m cvxinv`: the command line."""

import sys

from cvxinv.cli import main

if __name__ == "__main__":
    sys.exit(main())
