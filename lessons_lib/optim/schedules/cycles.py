"""Schedules that go up and down."""

from collections.abc import Callable
from itertools import pairwise

from ...core.options import at_least_0, flag, number, one_of, positive, whole
from ._anneal import anneal


def cosine(t, total, lr, lr_min=0.0) -> float:
    """Half a cosine from lr down to lr_min.

    lr_min + (lr - lr_min) (1 + cos(pi t / total)) / 2

    After `total` it rises again, to lr at 2 total: end the training there, or take `warmup_cosine`, which stays.
    PyTorch: CosineAnnealingLR(T_max=total, eta_min=lr_min).
    Source: Loshchilov and Hutter 2017, equation 5, without restarts.
    """
    at_least_0(t=t, lr=lr, lr_min=lr_min)
    positive(total=total)
    return anneal(lr, lr_min, t / total, "cos")


def cosine_restarts(t, period, lr, lr_min=0.0, growth=1) -> float:
    """Half a cosine from lr to lr_min, over and over; each period is `growth` times as long as the one before.

    t = period has the rate lr again, so lr_min is only approached. t may be fractional.
    Raises ValueError on period <= 0 or a growth that is not a whole number >= 1.
    PyTorch: CosineAnnealingWarmRestarts(T_0=period, T_mult=growth, eta_min=lr_min).
    Source: Loshchilov and Hutter 2017, equation 5.
    """
    at_least_0(t=t, lr=lr, lr_min=lr_min)
    positive(period=period)
    whole(growth=growth, least=1)
    if growth == 1:
        t = t % period
    while t >= period:
        t, period = t - period, period * growth
    return cosine(t, period, lr, lr_min)


HEIGHTS: dict[str, Callable] = {
    "triangular": lambda cycle, t: 1.0,
    "triangular2": lambda cycle, t: 0.5 ** (cycle - 1),
}


def cyclic(t, lr_min, lr_max, up=2000, down=None, height: str | Callable = "triangular") -> float:
    """A triangle between lr_min and lr_max: `up` steps to the top, `down` (default: up) steps back.

    lr_min + height (lr_max - lr_min) min(s / up, (up + down - s) / down),      s = t mod (up + down)

    height: "triangular" 1; "triangular2" half as high in each cycle; or a function of the cycle 1, 2, ... and of t.
    For the momentum, which goes against the rate, exchange the ends: cyclic(t, 0.9, 0.8, ...).
    PyTorch: CyclicLR(base_lr=lr_min, max_lr=lr_max, step_size_up=up, step_size_down=down, mode=height);
    its "exp_range" is height=lambda cycle, t: gamma**t, and scale_fn with scale_mode is such a function as well.
    Source: Smith 2017, section 3.
    """
    at_least_0(t=t, lr_min=lr_min, lr_max=lr_max)
    down = up if down is None else down
    positive(up=up, down=down)
    if not callable(height):
        one_of(HEIGHTS, height=height)
    cycle, s = divmod(t, up + down)
    tall = height if callable(height) else HEIGHTS[height]
    return lr_min + tall(cycle + 1, t) * (lr_max - lr_min) * min(s / up, (up + down - s) / down)


def one_cycle(
    t, total, lr_max, pct_start=0.3, shape="cos", div_factor=25.0, final_div_factor=1e4, three_phase=False
) -> float:
    """One rise from lr_max / div_factor to lr_max, then one fall to lr_max / (div_factor final_div_factor).

    The rise takes the share pct_start of the `total` steps. With three_phase the fall first takes as many steps
    back to lr_max / div_factor. shape: "cos" or "linear". For the momentum, with ends high and low, take
    one_cycle(t, total, low, div_factor=low / high, final_div_factor=1).
    Raises ValueError on t >= total (PyTorch runs one step past its end there), and where a phase has no step: it would
    never rise, or never fall (PyTorch does so in silence).
    PyTorch: OneCycleLR(max_lr=lr_max, total_steps=total, anneal_strategy=shape, ...).   Source: Smith and Topin 2018.
    """
    at_least_0(t=t, lr_max=lr_max)
    positive(total=total, div_factor=div_factor, final_div_factor=final_div_factor)
    number(pct_start=pct_start)
    flag(three_phase=three_phase)
    if not t <= total - 1:
        raise ValueError(f"t={t} is not allowed; the last step is total - 1 = {total - 1}")
    if not 0 <= pct_start <= (0.5 if three_phase else 1):
        raise ValueError(f"pct_start={pct_start} is not allowed; it must lie in [0, 1], in [0, 0.5] with three_phase")
    low, top = lr_max / div_factor, pct_start * total - 1
    corners = [(0, low), (top, lr_max), (total - 1, low / final_div_factor)]
    if three_phase:
        corners.insert(2, (2 * top, low))
    if not all(t0 < t1 for (t0, _), (t1, _) in pairwise(corners)):
        raise ValueError(f"pct_start={pct_start}, total={total} leave a phase without a step")
    (t0, a), (t1, b) = next(ends for ends in pairwise(corners) if t <= ends[1][0])
    return anneal(a, b, (t - t0) / (t1 - t0), shape)
