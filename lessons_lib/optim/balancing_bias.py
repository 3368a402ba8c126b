from ..core import array_namespace, contract, number, real
from ..core.kinds import FLOAT, Array, Range


@contract(bias=real("E"), load=Array("E", rf"{FLOAT}|int", Range("[0, inf)")), rate=number("[0, inf)"))
def balancing_bias(bias, load, rate=1e-3):
    """Loss-free balance of a mixture of experts: the next bias, a step up for experts with too few tokens, else down.

    b + rate sign(mean(load) - load)                b = bias

    The bias is added to a router's scores only to choose the k experts of a token, not to weigh what they say, so that
    no gradient passes and none is disturbed. Call it once per batch, after the optimizer's step.
    bias, load: (E,), load the tokens that each expert got in the batch, counts or shares; the result has bias's dtype:
    keep it in float32, half precision rounds steps of 1e-3 away. Experts at the mean keep theirs.
    Raises ValueError on other shapes, a negative load or rate, TypeError on a bias of integers.
    PyTorch: none.   Source: Wang, Gao, Zhao, Sun and Dai 2024, Algorithm 1.
    """
    xp = array_namespace(bias, load)
    return bias + rate * xp.sign(xp.mean(load) - load)
