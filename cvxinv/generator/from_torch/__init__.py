"""Reading a trained torch module as eq. 2: z is followed through what the module computes.

`read` runs the module, `trace` follows z from call to call, `rules` says what each function does,
in the algebra of `affine`.
"""

from cvxinv.generator.from_torch.read import read

__all__ = ["read"]
