from ...core.options import at_least_0
from ._anneal import anneal


def swa_lr(t, lr, lr_swa, anneal_steps=10, shape="cos") -> float:
    """From the rate lr, which training had reached, to the constant rate of the averaging phase.

    lr_swa + (lr - lr_swa) (1 + cos(pi t / anneal_steps)) / 2, and lr_swa from t = anneal_steps on

    shape: "cos" or "linear". With anneal_steps = 0 it is lr_swa at once.
    PyTorch: SWALR(swa_lr=lr_swa, anneal_epochs=anneal_steps, anneal_strategy=shape).
    """
    at_least_0(t=t, lr=lr, lr_swa=lr_swa, anneal_steps=anneal_steps)
    return anneal(lr, lr_swa, min(1.0, t / anneal_steps) if anneal_steps else 1.0, shape)
