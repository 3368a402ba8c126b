"""Exercises of the lesson on a character model."""

import numpy as np

from lessons_lib.exercises import Exercise, on

DRAW = np.random.default_rng(0)
LOGITS = np.round(128 * DRAW.normal(size=(6, 5))) / 64  # exact in float32, also 2000 higher
IDS = np.array([3, 0, 4, 4, 1, 2])
FAR = LOGITS + np.array([0.0, 900.0, -900.0, 0.0, 2000.0, 50.0])[:, None]
WIDE = LOGITS * np.array([1.0, 500.0, 1.0, 500.0, 1.0, 1.0])[:, None]
ANSWER = np.array([0, 0, 0, 1, 1, 1])
UNEVEN = np.array([5.0, 0.5, 2.0, 0.0, 1.0, 0.25])
TEXT = "a while loop runs the suite as long as the test is true"
NATS = DRAW.gamma(1.0, 2.0, len(TEXT))

EXERCISES = [
    Exercise(
        "break_even",
        "what must be equal for the two models: the nats of the whole text.",
        {
            "Perplexities are to the power of something: they multiply along the text. The nats add up.": "** -> *",
            "The other way round: a token that spans more characters may cost more.": (
                "characters_per_token -> (1 / characters_per_token)"
            ),
            "That is the loss in nats; perplexity is e to it.": (
                "perplexity ** characters_per_token -> characters_per_token * np.log(perplexity)"
            ),
            "Base and exponent are exchanged.": (
                "perplexity ** characters_per_token -> characters_per_token ** perplexity"
            ),
            "That is the same perplexity. But the model of pieces has fewer tokens to pay for.": (
                "** characters_per_token ->"
            ),
        },
        on((5.0, 2.0), (7.5, 1.0), (3.2, 4.5), (10.0, 0.5)),
    ),
    Exercise(
        "next_token_loss",
        "which row of logits stands for which token? Row t has seen the tokens up to t.",
        {
            "Nothing is shifted: each row is asked for the token that it has just read.": (
                "logits[:-1], ids[1:], w[1:] -> logits, ids, w"
            ),
            "Shifted the wrong way: each row is asked for the token before the one it has read.": (
                "logits[:-1], ids[1:], w[1:] -> logits[1:], ids[:-1], w[:-1]"
            ),
            "A weight belongs to the token that is predicted; yours is that of the token before it.": "w[1:] -> w[:-1]",
            "Divide by the sum of the weights, not by the number of tokens.": "/ w.sum() -> / len(w)",
            "That is the sum; the mean divides it by the sum of the weights.": "/ w.sum() ->",
            "Too large for exp: subtract each row's largest logit first.": (
                "z = z - z.max(axis=1, keepdims=True) -> z = z + 0.0"
            ),
            "Subtract the largest logit of each row, not of all rows.": ("z.max(axis=1, keepdims=True) -> z.max()"),
            "That is the sum of the plain losses: the weights are missing above the line.": "(w * loss) -> loss",
            "That is the plain mean; the weights are missing.": "(w * loss).sum() / w.sum() -> loss.mean()",
            "These are bits; nats are wanted.": "/ w.sum() -> / w.sum() / np.log(2)",
        },
        on(
            (LOGITS, IDS, np.ones(6)),
            (LOGITS, IDS, ANSWER),
            (FAR, IDS, UNEVEN),
            (LOGITS[:3], IDS[2:5], UNEVEN[:3]),
            (LOGITS + 900, IDS, UNEVEN),
            (WIDE, IDS, UNEVEN),
        ),
    ),
    Exercise(
        "nats_by_place",
        "give every character its place in its word; then average over all characters with the same place.",
        {
            "The mean is wanted, not the sum.": ".mean() -> .sum()",
            "The places begin at 0, the first letter.": "k in range(places) -> k in range(1, places + 1)",
            "The space belongs to the word before it, as its last character.": (
                "np.concatenate([np.arange(len(word) + 1) for word in text.split(' ')])[:-1] -> "
                "np.concatenate([np.arange(len(word) + (i > 0)) for i, word in enumerate(text.split(' '))])"
            ),
            "The spaces count too, as the last characters of their words.": (
                "np.arange(len(word) + 1) for -> np.r_[np.arange(len(word)), -1] for"
            ),
            "That is the place in the text. After each space it must begin anew.": (
                "np.concatenate([np.arange(len(word) + 1) for word in text.split(' ')])[:-1] -> np.arange(len(text))"
            ),
            "The mean is wanted, not the median.": "nats[place == k].mean() -> np.median(nats[place == k])",
            "A place alone is wanted, not all places up to it.": "place == k -> place <= k",
        },
        on((TEXT, NATS, 3), (TEXT, NATS, 5), (TEXT[8:30], NATS[8:30], 4)),
    ),
]
