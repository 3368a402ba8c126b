"""Averages of the weights along the way; the schedule that goes with them is `schedules.swa_lr`."""

from ..core import array_namespace, is_half
from ..core.options import at_least_0, fraction
from ..core.rule import alike


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
