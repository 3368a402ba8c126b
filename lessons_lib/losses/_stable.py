"""exp, log and their kin in forms that neither overflow nor cancel. Every loss on logits builds on these."""

from ..core import array_namespace


def sigmoid(z):
    """1 / (1 + exp(-z)), with exp only of numbers <= 0, so that nothing overflows."""
    xp = array_namespace(z)
    e = xp.exp(-xp.abs(z))
    return xp.where(z >= 0, xp.ones_like(e), e) / (1 + e)


def softplus(z):
    """log(1 + exp(z)) = -log(sigmoid(-z))."""
    xp = array_namespace(z)
    return xp.maximum(z, xp.zeros_like(z)) + xp.log1p(xp.exp(-xp.abs(z)))


def log_softmax(z):
    """z - log(sum(exp(z))) over the last axis; the largest logit is taken off first."""
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))
