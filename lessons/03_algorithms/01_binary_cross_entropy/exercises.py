"""Exercises of the lesson on binary cross-entropy, with the wrong answers that they recognise."""

import numpy as np
import torch  # noqa: F401, a solution uses it

from lessons_lib.exercises import Exercise, on


def _sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


# far logits, near logits, and targets that are not only 0 and 1
_NEAR = (
    np.array([-800.0, 800.0, -3.0, -0.5, 1.5, 0.7, 2.0, 800.0]),
    np.array([1.0, 1.0, 1.0, 0.0, 0.3, 1.0, 0.0, 0.0]),
)
_FAR = np.array([0.2, -1e6, 1e6, -4.0, 1e6]), np.array([0.6173, 1.0, 0.0, 0.5, 1.0])


def _value(z, y):
    return np.logaddexp(0, z) - y * z


def _weighted(z, y, w):
    return w * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)


def _f1(z, y, p):
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def _f1_eps(z, y):
    return -y * np.log(_sigmoid(z) + 1e-8) - (1 - y) * np.log(1 - _sigmoid(z) + 1e-8)


value = Exercise(
    "bce_value",
    "try your formula at z = 800 and z = -800: which exp overflows?",
    {
        "The sigmoid rounds to 0 or 1 and its logarithm to -inf. Work with the logit itself.": lambda z, y: _f1(
            z, y, 1 / (1 + np.exp(-z))
        ),
        "Clipping the probability caps the loss: a logit of 800 on the wrong side costs 800, not 28.": lambda z, y: _f1(
            z, y, np.clip(1 / (1 + np.exp(-z)), 1e-12, 1 - 1e-12)
        ),
        "Clipping the logits at 1000 caps the loss at 1000; a logit of a million on the wrong side costs a million.": (
            lambda z, y: _value(np.clip(z, -1000, 1000), y)
        ),
        "Clipping at 1e-7 caps the loss at 16; a logit of 800 on the wrong side costs 800.": lambda z, y: _f1(
            z, y, np.clip(1 / (1 + np.exp(-z)), 1e-7, 1 - 1e-7)
        ),
        "A clamp at -100 caps the loss at 100; a logit of 800 on the wrong side costs 800.": lambda z, y: (
            np.minimum(-np.log(_sigmoid(z)), 100) * y + np.minimum(-np.log(_sigmoid(-z)), 100) * (1 - y)
        ),
        "The labels are swapped: y = 1 must be cheap where the logit is large.": lambda z, y: _value(z, 1 - y),
        "exp(z) overflows for a large logit. Use exp(-|z|), which never exceeds 1.": lambda z, y: (
            np.log(1 + np.exp(z)) - y * z
        ),
        "The sign of y z is wrong: a large logit must make y = 1 cheap.": lambda z, y: np.logaddexp(0, z) + y * z,
        "Right for labels 0 and 1; a target may also lie between, like 0.3.": lambda z, y: np.where(
            y == 1, np.logaddexp(0, -z), np.logaddexp(0, z)
        ),
        "A small number inside the logarithm caps the loss: 18 instead of 800. Work with the logit.": _f1_eps,
        "The term - y z is missing.": lambda z, y: np.logaddexp(0, z),
        "That is in bits (base 2); the formula's logarithm is natural.": lambda z, y: _value(z, y) / np.log(2),
        "That is already a mean. Return one number per example.": lambda z, y: _value(z, y).mean(),
    },
    on(_NEAR, _FAR),
)

