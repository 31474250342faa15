"""cvxinv: invert ReLU generators layer by layer as convex problems, and prove each answer right."""
