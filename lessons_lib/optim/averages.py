"""Averages of the weights along the way, and the schedule that goes with them."""

from ..core import array_namespace, is_half
from ..options import at_least_0, fraction
from ..update import alike
from ._anneal import anneal


def ema(average, theta, decay=0.999):
    """The exponential moving average, one step on: decay average + (1 - decay) theta.

    The first average is theta itself. (Started at 0 instead, it must be divided by 1 - decay^t, as in Adam.)
    average, theta: any shape, the same. The result has average's dtype, and float32 where that is half: there steps of
    0.1 % still count, which 11 bits round away. Raises ValueError on a decay outside [0, 1) or other shapes.
    PyTorch: AveragedModel(model, avg_fn=get_ema_avg_fn(decay)), which allows decay = 1 as well: nothing is learned.
    Source: Polyak and Juditsky 1992 for averaging; Tarvainen and Valpola 2017 for this form.
    """
    fraction(decay=decay)
    return _towards(average, theta, 1 - decay)


def running_mean(average, theta, n):
    """The mean of n + 1 weights from the mean of the first n: average + (theta - average) / (n + 1).

    With n = 0 the result is theta. This is stochastic weight averaging (SWA) where theta is taken once per epoch.
    Shapes, dtypes and errors as in ema; ValueError on a negative n.
    PyTorch: AveragedModel(model), or avg_fn=get_swa_avg_fn().   Source: Izmailov et al. 2018, Algorithm 1.
    """
    at_least_0(n=n)
    return _towards(average, theta, 1 / (n + 1))


def _towards(average, theta, share):
    alike(average=average, theta=theta)
    xp = array_namespace(average)
    wide = xp.float32 if is_half(average) else average.dtype
    a, b = xp.astype(average, wide), xp.astype(theta, wide)
    return (1 - share) * a + share * b


def swa_lr(t, lr, lr_swa, anneal_steps=10, shape="cos") -> float:
    """From the rate lr, which training had reached, to the constant rate of the averaging phase.

    lr_swa + (lr - lr_swa) (1 + cos(pi t / anneal_steps)) / 2, and lr_swa from t = anneal_steps on

    shape: "cos" or "linear". With anneal_steps = 0 it is lr_swa at once.
    PyTorch: SWALR(swa_lr=lr_swa, anneal_epochs=anneal_steps, anneal_strategy=shape).
    """
    at_least_0(t=t, lr=lr, lr_swa=lr_swa, anneal_steps=anneal_steps)
    return anneal(lr, lr_swa, min(1.0, t / anneal_steps) if anneal_steps else 1.0, shape)
