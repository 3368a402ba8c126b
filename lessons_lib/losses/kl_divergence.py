from ..core import Loss, array_namespace, contract, real
from ._stable import at_least_1


@contract(log_q=real("..., C"), p=real("..., C", "[0, inf)"))
def kl_divergence(log_q, p) -> Loss:
    """Kullback-Leibler divergence KL(p || q) of each distribution, from log q and p.

    value = sum_i p_i (log p_i - log q_i)       a term with p_i = 0 is 0, also at log q_i = -inf
    grad  = -p                                  by log_q, taken as free numbers

    log_q, p: (..., C), p >= 0; that they sum to 1 is not checked; value: (...), in nats. It is inf where
    p_i > 0 and log q_i = -inf. KL(q || p) is another loss: it has its minimum in the same place and punishes
    other mistakes.
    Raises ValueError on unequal shapes or a p that is negative or NaN, TypeError on integers.
    PyTorch: F.kl_div(log_q, p, reduction="none").sum(-1). Its "batchmean" divides by the length of the first axis:
    our `mean` where that is the only axis of the batch, (N, C), and as many times more as the other ones are long;
    its "mean" divides by all elements; log_target=True is kl_divergence(log_q, exp(log_p)).
    Source: Kullback and Leibler 1951.
    """
    xp = array_namespace(log_q, p)
    unit, n = at_least_1(p), 2.0 ** p.shape[-1].bit_length()  # so that no part of the sum is too large
    share = p / unit
    some = share > 0
    log_p = xp.log(xp.where(some, p, xp.ones_like(p)))
    each = share * xp.where(some, (log_p - log_q) / n, xp.zeros_like(p))  # 0 * inf is NaN, and must be 0
    return Loss(xp.sum(each, axis=-1) * n * unit[..., 0], -p)
