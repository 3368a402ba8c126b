"""Every public name of optim and second_order, walked by machine: the answer is right or an error names the argument.

Rules, schedules, clipping, averages, loss scale, line search: whatever a module defines without an underscore joins the
walk, and fails it until its parameters have a sample here.
"""

import copy
import importlib
import inspect
import math
import pickle
import pkgutil
import sys
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib import optim, second_order
from lessons_lib.bridge import TorchOptimizer
from lessons_lib.optim import Each
from lessons_lib.second_order import Point
from lessons_lib.show import formula

INF, NAN = math.inf, math.nan


def public() -> dict[str, Any]:
    """Functions and rules by name: what the packages export, and what the modules of optim hold besides."""
    found = [getattr(package, name) for package in (optim, second_order) for name in package.__all__]
    for module in pkgutil.walk_packages(optim.__path__, "lessons_lib.optim."):
        if "._" not in module.name:
            found += [x for name, x in vars(importlib.import_module(module.name)).items() if not name.startswith("_")]
    ours = (x for x in found if inspect.isfunction(x) or is_dataclass(x))
    homes = (optim.__name__, second_order.__name__)
    named = {x.__name__: x for x in ours if x.__module__.startswith(homes) and "._" not in x.__module__}
    return {name: x for name, x in named.items() if not name.startswith("_")}


PUBLIC = public()
INNER = {"rule": optim.SGD(0.1), "before": (optim.Momentum(lr=1.0),)}  # what a rule around a rule must be given
RULES = {
    name: x
    for name, x in PUBLIC.items()
    if hasattr(x, "update") and hasattr(x, "elementwise") and "rule" not in x.__dataclass_fields__
}  # those around a rule: tests/test_wrappers.py
THETA = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])
BOWL = {"value": lambda x: x @ x / 2, "gradient": lambda x: x, "hessian": lambda x: np.eye(len(x))}
SAMPLES: dict[str, Any] = {
    **dict.fromkeys(("t", "n", "warmup", "anneal_steps", "patience", "cooldown"), 3),
    **dict.fromkeys(("lr", "lr_min", "lr_max", "lr_swa", "lr_max", "rho", "decay", "factor", "start_factor"), 0.25),
    **dict.fromkeys(("total", "steps", "up", "down", "step_size", "period"), 20),
    **{"decay_from": 10, "power": 2.0, "end": 0.75, "growth": 2, "div_factor": 10.0, "final_div_factor": 10.0},
    **{
        "milestones": [5],
        "schedules": [lambda t: 1.0, lambda t: 0.5],
        "factor_at": lambda t: 0.9,
        "height": "triangular",
    },
    **{"shape": "linear", "pct_start": 0.3, "three_phase": False, "metrics": [1.0, 0.5], "mode": "min"},
    **{"threshold": 1e-4, "threshold_mode": "rel", "eps": 1e-8, "limit": 1.0, "norm_type": 2.0, "decay_rate": 0.9},
    **{"average": np.ones(2), "theta": np.ones(2), "g": np.array([1.0, 2.0]), "old": np.array([2.0, 1.0]), **BOWL},
    **{"h": np.eye(2), "damping": 0.5, "tolerance_grad": 1e-8, "tolerance": 1e-8, "tolerance_change": 1e-9, "c1": 1e-4},
    **{
        "c2": 0.9,
        "shortest": 0.0,
        "evals": 5,
        "step": 1.0,
        "start": Point(0.0, 0.5, -1.0, np.ones(1)),
        "d": -np.ones(2),
    },
    **{"line": lambda s: Point(s, (1 - s) * (1 - s) / 2, s - 1, np.ones(1)), "matvec": lambda p: p, "b": np.ones(2)},
    **{"x": np.zeros(2), "pairs": [(np.ones(2), np.ones(2))], "history": 5, "line_search": True, "max_evals": 10},
    **{"beta": lambda g, old: 0.0, "rule": optim.SGD(0.1), "coefficients": (2.0, -1.5, 0.5)},
    **{
        "support": lambda x: x,
        "query": lambda x: x,
        "hvp": lambda x, v: v,
        "seed": 1,
        "sigma": 0.5,
        "f": lambda x: x @ x,
    },
    **{"noise": np.ones((3, 2)), "codes": np.ones(5, np.uint8), "scale": np.ones(2), "signed": True, "block": 4},
    **{"w_q": THETA, "w_k": THETA, "max_logit": 250.0, "tau": 100.0},
    **{"a": THETA, "grad_a": THETA, "grad_b": THETA.T},
}
OWN: dict[tuple[str, str], Any] = {  # the same name with another meaning
    ("linear", "start"): 0.5,
    ("chained", "schedules"): [lambda t, lr: lr],
    ("newton_schulz", "x"): THETA,
    ("momentum", "steps"): 3,
    ("maml_gradient", "steps"): 2,
    ("reptile_gradient", "steps"): 2,
    ("balancing_bias", "bias"): np.zeros(2),
    ("balancing_bias", "load"): np.array([3, 5]),
    ("balancing_bias", "rate"): 0.01,
    ("scaled_lora_gradients", "b"): THETA.T,
}
ODD = ["abc", "1e-3", None, True, NAN, INF, -INF, -1, 0, 1.5, 1e300, 10**400, 2j, [], {}, (1.0, 2.0), object(), b"1"]
ARRAYS = [np.ones(3), np.ones((2, 2)), np.ones(2, dtype=int), np.array([NAN, 1.0]), np.array("a"), np.array([None, 1])]
ODD += [*ARRAYS, np.float64(0.5), np.array(0.5)]


