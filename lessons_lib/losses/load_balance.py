from ..core import Loss, array_namespace, contract, real, whole
from ._stable import log_softmax


@contract(router_logits=real("N, E"), k=whole("[1, E]"))
def load_balance(router_logits, k=1) -> Loss:
    """Load balance of a mixture of experts: high where those experts get the tokens that the router already favours.

    value = E sum_e f_e P_e                         p = softmax(router_logits), P_e = mean_n p_ne
    grad  = (E / N) p (f - sum_e f_e p_ne)          f_e = share of the tokens that have e among their k likeliest

    f counts and has no slope: the gradient goes through P alone. It is k where P or f is the same for all experts,
    at most E, and it may fall a little below k; add about 0.01 of it to the loss of the model.
    router_logits: (N, E), N tokens and E experts; k: an integer in 1..E; value: (), one number for the whole batch,
    no unit; mean and total leave it alone; 0 for an empty batch. Of equal logits the first counts as likeliest.
    Raises ValueError on another shape or k, TypeError on integer arrays.
    PyTorch: none; transformers' load_balancing_loss_func((router_logits,), E, k). Some divide by k as well.
    Source: Fedus, Zoph and Shazeer 2022 (Switch), equations 4 to 6, with k = 1.
    """
    xp = array_namespace(router_logits)
    n, experts = max(router_logits.shape[0], 1), router_logits.shape[1]
    p = xp.exp(log_softmax(router_logits))
    rank = xp.argsort(xp.argsort(router_logits, axis=-1, descending=True), axis=-1)
    f = xp.sum(xp.astype(rank < k, p.dtype), axis=0) / n
    each = xp.sum(f * p, axis=-1, keepdims=True)
    return Loss(experts * xp.sum(each) / n, experts / n * p * (f - each))
