"""Certificates: what can be proven of a point, whoever found it, from the statement's own data."""

from .certificate import Certificate
from .farkas import refutes
from .reasons import reasons
from .verify import certify, support, verify

__all__ = ["Certificate", "certify", "reasons", "refutes", "support", "verify"]
