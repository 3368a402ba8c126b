from ..core import Loss, array_namespace, contract, number, real
from ._preference import PreferenceGrad
from ._stable import sigmoid, softplus

LOG_P = real("N", "[-inf, 0]", nan=True)


@contract(chosen=LOG_P, rejected=LOG_P, weight=number("(0, inf)"))
def orpo(chosen, rejected, weight=0.1) -> Loss:
    """ORPO loss of each pair: the chosen response's negative log-likelihood, and the odds against the other one.

    value         = -chosen + weight softplus(-z)             z = log(odds p / odds q), odds p = p / (1 - p)
    grad.chosen   = -1 - weight sigmoid(-z) / (1 - p)         p = exp(chosen)
    grad.rejected = weight sigmoid(-z) / (1 - q)              q = exp(rejected)

    chosen, rejected: (N,), mean log-probabilities per token (`mean_log_p`), <= 0; value: (N,), in nats. No reference.
    With sums in their place all odds would be next to 0. A rejected response of log-probability 0 is certain: value
    and its gradient are inf (so is grad.chosen where both are).
    Raises ValueError on unequal shapes, a log-probability > 0 or weight <= 0, TypeError on integers.
    PyTorch: none; -chosen - weight * F.logsigmoid(torch.logit(p) - torch.logit(q)), which loses 1 - p near 1.
    Source: Hong, Lee and Thorne 2024, equation 6, with weight for its lambda.
    """
    xp = array_namespace(chosen, rejected)
    even, zero = chosen == rejected, xp.zeros_like(chosen)  # also where both are 0, or -inf
    ahead = xp.where(even, zero, chosen - rejected)
    not_p, not_q = zero - xp.expm1(chosen), zero - xp.expm1(rejected)  # at 0 it is 0, not -0
    z = xp.where(even, zero, ahead - xp.log(not_p) + xp.log(not_q))
    in_chosen = -1 - (zero + weight) / (not_p + xp.exp(ahead) * not_q)  # sigmoid(-z) / (1 - p), without 0 / 0 at p = 1
    in_rejected = weight * sigmoid(-z) / not_q
    return Loss(weight * softplus(-z) - chosen, PreferenceGrad(in_chosen, in_rejected))