gradient = Exercise(
    "bce_grad",
    "what must the slope be where the prediction equals the label, and which sign has it at y = 1?",
    {
        "The sign is wrong: at y = 1 a larger logit lowers the loss.": lambda z, y: y - _sigmoid(z),
        "That is the gradient of the squared error (sigmoid(z) - y)^2: the factor p (1 - p) kills it.": lambda z, y: (
            2 * (_sigmoid(z) - y) * _sigmoid(z) * (1 - _sigmoid(z))
        ),
        "That is the derivative by the probability. Multiply by dp/dz = p (1 - p); that cancels.": lambda z, y: (
            (_sigmoid(z) - y) / (_sigmoid(z) * (1 - _sigmoid(z)))
        ),
        "The labels are swapped: y belongs to sigmoid(z), not to 1 - sigmoid(z).": lambda z, y: _sigmoid(z) - (1 - y),
        "Right formula, but exp(z) overflows and inf / inf is NaN. Use 1 / (1 + exp(-z)) or np.tanh.": lambda z, y: (
            np.exp(z) / (1 + np.exp(z)) - y
        ),
        "That is only the prediction: the label is missing.": lambda z, y: _sigmoid(z),
        "tanh(z) is twice too steep: the sigmoid is (1 + tanh(z / 2)) / 2.": lambda z, y: (1 + np.tanh(z)) / 2 - y,
        "That is the gradient of the mean. Per example there is no division by N.": lambda z, y: (
            (_sigmoid(z) - y) / z.size
        ),
    },
    on(_NEAR, _FAR),
)

weighted = Exercise(
    "weighted_bce",
    "which line of the derivation still keeps the terms of y and of 1 - y apart?",
    {
        "Both terms are weighted; that only rescales the loss.": lambda z, y, w: w * _value(z, y),
        "Right for labels 0 and 1. At a target of 0.3 only the term with y is weighted.": lambda z, y, w: (
            np.where(y == 1, w, 1) * _value(z, y)
        ),
        "Right for labels 0 and 1; between them, weight the term with y, not the sum of both.": lambda z, y, w: (
            (1 + (w - 1) * y) * _value(z, y)
        ),
        "In the short form y stands in both terms. Go back to the two-term form.": lambda z, y, w: (
            np.logaddexp(0, z) - w * y * z
        ),
        "The weight is right, but exp overflows for a far logit. Use np.logaddexp(0, x).": lambda z, y, w: (
            w * y * np.log(1 + np.exp(-z)) + (1 - y) * np.log(1 + np.exp(z))
        ),
        "w is not used at all.": lambda z, y, w: _value(z, y),
        "The term of 1 - y is weighted too, by 1 - w. Leave it alone.": lambda z, y, w: (
            w * y * np.logaddexp(0, -z) + (1 - w) * (1 - y) * np.logaddexp(0, z)
        ),
        "The weight sits on the negatives. It belongs to the term with y.": lambda z, y, w: (
            y * np.logaddexp(0, -z) + w * (1 - y) * np.logaddexp(0, z)
        ),
        "The weight is not divided out again: PyTorch's pos_weight makes the loss larger.": lambda z, y, w: (
            _weighted(z, y, w) / (1 + (w - 1) * y)
        ),
    },
    on((*_NEAR, 3.0), (*_NEAR, 0.25), (*_FAR, 1.0)),
)

dead = Exercise(
    "dead_logits",
    "the text found it for one precision; a loop finds it for each.",
    {
        "Half of epsilon gives these. Half precision computes in float32 and rounds once: one logit longer.": (
            lambda: [6, 8, 17, 37]
        ),
        "The precision makes no difference in your answer: is dtype= passed on to torch.tensor?": lambda: [17] * 4,
        "float64 for all four: NumPy and Python compute in float64. Use torch.tensor(float(z), dtype=...).": lambda: (
            [37] * 4
        ),
        "exp(-z) itself underflows only there; 1 + exp(-z) is rounded to 1 much earlier.": lambda: [93, 18, 104, 746],
        "One step further than the first.": lambda: [8, 10, 18, 38],
        "That is the last logit that still pushes. The first dead one is wanted.": lambda: [6, 8, 16, 36],
        "The order is reversed: bfloat16 comes first, float64 last.": lambda: [37, 17, 9, 7],
        "The order is bfloat16, float16, float32, float64: bfloat16 has fewer digits than float16.": lambda: [
            9,
            7,
            17,
            37,
        ],
    },
    lambda answer: list(answer()),
)

EXERCISES = [value, gradient, weighted, dead]
