"""Exercises of the lesson on Adam, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise


def _walk(answer):
    """30 steps along gradients of three sizes: all thetas, and the last state. No two steps have the same settings.

    They are far from the defaults, at which wrong formulas look right.
    """
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(30, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    settings = rng.uniform([0.1, 0.3, 0.7, 0.2], [0.5, 0.8, 0.95, 1.0], (30, 4)).tolist()  # lr, beta1, beta2, eps
    theta, m, v, w1, w2, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.zeros(3), 0.0, 0.0, []
    for g, setting in zip(gradients, settings, strict=True):
        *arrays, w1, w2 = answer(theta, g, m, v, w1, w2, *setting)
        theta, m, v = map(np.asarray, arrays)
        visited.append(theta)
    return [np.array(visited), m, v, w1, w2]


def _step(
    theta,
    g,
    m,
    v,
    w1,
    w2,
    lr,
    beta1,
    beta2,
    eps,
    *,
    hats="mv",
    sign=-1,
    gain=True,
    power=2,
    top="m",
    square="",
    late=False,
    place="F11",
    keep_hats=False,
):
    """Adam with changing betas, with one thing to get wrong at a time."""
    squares = {"total": g @ g, "of m": (beta1 * m + (1 - beta1) * g) ** 2}.get(square, np.abs(g) ** power)
    m = beta1 * m + ((1 - beta1) if gain else 1) * g
    v = beta2 * v + ((1 - beta2) if gain else 1) * squares
    old = w1, w2
    w1, w2 = beta1 * w1 + 1 - beta1, beta2 * w2 + 1 - beta2
    by = old if late else (w1, w2)
    m_hat, v_hat = (m if top == "m" else g) / (by[0] if "m" in hats else 1), v / (by[1] if "v" in hats else 1)
    below = {
        "F11": np.sqrt(v_hat) + eps,
        "inside": np.sqrt(v_hat + eps),
        "hat": (np.sqrt(v) + eps) / np.sqrt(w2),
        "no root": v_hat + eps,
    }[place]
    state = (m_hat, v_hat) if keep_hats else (m, v)
    return theta + sign * lr * m_hat / below, *state, w1, w2


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


def _swapped(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    return _step(theta, g, m, v, w1, w2, lr, beta2, beta1, eps)


def _frozen(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    theta, m, v, _, _ = _step(theta, g, m, v, 0, 0, lr, beta1, beta2, eps)
    return theta, m, v, w1 * beta1 + 1 - beta1, w2 * beta2 + 1 - beta2


def _by_sums(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    """The right step with the sums of weights as they are given."""
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    return theta - lr * (m / w1) / (np.sqrt(v / w2) + eps), m, v, w1, w2


def _no_decay(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    return _by_sums(theta, g, m, v, w1 + 1 - beta1, w2 + 1 - beta2, lr, beta1, beta2, eps)


def _swapped_sums(theta, g, m, v, w1, w2, lr, beta1, beta2, eps):
    return _by_sums(theta, g, m, v, beta2 * w1 + 1 - beta2, beta1 * w2 + 1 - beta1, lr, beta1, beta2, eps)


step = Exercise(
    "adam_step",
    "line 2 of the derivation: what do the weights of all gradients so far add up to?",
    {
        "The corrections are missing: divide m and v by the sums of their weights.": _wrong(hats=""),
        "Only m is corrected; v must be divided by the sum of its weights as well.": _wrong(hats="m"),
        "Only v is corrected; m must be divided by the sum of its weights as well.": _wrong(hats="v"),
        "You correct with the sums that came in. This step's weights belong to them too.": _wrong(late=True),
        "You correct as if this step were the first: the sums that came in are not used.": _frozen,
        "w1 and w2 decay too: multiply the old sum by this step's beta before adding 1 - beta.": _no_decay,
        "beta1 belongs to w1 and beta2 to w2; you have them swapped in the sums.": _swapped_sums,
        "eps stands under the root. F11 adds it to the root of v_hat.": _wrong(place="inside"),
        "eps is added to the root of v before the correction: that is the form G16, not F11.": _wrong(place="hat"),
        "The root of v_hat is missing.": _wrong(place="no root"),
        "v must average g**2, not |g|.": _wrong(power=1),
        "v must average the square of the gradient, not the square of m.": _wrong(square="of m"),
        "g @ g is one number for all parameters; g**2 has one for each.": _wrong(square="total"),
        "The step goes along the gradient, not along m_hat: that is RMSProp.": _wrong(top="g", hats="v"),
        "beta1 belongs to m and beta2 to v; you have them swapped.": _swapped,
        "The sign is wrong: the step goes against the gradient.": _wrong(sign=1),
        "The factors 1 - beta are missing: m and v then add up instead of averaging.": _wrong(gain=False),
        "You return the hats. Return m and v themselves; the next step corrects them with its own sums.": _wrong(
            keep_hats=True
        ),
    },
    _walk,
    returns=5,
)


def _at_steps(answer):
    return [answer(t, *betas) for betas in ((0.9, 0.999), (0.5, 0.7)) for t in (1, 2, 3, 12, 30)]


def _factors(t, b1, b2):
    return 1 - b1**t, np.sqrt(1 - b2**t)


def _resumed(t, b1, b2, of_m=True, of_v=True, power=1):
    f1, f2 = _factors(t, b1, b2)
    return (f2**power if of_v else 1.0) / (f1 if of_m else 1.0)


resumed = Exercise(
    "resumed",
    "which m and v does a long run under a constant gradient end with?",
    {
        "That is a run without corrections from a zero start. Here m and v are full, and are corrected again.": (
            lambda t, b1, b2: 1 / _resumed(t, b1, b2)
        ),
        "That is a run whose t was kept, or one from a zero start: there the corrections fit.": lambda t, b1, b2: 1.0,
        "v stands under a root in F11, and so does its correction.": lambda t, b1, b2: _resumed(t, b1, b2, power=2),
        "Only m is corrected in your answer; v_hat is too large as well.": lambda t, b1, b2: _resumed(
            t, b1, b2, of_v=False
        ),
        "Only v is corrected in your answer; m_hat is too large as well.": lambda t, b1, b2: _resumed(
            t, b1, b2, of_m=False
        ),
        "beta1 belongs to m and beta2 to v; you have them swapped.": lambda t, b1, b2: _resumed(t, b2, b1),
    },
    _at_steps,
)

longest = Exercise(
    "longest_at",
    "line 4 of the derivation gives the size of step t.",
    {
        "That is the answer for beta2 = 0.999.": 12,
        "That is the index in a list that starts at 0; t starts at 1.": 19,
        "That is the first step; with beta2 = 0.95 it is the shortest.": 1,
        "That is the size of the longest step. Wanted is its number t.": (1 - 0.9**20) / np.sqrt(1 - 0.95**20),
    },
)


def _largest(t, b1, b2, ratio=None, root=0.5):
    f1, f2 = _factors(t, b1, b2)
    total = sum((ratio or b1**2 / b2) ** k for k in range(t))
    return (1 - b1) / np.sqrt(1 - b2) * total**root * f2 / f1


def _uncorrected(t, b1, b2, power=1):
    f1, f2 = _factors(t, b1, b2)
    return _largest(t, b1, b2) * (f1 / f2) ** power


def _at_betas(answer):
    return [answer(t, *betas) for betas in ((0.9, 0.999), (0.5, 0.9), (0.8, 0.7)) for t in (1, 2, 5, 40)]


largest = Exercise(
    "largest_step",
    "how many terms has the sum in line 5 after t steps?",
    {
        "That is without the corrections: at t = 1 it is not 1.": _uncorrected,
        "Upside down: the correction of m makes the step longer, that of v shorter.": (
            lambda t, b1, b2: _uncorrected(t, b1, b2, power=2)
        ),
        "That is a lone spike after silence, corrected. Gradients before it can push too.": (
            lambda t, b1, b2: _largest(t, b1, b2, root=0)
        ),
        "That is G17, the lone spike; the lesson refuted it as a bound.": (
            lambda t, b1, b2: max(1, (1 - b1) / np.sqrt(1 - b2))
        ),
        "That is the limit for large t. Keep the sum and the corrections finite.": (
            lambda t, b1, b2: (1 - b1) / np.sqrt((1 - b2) * (1 - b1**2 / b2))
        ),
        "The terms of the sum are powers of beta1**2 / beta2, not of beta1 / beta2.": (
            lambda t, b1, b2: _largest(t, b1, b2, ratio=b1 / b2)
        ),
        "The correction of v stands under a root in F11.": (
            lambda t, b1, b2: _largest(t, b1, b2) * _factors(t, b1, b2)[1]
        ),
        "The corrections are right, but the sum has only t terms.": (
            lambda t, b1, b2: _largest(t, b1, b2) / np.sqrt(1 - (b1**2 / b2) ** t)
        ),
        "The sum stands under a root.": lambda t, b1, b2: _largest(t, b1, b2, root=1),
    },
    _at_betas,
)

EXERCISES = [step, resumed, longest, largest]
