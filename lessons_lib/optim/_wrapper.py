"""What the rules around a rule share: the check that it is one."""

import reprlib


def is_rule(x) -> bool:
    return not isinstance(x, type) and callable(getattr(x, "init", None)) and callable(getattr(x, "update", None))


def a_rule(**rules) -> None:
    """Raise TypeError unless every one is a rule."""
    for name, x in rules.items():
        if not is_rule(x):
            raise TypeError(f"{name}={reprlib.repr(x)} is not allowed; it must be a rule, as SGD(0.1)")
