"""Exercises of the lesson on the Adam family."""

import numpy as np

from lessons_lib.exercises import Exercise, on

BETAS = (0.999, 0.8, 0.75, 0.7, 0.68, 0.667, 0.66, 0.5)  # first one that has an answer, or None for never looks open
MIXED = np.array([1.0, 100.0, -2.0, 0.5, 30.0, -1.0, 0.0, 0.1])
LENGTH = "(1 - mu * beta1**j) / (1 - beta2**j) ** 0.5"

EXERCISES = [
    Exercise(
        "first_division",
        "which number must pass 5, and can it always?",
        {
            "The condition is rho_t > 5; the paper's was 4.": "5 -> 4",
            "That is the last step without a division.": "return t -> return t - 1",
            "The factor 2 in rho_t is lost.": "2 * t -> t",
            "That is the answer for the default only; a short memory wakes later, or never.": lambda beta2: 6,
            "rho, the end of rho_t, can be 5 or less: then RAdam never divides, and 0 is asked for.": (
                "return 0 -> return 5000"
            ),
            "0 means never: while rho is above 5, go on counting.": "return t -> return t if t <= 20 else 0",
            "rho alone decides whether, not when.": "return t -> return 1",
        },
        on(*((b,) for b in BETAS)),
    ),
    Exercise(
        "after_silence",
        "what are m and v after k gradients of 1, if they start at 0? What does NAdam add to m?",
        {
            "The root over v is missing.": "** 0.5 ->",
            "That is Adam's step: NAdam takes mu m + (1 - mu) g.": "mu * ->",
            "(1 - mu) g is missing.": "1 - mu * beta1**j -> mu * (1 - beta1**j)",
            "mu belongs to m, 1 - mu to g.": "mu * -> (1 - mu) *",
            "beta1 and beta2 are exchanged.": "beta1 <-> beta2",
            "With a bias correction every step would be 1; here none is left.": f"{LENGTH} -> 1.0",
            "The number of the longest step is asked for, not its length.": (
                "max(range(1, 1000), key=length) -> max(map(length, range(1, 1000)))"
            ),
            "The first step has the number 1, and an index begins at 0.": (
                "return length(k), max -> return length(k), -1 + max"
            ),
            "After k steps look on: the longest step of all is asked for.": "range(1, 1000) -> range(1, k + 1)",
            "m takes in the new gradient first; mu m + (1 - mu) g comes after.": "beta1**j -> beta1 ** (j - 1)",
        },
        on(
            (0.9, 0.999, 0.9, 1),
            (0.9, 0.999, 0.57, 12),
            (0.8, 0.99, 0.7, 5),
            (0.95, 0.98, 1.0, 100),
            (0.99, 0.9999, 0.98, 7),
            (0.9987, 0.99999, 1.0, 3),  # longest as late as the hint says
        ),
        returns=2,
    ),
    Exercise(
        "windowed_divisor",
        "v first, from all gradients; what does the maximum look at?",
        {
            "That is AMSGrad: the largest ever.": "all_v[-n:] -> all_v",
            "That is Adam: the newest v.": "[-n:] -> [-1:]",
            "v must come from all gradients, not only from the last n.": "in gradients -> in gradients[-n:]",
            "The divisor is the root of v.": "** 0.5 ->",
            "The window is one step too long.": "[-n:] -> [-n - 1:]",
            "The newest step belongs to the window.": "[-n:] -> [-n - 1:-1]",
            "No bias correction is asked for.": "append(v) -> append(v / (1 - beta2 ** (len(all_v) + 1)))",
            "The mean of the window, where the largest is asked for.": "max(all_v[-n:]) -> np.mean(all_v[-n:])",
            "The new square enters v times 1 - beta2.": "(1 - beta2) * g**2 -> g**2",
            "v goes on from v; the maximum must not be fed back into it.": (
                "append(v) -> append(v)\n        v = max(all_v[-n:])"
            ),
        },
        on(
            *((MIXED, beta2, n) for beta2, n in ((0.9, 3), (0.5, 4), (0.99, 5), (0.8, 6), (0.7, 2))),
            (np.append(MIXED[:-1], 70.0), 0.6, 3),
            *((np.array([5.0, -2.0, 0.1]), 0.9, n) for n in (4, 7)),  # fewer gradients than the window holds
            (np.array([-3.0, 0.5]), 0.8, 3),
        ),
    ),
]
