"""Losses: the value per example and its closed-form gradient. One concept per file."""

from .binary_cross_entropy import binary_cross_entropy
from .cross_entropy import cross_entropy
from .soft_cross_entropy import smooth_labels, soft_cross_entropy
from .squared import squared_error

__all__ = ["binary_cross_entropy", "cross_entropy", "smooth_labels", "soft_cross_entropy", "squared_error"]
