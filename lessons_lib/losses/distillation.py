from ..core import Loss, array_namespace, contract, number, real
from ._pairs import log_probabilities, log_ratio


@contract(logits=real("..., C"), teacher_logits=real("..., C"), temperature=number("(0, inf)"))
def distillation(logits, teacher_logits, temperature=1.0) -> Loss:
    """Knowledge distillation: the divergence KL(p || q) of a student's softmax q from its teacher's p, softened by T.

    value = T^2 sum_i p_i (log p_i - log q_i)       p = softmax(teacher_logits / T), q = softmax(logits / T)
    grad  = T (q - p)                               by logits; the teacher is a constant

    T^2 keeps the size of the gradient while T softens both; for T -> inf it is (z - mean z - (t - mean t)) / C.
    logits z, teacher_logits t: (..., C); temperature T > 0; value: (...), in nats times T^2; 0 where both softmaxes
    are equal, inf where q_i = 0 < p_i (a student's logit of -inf); a teacher's logit of -inf leaves its class out.
    Raises ValueError on unequal shapes or a temperature that is not > 0, TypeError on integers.
    PyTorch: T**2 * F.kl_div(F.log_softmax(logits / T, -1), F.log_softmax(teacher_logits / T, -1), log_target=True,
    reduction="none").sum(-1).
    Source: Hinton, Vinyals and Dean 2015.
    """
    xp = array_namespace(logits, teacher_logits)
    log_q, log_p = log_probabilities(temperature, logits, teacher_logits)
    q, p = xp.exp(log_q), xp.exp(log_p)
    value = xp.sum(p * log_ratio(log_p, log_q), axis=-1)
    return Loss(temperature * (temperature * value), temperature * (q - p))
