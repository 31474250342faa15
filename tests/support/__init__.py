"""What tests share; no test file imports another.

`instances` random statements, a kind of difficulty at a time, and the fields that classes share
`layers` the statements that pursuits make of a generator's signals; eq. 5 with a nonlinear phi
`adversarial` statements of one signal made to fool a certificate
`oracles` what answers are held against: proofs, enumeration, closed forms
`printed` Algorithms 2 and 5 in NumPy, as they are printed
`dependence` brute force for spark, sub-spark, sub-rank and coherence
`tolerances` the one table of them
`draws` the first examples of a strategy; `solvers` of other people, honest and not
`shell` the command line
`pretend` a CUDA device for machines without one; `pretend_cuda` streams and graphs for it
`imports` which module imports which, read from the sources
"""
