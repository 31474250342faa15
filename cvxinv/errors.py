"""The typed errors. Each also is the built-in error that a caller would expect to catch."""


class NotConvexError(ValueError):
    """The stated problem is neither convex nor smooth; the message says which convex one to state
    instead.
    """


class GeneratorFileError(ValueError):
    """A generator file is malformed, truncated, or was not written by `Generator.save`."""


class UnsupportedModuleError(ValueError):
    """`Generator.from_torch` met a module that eq. 2 does not cover; the message names it and its
    position.
    """


class MissingSolverError(ImportError):
    """A solver that was asked for is not installed; the message says which extra brings it."""
