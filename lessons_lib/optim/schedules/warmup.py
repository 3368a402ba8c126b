"""The two schedules of large models: a linear warm-up, then a fall at once or late."""

from ...core.options import at_least_0
from ._anneal import anneal


def warmup_cosine(t, warmup, total, lr, lr_min=0.0) -> float:
    """A straight line from 0 to lr, then half a cosine down to lr_min, which stays.

    lr t / warmup                                                              t < warmup
    lr_min + (lr - lr_min) (1 + cos(pi (t - warmup) / (total - warmup))) / 2   warmup <= t <= total

    The rate is 0 at t = 0: count from t = 1, or the first update is lost. Raises ValueError unless
    0 <= warmup < total.
    PyTorch: no class; SequentialLR of LinearLR and CosineAnnealingLR comes close, but cannot start at 0.
    Source: Goyal et al. 2017 for the warm-up; Loshchilov and Hutter 2017 for the cosine.
    """
    return warmup_stable_decay(t, warmup, warmup, total, lr, lr_min, shape="cos")


def warmup_stable_decay(t, warmup, decay_from, total, lr, lr_min=0.0, shape="linear") -> float:
    """A straight line from 0 to lr, a plateau, and a fall to lr_min, which stays.

    lr t / warmup up to t = warmup, lr up to t = decay_from, lr_min from t = total on

    shape of the fall: "linear", "cos" or "sqrt" (1 - the root of the share done). The plateau has no end that must
    be known in advance: any of its checkpoints can be decayed. The rate is 0 at t = 0, as in warmup_cosine.
    Raises ValueError unless 0 <= warmup <= decay_from < total.
    PyTorch: no class; SequentialLR of LinearLR, ConstantLR(factor=1) and LinearLR.
    Source: Hu et al. 2024 (MiniCPM); Haegele et al. 2024 for the linear and the square-root fall.
    """
    at_least_0(t=t, warmup=warmup, decay_from=decay_from, total=total, lr=lr, lr_min=lr_min)
    if not warmup <= decay_from < total:
        raise ValueError(f"warmup={warmup}, decay_from={decay_from}, total={total} must ascend, the last one strictly")
    if t < warmup:
        return lr * t / warmup
    share = (min(t, total) - decay_from) / (total - decay_from)
    return anneal(lr, lr_min, max(share, 0), shape)
