"""Exercises of the lesson on preference tuning."""

import numpy as np

from lessons_lib.exercises import Exercise, on

RNG = np.random.default_rng(0)
POLICY = tuple(-3 * RNG.random((2, 4, 6)))
REF = tuple(-3 * RNG.random((2, 4, 6)))
BEGIN, END = np.array([1, 2, 3, 2]), np.array([[4, 6, 5, 3], [6, 4, 5, 6]])
MASKS = tuple(((np.arange(6) >= BEGIN[:, None]) & (np.arange(6) < end[:, None])).astype(float) for end in END)
X = RNG.normal(size=(6, 3)) + 2
CHOSEN, REJECTED = np.divmod(np.arange(36), 6)  # all pairs; an answer against itself moves nothing

EXERCISES = [
    Exercise(
        "lead_at",
        "write down the pull at the start and at the lead h, and divide.",
        {
            "At the start the pull is beta / 2, not beta. share is a part of that half.": "2 / share -> 1 / share",
            "That is z = beta h. The lead is h.": "/ beta ->",
            "beta is in the wrong place: z = beta h, so h = z / beta.": "/ beta -> * beta",
            "The pull is a sigmoid and no exponential: the 1 in 1 + exp(z) counts.": "2 / share - 1 -> 1 / share",
            "The sign is wrong: the pull fades where the lead is positive.": "np.log -> -np.log",
            "1 + exp(z) = 2 / share: take the 1 to the other side.": "2 / share - 1 -> 2 / share + 1",
        },
        on((0.5, 0.1), (0.1, 0.1), (0.01, 0.5), (0.9, 2.0), (1.0, 0.3), (0.25, 1.0)),
    ),
    Exercise(
        "preference_loss",
        "mask, sum over the tokens, subtract the reference, then the loss of each pair.",
        {
            "The prompt and the padding count. Multiply by the masks before you sum.": "* masks[0] ->; * masks[1] ->",
            "The reference needs the masks too: its prompt and padding count in yours.": (
                "(policy[0] - ref[0]) * masks[0] -> policy[0] * masks[0] - ref[0]; "
                "(policy[1] - ref[1]) * masks[1] -> policy[1] * masks[1] - ref[1]"
            ),
            "Without the reference this is not DPO: subtract its log-probabilities.": "- ref[0] ->; - ref[1] ->",
            "An answer's log-probability is the sum over its tokens, not the mean.": (
                "* masks[0]).sum(1) -> * masks[0]).sum(1) / masks[0].sum(1); "
                "* masks[1]).sum(1) -> * masks[1]).sum(1) / masks[1].sum(1)"
            ),
            "The sign is wrong: the loss falls as the chosen answer's lead grows.": "-beta -> beta",
            "Wanted is the mean over the pairs, not their sum.": ".mean() -> .sum()",
            "The lead is multiplied by beta before the loss.": "-beta * (chosen - rejected) -> rejected - chosen",
            "Each answer has a mask of its own: the rejected one is cut with masks[1].": "masks[1] -> masks[0]",
            "That is the loss of the mean lead. Take the loss of each pair, then the mean.": (
                ".mean() ->; (chosen - rejected) -> (chosen - rejected).mean()"
            ),
            "That is the loss of a single pair, or of none. Each pair has its own lead.": ".sum(1) -> .sum()",
        },
        on((POLICY, REF, MASKS, 0.1), (POLICY, REF, MASKS, 1.0), (POLICY[::-1], REF[::-1], MASKS[::-1], 0.5)),
    ),
    Exercise(
        "falls",
        "the product of the two brackets, for vectors.",
        {
            "Those are the pairs whose chosen answer rises.": "< 0 -> > 0",
            "That is where the probability of the rejected one rises. Look at the chosen one.": (
                "X[chosen] - p @ X -> p @ X - X[rejected]"
            ),
            "The mean of the features is weighted with the probabilities.": "p @ X -> X.mean(0)",
            "The chosen answer is compared with the policy's mean, not with zero.": "- p @ X ->",
            "The push is a difference: the rejected answer counts as well.": "X[chosen] - X[rejected] -> X[chosen]",
            "Each pair needs one number: sum over the features before you compare with 0.": (
                "(push * effect).sum(1) -> (push * effect)[:, 0]"
            ),
        },
        on(
            (X, np.array([0.3, 0.1, 0.25, 0.05, 0.1, 0.2]), CHOSEN, REJECTED),
            (X, np.array([0.02, 0.6, 0.08, 0.2, 0.05, 0.05]), CHOSEN, REJECTED),
            (X[:4, :2], np.array([0.7, 0.1, 0.1, 0.1]), np.array([2, 0, 1, 3]), np.array([1, 3, 2, 0])),
        ),
    ),
]
