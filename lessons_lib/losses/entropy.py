from ..core import Loss, array_namespace, contract, real
from ._stable import log_softmax, product


@contract(logits=real("..., C"))
def entropy(logits) -> Loss:
    """The entropy of each distribution, from its logits: how undecided a policy is.

    value = H = -sum_i p_i log p_i      p = softmax(z), z = logits
    grad  = -p (log p + H)

    logits: (..., C), classes on the last axis, -inf for one that is left out; value: (...), in nats, between 0 and
    log C. As a bonus it is subtracted from a loss, with its gradient, times a small weight.
    Raises TypeError on integers, ValueError without a class.
    PyTorch: torch.distributions.Categorical(logits=logits).entropy().
    Source: Shannon 1948; as a bonus Williams and Peng 1991.
    """
    xp = array_namespace(logits)
    log_p = log_softmax(logits)
    p = xp.exp(log_p)
    each = -product(p, log_p)
    value = xp.sum(each, axis=-1)
    return Loss(value, each - p * value[..., None])
