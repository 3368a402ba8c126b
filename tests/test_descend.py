"""The loop, once: the points that a rule visits."""

import numpy as np
import pytest
import torch
from arrays import INTO, back

from lessons_lib.optim import SGD, Adam, Each, descend


@pytest.mark.parametrize("library", INTO)
def test_the_points_are_those_of_the_loop_written_out(library):
    theta, rule = INTO[library](np.array([3.0, -2.0])), Adam(0.1)
    visited = descend(theta, rule, lambda x: x * x * x, 4)
    here, state = theta, rule.init(theta)
    for found in visited:
        np.testing.assert_array_equal(back(found), back(here))
        assert type(found) is type(theta)
        here, state = rule.update(here, here * here * here, state)
    assert len(visited) == 5 and visited[0] is theta and descend(theta, rule, lambda x: x, 0) == [theta]


def test_a_gradient_may_draw_its_batch():
    batches = iter([np.array([1.0]), np.array([-2.0]), np.array([4.0])])
    visited = descend(np.zeros(1), SGD(0.5), lambda theta: next(batches), 3)
    assert [float(x[0]) for x in visited] == [0.0, -0.5, 0.5, -1.5]


def test_many_arrays_and_pytorchs_own_loop():
    start = {"w": torch.ones(2, 3, dtype=torch.float64), "b": torch.zeros(2, dtype=torch.float64)}
    leaves = {name: a.clone().requires_grad_() for name, a in start.items()}
    optimizer = torch.optim.Adam(leaves.values(), lr=0.1)

    def loss(p):
        return ((p["w"].sum(1) + p["b"] - 7) ** 2).sum()

    for _ in range(20):
        optimizer.zero_grad()
        loss(leaves).backward()
        optimizer.step()
    end = descend(start, Each(Adam(0.1)), torch.func.grad(loss), 20)[-1]
    for name, a in leaves.items():
        torch.testing.assert_close(end[name], a.detach(), rtol=1e-12, atol=0)


def test_a_run_that_diverges_is_told_in_one_sentence():
    start = np.array([0.5, 3.0])
    with pytest.warns(RuntimeWarning) as told:
        visited = descend(start, SGD(1.0), lambda theta: theta**3, 20)
    [warning] = told
    first = next(t for t, at in enumerate(visited) if not np.isfinite(at).all())
    assert "SGD(lr=1.0" in str(warning.message) and "diverged: 1 of 2" in str(warning.message)
    assert f"in step {first}." in str(warning.message) and warning.filename == __file__ and len(visited) == 21
    with pytest.warns(RuntimeWarning, match="Adam.*2 of 5 of the numbers .* step 3"):
        nan_later = iter([1.0, 1.0, float("nan"), 1.0])
        both = {"w": torch.ones(3), "b": torch.zeros(2)}
        descend(both, Each(Adam(0.1)), lambda at: {"w": at["w"], "b": at["b"] * next(nan_later)}, 4)


def test_whoever_has_told_numpy_to_ignore_an_overflow_hears_of_none(recwarn):
    with np.errstate(over="ignore"):
        assert np.isnan(descend(np.array([3.0]), SGD(1.0), lambda theta: theta**3, 20)[-1])
    descend(np.array([3.0]), SGD(0.01), lambda theta: theta**3, 20)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("rule", "gradient", "steps", "error", "says"),
    [
        (SGD, abs, 3, TypeError, "rule must be an optimizer with its options"),
        (0.1, abs, 3, TypeError, "rule must be an optimizer with its options, .* got 0.1"),
        (SGD(0.1), np.ones(2), 3, TypeError, "gradient"),
        (SGD(0.1), abs, -1, ValueError, "steps=-1"),
        (SGD(0.1), abs, 1.5, ValueError, "steps=1.5"),
        (SGD(0.1), lambda theta: None, 3, TypeError, "g must be"),
        (SGD(0.1), lambda theta: theta[:1], 3, ValueError, "shapes must be equal"),
    ],
)
def test_bad_input(rule, gradient, steps, error, says):
    with pytest.raises(error, match=says):
        descend(np.ones(2), rule, gradient, steps)
