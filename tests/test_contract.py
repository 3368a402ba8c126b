"""Every public name, walked by machine: whatever it is given, the answer is right or an error that names the input.

What a loss is given comes from `lessons_lib.parity.cases`: a new loss joins the walk with its first case.
"""

import inspect
import math
import sys

import numpy as np
import pytest
import torch

from lessons_lib import losses
from lessons_lib.core import Loss, contracts, mean, total, weighted_mean
from lessons_lib.parity import cases
from lessons_lib.show import formula

# --- Losses and the averages over a batch -----------------------------------------------------------------------------


def _samples():
    """What the cases hand to each public loss, as NumPy arrays and options: {name: [arguments, ...]}."""
    found, plain = {}, contracts.checked_arguments

    def spy(fn, kinds, given):
        found.setdefault(fn.__name__, []).append({k: given[k] for k in kinds})
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
# what they return is an array, no loss
HELPERS = {"smooth_labels", "group_advantage", "leave_one_out_advantage", "mean_log_p", "sequence_log_p"}
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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_lesson_shows_is_what_the_function_computes(name):
    """The formula without its checks, run by itself: nothing but checks was left out, and all of them."""
    space, text = dict(vars(sys.modules[FUNCTIONS[name].__module__])), formula(FUNCTIONS[name])
    exec(text, space)
    for given in SAMPLES[name]:
        shown, ours = (parts(fn(**given)) for fn in (space[name], FUNCTIONS[name]))
        for a, b in zip(shown, ours, strict=True):
            np.testing.assert_array_equal(a, b)
    assert "contract" not in text and "raise" not in text


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


@pytest.mark.parametrize(("name", "argument"), [a for a in ARGUMENTS if is_array(SAMPLES[a[0]][0][a[1]])], ids=str)
def test_what_is_no_plain_array_is_refused_by_name(name, argument):
    a = SAMPLES[name][0][argument]
    ours = [np.ma.masked_array(a, a > 0), a.astype(a.dtype.newbyteorder()), a.astype(object)]
    t = torch.as_tensor(a)
    theirs = [t.to_sparse(), t.to("meta"), torch.nested.nested_tensor([t], layout=torch.jagged)]
    theirs += [t.to(torch.float8_e4m3fn)] if t.is_floating_point() else []
    for into, odd in ((lambda b: b, ours), (torch.as_tensor, theirs)):
        for x in odd:
            with pytest.raises(TypeError, match=argument):
                call(name, SAMPLES[name][0], into, **{argument: x})


def test_a_dtype_may_be_a_class_or_a_name():
    k = np.array([0, 2])
    for dtype in (np.float32, "float32", np.dtype("f4")):
        assert losses.smooth_labels(k, 3, 0.1, dtype).dtype == np.float32


def floats(given, dtype):
    """Floating point arrays in another dtype; all else as it is."""
    if isinstance(given, dict):
        return {k: floats(a, dtype) for k, a in given.items()}
    if isinstance(given, Loss):
        return Loss(*(floats(part, dtype) for part in given))
    return given.to(dtype) if torch.is_tensor(given) and given.is_floating_point() else given


def assert_same(a, b, tol=0.0):
    for x, y in zip(parts(a), parts(b), strict=True):
        torch.testing.assert_close(torch.as_tensor(x), torch.as_tensor(y), rtol=tol, atol=tol, equal_nan=True)


EVERY = pytest.mark.parametrize("name", FUNCTIONS)
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("first", FLOATS)
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in HELPERS])
def test_the_result_has_the_first_inputs_dtype_whatever_the_others_bring(name, first):
    given = {k: moved(a, torch.as_tensor) for k, a in SAMPLES[name][0].items()}
    leader = next(iter(given))
    for others in FLOATS:
        mixed = floats(given, others) | {leader: floats(given[leader], first)}
        loss, exact = FUNCTIONS[name](**mixed), FUNCTIONS[name](**floats(mixed, torch.float64))
        assert {a.dtype for a in parts(loss)} == {first}
        rounded = Loss(exact.value.to(first), tuple(a.to(first) for a in parts(exact)[1:]))
        assert_same(loss, rounded, 1e-12 if first == torch.float64 else max(2e-5, torch.finfo(first).eps))


@EVERY
def test_autocast_changes_nothing(name):
    for given in SAMPLES[name]:
        given = floats({k: moved(a, torch.as_tensor) for k, a in given.items()}, torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = FUNCTIONS[name](**given)
        assert_same(loss, FUNCTIONS[name](**given))


@EVERY
@pytest.mark.parametrize("dtype", [f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)])
def test_integers_may_be_of_any_width(name, dtype):
    """With 300 classes, more than eight bits can count; the labels stay as they are."""
    given = dict(SAMPLES[name][0])
    first = next(iter(given.values()))
    if "labels" in given and is_array(first) and given["labels"].shape == first.shape[:-1]:
        given |= {k: np.tile(a, 50) for k, a in given.items() if np.shape(a) == first.shape}
    whole = {k: a for k, a in given.items() if is_array(a) and a.dtype.kind == "i"}
    for k, a in whole.items():
        if np.array_equal(a.astype(dtype).astype(int), a):
            for into in (np.asarray, torch.as_tensor):
                assert_same(call(name, given, into, **{k: a.astype(dtype)}), call(name, given, into))


