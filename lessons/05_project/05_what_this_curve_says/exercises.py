"""Exercises of the lesson on bugs that the loss curve shows."""

import weakref

import numpy as np
import torch
import torch.nn.functional as F  # noqa: F401, for the solution

from lessons_lib.exercises import Exercise, on


class _Kept(torch.autograd.Function):
    """The same number, with something beside it that lives as long as the graph."""

    @staticmethod
    def forward(ctx, x, token):
        ctx.token = token
        return x.clone()

    @staticmethod
    def backward(ctx, up):
        return up, None


class _Token:
    pass


def _watch():
    """A function that passes a tensor on, and how many of its graphs were alive at each call."""
    tokens, alive = [], [0]

    def passed(x):
        token = _Token()
        tokens.append(weakref.ref(token))
        alive.append(sum(ref() is not None for ref in tokens))
        return _Kept.apply(x, token)

    return passed, alive


class _Scores(torch.nn.Linear):
    """A linear model that computes in float64, whatever it is given, and whose graphs are counted."""

    def forward(self, x):
        return self.passed(super().forward(x.double()))


def epochs(answer):
    """Two small models, each with its own batches: every loss, and whether the graphs pile up."""
    found = []
    for seed, lr in ((0, 0.5), (1, 0.2)):
        rng = np.random.default_rng(seed)
        model = _Scores(3, 4, bias=False, dtype=torch.float64)
        model.passed, alive = _watch()
        with torch.no_grad():
            model.weight[:] = torch.tensor(rng.normal(size=(4, 3)))
        pairs = [
            (torch.tensor(rng.integers(-9, 9, size=(5, 3)) / 4), torch.tensor(rng.integers(4, size=5)))
            for _ in range(6)
        ]
        losses = answer(model, torch.optim.SGD(model.parameters(), lr=lr), pairs)
        losses = [loss.item() if torch.is_tensor(loss) else loss for loss in losses]
        found += [np.array(losses, dtype=float), float(max(alive) > 4)]
    return found


def graphs(answer):
    """The mean losses, and whether more than two graphs were alive at once."""
    found = []
    for size, batches in ((1.0, [1.0, 2.0, 4.0, 7.0, 3.0]), (3.0, [0.5, 2.5, 6.0, 1.0])):
        passed, alive = _watch()

        def score(batch, size=size, passed=passed):
            return passed(torch.tensor((size * batch) ** 2, dtype=torch.float64, requires_grad=True))

        mean = answer(score, batches)
        mean = np.asarray(mean.detach() if torch.is_tensor(mean) else mean)
        found += [mean, float(max(alive) > 2)]
    return found


TEXT = np.array([5, 3, 8, 1, 9, 2, 7, 4, 6, 0, 11, 10, 13])

EXERCISES = [
    Exercise(
        "classes",
        "solve log(e + C - 1) - 1 = floor for C.",
        {
            "That is for a blind guess, whose loss is log C.": "np.exp(floor + 1) - np.e + 1 -> np.exp(floor)",
            "You forgot the 1 that is taken off after the logarithm.": "floor + 1 -> floor",
            "The 1 changes sides: add it to the floor.": "floor + 1 -> floor - 1",
            "e is what the right class adds to the sum. Take it off.": "- np.e ->",
            "Of the C classes C - 1 are wrong ones: one is missing.": "- np.e + 1 -> - np.e",
            "The right class adds e to the power of 1, not of 0.": "- np.e + 1 -> - 1 + 1",
        },
        on((1.461,), (0.3133,), (2.361,), (5.2417,)),
    ),
    Exercise(
        "one_epoch",
        "per batch: the loss, clear the old gradient, backward, step.",
        {
            "Gradients of earlier batches are still there: call zero_grad in each update.": "optimizer.zero_grad() ->",
            "Nothing moves: is the gradient there, and not cleared, when step is called?": (
                "optimizer.zero_grad() <-> loss.backward()"
            ),
            "The loss of a batch is measured before its update, with the model's old weights.": (
                "losses.append(loss.item()) -> losses.append(F.cross_entropy(model(x), y).item())"
            ),
            "The graphs of all batches stay alive: turn each loss into a plain number at once.": (
                "losses.append(loss.item()) -> losses.append(loss)"
            ),
            "A softmax too many: cross_entropy takes logits.": "model(x), y -> model(x).softmax(-1), y",
            "Two updates per batch. One is wanted.": "optimizer.step() -> optimizer.step(), optimizer.step()",
            "Your return stands in the loop: only the first batch is used.": (
                "losses.append(loss.item()) -> return [loss.item()]"
            ),
            "A sum over the batch makes the steps larger: take the mean, as cross_entropy does.": (
                "loss.backward() -> (loss * len(x)).backward()"
            ),
        },
        epochs,
    ),
    Exercise(
        "inputs_and_labels",
        "write the text down twice, the second time one token on, and cut both.",
        {
            "The labels are the inputs: the model would learn to copy.": "ids[1 : rows * context + 1] -> x",
            "Each label is the token before: shift the other way.": (
                "ids[1 : rows * context + 1] -> x; ids[: rows * context] -> ids[1 : rows * context + 1]; "
                "x.reshape(rows, context), y -> x.reshape(rows, context), ids[: rows * context]"
            ),
            "You shifted twice: each label is the token after the next.": (
                "ids[1 : rows * context + 1] -> np.append(ids, 0)[2 : rows * context + 2]"
            ),
            "You shifted inside each row, so the last label of a row is its own first token.": (
                "y.reshape(rows, context) -> np.roll(x.reshape(rows, context), -1, axis=1)"
            ),
            "The last label wraps around to the beginning of the text.": (
                "ids[1 : rows * context + 1] -> np.roll(x, -1)"
            ),
            "There are labels for one more row.": "(len(ids) - 1) // context -> (len(ids) - 1) // context - 1",
            "Tokens run along the rows, not down the columns.": (
                "x.reshape(rows, context), y.reshape(rows, context) -> "
                "x.reshape(context, rows).T, y.reshape(context, rows).T"
            ),
        },
        on((TEXT, 3), (TEXT, 4), (TEXT[:9], 4), (TEXT[2:10], 2)),
        returns=2,
    ),
    Exercise(
        "share_of_rate",
        "in which epoch lies the latest update?",
        {
            "That is the healthy loop: here the schedule ticks once per epoch.": (
                "(epoch + 1) / warmup -> done / warmup"
            ),
            "The first epoch already has the first tick: its rate is not 0.": "(epoch + 1) -> epoch",
            "The last update of an epoch still belongs to it: number the updates from 0.": "(done - 1) -> done",
            "After the warm-up the rate stays at its highest: the share is at most 1.": (
                "min(1, (epoch + 1) / warmup) -> (epoch + 1) / warmup"
            ),
            "The rate rises in jumps: only whole epochs count.": "(done - 1) // updates -> (done - 1) / updates",
        },
        on((1, 50, 20), (50, 50, 20), (51, 50, 20), (150, 50, 20), (7, 2, 3), (6, 2, 3), (4, 2, 3), (9, 4, 5)),
    ),
    Exercise(
        "mean_loss",
        "turn each loss into a plain number before you add it.",
        {
            "The mean is right, but all graphs stay alive until the end: turn each loss into a number at once.": (
                ".item() ->"
            ),
            "That is the sum. Divide by the number of batches.": "/ len(batches) ->",
            "Only the last loss is left: add them up.": "+= -> =",
        },
        graphs,
    ),
]
