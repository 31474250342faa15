"""Eq. 1 on z: gradient descent and Levenberg-Marquardt."""
