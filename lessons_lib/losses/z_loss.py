from ..core import Loss, array_namespace, contract, number, real
from ._stable import log_softmax


@contract(logits=real("..., C"), weight=number("[0, inf)"))
def z_loss(logits, weight=1e-4) -> Loss:
    """Z-loss of each example: it holds the logarithm of the softmax's denominator Z near 0, added to cross_entropy.

    value = weight (log Z)^2            log Z = logsumexp(z), z = logits
    grad  = 2 weight log Z softmax(z)

    Cross-entropy does not see a number that is added to all logits, so that they may drift until half precision no
    longer tells them apart; this loss does. On a router's logits it is the router z-loss of ST-MoE.
    logits: (..., C); weight: a number >= 0; value: (...), in nats squared times weight; it is 0 where log Z = 0.
    Raises ValueError on another weight, TypeError on integers.
    PyTorch: none; weight * logits.logsumexp(-1).square().
    Source: Chowdhery et al. 2022 (PaLM), with weight 1e-4; for routers Zoph et al. 2022 (ST-MoE), with 1e-3.
    """
    xp = array_namespace(logits)
    log_p = log_softmax(logits)
    log_z = xp.max(logits, axis=-1) - xp.max(log_p, axis=-1)  # the largest logit, and what all others add to it
    weighed = weight * log_z  # first, so that no square is too large
    return Loss(weighed * log_z, 2 * weighed[..., None] * xp.exp(log_p))
