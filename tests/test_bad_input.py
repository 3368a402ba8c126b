"""Bad input gets an error that names the argument and what is allowed."""

import math

import numpy as np
import pytest
import torch

from lessons_lib import bridge, landscapes, parity
from lessons_lib.core import Loss, mean, total, weighted_mean
from lessons_lib.fast.by_rows import by_rows
from lessons_lib.losses import (
    binary_cross_entropy,
    cross_entropy,
    huber,
    laplace_nll,
    smooth_labels,
    soft_cross_entropy,
    squared_error,
)
from lessons_lib.optim import SGD, Adam, AdamW, AMSGrad, Each, Momentum

Z, K, P = np.zeros((4, 3)), np.zeros(4, dtype=int), np.full((4, 3), 1 / 3)
THETA = np.zeros(3)

LOSSES = [
    (
        lambda: cross_entropy(Z, K[:3]),
        ValueError,
        r"logits \(\.\.\., C\), labels .* C >= 1; got logits \(4, 3\), labels \(3,\)",
    ),
    (lambda: cross_entropy(Z, Z), TypeError, "labels must be integers.*float64.*soft_cross_entropy"),
    (
        lambda: cross_entropy(Z, K + 3),
        ValueError,
        r"labels must lie in 0\.\.2, got 3 beside logits \(4, 3\); .*weigh them 0",
    ),
    (
        lambda: soft_cross_entropy(Z, P[:, :2]),
        ValueError,
        r"shapes must be equal, got logits \(4, 3\), target \(4, 2\)",
    ),
    (lambda: soft_cross_entropy(Z, -P), ValueError, "target must hold finite numbers >= 0 and no NaN, got -0.33"),
    (lambda: smooth_labels(K, 3, 1.5), ValueError, r"epsilon=1.5 is not allowed; it must lie in \[0, 1\]"),
    (lambda: binary_cross_entropy(Z, P + 1), ValueError, r"target must lie in \[0, 1\] and hold no NaN, got 1.33"),
    (lambda: binary_cross_entropy(Z, P > 0), TypeError, "target must be a floating point array, got dtype bool"),
    (lambda: squared_error(np.zeros((3, 1)), np.zeros(3)), ValueError, r"equal, got pred \(3, 1\), target \(3,\)"),
    (lambda: squared_error([1.0], [1.0]), TypeError, r"pred must be a floating point array, got \[1.0\], a list"),
    (lambda: squared_error(Z, torch.zeros(4, 3)), TypeError, "target must come from the array library of pred, numpy"),
    (lambda: mean((1.0, 2.0)), TypeError, r"loss must be a Loss\(value, grad\), got tuple"),
    (lambda: total(Z), TypeError, r"loss must be a Loss\(value, grad\), got ndarray"),
    (lambda: weighted_mean(squared_error(Z, P), np.ones(4)), ValueError, r"equal, got value \(4, 3\), w \(4,\)"),
    (lambda: mean(Loss(K, K)), TypeError, "value must be a floating point array, got dtype int64"),
    (lambda: mean(Loss(Z, None)), TypeError, "grad must be a floating point array, got None"),
    (lambda: mean(Loss(Z, torch.zeros(4, 3))), TypeError, "grad must come from the array library of value"),
    (lambda: weighted_mean(Loss(Z, Z[:3]), Z), ValueError, r"grad must begin with the axes of value, \(4, 3\), got"),
    (lambda: huber(Z.astype("f4"), Z, 1e39), ValueError, "delta=1e[+]39 is .* a finite number > 0 in float32"),
    (lambda: laplace_nll(torch.zeros(3), 1e-60, torch.zeros(3)), ValueError, "scale=1e-60 is .* > 0 in torch.float32"),
    (lambda: smooth_labels(K, 2**60, 0.1), ValueError, r"classes=.* below 2\^53"),
    (lambda: by_rows(cross_entropy, True), TypeError, "rows=True"),
    (lambda: by_rows(cross_entropy, 0), ValueError, "rows=0"),
    (lambda: by_rows(cross_entropy, "2"), TypeError, "rows='2'"),
    (lambda: by_rows("cross_entropy"), TypeError, "loss_fn='cross_entropy'"),
    (lambda: by_rows(cross_entropy, 1)(Z, K[:3]), ValueError, r"got logits \(4, 3\), labels \(3,\)"),
    (lambda: by_rows(cross_entropy, 1)(3, K), TypeError, "logits must be a floating point array, got 3"),
]


@pytest.mark.parametrize(("call", "error", "says"), LOSSES)
def test_losses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("rule", [SGD, Momentum, Adam, AdamW, AMSGrad])
@pytest.mark.parametrize("lr", [-0.1, math.nan, math.inf])
def test_learning_rate(rule, lr):
    with pytest.raises(ValueError, match=f"lr={lr} is not allowed"):
        rule(lr=lr)


@pytest.mark.parametrize("rule", [Adam, AdamW, AMSGrad])
@pytest.mark.parametrize(
    "options", [{"beta1": 1.0}, {"beta2": 1.0}, {"beta1": -0.1}, {"beta2": math.nan}, {"eps": -1e-8}]
)
def test_adam_family_options(rule, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name}=.* is not allowed"):
        rule(**options)


OTHER = [
    (lambda: Momentum(momentum=-1), ValueError, "momentum=-1"),
    (lambda: Momentum(momentum=0.0, nesterov=True), ValueError, "nesterov=True needs momentum > 0"),
    (lambda: Momentum(dampening=0.1, nesterov=True), ValueError, "dampening = 0"),
    (lambda: SGD(weight_decay=-1.0), ValueError, "weight_decay=-1"),
    (lambda: SGD().update(THETA, np.zeros(2), SGD().init(THETA)), ValueError, r"theta \(3,\), g \(2,\)"),
    (lambda: Adam().update(THETA, THETA, Adam().init(np.zeros(2))), ValueError, "state belongs to another array"),
    (lambda: SGD().update(np.zeros(3, dtype=int), THETA, SGD().init(THETA)), TypeError, "theta must be a floating"),
    (lambda: Each(SGD()).update({"a": THETA}, {"b": THETA}, {}), KeyError, "do not match"),
    (lambda: bridge.device("gpu"), ValueError, "device='gpu' is unknown; use 'auto', 'cpu', 'cuda'"),
    (lambda: bridge.device("cuda:x"), ValueError, "is unknown"),
    (lambda: bridge.device("cuda:99"), ValueError, "is not on this machine"),
    (lambda: bridge.start("cpu", seed=-1), TypeError, "seed=-1 is not allowed"),
    (lambda: bridge.start("cpu", seed="1"), TypeError, "seed='1' is not allowed"),
    (lambda: bridge.start("cpu", profile="fast"), ValueError, "profile='fast' is unknown"),
    (lambda: parity.rows("hinges"), ValueError, "name='hinges' has no case; known: "),
    (lambda: landscapes.quadratic(1.0, -1.0), ValueError, "curvatures"),
    (lambda: landscapes.quadratic(), ValueError, "at least one"),
]


@pytest.mark.parametrize(("call", "error", "says"), OTHER)
def test_everything_else(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_a_batch_that_is_all_ignored_is_defined():
    ignored = weighted_mean(cross_entropy(torch.zeros(4, 3), torch.zeros(4, dtype=torch.long)), torch.zeros(4))
    assert ignored.value == 0 and not ignored.grad.any()
