"""BLAS and LAPACK in compiled code, by SciPy's own library: symmetric matrices in float32, of which
the upper triangle counts.

SciPy gives the addresses of its routines. They are made known to the linker by name, so that code
that was compiled in an earlier process finds them too. Arguments are passed as addresses, as
Fortran wants them; matrices are row-major, so that what is 'U' here is 'L' there.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import types
from numba.extending import get_cython_function_address

from cvxinv import certificate

Array = Any  # of NumPy, in compiled code

Function = TypeVar("Function", bound=Callable[..., Any])

_HERE = Path(__file__).parent


def _stamp() -> str:
    """What the sources of the compiled code are, and those of the constants that it has."""
    folders = (_HERE, Path(certificate.__file__).parent)
    sources = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))]
    return sha256(b"".join(sources)).hexdigest()[:16]


_CACHE = _HERE / "__pycache__" / f"{__package__}-{_stamp()}"  # types are kept by their names


# sums in any order, as vector instructions take them; nan and inf keep their meaning
_ORDER: Any = {"reassoc", "nsz", "arcp", "contract"}
_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "fastmath": _ORDER}


def jit(function: Function) -> Function:
    """The function compiled, as a part of others."""
    return cast(Function, numba.njit(inline="always", **_OPTIONS)(function))


def entry(function: Function) -> Function:
    """The function compiled, with all that it calls, and kept for the next process.

    It is kept in a place that changes with any source here: numba itself looks at the file of the
    function only.
    """
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(_CACHE)
    try:
        return cast(Function, numba.njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:  # no place can be written to
        return jit(function)
    finally:
        config.CACHE_DIR = before


def _routine(module: str, name: str, arguments: int) -> Any:
    """A routine of SciPy's whose arguments are all pointers."""
    symbol = f"cvxinv_{name}"
    llvm.add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{module}", name))
    return types.ExternalFunction(symbol, types.void(*[types.intp] * arguments))


_syrk = _routine("cython_blas", "ssyrk", 10)
_gemm = _routine("cython_blas", "sgemm", 13)
_potrf = _routine("cython_lapack", "spotrf", 5)
_potrs = _routine("cython_lapack", "spotrs", 8)
_trsv = _routine("cython_blas", "strsv", 8)
_INTEGERS = 5  # size of the array that the routines below take their integer arguments from


def room() -> tuple[Array, Array]:
    """What the routines need beside their matrices: integers, and 0, 1, 'L', 'N', 'T'."""
    constants = np.zeros(5, np.float32)
    constants[1] = 1.0
    constants[2:].view("S4")[:] = b"L", b"N", b"T"
    return np.zeros(_INTEGERS, np.int32), constants


@jit
def gram(P: Array, k: int, n: int, H: Array, spare: tuple[Array, Array]) -> None:
    """H <- P'P for the first k rows and n columns of P; H (n, n) in its upper triangle."""
    integers, constants = spare
    integers[0], integers[1], integers[2], integers[3] = n, k, P.shape[1], H.shape[1]
    i, c = integers.ctypes.data, constants.ctypes.data
    _syrk(c + 8, c + 12, i, i + 4, c + 4, P.ctypes.data, i + 8, c, H.ctypes.data, i + 12)


@jit
def gram_rows(P: Array, k: int, first: int, n: int, H: Array, spare: tuple[Array, Array]) -> None:
    """Rows first .. n of H <- P'P, for the first k rows and n columns of P."""
    integers, constants = spare
    integers[0], integers[1], integers[2] = n, n - first, k
    integers[3], integers[4] = P.shape[1], H.shape[1]
    i, c, p = integers.ctypes.data, constants.ctypes.data, P.ctypes.data
    h = H.ctypes.data + H.strides[0] * first
    one, zero, ld = c + 4, c, i + 12
    _gemm(c + 12, c + 16, i, i + 4, i + 8, one, p, ld, p + 4 * first, ld, zero, h, i + 16)


@jit
def factorise(H: Array, n: int, spare: tuple[Array, Array]) -> bool:
    """The Cholesky factor of the first n rows and columns of H, in its place; whether there is
    one.
    """
    integers, constants = spare
    integers[0], integers[1] = n, H.shape[1]
    i, c = integers.ctypes.data, constants.ctypes.data
    _potrf(c + 8, i, H.ctypes.data, i + 4, i + 8)
    done: bool = integers[2] == 0
    return done


@jit
def solve(H: Array, n: int, Y: Array, count: int, spare: tuple[Array, Array]) -> None:
    """Y <- Y H^-1 for `count` rows of Y, with the factor in H."""
    integers, constants = spare
    integers[0], integers[1], integers[2], integers[3] = n, count, H.shape[1], Y.shape[1]
    i, c = integers.ctypes.data, constants.ctypes.data
    _potrs(c + 8, i, i + 4, H.ctypes.data, i + 8, Y.ctypes.data, i + 12, i + 16)


@jit
def solve_one(H: Array, n: int, y: Array, spare: tuple[Array, Array]) -> None:
    """y <- H^-1 y, with the factor in H."""
    integers, constants = spare
    integers[0], integers[1], integers[2] = n, H.shape[1], 1
    i, c, h, x = integers.ctypes.data, constants.ctypes.data, H.ctypes.data, y.ctypes.data
    _trsv(c + 8, c + 12, c + 12, i, h, i + 4, x, i + 8)
    _trsv(c + 8, c + 16, c + 12, i, h, i + 4, x, i + 8)