def arguments(name) -> dict[str, Any]:
    given = {}
    for parameter in inspect.signature(PUBLIC[name]).parameters.values():
        if (name, parameter.name) in OWN or parameter.name in SAMPLES:
            given[parameter.name] = OWN.get((name, parameter.name), SAMPLES.get(parameter.name))
        else:
            assert parameter.default is not parameter.empty, f"no sample for {parameter.name} of {name}"
    return given


def short(x) -> str:
    return f"{type(x).__name__} {x!r}"[:60]


FUNCTIONS = [name for name, x in PUBLIC.items() if inspect.isfunction(x)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_odd_argument_of_a_function_works_or_is_named(name):
    given, raw = arguments(name), []
    with np.errstate(all="ignore"):
        PUBLIC[name](**given)
        for argument in given:
            for x in ODD:
                try:
                    PUBLIC[name](**{**given, argument: x})
                except (ValueError, TypeError) as error:
                    if argument not in str(error):
                        raw.append((argument, short(x), repr(error)))
                except Exception as error:
                    raw.append((argument, short(x), repr(error)))
    assert raw == []


def stepped(rule, theta, g, steps=2):
    state = rule.init(theta)
    for _ in range(steps):
        theta, state = rule.update(theta, g, state)
    return theta, state


@pytest.mark.parametrize("name", [name for name, x in PUBLIC.items() if is_dataclass(x)])
def test_an_odd_option_works_or_is_named(name):
    raw = []
    for option in (f.name for f in fields(PUBLIC[name])):
        for x in ODD:
            try:
                with np.errstate(all="ignore"):
                    needed = {f.name: INNER[f.name] for f in fields(PUBLIC[name]) if f.name in INNER}
                    rule = PUBLIC[name](**{**needed, option: x})
                    if name in RULES:
                        stepped(rule, THETA, THETA)
                        stepped(rule, torch.tensor(THETA).float(), torch.tensor(THETA).float())
            except (ValueError, TypeError) as error:
                if option not in str(error):
                    raw.append((option, short(x), repr(error)))
            except Exception as error:
                raw.append((option, short(x), repr(error)))
    assert raw == []


DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_lesson_shows_is_what_it_computes(name):
    """The source without its checks, run by itself: nothing but checks was left out."""
    space, text = dict(vars(sys.modules[PUBLIC[name].__module__])), formula(PUBLIC[name])
    exec(text, space)
    assert "__post_init__" not in text and "ClassVar" not in text
    kinds = space[name], PUBLIC[name]
    if name in RULES:
        shown, ours = (stepped(kind(), THETA, THETA, 5) for kind in kinds)
    elif name in FUNCTIONS:
        shown, ours = (kind(**arguments(name)) for kind in kinds)
    else:
        return
    assert repr(shown) == repr(ours) or callable(ours)


@pytest.mark.parametrize("g_dtype", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RULES)
def test_theta_keeps_its_dtype_and_its_digits_whatever_the_gradient_has(name, dtype, g_dtype):
    """The gradient is exact in every dtype: the result must be that of a gradient in theta's own, to the last bit."""
    rule, theta, g = RULES[name](), torch.tensor(THETA, dtype=dtype), torch.tensor([[0.5, -1], [2, 0.25], [-4, 1]])
    moved, state = stepped(rule, theta, g.to(g_dtype), 3)
    same, _ = stepped(rule, theta, g.to(dtype), 3)
    assert moved.dtype == dtype and torch.equal(moved, same)
    wide = torch.float32 if dtype.itemsize == 2 else dtype
    assert {a.dtype for a in state if torch.is_tensor(a)} <= {wide}
    narrow = type(state)(*(a.half() if torch.is_tensor(a) else a for a in state))
    again, state = rule.update(moved, g.to(g_dtype), narrow)  # nor does a state of 16 bits decide anything
    assert again.dtype == dtype and {a.dtype for a in state if torch.is_tensor(a)} <= {wide}


@pytest.mark.parametrize("name", RULES)
def test_autocast_around_an_update_changes_nothing(name):
    rule, theta, g = RULES[name](), torch.tensor(THETA).float(), torch.tensor(THETA[::-1].copy()).float()
    outside, _ = stepped(rule, theta, g)
    with torch.autocast("cpu", torch.bfloat16):
        inside, _ = stepped(rule, theta, g)
    assert torch.equal(inside, outside)


@pytest.mark.parametrize("method", ["lbfgs", "nonlinear_cg"])
def test_autocast_around_a_second_order_method_changes_nothing(method):
    theta = torch.tensor([-1.2, 1.0, 0.7])
    curvature = torch.tensor([1.0, 3.0, 10.0])
    ends = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            ends.append(PUBLIC[method](lambda x: (curvature * x * x).sum() / 2, lambda x: curvature * x, theta)[-1])
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_takes_no_state_but_its_own(name):
    rule = RULES[name]()
    theta = torch.ones(3, 2)
    for other in (None, {}, (), (0,), object(), theta):
        with pytest.raises(TypeError, match="state must be what"):
            rule.update(theta, theta, other)
    for foreign in (r() for n, r in RULES.items() if n != name):
        with pytest.raises(TypeError, match="state must be what"):
            rule.update(theta, theta, foreign.init(theta))
    for shape in ((2, 3), (3, 3), (1, 2), (1, 1), (6, 1)):
        state = rule.init(torch.ones(shape))
        if len(state) > 1:  # a state of arrays, not of t alone
            with pytest.raises(ValueError, match="state belongs to another array"):
                rule.update(theta, theta, state)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_is_wrong_with_theta_or_g(name):
    rule, theta = RULES[name](), np.ones((3, 2))
    state = rule.init(theta)
    for g in (
        None,
        "abc",
        1.0,
        [[1.0, 2.0]] * 3,
        theta.astype(int),
        theta > 0,
        theta + 0j,
        theta.T,
        theta[0],
        theta[:, :1],
    ):
        with pytest.raises((TypeError, ValueError), match=r"g must be|shapes must be equal"):
            rule.update(theta, g, state)
    with pytest.raises(TypeError, match="g must come from the array library of theta"):
        rule.update(theta, torch.ones(3, 2), state)
    with pytest.raises(TypeError, match="theta must be"):
        rule.update(theta.astype(int), theta, state)


@pytest.mark.parametrize("library", ["numpy", "read-only", "strict", "torch"])
@pytest.mark.parametrize("name", RULES)
def test_a_zero_gradient_and_inputs_that_cannot_be_written(name, library):
    theta, g = INTO[library](THETA), INTO[library](np.zeros((3, 2)))
    moved, _ = stepped(RULES[name](), theta, g, 3)
    assert np.isfinite(back(moved)).all() and type(moved) is type(theta)
    np.testing.assert_array_equal(back(theta), THETA)
    np.testing.assert_array_equal(back(g), 0)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("theta_size", "g_size"), [(1e20, 1.0), (1.0, 1e20), (1e20, 1e20), (1e20, 1e-20), (1e-20, 1e-20)]
)
@pytest.mark.parametrize("name", RULES)
def test_float32_is_finite_at_1e20_and_right_where_its_state_can_hold_the_squares(name, theta_size, g_size, library):
    rule, into = RULES[name](), {"numpy": np.asarray, "torch": torch.as_tensor}[library]
    theta, g = theta_size * THETA, g_size * THETA[::-1]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        moved, _ = stepped(rule, into(theta.astype(np.float32)), into(g.astype(np.float32)), 4)
        exact, state = stepped(rule, theta.astype(np.float32).astype(float), g.astype(np.float32).astype(float), 4)
    assert np.isfinite(back(moved)).all()
    held = [abs(a[a != 0]) for a in state if isinstance(a, np.ndarray)]
    if all(a.size == 0 or (a.max() < 1e38 and a.min() > 1e-35) for a in held):
        travelled = np.abs(exact - theta).max()
        np.testing.assert_allclose(back(moved), exact, rtol=1e-5, atol=1e-3 * travelled)


