from ..core import Loss, array_namespace, contract, number, real
from ._pairs import centred, log_probabilities, log_ratio


@contract(logits=real("..., C"), teacher_logits=real("..., C"), temperature=number("(0, inf)"))
def reverse_kl(logits, teacher_logits, temperature=1.0) -> Loss:
    """Reverse distillation: the divergence KL(q || p) of a teacher's softmax p from its student's q.

    value = sum_i q_i d_i               d = log q - log p, q = softmax(logits / T), p = softmax(teacher_logits / T)
    grad  = q (d - value) / T           by logits; the teacher is a constant

    It punishes what the student says and the teacher would not: a small student picks some of the teacher's answers,
    where distillation spreads over all of them. Its gradient vanishes where q_i is 0, whatever the teacher thinks.
    logits, teacher_logits: (..., C); temperature T > 0; value: (...), in nats (there is no T^2 as in distillation);
    inf where p_i = 0 < q_i (a teacher's logit of -inf), and there the gradient is given as 0.
    Raises ValueError on unequal shapes or a temperature that is not > 0, TypeError on integers.
    PyTorch: F.kl_div(F.log_softmax(teacher_logits / T, -1), F.log_softmax(logits / T, -1), log_target=True,
    reduction="none").sum(-1).
    Source: Gu, Dong, Wei and Huang 2024 (MiniLLM), who sample whole answers; here it is exact, token by token.
    """
    xp = array_namespace(logits, teacher_logits)
    log_q, log_p = log_probabilities(temperature, logits, teacher_logits)
    q, d = xp.exp(log_q), log_ratio(log_q, log_p)
    value = xp.sum(q * d, axis=-1)
    finite = value[..., None] != xp.inf
    return Loss(value, centred(q, xp.where(finite, d, xp.zeros_like(d))) / temperature)
