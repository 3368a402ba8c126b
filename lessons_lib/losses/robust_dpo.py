from ..core import Loss, contract, number, real
from ._preference import PreferenceGrad, implicit_lead
from ._stable import one_per_value, product, sigmoid, softplus


@contract(
    chosen=real("N"),
    rejected=real("N"),
    ref_chosen=real("N"),
    ref_rejected=real("N"),
    beta=number("(0, inf)"),
    noise=number("[0, 0.5)"),
)
def robust_dpo(chosen, rejected, ref_chosen, ref_rejected, beta=0.1, noise=0.1) -> Loss:
    """Robust DPO loss of each pair: where a share of the labels is flipped, its mean is that of DPO on the true ones.

    value         = ((1 - e) softplus(-z) - e softplus(z)) / (1 - 2 e)        e = noise
                  = softplus(-z) - k z                                        k = e / (1 - 2 e)
    grad.chosen   = -beta (sigmoid(-z) + k),  grad.rejected = -grad.chosen
    z             = beta ((chosen - ref_chosen) - (rejected - ref_rejected))

    Arguments as in `dpo`; noise in [0, 0.5), the share of flipped labels, at 0 it is dpo; value: (N,), in nats.
    One value may be negative, without a bound: a pair that is right for certain pulls with beta k for ever, and only
    the pairs with flipped labels pull back.
    Raises ValueError on unequal shapes or another beta or noise, TypeError on integers.
    PyTorch: none; the two softplus as F.softplus(-z) and F.softplus(z).
    Source: Chowdhury, Kini and Natarajan 2024, section 3.1.
    """
    z = implicit_lead(chosen, rejected, ref_chosen, ref_rejected, beta)
    (k,) = one_per_value(z, noise / (1 - 2 * noise))
    slope = beta * (sigmoid(-z) + k)
    return Loss(softplus(-z) - product(k, z), PreferenceGrad(-slope, slope))