def test_more_classes_than_the_labels_type_can_count():
    z, k = np.random.default_rng(0).normal(size=(3, 256)), np.array([0, 128, 255])
    for fn in (losses.cross_entropy, losses.nll, losses.focal, losses.multi_margin):
        for into in (np.asarray, torch.as_tensor):
            assert_same(fn(into(z), into(k.astype(np.uint8))), fn(into(z), into(k)))
    lists = np.full((3, 256), -1)
    lists[:, 0] = [0, 3, 127]
    assert_same(losses.multilabel_margin(z, lists.astype(np.int8)), losses.multilabel_margin(z, lists))
    z, labels, n = np.zeros((1, 250, 5)), 1 + np.arange(130)[None] % 4, np.array([130])
    assert_same(losses.ctc(z, *(a.astype(np.uint8) for a in (labels, n + 120, n))), losses.ctc(z, labels, n + 120, n))


@EVERY
def test_a_number_may_be_numpys_or_a_tensor(name):
    for given in SAMPLES[name]:
        for k, x in given.items():
            if isinstance(x, float):
                for same in (np.float64(x), torch.tensor(x, dtype=torch.float64)):
                    assert_same(call(name, given, **{k: same}), call(name, given), 1e-12)
                assert_same(call(name, given, **{k: np.float32(x)}), call(name, given), 1e-6)


@EVERY
def test_an_empty_batch_costs_nothing(name):
    given = SAMPLES[name][0]
    if name == "symmetric_info_nce":
        return  # its value is one number for the whole batch: an empty one is refused, above
    for into in (np.asarray, torch.as_tensor):
        empty = {
            k: a[:0] if is_array(a) else Loss(*(b[:0] for b in a)) if isinstance(a, Loss) else a
            for k, a in given.items()
        }
        loss = call(name, empty, into)
        assert all(a.shape[0] == 0 for a in parts(loss) if a.ndim)
        assert name in HELPERS or mean(loss).value == 0


@EVERY
def test_nan_is_shown_or_refused(name):
    given = SAMPLES[name][0]
    for k, a in given.items():
        if is_array(a) and a.dtype.kind == "f":
            try:
                loss = call(name, given, **{k: a * math.nan})
            except ValueError as error:
                assert k in str(error) and "nan" in str(error)
            else:
                assert parts(loss)[0].isnan().any()


@pytest.mark.parametrize("size", [0.0, 1e20, -1e20])
@pytest.mark.parametrize("name", sorted({*FUNCTIONS} - HELPERS - {"triplet_with_distance"}))  # whose is not ours
def test_numbers_of_0_and_1e20_in_float32_are_the_float64_ones(name, size):
    given = {k: moved(a, torch.as_tensor) for k, a in SAMPLES[name][0].items()}
    leader = next(iter(given))
    for ends in (lambda a: a * 0 + size, lambda a: torch.where(a > 0, a, size)):
        far = floats(given, torch.float32)
        if not torch.is_tensor(far[leader]) or not far[leader].is_floating_point():
            return
        far[leader] = ends(far[leader])
        try:
            loss = FUNCTIONS[name](**far)
        except ValueError as error:
            assert leader in str(error)
        else:
            exact = FUNCTIONS[name](**floats(far, torch.float64))
            assert_same(loss, Loss(exact.value.float(), tuple(a.float() for a in parts(exact)[1:])), 1e-4)


def test_weights_of_any_finite_size():
    loss = Loss(np.array([1.0, 2.0, 6.0]), np.array([3.0, 0.0, 3.0]))
    for dtype, top in ((np.float32, 3e38), (np.float64, 1.7e308)):
        for size in (top, 1.0, 1e-30):
            mine = Loss(*(a.astype(dtype) for a in loss))
            assert_same(weighted_mean(mine, np.full(3, size, dtype)), Loss(dtype(3), np.array([1, 0, 1], dtype)), 1e-6)
    large = torch.full((3,), 3e38)
    assert mean(Loss(large, large)).value.item() == pytest.approx(3e38)
    assert total(Loss(large, large)).value.item() == math.inf
    with pytest.raises(ValueError, match="w must hold finite numbers >= 0 and no NaN, got inf"):
        weighted_mean(loss, np.array([1.0, np.inf, 1.0]))
