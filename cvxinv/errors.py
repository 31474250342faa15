"""The typed errors. Each also is the built-in error that a caller would expect to catch."""


class NotConvexError(ValueError):
    """The stated problem is neither convex nor smooth; the message says which convex one to state
    instead.
    """


class NotStatedError(TypeError):
    """The reference has no CVXPY statement of this class, or of one of its terms."""


class GeneratorFileError(ValueError):
    """A generator file is malformed, truncated, or was not written by `Generator.save`."""


class UnsupportedModuleError(ValueError):
    """`Generator.from_torch` met a module that eq. 2 does not cover; the message names it and its
    position.
    """


class MissingPackageError(ImportError):
    """A part of the package needs another one that is not installed; the message says which."""


class MissingSolverError(ImportError):
    """A solver that was asked for is not installed; the message says which extra brings it."""


class ProblemFileError(ValueError):
    """A .npy or .npz file is malformed, truncated, pickled, or does not hold what it should; the
    message names it.
    """


def one_line(error: BaseException) -> str:
    """What an error says, on one line of a readable length; its kind where it says nothing."""
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= 200 else words[:200] + " .."
