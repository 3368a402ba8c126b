from ..core import Loss, array_namespace, contract, real
from ._stable import log_softmax


@contract(logits=real("..., C"), p=real("..., C", "[0, inf)"))
def jensen_shannon(logits, p) -> Loss:
    """Jensen-Shannon divergence of each distribution p and the softmax of the logits, from logits and p.

    value = KL(p || m) / 2 + KL(q || m) / 2          q = softmax(z), m = (p + q) / 2
    grad  = q (d - sum_i q_i d_i) / 2                d = log(q / m)

    logits z, p: (..., C), p >= 0; that p sums to 1 is not checked; value: (...), in nats, between 0 and log 2. It is
    symmetric in p and q, finite where one of them is 0, and its root is a metric. Where p and q share no class the
    value is log 2 and the gradient 0: there it cannot say in which direction to go.
    Raises ValueError on unequal shapes or a p that is negative or NaN, TypeError on integers.
    PyTorch: none; (F.kl_div(m.log(), p) + F.kl_div(m.log(), q)) / 2, summed over the classes.
    Source: Lin 1991.
    """
    xp = array_namespace(logits, p)
    log_q = log_softmax(logits)
    q = xp.exp(log_q)
    d, e = _log_ratio(xp, q, p), _log_ratio(xp, p, q)
    grad = q * (d - xp.sum(q * d, axis=-1, keepdims=True)) / 2
    return Loss(xp.sum(p * e + q * d, axis=-1) / 2, grad)


def _log_ratio(xp, a, b):
    """log(a / m) = log(1 + (a - b) / (a + b)), and 0 where a is 0: there it is multiplied by 0."""
    a, b = (xp.where(a > 0, x, xp.ones_like(x)) for x in (a, b))
    near = xp.clip((a - b) / (a + b), -0.5, None)
    return xp.where(near > -0.5, xp.log1p(near), xp.log(2 * a / (a + b)))
