"""Derivations that are written once: shown line by line with their reasons, and checked when the cell runs."""

from .check import DoesNotFollow
from .derivation import derive

__all__ = ["DoesNotFollow", "derive"]
