"""Exercises of the lesson on AdaGrad, RMSProp and Adadelta, with the wrong answers that they recognise."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def _walk(answer):
    """Fifteen steps along gradients of three sizes: every theta, and the last s."""
    gradients = np.random.default_rng(0).normal(size=(15, 3)) * [0.1, 1.0, 10.0] + [0.2, 0.0, -3.0]
    results = []
    for setting in ((0.3, 0.8, 0.5), (0.05, 0.5, 2.0)):  # lr, rho, eps
        theta, s, visited = np.array([1.0, -2.0, 0.5]), np.zeros(3), []
        for t, g in enumerate(gradients, 1):
            theta, s = map(np.asarray, answer(theta, g, s, t, *setting))
            visited.append(theta)
        results += [np.array(visited), s]
    return results


def _step(theta, g, s, t, lr, rho, eps, *, late=0, correct=True, gain=True, place="outside", sign=-1, keep=False):
    s = rho * s + ((1 - rho) if gain else 1) * g**2
    factor = 1 - rho ** (t - late) if correct else 1
    s_hat = s / factor
    below = {
        "outside": np.sqrt(s_hat) + eps,
        "inside": np.sqrt(s_hat + eps),
        "no root": s_hat + eps,
        "no eps": np.sqrt(s_hat),
        "eps shrunk": (np.sqrt(s) + eps) / np.sqrt(factor),
        "factor outside": np.sqrt(s) / factor + eps,
        "multiplied": np.sqrt(s * factor) + eps,
        "no t": np.sqrt(s / (1 - rho)) + eps,
    }[place]
    return theta + sign * lr * g / below, s_hat if keep else s


def _wrong(**slip):
    return lambda *args: _step(*args, **slip)


def _stale(theta, g, s, t, lr, rho, eps):
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), rho * s + (1 - rho) * g**2


def _by_factor(factor):
    def wrong(theta, g, s, t, lr, rho, eps):
        s = rho * s + (1 - rho) * g**2
        return theta - lr * g / (np.sqrt(s / factor(rho, t)) + eps), s

    return wrong


def _g_too(theta, g, s, t, lr, rho, eps):
    s = rho * s + (1 - rho) * g**2
    return theta - lr * g / (1 - rho**t) / (np.sqrt(s / (1 - rho**t)) + eps), s


def _summed(theta, g, s, t, lr, rho, eps):
    s = s + g**2
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), s


def _no_lr(theta, g, s, t, lr, rho, eps):
    return _step(theta, g, s, t, 1.0, rho, eps)


def _step_divided(theta, g, s, t, lr, rho, eps):
    s = rho * s + (1 - rho) * g**2
    return theta - lr * g / (np.sqrt(s) + eps) / (1 - rho**t), s


def _change(*args):
    theta, s = _step(*args)
    return theta - args[0], s


def _swapped(theta, g, s, t, lr, rho, eps):
    s = (1 - rho) * s + rho * g**2
    return theta - lr * g / (np.sqrt(s / (1 - rho**t)) + eps), s


step = Exercise(
    "corrected_rmsprop",
    "line 2 of the derivation: by which factor is s too small at step t?",
    {
        "That is RMSProp without the correction.": _wrong(correct=False),
        "You correct with t - 1. The t that comes in is this step's number, already 1 at the first.": _wrong(late=1),
        "The factor 1 - rho is missing: s then adds up instead of averaging.": _wrong(gain=False),
        "eps stands under the root. Add it to the root.": _wrong(place="inside"),
        "The root is missing.": _wrong(place="no root"),
        "The sign is wrong: the step goes against the gradient.": _wrong(sign=1),
        "You return the corrected average. Return s itself; the next step corrects it with its own t.": _wrong(
            keep=True
        ),
        "You correct with t + 1. The t that comes in is this step's number.": _wrong(late=-1),
        "The factor depends on t: after t gradients the weights add up to 1 - rho^t.": _wrong(place="no t"),
        "Multiplying makes s smaller still. Divide by the factor.": _wrong(place="multiplied"),
        "The factor belongs to s: divide before you take the root.": _wrong(place="factor outside"),
        "You divide eps by the root of the factor as well. Correct s alone, then take its root and add eps.": _wrong(
            place="eps shrunk"
        ),
        "eps is missing.": _wrong(place="no eps"),
        "The step uses the old s. Let this gradient enter first.": _stale,
        "rho is the weight of the past, 1 - rho that of the new square.": _swapped,
        "The power belongs to rho alone: 1 - rho**t, not (1 - rho)**t.": _by_factor(lambda rho, t: (1 - rho) ** t),
        "rho^t is what the weights lack; they add up to 1 - rho^t.": _by_factor(lambda rho, t: rho**t),
        "Correct s alone: g is no average that starts at 0.": _g_too,
        "That s is AdaGrad's sum. RMSProp averages: rho s + (1 - rho) g^2.": _summed,
        "lr is missing.": _no_lr,
        "You divide the whole step. The factor belongs to s, under the root.": _step_divided,
        "That is the change of theta; return theta after the step.": _change,
        "Return theta first, then s.": lambda *args: _step(*args)[::-1],
    },
    _walk,
    returns=2,
)


def _forget(size, rho):
    return np.log(size**2 * (1 - rho)) / -np.log(rho)


forget = Exercise(
    "steps_to_forget",
    "what does one large gradient add to s, and what is left of it k steps later?",
    {
        "s averages squares: the size enters squared.": lambda size, rho: np.log(size * (1 - rho)) / -np.log(rho),
        "The large gradient enters with the weight 1 - rho.": lambda size, rho: np.log(size**2) / -np.log(rho),
        "1 / (1 - rho) is the mean age, whatever the size. How long until this one has faded to 1?": (
            lambda size, rho: 1 / (1 - rho)
        ),
        "The sign is wrong: log(rho) is negative.": lambda size, rho: -_forget(size, rho),
        "log(1/rho) is near 1 - rho only for rho near 1. Solve for k exactly.": lambda size, rho: (
            np.log(size**2 * (1 - rho)) / (1 - rho)
        ),
        "That is what it adds beyond an ordinary gradient. Asked is all that it adds itself.": lambda size, rho: (
            np.log((size**2 - 1) * (1 - rho)) / -np.log(rho)
        ),
        "You count its own step: there k is 0.": lambda size, rho: _forget(size, rho) + 1,
        "You rounded up. Any real number may come out.": lambda size, rho: np.ceil(_forget(size, rho)),
        "You rounded down. Any real number may come out.": lambda size, rho: np.floor(_forget(size, rho)),
        "Its own step is k = 0; nothing is to be taken off.": lambda size, rho: _forget(size, rho) - 1,
        "log(size) / (1 - rho) says how the wait grows. Set up what is left after k steps, and solve for k.": (
            lambda size, rho: np.log(size) / (1 - rho)
        ),
        "2 log(size) / (1 - rho) is only near. Its weight is missing, and log(1/rho) is not 1 - rho.": (
            lambda size, rho: 2 * np.log(size) / (1 - rho)
        ),
        "log(size) / log(1/rho) lacks the square and the weight 1 - rho.": lambda size, rho: (
            np.log(size) / -np.log(rho)
        ),
        "You rounded. Any real number may come out.": lambda size, rho: np.round(_forget(size, rho)),
        "A new square enters with 1 - rho; rho is what stays of the past.": lambda size, rho: (
            np.log(size**2 * rho) / -np.log(rho)
        ),
        "That is half the time: size squared, times 1 - rho, fades by rho per step.": lambda size, rho: (
            _forget(size, rho) / 2
        ),
        "The fraction stands on its head: divide by the logarithm of rho.": lambda size, rho: 1 / _forget(size, rho),
    },
    lambda answer: [answer(1000.0, 0.99), answer(50.0, 0.5), answer(10.0, 0.9)],
)


steps = Exercise(
    "adagrad_steps",
    "which gradients are in s when step t is taken?",
    {
        "s holds this step's gradient too.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.concatenate([g[:1] ** 2, np.cumsum(g**2)[:-1]]))
        ),
        "s holds this step's gradient too: you divide the first one by 0.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.concatenate([[0.0], np.cumsum(g**2)[:-1]]))
        ),
        "Each is divided by its own size, so that every step is lr. s holds the earlier squares too.": (
            lambda g, lr: lr * np.abs(g) / np.sqrt(g**2)
        ),
        "Under the root stand sizes; wanted are squares.": lambda g, lr: lr * np.abs(g) / np.sqrt(np.cumsum(np.abs(g))),
        "The root is missing.": lambda g, lr: lr * np.abs(g) / np.cumsum(g**2),
        "Square first, then add up.": lambda g, lr: lr * np.abs(g) / np.maximum(np.abs(np.cumsum(g)), 1e-9),
        "That is an average of the squares; AdaGrad adds them up.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.cumsum(g**2) / np.arange(1, len(g) + 1))
        ),
        "lr / sqrt(t) is for gradients of one size.": lambda g, lr: lr / np.sqrt(np.arange(1, len(g) + 1)),
        "All squares at once: step t knows only the first t gradients.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.sum(g**2))
        ),
        "Wanted are lengths, which are never negative.": lambda g, lr: lr * g / np.sqrt(np.cumsum(g**2)),
        "That is the distance walked so far; wanted is each step.": lambda g, lr: np.cumsum(
            lr * np.abs(g) / np.sqrt(np.cumsum(g**2))
        ),
        "That is the change of theta; wanted is its length.": lambda g, lr: -lr * g / np.sqrt(np.cumsum(g**2)),
        "That is how far theta has come from its start; wanted is each step.": lambda g, lr: np.abs(
            np.cumsum(lr * g / np.sqrt(np.cumsum(g**2)))
        ),
        "lr is missing.": lambda g, lr: np.abs(g) / np.sqrt(np.cumsum(g**2)),
        "The sum of squares makes the steps shrink already: do not divide by sqrt(t) as well.": lambda g, lr: (
            lr * np.abs(g) / np.sqrt(np.cumsum(g**2)) / np.sqrt(np.arange(1, len(g) + 1))
        ),
        "That is only what the gradient is multiplied by.": lambda g, lr: lr / np.sqrt(np.cumsum(g**2)),
        "s adds up squares, not sizes.": lambda g, lr: lr * np.abs(g) / np.cumsum(np.abs(g)),
    },
    lambda answer: [answer(np.array([3.0, -0.5, 10.0, 2.0, -4.0]), 0.3), answer(np.array([-2.0, -2.0, 0.1]), 1.0)],
)


def _second(first, g, rho, eps, *, enters=None, seen=None, upper=True, below=True, power=2, outside=False):
    d = (1 - rho if enters is None else enters) * np.abs(first) ** power
    s = (1 - rho**2 if seen is None else seen) * g**2
    under = np.sqrt(s) + eps if outside else np.sqrt(s + eps * below)
    return np.sqrt(d + eps * upper) / under * np.abs(g)


def _from(change):
    """The right second step after something else than the first: change(first, g, rho, eps)."""
    return lambda first, g, rho, eps: _second(change(first, g, rho, eps), g, rho, eps)


def _with(**slip):
    """The same slip with numbers that may depend on rho."""
    return lambda first, g, rho, eps: _second(
        first, g, rho, eps, **{k: v(rho) if callable(v) else v for k, v in slip.items()}
    )


second = Exercise(
    "adadelta_second",
    "what does the first step leave in d, and what is in s after two gradients?",
    {
        "That is the first step again.": lambda first, g, rho, eps: first,
        "The older square fades: s is not 2 (1 - rho) g^2.": _with(seen=lambda rho: 2 * (1 - rho)),
        "s fades, and then this step's gradient enters too.": _with(seen=lambda rho: rho * (1 - rho)),
        "The first step enters d with the weight 1 - rho.": _with(enters=1.0),
        "s has seen two gradients, not one.": _with(seen=lambda rho: 1 - rho),
        "d is no longer 0.": _from(lambda first, g, rho, eps: 0 * g),
        "d remembers steps, not gradients.": _from(lambda first, g, rho, eps: g),
        "d averages squares: square the first step.": _with(power=1),
        "d has not faded yet: it fades when the second step enters, after this one.": _with(
            enters=lambda rho: rho * (1 - rho)
        ),
        "eps stands under the upper root too.": _with(upper=False),
        "eps stands under the lower root too.": _with(below=False),
        "Below, eps stands outside the root. In Adadelta it is inside, above and below.": _with(outside=True),
        "eps stands outside both roots. In Adadelta it is inside, above and below.": lambda first, g, rho, eps: (
            (np.sqrt((1 - rho) * first**2) + eps) / (np.sqrt((1 - rho**2) * g**2) + eps) * np.abs(g)
        ),
        "eps is missing. It stands under both roots.": _with(upper=False, below=False),
        "d must be the one before this step: the step that is being taken is not in it yet.": _from(_second),
        "Wanted is the length of the step, which is never negative.": lambda first, g, rho, eps: (
            np.sign(g) * _second(first, g, rho, eps)
        ),
        "That is the change of theta; wanted is its length.": lambda first, g, rho, eps: (
            -np.sign(g) * _second(first, g, rho, eps)
        ),
        "s is g^2 only in the long run; here it has seen two gradients.": _with(seen=1.0),
        "rho is the weight of the past; a new square enters d with 1 - rho.": _with(enters=lambda rho: rho),
        "d has seen one step, not two.": _with(enters=lambda rho: 1 - rho**2),
        "The quotient of the roots is still to be multiplied by the gradient.": lambda first, g, rho, eps: (
            _second(first, g, rho, eps) / np.abs(g)
        ),
        "The roots are missing.": lambda first, g, rho, eps: _second(first, g, rho, eps) ** 2 / np.abs(g),
        "That is both steps together.": lambda first, g, rho, eps: first + _second(first, g, rho, eps),
    },
    on(
        (np.array([0.3, 0.1, 0.7]), np.array([3.0, -0.2, 50.0]), 0.7, 0.04),
        (np.array([0.02, 1.5]), np.array([-6.0, 0.5]), 0.9, 0.5),
    ),
)

EXERCISES = [step, forget, steps, second]
