"""Exercises of the lesson on tuning by reward."""

import numpy as np

from lessons_lib.exercises import Exercise, on

REWARDS = np.array([[3.0, 1.0, 4.0, 2.0], [0.0, 0.0, 8.0, 0.0], [5.0, 7.0, 7.0, 2.0]])
Z = np.array([0.5, -1.0, 0.25, 1.5])
ANSWERS = np.array([3, 0, 3, 2, 1])
GOT = np.array([1.0, 3.0, 2.0, 0.0, 7.0])

EXERCISES = [
    Exercise(
        "others",
        "the sum of a row, less the answer's own reward, over how many others?",
        {
            "That is the mean of all, the answer's own reward included.": (
                "(rewards.sum(1, keepdims=True) - rewards) / (G - 1) -> rewards.mean(1, keepdims=True)"
            ),
            "There are G - 1 others: divide by their number.": "/ (G - 1) -> / G",
            "The group is a row, the answers to one prompt. You have taken a column.": (
                "rewards.sum(1, keepdims=True) -> rewards.sum(0, keepdims=True)"
            ),
            "That is the baseline alone. The advantage is the reward less the baseline.": "rewards - mean -> mean",
            "The sign is wrong: better than the others is positive.": "rewards - mean -> mean - rewards",
            "The sum still holds the answer's own reward: take it away.": (
                "(rewards.sum(1, keepdims=True) - rewards) -> rewards.sum(1, keepdims=True)"
            ),
            "The baseline is the mean of one group, not of the answers to all prompts.": (
                "(rewards.sum(1, keepdims=True) - rewards) / (G - 1) -> (rewards.sum() - rewards) / (rewards.size - 1)"
            ),
        },
        on((REWARDS,), (REWARDS[:, :2],), (REWARDS[:1, :3] + 10,)),
    ),
    Exercise(
        "slope",
        "a row [i = k] - p_k for each drawn answer, times its advantage; then the mean over the rows.",
        {
            "That lowers the reward. It is the gradient of the loss.": "(hot - p) -> (p - hot)",
            "The baseline is missing in the advantage.": "rewards - b -> rewards + 0 * b",
            "The baseline is subtracted from the reward, not added.": "rewards - b -> rewards + b",
            "That pushes the drawn answer's logit alone. The slope of log p also has -p_k at all logits.": (
                "(hot - p) -> hot"
            ),
            "That is the sum over the drawn answers. Take their mean.": ".mean(0) -> .sum(0)",
            "The answers are drawn from p already: weigh none of them by its probability again.": (
                "A[:, None] * -> (A * p[answers])[:, None] *"
            ),
            "p is the softmax of the logits: divide by the sum.": "/ np.exp(z).sum() ->",
            "That is the slope of p, not of log p: a factor p too many.": "(hot - p) -> (hot - p) * p",
        },
        on((Z, ANSWERS, GOT, 0.0), (Z, ANSWERS, GOT, 2.5), (Z[:2], ANSWERS[[1, 4, 4]], GOT[:3] + 10, -1.0)),
    ),
    Exercise(
        "best_baseline",
        "the derivation's weighted mean, with s_i the squared length of the row [i = k] - p_k.",
        {
            "That is the mean reward. Answers that move the logits more count more.": "p * s -> p",
            "The weights do not sum to 1: divide by their sum.": "/ (p * s).sum() ->",
            "Weigh each answer by its probability as well.": "p * s -> s",
            "Only the drawn answer's own place, (1 - p_i)². The other logits move too.": (
                "1 - 2 * p + (p**2).sum() -> (1 - p) ** 2"
            ),
            "s_i is the squared length, not the length.": (
                "1 - 2 * p + (p**2).sum() -> np.sqrt(1 - 2 * p + (p**2).sum())"
            ),
            "The square of 1 - p_i holds -2 p_i.": "2 * p -> p",
            "The squares of all p_k belong to s_i: also the other logits move.": "+ (p**2).sum() ->",
        },
        on(
            (np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0])),
            (np.array([0.9, 0.1]), np.array([0.0, 1.0])),
            (np.array([0.1, 0.2, 0.3, 0.4]), np.array([4.0, -1.0, 0.5, 2.0])),
        ),
    ),
]
