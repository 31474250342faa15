"""Mutation testing: small changes of the sources, and whether a test notices each of them.

The operators are our own, on Python's syntax tree. Those of cosmic-ray were tried: they add one to
numbers, so that a tolerance of 1e-9 becomes 1.000000001 and a bound of 1e9 hardly changes; they
know neither calls and assignments left out nor arguments swapped; and they bring eighteen packages.
Which tests run a line is what `coverage` says.
"""
