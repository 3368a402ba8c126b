"""Rules that give every number its own rate from its gradients so far, and averaged SGD."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from ... import optim
from ...core.rule import in_theta_dtype
from ._case import RuleCase, rule


def float64_scalars(torch_class):
    """torch_class as it is in a float64 program.

    Else PyTorch keeps numbers that it shares between all elements (ASGD's rates, NAdam's product of momenta)
    in float32, whatever the parameters are: an error of 1e-8 that is not ours.
    """

    class Exact(torch_class):  # type: ignore[misc, valid-type]
        def step(self, closure=None):
            before = torch.get_default_dtype()
            torch.set_default_dtype(torch.float64)
            try:
                return super().step(closure)
            finally:
                torch.set_default_dtype(before)

    return Exact


class AverageState(NamedTuple):
    t: int
    theta: Any
    inner: Any


@dataclass(frozen=True)
class Average:
    """ASGD that shows its average where others show theta."""

    rule: optim.ASGD

    def init(self, theta) -> AverageState:
        return AverageState(0, theta, self.rule.init(theta))

    @in_theta_dtype
    def update(self, theta, g, state):
        theta, inner = self.rule.update(state.theta, g, state.inner)
        return inner.ax, AverageState(inner.t, theta, inner)


class AverageOfTorch(float64_scalars(torch.optim.ASGD)):  # type: ignore[misc]
    """The same with PyTorch's, for one parameter."""

    theta = None

    def step(self, closure=None):
        (p,) = self.param_groups[0]["params"]
        if self.theta is not None:
            p.data.copy_(self.theta)
        loss = super().step(closure)
        self.theta = p.detach().clone()
        p.data.copy_(self.state[p]["ax"])
        return loss


_Adagrad, _RMSprop, _Adadelta = torch.optim.Adagrad, torch.optim.RMSprop, torch.optim.Adadelta
_Rprop, _ASGD = torch.optim.Rprop, float64_scalars(torch.optim.ASGD)
_asgd = {"foreach": False}  # the foreach path rounds its rates to float32
_grow = {"eta_minus": 0.3, "eta_plus": 1.7}

CASES: list[RuleCase] = [
    rule("AdaGrad", "plain", optim.AdaGrad(0.1), _Adagrad, lr=0.1),
    rule("AdaGrad", "lr_decay", optim.AdaGrad(0.1, lr_decay=0.2), _Adagrad, lr=0.1, lr_decay=0.2),
    rule(
        "AdaGrad",
        "initial_accumulator_value",
        optim.AdaGrad(0.1, initial_accumulator_value=0.7),
        _Adagrad,
        lr=0.1,
        initial_accumulator_value=0.7,
    ),
    rule("AdaGrad", "eps", optim.AdaGrad(0.1, eps=0.5), _Adagrad, lr=0.1, eps=0.5),
    rule("AdaGrad", "weight_decay", optim.AdaGrad(0.1, weight_decay=0.3), _Adagrad, lr=0.1, weight_decay=0.3),
    rule("AdaGrad", "maximize", optim.AdaGrad(0.1), _Adagrad, -1, lr=0.1, maximize=True),
    rule("RMSProp", "plain", optim.RMSProp(0.01), _RMSprop, lr=0.01),
    rule("RMSProp", "alpha", optim.RMSProp(0.05, alpha=0.6), _RMSprop, lr=0.05, alpha=0.6),
    rule("RMSProp", "eps", optim.RMSProp(0.1, eps=0.5), _RMSprop, lr=0.1, eps=0.5),
    rule("RMSProp", "momentum", optim.RMSProp(0.01, momentum=0.8), _RMSprop, lr=0.01, momentum=0.8),
    rule("RMSProp", "centered", optim.RMSProp(0.01, centered=True), _RMSprop, lr=0.01, centered=True),
    rule("RMSProp", "weight_decay", optim.RMSProp(0.01, weight_decay=0.3), _RMSprop, lr=0.01, weight_decay=0.3),
    rule(
        "RMSProp",
        "all at once",
        optim.RMSProp(0.01, 0.9, 0.05, 0.7, True, 0.2),
        _RMSprop,
        lr=0.01,
        alpha=0.9,
        eps=0.05,
        momentum=0.7,
        centered=True,
        weight_decay=0.2,
    ),
    rule("RMSProp", "maximize", optim.RMSProp(0.01), _RMSprop, -1, lr=0.01, maximize=True),
    rule("Adadelta", "plain", optim.Adadelta(), _Adadelta),
    rule("Adadelta", "lr, rho", optim.Adadelta(0.3, rho=0.6), _Adadelta, lr=0.3, rho=0.6),
    rule("Adadelta", "eps", optim.Adadelta(eps=0.01), _Adadelta, eps=0.01),
    rule("Adadelta", "weight_decay", optim.Adadelta(eps=0.01, weight_decay=0.3), _Adadelta, eps=0.01, weight_decay=0.3),
    rule("Adadelta", "maximize", optim.Adadelta(), _Adadelta, -1, maximize=True),
    rule("Rprop", "plain", optim.Rprop(0.1), _Rprop, lr=0.1),
    rule("Rprop", "etas", optim.Rprop(0.1, **_grow), _Rprop, lr=0.1, etas=(0.3, 1.7)),
    rule(
        "Rprop",
        "step_sizes",
        optim.Rprop(0.1, step_min=0.03, step_max=0.2),
        _Rprop,
        lr=0.1,
        step_sizes=(0.03, 0.2),
    ),
    rule("Rprop", "maximize", optim.Rprop(0.1), _Rprop, -1, lr=0.1, maximize=True),
    rule("ASGD", "plain", optim.ASGD(0.1), _ASGD, lr=0.1, **_asgd),
    rule("ASGD", "lambd", optim.ASGD(0.1, lambd=0.5), _ASGD, lr=0.1, lambd=0.5, **_asgd),
    rule("ASGD", "alpha", optim.ASGD(0.1, lambd=0.5, alpha=0.3), _ASGD, lr=0.1, lambd=0.5, alpha=0.3, **_asgd),
    rule("ASGD", "t0, the average", Average(optim.ASGD(0.1, t0=5)), AverageOfTorch, lr=0.1, t0=5, **_asgd),
    rule("ASGD", "weight_decay", optim.ASGD(0.1, weight_decay=0.3), _ASGD, lr=0.1, weight_decay=0.3, **_asgd),
    rule("ASGD", "maximize", optim.ASGD(0.01), _ASGD, -1, lr=0.01, maximize=True, **_asgd),
]
