"""Exercises of the lesson on AdaGrad, RMSProp and Adadelta."""

import numpy as np

from lessons_lib.exercises import Exercise, on


def walk(answer):
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


FORGOTTEN = "np.log(size**2 * (1 - rho)) / -np.log(rho)"

EXERCISES = [
    Exercise(
        "corrected_rmsprop",
        "line 2 of the derivation: by which factor is s too small at step t?",
        {
            "That is RMSProp without the correction.": "/ (1 - rho**t) ->",
            "You correct with t - 1. The t that comes in is this step's number, already 1 at the first.": (
                "**t -> ** (t - 1)"
            ),
            "The factor 1 - rho is missing: s then adds up instead of averaging.": "+ (1 - rho) * -> +",
            "eps stands under the root. Add it to the root.": "rho**t)) + eps -> rho**t) + eps)",
            "You return the corrected average. Return s itself; the next step corrects it with its own t.": (
                "+ eps), s -> + eps), s / (1 - rho**t)"
            ),
            "The factor depends on t: after t gradients the weights add up to 1 - rho^t.": "**t ->",
            "Multiplying makes s smaller still. Divide by the factor.": "s / (1 -> s * (1",
            "The factor belongs to s: divide before you take the root.": (
                "np.sqrt(s / (1 - rho**t)) -> np.sqrt(s) / (1 - rho**t)"
            ),
            "rho is the weight of the past, 1 - rho that of the new square.": (
                "rho * s + (1 - rho) -> (1 - rho) * s + rho"
            ),
            "You divide the whole step. The factor belongs to s, under the root.": (
                "(np.sqrt(s / (1 - rho**t)) + eps) -> (np.sqrt(s) + eps) / (1 - rho**t)"
            ),
        },
        walk,
        returns=2,
    ),
    Exercise(
        "steps_to_forget",
        "what does one large gradient add to s, and what is left of it k steps later?",
        {
            "s averages squares: the size enters squared.": "size**2 -> size",
            "The large gradient enters with the weight 1 - rho.": "* (1 - rho) ->",
            "1 / (1 - rho) is the mean age, whatever the size. How long until this one has faded to 1?": (
                f"{FORGOTTEN} -> 1 / (1 - rho)"
            ),
            "log(1/rho) is near 1 - rho only for rho near 1. Solve for k exactly.": "-np.log(rho) -> (1 - rho)",
            "That is what it adds beyond an ordinary gradient. Asked is all that it adds itself.": (
                "size**2 -> (size**2 - 1)"
            ),
            "You count its own step: there k is 0.": "return -> return 1 +",
            "You rounded up. Any real number may come out.": f"{FORGOTTEN} -> np.ceil({FORGOTTEN})",
            "log(size) / (1 - rho) says how the wait grows. Set up what is left after k steps, and solve for k.": (
                f"{FORGOTTEN} -> np.log(size) / (1 - rho)"
            ),
            "A new square enters with 1 - rho; rho is what stays of the past.": "(1 - rho) -> rho",
        },
        on((1000.0, 0.99), (50.0, 0.5), (10.0, 0.9)),
    ),
    Exercise(
        "adagrad_steps",
        "which gradients are in s when step t is taken?",
        {
            "s holds this step's gradient too: you divide the first one by 0.": (
                "np.cumsum(g**2) -> np.cumsum(g**2) - g**2"
            ),
            "Each is divided by its own size, so that every step is lr. s holds the earlier squares too.": (
                "np.cumsum(g**2) -> g**2"
            ),
            "Under the root stand sizes; wanted are squares.": "g**2 -> np.abs(g)",
            "The root is missing.": "np.sqrt(np.cumsum(g**2)) -> np.cumsum(g**2)",
            "That is an average of the squares; AdaGrad adds them up.": (
                "np.cumsum(g**2) -> np.cumsum(g**2) / np.arange(1, len(g) + 1)"
            ),
            "lr / sqrt(t) is for gradients of one size.": (
                "lr * np.abs(g) / np.sqrt(np.cumsum(g**2)) -> lr / np.sqrt(np.arange(1, len(g) + 1))"
            ),
            "All squares at once: step t knows only the first t gradients.": "np.cumsum -> np.sum",
            "Wanted are lengths, which are never negative.": "np.abs(g) -> g",
            "That is the change of theta; wanted is its length.": "np.abs(g) -> -g",
            "That is the distance walked so far; wanted is each step.": (
                "lr * np.abs(g) / np.sqrt(np.cumsum(g**2)) -> np.cumsum(lr * np.abs(g) / np.sqrt(np.cumsum(g**2)))"
            ),
        },
        on((np.array([3.0, -0.5, 10.0, 2.0, -4.0]), 0.3), (np.array([-2.0, -2.0, 0.1]), 1.0)),
    ),
    Exercise(
        "adadelta_second",
        "what does the first step leave in d, and what is in s after two gradients?",
        {
            "That is the first step again.": lambda first, g, rho, eps: first,
            "The older square fades: s is not 2 (1 - rho) g^2.": "(1 - rho**2) -> 2 * (1 - rho)",
            "The first step enters d with the weight 1 - rho.": "(1 - rho) * first -> first",
            "s has seen two gradients, not one.": "rho**2 -> rho",
            "d remembers steps, not gradients.": "first**2 -> g**2",
            "d has not faded yet: it fades when the second step enters, after this one.": "first**2 -> rho * first**2",
            "eps stands under the upper root too.": "np.sqrt(d + eps) -> np.sqrt(d)",
            "Below, eps stands outside the root. In Adadelta it is inside, above and below.": (
                "np.sqrt(s + eps) -> (np.sqrt(s) + eps)"
            ),
            "Wanted is the length of the step, which is never negative.": "np.abs(g) -> g",
            "The quotient of the roots is still to be multiplied by the gradient.": "* np.abs(g) ->",
        },
        on(
            (np.array([0.3, 0.1, 0.7]), np.array([3.0, -0.2, 50.0]), 0.7, 0.04),
            (np.array([0.02, 1.5]), np.array([-6.0, 0.5]), 0.9, 0.5),
        ),
    ),
]
