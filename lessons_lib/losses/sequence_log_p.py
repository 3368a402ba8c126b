"""From the log-probabilities of tokens to those of responses, for the losses on preferences."""

from ..core import array_namespace, contract, kept, real
from ._stable import product


@contract(log_p=real("..., T"), mask=kept("..., T"))
def sequence_log_p(log_p, mask):
    """The log-probability of each response: the sum over its tokens, those where the mask is 1.

    result = sum_t mask_t log_p_t          gradient in log_p: mask

    log_p: (..., T), of the tokens that were written; mask: (..., T), 1 or True on the response, 0 on prompt and
    padding, where log_p may be anything, -inf and NaN as well; result: (...), in nats. With no token left it is 0.
    Raises ValueError on unequal shapes or a mask outside [0, 1], TypeError on a log_p of integers.
    PyTorch: torch.where(mask, log_p, 0).sum(-1).   Source: the chain rule of probability.
    """
    return array_namespace(log_p, mask).sum(product(mask, log_p), axis=-1)


@contract(log_p=real("..., T"), mask=kept("..., T"))
def mean_log_p(log_p, mask):
    """The mean log-probability per token of each response: `sequence_log_p` over its length, so that length is free.

    result = sum_t mask_t log_p_t / n          gradient in log_p: mask / n          n = sum_t mask_t

    Shapes and errors as in sequence_log_p; with no token left it is 0, not 0 / 0.
    PyTorch: torch.where(mask, log_p, 0).sum(-1) / mask.sum(-1), which gives NaN there.
    Source: Meng, Xia and Chen 2024, who take it for the reward.
    """
    xp = array_namespace(log_p, mask)
    n = xp.sum(mask, axis=-1)
    return xp.sum(product(mask, log_p), axis=-1) / xp.where(n > 0, n, xp.ones_like(n))
