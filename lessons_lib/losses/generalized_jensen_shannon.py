from ..core import Loss, array_namespace, contract, number, real
from ._pairs import centred, log_probabilities, log_ratio
from ._stable import one_per_value
from .reverse_kl import reverse_kl


@contract(logits=real("..., C"), teacher_logits=real("..., C"), beta=number("[0, 1]"), temperature=number("(0, inf)"))
def generalized_jensen_shannon(logits, teacher_logits, beta=0.5, temperature=1.0) -> Loss:
    """Generalized Jensen-Shannon divergence of a student's softmax q and a teacher's p, which weighs beta.

    value = beta KL(p || m) + (1 - beta) KL(q || m)     m = beta p + (1 - beta) q
    grad  = (1 - beta) q (d - sum_i q_i d_i) / T        d = log(q / m), by logits; the teacher is a constant

    beta = 0 is KL(p || q), beta = 1 is KL(q || p), as in TRL. These are the limits not of the value, which goes to 0
    at both ends, but of value / beta and value / (1 - beta): just beside an end the gradient is nearly 0, at the end
    it is not. In between, the value is at most the entropy of (beta, 1 - beta), and finite where p or q is 0.
    logits, teacher_logits: (..., C); q, p = softmax(... / T), temperature T > 0; value: (...), in nats, without T^2.
    Raises ValueError on unequal shapes, beta outside [0, 1] or a temperature not > 0, TypeError on integers.
    PyTorch: none; TRL's GKDTrainer.generalized_jsd_loss(logits, teacher_logits, beta=..., temperature=...).
    Source: Agarwal et al. 2024 (GKD), equation 1.
    """
    xp = array_namespace(logits, teacher_logits)
    if beta == 1:
        return reverse_kl(logits, teacher_logits, temperature)
    log_q, log_p = log_probabilities(temperature, logits, teacher_logits)
    q, p = xp.exp(log_q), xp.exp(log_p)
    if beta == 0:
        return Loss(xp.sum(p * log_ratio(log_p, log_q), axis=-1), (q - p) / temperature)
    d, e = _over_mixture(xp, log_q, log_p, beta)
    return Loss(xp.sum(beta * p * e + (1 - beta) * q * d, axis=-1), (1 - beta) * centred(q, d) / temperature)


def _over_mixture(xp, log_q, log_p, beta):
    """log(q / m) and log(p / m): m is taken over the larger of p and q, which is off 1 by little where they agree."""
    log_q, log_p = (xp.clip(a, -1e4, None) for a in (log_q, log_p))  # exp is 0 long before, and no inf - inf is left
    r = log_p - log_q
    on_p, on_q = one_per_value(r, beta, 1 - beta)
    own, other = xp.where(r > 0, on_p, on_q), xp.where(r > 0, on_q, on_p)
    near, far = other * xp.expm1(-xp.abs(r)), own + other * xp.exp(-xp.abs(r))  # less 1, and whole
    log_m = xp.where(near > -0.5, xp.log1p(xp.clip(near, -0.5, None)), xp.log(far))
    return -log_m - xp.clip(r, 0, None), -log_m + xp.clip(r, None, 0)
