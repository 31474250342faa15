"""The generator of eq. 2: its model, its files, its Jacobian, and the arguments that go with
one.
"""

from .model import Generator
from .shipped import mnist_generator

__all__ = ["Generator", "mnist_generator"]
