from ..core import Loss, contract, number, real
from ._preference import PreferenceGrad
from ._stable import sigmoid, softplus


@contract(chosen=real("N"), rejected=real("N"), beta=number("(0, inf)"), margin=number("[0, inf)"))
def simpo(chosen, rejected, beta=2.0, margin=1.0) -> Loss:
    """SimPO loss of each pair: Bradley-Terry with a margin on beta times the mean log-probability, no reference.

    value         = softplus(-z)                    z = beta (chosen - rejected) - margin
    grad.chosen   = -beta sigmoid(-z)
    grad.rejected = beta sigmoid(-z)

    chosen, rejected: (N,), mean log-probabilities per token (`mean_log_p`); margin >= 0: the paper's gamma, in units
    of the reward beta log p: TRL's simpo_gamma, while the authors' code takes gamma_beta_ratio = margin / beta;
    value: (N,), in nats. -inf for both gives NaN.
    Raises ValueError on unequal shapes, another beta or margin, TypeError on integers.
    PyTorch: -F.logsigmoid(beta * (chosen - rejected) - margin).
    Source: Meng, Xia and Chen 2024.
    """
    z = beta * (chosen - rejected) - margin
    slope = beta * sigmoid(-z)
    return Loss(softplus(-z), PreferenceGrad(-slope, slope))
