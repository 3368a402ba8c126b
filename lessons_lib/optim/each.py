from dataclasses import dataclass

from ..core import Rule


@dataclass(frozen=True)
class Each:
    """A rule for a dict of arrays: every array has its own state. Gradients are a dict with the same names.

    Raises KeyError when a gradient is missing or has no parameter.
    PyTorch: the loop over parameters inside every torch.optim.Optimizer.
    """

    rule: Rule

    def init(self, theta: dict) -> dict:
        return {name: self.rule.init(a) for name, a in theta.items()}

    def update(self, theta: dict, g: dict, state: dict):
        if theta.keys() != g.keys():
            raise KeyError(f"gradients {sorted(g)} do not match parameters {sorted(theta)}")
        new = {name: self.rule.update(theta[name], g[name], state[name]) for name in theta}
        return {name: a for name, (a, _) in new.items()}, {name: s for name, (_, s) in new.items()}
