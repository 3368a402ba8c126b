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
