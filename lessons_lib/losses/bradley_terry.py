from ..core import Loss, contract, real, spread
from ._preference import PreferenceGrad
from ._stable import sigmoid, softplus


@contract(chosen=real("N"), rejected=real("N"), margin=spread("[0, inf)"))
def bradley_terry(chosen, rejected, margin=0.0) -> Loss:
    """Bradley-Terry loss of each pair of rewards: how surprising it is that the chosen response won.

    value         = -log sigmoid(z) = softplus(-z)         z = chosen - rejected - margin
    grad.chosen   = -sigmoid(-z)
    grad.rejected = sigmoid(-z)

    chosen, rejected: (N,), the rewards of the two responses to each prompt; margin >= 0: a number, or (N,), larger
    where the choice was clearer; value: (N,), in nats, log 2 at z = 0. Only differences count: a constant added to
    all rewards changes nothing. Two rewards inf give NaN.
    Raises ValueError on unequal shapes or another margin, TypeError on integers.
    PyTorch: -F.logsigmoid(chosen - rejected - margin).
    Source: Bradley and Terry 1952; as a reward model's loss Ouyang et al. 2022; the margin Touvron et al. 2023.
    """
    z = chosen - rejected - margin
    slope = sigmoid(-z)
    return Loss(softplus(-z), PreferenceGrad(-slope, slope))