@pytest.mark.parametrize("name", RULES)
def test_elementwise_means_that_pieces_are_as_good_as_the_whole(name):
    """A rule that says so of itself gives the same, to the last bit, for an array and for its halves."""
    rule, rng = RULES[name](), np.random.default_rng(0)
    theta, gradients = rng.normal(size=(8, 6)), [rng.normal(size=(8, 6)) for _ in range(3)]
    gradients[1][5, :2] = 0.0  # part of a row, which decides whether SparseAdam moves the rest

    def run(part):
        here, state = theta[part], rule.init(theta[part])
        for g in gradients:
            here, state = rule.update(here, g[part], state)
        return here

    same = np.array_equal(run(slice(None)), np.concatenate([run(slice(0, 3)), run(slice(3, 8))]))
    columns = np.concatenate([run(np.s_[:, :2]), run(np.s_[:, 2:])], axis=1)
    assert rule.elementwise == (same and np.array_equal(run(slice(None)), columns))


@pytest.mark.parametrize("name", RULES)
def test_the_bridge_gives_a_large_parameter_what_the_rule_gives(name):
    rule = RULES[name](lr=0.1)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(300, 256, generator=generator)  # beyond one piece
    p, theta, state = torch.nn.Parameter(start.clone()), start, rule.init(start)
    optimizer = TorchOptimizer(rule, [p])
    for _ in range(2):
        p.grad = torch.randn(300, 256, generator=generator)
        theta, state = rule.update(theta, p.grad, state)
        optimizer.step()
    assert torch.equal(p.detach(), theta)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_resumes_exactly_from_a_copy_and_from_a_pickle(name):
    rule, g = RULES[name](), torch.tensor(THETA[::-1].copy())
    theta, state = stepped(rule, torch.tensor(THETA), g, 3)
    whole, _ = rule.update(theta, g, state)
    for copied in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        again, _ = copied(rule).update(theta, g, copied(state))
        assert torch.equal(again, whole)
    many = Each(rule)
    moved, _ = many.update({"a": theta}, {"a": g}, {"a": state})
    assert torch.equal(moved["a"], whole)
