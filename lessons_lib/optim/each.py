from dataclasses import dataclass

from ..core import Rule


@dataclass(frozen=True)
class Each:
    """A rule for a dict of arrays: every array has its own state. Gradients are a dict with the same names.

    Raises KeyError when a gradient or a state is missing or has no parameter, TypeError on what is no dict.
    PyTorch: the loop over parameters inside every torch.optim.Optimizer.
    """

    rule: Rule

    def init(self, theta: dict) -> dict:
        return {name: self.rule.init(a) for name, a in theta.items()}

    def update(self, theta: dict, g: dict, state: dict):
        for name, given in (("theta", theta), ("g", g), ("state", state)):
            if not isinstance(given, dict):
                raise TypeError(f"{name} must be a dict of arrays, got {type(given).__name__}")
            if given.keys() != theta.keys():
                raise KeyError(f"the names of {name}, {list(given)}, do not match those of theta, {list(theta)}")
        new = {name: self.rule.update(theta[name], g[name], state[name]) for name in theta}
        return {name: a for name, (a, _) in new.items()}, {name: s for name, (_, s) in new.items()}
