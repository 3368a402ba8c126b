from ..core import Loss, contract, number, real
from ._preference import PreferenceGrad
from ._stable import sigmoid, softplus


@contract(chosen=real("N"), rejected=real("N"), beta=number("(0, inf)"), weight=number("(0, inf)"))
def cpo(chosen, rejected, beta=0.1, weight=1.0) -> Loss:
    """CPO loss of each pair: DPO as if the reference were uniform, and the chosen response's negative log-likelihood.

    value         = softplus(-z) - weight chosen         z = beta (chosen - rejected)
    grad.chosen   = -beta sigmoid(-z) - weight
    grad.rejected = beta sigmoid(-z)

    chosen, rejected: (N,), log-probabilities of whole responses (`sequence_log_p`); value: (N,), in nats. The second
    term is what keeps the chosen response likely: the first one alone is content if both fall, one faster.
    -inf for both gives NaN.
    Raises ValueError on unequal shapes, beta or weight <= 0, TypeError on integers.
    PyTorch: -F.logsigmoid(beta * (chosen - rejected)) - weight * chosen.
    Source: Xu et al. 2024, equation 3 for the first term; weight is 1 there.
    """
    z = beta * (chosen - rejected)
    slope = beta * sigmoid(-z)
    return Loss(softplus(-z) - weight * chosen, PreferenceGrad(-slope - weight, slope))
