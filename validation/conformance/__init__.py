"""The conformance kit `cvxinv.testing` at work: on honest solvers, wrong ones, and defaults."""
