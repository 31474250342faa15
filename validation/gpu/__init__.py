"""The GPU day: what the first eight minutes on a card should answer, most telling first.

Run as `python -m validation.gpu OUT`, then `python -m pytest -m gpu`; writes OUT/gpu.json, anew
after every part. Each part has its own limit; one that raises or is late is recorded as such, with
what it found, and the others go on. The same command again runs only the parts that are not done.
It needs torch, numpy, safetensors, rich, typer and array-api-compat: neither cvxpy nor its solvers.
`--small` is a rehearsal, in seconds.
"""
