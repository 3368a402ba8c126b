"""Every public name, walked by machine: whatever it is given, the answer is right or an error that names the input.

What a loss is given comes from `lessons_lib.cases`: a new loss joins the walk with its first case.
"""

import inspect
import math

import numpy as np
import pytest
import torch
from arrays import INTO, assert_near, back

from lessons_lib import cases, contracts, losses
from lessons_lib.core import Loss, mean, total, weighted_mean
from lessons_lib.fast.by_rows import by_rows

# --- Losses and the averages over a batch -----------------------------------------------------------------------------


def _samples():
    """What the cases hand to each public loss, as NumPy arrays and options: {name: [arguments, ...]}."""
    found, plain = {}, contracts.checked_arguments

    def spy(fn, kinds, given):
        found.setdefault(fn.__name__, []).append(dict(given))
        return plain(fn, kinds, given)

    contracts.checked_arguments = spy
    try:
        for case in cases.LOSSES:
            case.ours(*case.draw(np.random.default_rng(0)))
    finally:
        contracts.checked_arguments = plain
    averages = {"loss": losses.squared_error(np.ones((4, 3)), np.zeros((4, 3))), "w": np.full((4, 3), 2.0)}
    return {name: found[name] for name in losses.__all__} | {"weighted_mean": [averages]}


SAMPLES = _samples()
FUNCTIONS = {name: getattr(losses, name) for name in losses.__all__} | {"weighted_mean": weighted_mean}
ARGUMENTS = [(name, argument) for name, fn in FUNCTIONS.items() for argument in inspect.signature(fn).parameters]


def is_array(a):
    return isinstance(a, np.ndarray)


def moved(a, into):
    """Arrays, and what holds arrays, in another library."""
    if isinstance(a, Loss):
        return Loss(*(moved(part, into) for part in a))
    if isinstance(a, np.dtype):
        return None  # the default will do in both libraries
    return into(a) if is_array(a) else a


def call(name, given, into=torch.as_tensor, **changes):
    with np.errstate(all="ignore"):
        return FUNCTIONS[name](**{k: moved(a, into) for k, a in (given | changes).items()})


def parts(loss):
    """The value and the gradients; of what is no loss, itself."""
    if not isinstance(loss, Loss):
        return [loss]
    return [loss.value, *(loss.grad if isinstance(loss.grad, tuple) else [loss.grad])]


def wrong(a):
    """What can never stand for a."""
    yield from ("1", "abc", [1.0, 2.0], {}, object(), 2j, math.nan, np.array(1j), np.array([None, 1]))
    yield from (x for x in (None, True) if not isinstance(a, bool | type(x) | np.dtype))
    if is_array(a):
        yield from (a.astype(complex), a.astype(str), a.tolist())
        if a.dtype.kind == "i":
            yield from (a + 0.0, a + 0.7, a > 0, a * 0 + 200, a * 0 - 100, a * 0 + 2**40)


def odd(a):
    """What might be refused, or make sense."""
    yield from (3, -1, 0, 1.5, math.inf, -math.inf, 10**400, (), np.float64(0.5), np.float16(0.5), np.int64(2))
    yield from (np.zeros((2, 0)), np.zeros(()), np.zeros((0, 3)), np.ones((3, 1)), np.ones(3))
    if is_array(a):
        yield from (a[:1], a[:0], a[None], a[..., None], a[..., :0], a - 3, a != 0)
        yield from (np.full(a.shape, x) for x in (math.nan, math.inf, -math.inf))


@pytest.mark.parametrize("into", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS, ids=str)
def test_an_odd_argument_is_right_or_refused_by_name(name, argument, into):
    given = SAMPLES[name][0]
    call(name, given, into)
    for must, xs in ((True, wrong(given[argument])), (False, odd(given[argument]))):
        for x in xs:
            if is_array(x) and x.dtype.kind in "OU" and into is torch.as_tensor:
                continue
            try:
                loss = call(name, given, into, **{argument: x})
            except (TypeError, ValueError) as error:
                assert argument in str(error), (x, error)
            else:
                first, *_ = (given | {argument: x}).values()
                assert not must and (not isinstance(loss, Loss) or parts(loss)[1].shape == parts(first)[-1].shape), x
