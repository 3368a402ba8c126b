"""What the losses on pairs of responses share: the shape of their gradient, and the reward that a policy implies."""

from typing import Any, NamedTuple


class PreferenceGrad(NamedTuple):
    chosen: Any
    rejected: Any


def implicit_lead(chosen, rejected, ref_chosen, ref_rejected, beta):
    """By how much the chosen response leads in the implicit reward, beta log(policy / reference).

    Each reward by itself: their difference without beta may be too large for the dtype.
    """
    return beta * (chosen - ref_chosen) - beta * (rejected - ref_rejected)
