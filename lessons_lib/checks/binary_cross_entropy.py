"""Exercises of the lesson on binary cross-entropy, with the wrong answers that they recognise."""

import numpy as np

from .engine import Exercise

LESSON = "03_algorithms/01_binary_cross_entropy"


def _sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


def _inputs():
    """Far logits, near logits, and targets that are not only 0 and 1."""
    logits = np.array([-800.0, 800.0, -3.0, -0.5, 1.5, 0.7, 2.0, 800.0])
    return logits, np.array([1.0, 1.0, 1.0, 0.0, 0.3, 1.0, 0.0, 0.0])


def _try(answer):
    return answer(*_inputs())


def _try_weighted(answer):
    return [answer(*_inputs(), 3.0), answer(*_inputs(), 0.25)]


def _value(z, y):
    return np.logaddexp(0, z) - y * z


def _weighted(z, y, w):
    return w * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)


def _f1(z, y, p):
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


value = Exercise(
    "bce_value",
    LESSON,
    "start from max(z, 0) - y z + log(1 + exp(-|z|)); np.log1p(a) is log(1 + a).",
    _value,
    {
        "The sigmoid rounds to 0 or 1 and its logarithm to -inf. Work with the logit itself.": lambda z, y: _f1(
            z, y, 1 / (1 + np.exp(-z))
        ),
        "Clipping the probability caps the loss: a logit of 800 on the wrong side costs 800, not 28.": lambda z, y: _f1(
            z, y, np.clip(1 / (1 + np.exp(-z)), 1e-12, 1 - 1e-12)
        ),
        "exp(z) overflows for a large logit. Use exp(-|z|), which never exceeds 1.": lambda z, y: (
            np.log(1 + np.exp(z)) - y * z
        ),
        "The sign of y z is wrong: a large logit must make y = 1 cheap.": lambda z, y: np.logaddexp(0, z) + y * z,
        "That is in bits (base 2); the formula's logarithm is natural.": lambda z, y: _value(z, y) / np.log(2),
        "That is already a mean. Return one number per example.": lambda z, y: _value(z, y).mean(),
    },
    _try,
)

gradient = Exercise(
    "bce_grad",
    LESSON,
    "the derivation ended with sigmoid(z) - y.",
    lambda z, y: _sigmoid(z) - y,
    {
        "The sign is wrong: at y = 1 a larger logit lowers the loss.": lambda z, y: y - _sigmoid(z),
        "That is the gradient of the squared error (sigmoid(z) - y)^2: the factor p (1 - p) kills it.": lambda z, y: (
            2 * (_sigmoid(z) - y) * _sigmoid(z) * (1 - _sigmoid(z))
        ),
        "That is the derivative by the probability. Multiply by dp/dz = p (1 - p); that cancels.": lambda z, y: (
            (_sigmoid(z) - y) / (_sigmoid(z) * (1 - _sigmoid(z)))
        ),
        "That is the gradient of the mean. Per example there is no division by N.": lambda z, y: (
            (_sigmoid(z) - y) / z.size
        ),
    },
    _try,
)

weighted = Exercise(
    "weighted_bce",
    LESSON,
    "write the loss as two terms first, one for y and one for 1 - y; only the first is weighted.",
    _weighted,
    {
        "Both terms are weighted; that only rescales the loss.": lambda z, y, w: w * _value(z, y),
        "w is not used at all.": lambda z, y, w: _value(z, y),
        "The weight sits on the negatives. It belongs to the term with y.": lambda z, y, w: (
            y * np.logaddexp(0, -z) + w * (1 - y) * np.logaddexp(0, z)
        ),
        "The weight is not divided out again: PyTorch's pos_weight makes the loss larger.": lambda z, y, w: (
            _weighted(z, y, w) / (1 + (w - 1) * y)
        ),
    },
    _try_weighted,
)

dead = Exercise(
    "first_dead_logit",
    LESSON,
    "try z = 1.0, 2.0, 3.0, ... as torch.float32 and look when 1 - torch.sigmoid(z) becomes exactly 0.",
    17,
    {
        "That is where float64 gives up. Ask with torch.float32.": 37,
        "exp(-z) itself underflows only there; 1 + exp(-z) is rounded to 1 much earlier.": 104,
        "One step further than the first.": 18,
        "At 16 the sigmoid is still below 1 by one unit of the last place.": 16,
    },
)

EXERCISES = [value, gradient, weighted, dead]
