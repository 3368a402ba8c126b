"""What the concepts for matrices share: the check of their shape, which is Muon's; eigenvectors that survive overflow;
inverse roots."""

from ..core import array_namespace, device
from .muon import _check_matrix as check_matrix

__all__ = ["check_matrix", "eigen", "identity_for", "inverse_root"]


def identity_for(n, theta):
    """The identity of n rows, in theta's dtype."""
    return array_namespace(theta).eye(n, dtype=theta.dtype, device=device(theta))


def eigen(a):
    """The eigenvalues of a symmetric matrix, from the smallest, and its eigenvectors.

    Of a matrix x x^T that has overflowed they are inf and the identity, and NaN and the identity where x holds NaN.
    """
    xp = array_namespace(a)
    held = xp.all(xp.isfinite(a))
    values, vectors = xp.linalg.eigh(xp.where(held, a, identity_for(a.shape[0], a)))
    return xp.where(held, values, xp.linalg.trace(a)), vectors


def inverse_root(a, p, eps=0.0):
    """(a + eps I)^(-1/p) of a symmetric a >= 0; I where that is 0, and 0 where a has overflowed.

    Eigenvalues below n machine epsilons of the largest one are rounding: they count as that.
    """
    xp = array_namespace(a)
    values, vectors = eigen(a)
    values = xp.maximum(values + eps, a.shape[0] * xp.finfo(a.dtype).eps * xp.max(values))
    roots = xp.where(values == 0, xp.ones_like(values), values) ** (-1 / p)
    return (vectors * roots) @ vectors.T
