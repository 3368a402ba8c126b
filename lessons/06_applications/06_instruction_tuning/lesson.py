# ---
# jupyter:
#   lesson:
#     title: "Instruction tuning"
#     question: "Same model, same sixteen answers, same loss. Why does it print another number when we cut the batch into pieces?"
#     minutes: 35
#     needs: [05_project/03_fine_tuning, 05_project/06_bugs_that_hide, 03_algorithms/17_clipping_and_accumulation, 03_algorithms/25_whose_mean]
#     settles: []
#     studies: [core.weighted_mean, losses.dft]
#     terms: [token mean, sequence mean, dynamic fine-tuning]
# ---

# %% [markdown] name="title"
# # Instruction tuning
#
# **Goal.** Say for any recipe of instruction tuning how much each token counts, and what this does to the answers.
#
# **The question.** A small model is to learn to answer. It gets sixteen answers, one step's batch. Nothing is trained yet. We cut the batch into 2, 4, 8 or 16 micro-batches, as one does when memory is short, and let the trainer print the loss, as many trainers did until October 2024. Why is it another number each time, and what does the cut do to the answers that the model learns?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: imports, the model, its task, and the recorded runs.
import copy

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, plots, records
from lessons_lib.core import Loss, weighted_mean
from lessons_lib.derive import derive
from lessons_lib.losses import dft
from lessons_lib.show import Table
from lessons_lib.training import Recipe, token_loss, train

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/06_instruction_tuning")
record = records.of("06_applications/06_instruction_tuning")
runs = list(record.runs.values())
base, tokenizer, _ = models.pretrained(str(setting.device))
train_set, test_set = data.docstring_task(tokenizer, seed)
rows, new = data.answers(train_set, 64), data.answers(test_set, 64)

def spread(values, form=".2f"):  # median (lowest to highest)
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

@torch.no_grad()
def logits_of(model, batch):
    return model(torch.from_numpy(batch.x).to(setting.device)).float().cpu()

def losses_at(model, batch):  # of every place of every row
    each = token_loss(logits_of(model, batch).flatten(0, 1), torch.from_numpy(batch.y).flatten())
    return each.reshape(batch.y.shape).numpy()

def row_losses(model, batch):  # of each row: the sum of its losses, and how many tokens count
    return (losses_at(model, batch) * batch.weight).sum(1), batch.weight.sum(1)

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# The printed loss of one batch of 16 rows, for each number of micro-batches; and of 20 batches.
def printed(sums, counts, parts):  # the mean of the means of the micro-batches
    cut = zip(np.array_split(sums, parts), np.array_split(counts, parts), strict=True)
    return np.mean([s.sum() / n.sum() for s, n in cut])

batches = data.shuffled(rows, 16, seed)
twenty = [row_losses(base, batches(t)) for t in range(20)]
cuts = (1, 2, 4, 8, 16)
loss_by_cut = {k: np.array([printed(*found, k) for found in twenty]) for k in cuts}
shift = {k: loss_by_cut[k] - loss_by_cut[1] for k in cuts[1:]}
print("first batch:", ", ".join(f"{loss_by_cut[k][0]:.3f} (K = {k})" for k in cuts))
print(f"K = 16 against K = 1: {spread(shift[16], '+.2f')} nats, "
      f"higher in {(shift[16] > 0).sum()} of 20 batches")
assert np.median(shift[16]) > 0.1 and (shift[16] > 0).sum() >= 13
plots.bars(
    {f"K = {k} micro-batches": plots.band(shift[k]) for k in cuts[1:]},
    "printed loss - loss of the uncut batch (nats per token)",
    "Four bars for 2, 4, 8 and 16 micro-batches. At 2 the bar is next to nothing; the finer the "
    "cut, the longer the bar and the wider its range, and at 16 it is by far the longest.",
    title="Batches of 16 answers (median, range of 20)",
)

# %% [markdown] name="question-reading"
# The same sixteen rows, the same parameters. Nothing is random here, and nothing but the last digit is lost by rounding. Yet the finer the cut, the further the printed loss moves, mostly up. So the loss has changed its meaning.
#
# ## The idea, drawn
#
# The task is that of [fine-tuning](../05_project/03_fine_tuning.ipynb): the *prompt* is the first line of a function in Python's library (PSF licence), the *answer* the first line of its docstring, with an END. Only the answer's tokens count. They are what the model learns to say. But how much does each of them count? There are two ways to take the mean. The **token mean** adds the losses of all tokens that count and divides once, so every token has the same weight. The **sequence mean** takes the mean of each answer and then the mean of these means, so every *answer* has the same weight. Here is the batch, one row for each answer.

# %% tags=["fold", "nbval-ignore-output"] name="weights-picture"
# The weight of every token of the batch under two means.
lengths = twenty[0][1].astype(int)
boxes = np.where(np.arange(lengths.max()) < lengths[:, None], 1.0, np.nan)
fig, axes = plots.panels(2, sharey=True)
fig.set_size_inches(9.2, 3.6)
views = {"token mean": boxes, "sequence mean": boxes * (lengths.mean() / lengths)[:, None]}
shades = plt.get_cmap("PuOr_r", 9)
for ax, (name, view) in zip(axes, views.items(), strict=True):
    image = ax.imshow(np.log2(view), cmap=shades, vmin=-2.25, vmax=2.25, aspect="auto",
                      interpolation="nearest")
    ax.set(title=name, xlabel="place in the answer (tokens)")
    ax.grid(False)
    ax.set_facecolor("0.8")
axes[0].set_ylabel("answer")
bar = fig.colorbar(image, ax=axes, ticks=[-2, -1, 0, 1, 2])
bar.set_ticklabels(["1/4", "1/2", "1", "2", "4"])
bar.set_label("weight of the token / mean weight")
loudest = (lengths.mean() / lengths).max()
print(f"answers of {lengths.min()} to {lengths.max()} tokens; sequence mean: weights from "
      f"{(lengths.mean() / lengths).min():.1f} to {loudest:.1f}")
plots.Picture(fig, alt="The answers of a batch as sixteen rows of boxes of unequal length, twice. "
              "Under the token mean all boxes are white. Under the sequence mean short "
              "rows are orange and long rows are violet.")

# %% [markdown] name="formula"
# Under the sequence mean a token of a short answer counts more, here up to three times the mean weight.
#
# Cut the batch into $K$ micro-batches. Micro-batch $k$ has $n_k$ tokens that count, and $m_k$ is the mean of their losses. The token mean $J$ of the batch, and the mean of the micro-batches' means $M$:
#
# $$J = \frac{\sum_k n_k\, m_k}{\sum_k n_k}, \qquad M = \frac1K \sum_{k=1}^{K} m_k$$
#
# With $K = 1$ the two are equal. With a micro-batch for each answer, $M$ is the sequence mean. **So the number of micro-batches, a setting for memory, moves the loss from the token mean to the sequence mean.**
#
# ## Derivation
#
# How far apart are they? Earlier lessons weigh a [single token](../05_project/06_bugs_that_hide.ipynb). Now look at the whole loss, with $\bar n$ for the mean of the $n_k$.

# %% tags=["fold"] name="derivation"
# The mean of means minus the token mean, tied to the library's weighted mean.
K, k, j = sp.symbols("K k j", integer=True, positive=True)
n, m = sp.IndexedBase("n", positive=True), sp.IndexedBase("m")
nbar, mbar = sp.symbols("a M", positive=True)

def joined(of, m, n):  # the library's token mean, from the micro-batches' means and counts
    return np.array([of(weighted_mean(Loss(x, np.ones_like(x)), c))
                     for x, c in zip(m, n, strict=True)])

(
    derive(
        "(M - J)", "Sum(m[j], (j, 1, K)) / K - Sum(n[j] * m[j], (j, 1, K)) / Sum(n[j], (j, 1, K))",
        "the two definitions", {"K": K, "k": k, "j": j, "n": n, "m": m, "a": nbar, "M": mbar},
        {K: (2, 3, 4)}, ranges={n: (2, 40)},
        means={nbar: sp.Sum(n[j], (j, 1, K)) / K, mbar: sp.Sum(m[j], (j, 1, K)) / K},
    )
    .equals("M - Sum(n[j] * m[j], (j, 1, K)) / (K * a)", r"the counts sum to $K \bar n$",
            tex=r"M - \frac{1}{\bar n} \cdot \frac1K \sum_{j=1}^{K} n_j m_j")
    .equals("-Sum((n[j] - a) * (m[j] - M), (j, 1, K)) / (K * a)",
            "a mean of products is the product of the means plus the covariance: **minus the "
            "covariance of count and mean loss, over the mean count**",
            tex=r"-\frac{1}{\bar n} \cdot \frac1K \sum_{j=1}^{K} (n_j - \bar n)(m_j - M)")
    .library("m.mean() - weighted_mean(loss, n).value",
             lambda m, n: m.mean(1) - joined(lambda mean: mean.value, m, n))
    .slope(m[k], "1 / K - n[k] / (K * a)", "$m_k$ stands in both means",
           tex=r"\frac1K - \frac{n_k}{K \bar n}")
    .equals("(1 - n[k] / a) / K", "**above 0 for short micro-batches: they pull too hard**",
            tex=r"\frac1K \left( 1 - \frac{n_k}{\bar n} \right)")
    .library("1 / K - weighted_mean(loss, n).grad",
             lambda m, n: 1 / m.shape[1] - joined(lambda mean: mean.grad, m, n))
)

# %% [markdown] name="derivation-reading"
# ## When the two part
#
# Two things must come together. The counts must differ, and the mean loss must go with the count. A covariance is a correlation times two standard deviations, so
#
# $$M - J = -\rho \cdot \frac{\operatorname{sd}(n)}{\bar n} \cdot \operatorname{sd}(m)$$
#
# with $\rho$ for the correlation, a number from -1 to 1. Let each answer be a micro-batch, and look at the three factors before training and after 60 steps:

# %% name="train"
def tuned(rows, loss=token_loss, lr=3e-3, steps=60):
    model = copy.deepcopy(base)
    recipe = Recipe(steps=steps, lr=lr, warmup=10)
    train(model, data.shuffled(rows, 8, seed), recipe, loss=loss)
    return model

by_token = tuned(rows)

# %% tags=["fold", "nbval-ignore-output"] name="covariance-picture"
# Mean loss of an answer against its length, before and after; and the product of the three factors.
some = data.Batch(*map(np.concatenate, zip(*map(batches, range(20)), strict=True)))
fig, axes = plots.panels(2, sharey=True)
gap, every = {}, {}
for ax, (label, model) in zip(axes, (("before", base), ("after 60 steps", by_token)), strict=True):
    every[label] = losses_at(model, some)
    sums, counts = (every[label] * some.weight).sum(1), some.weight.sum(1)
    means = sums / counts
    rho, cv = np.corrcoef(counts, means)[0, 1], counts.std() / counts.mean()
    gap[label] = means.mean() - sums.sum() / counts.sum()
    assert np.isclose(gap[label], -rho * cv * means.std(), rtol=1e-3, atol=1e-3)
    print(f"{label}: M - J = {gap[label]:.2f} nats; correlation {rho:.2f}, "
          f"sd(n) / mean(n) {cv:.2f}, sd(m) {means.std():.2f} nats")
    line = np.polyfit(counts, means, 1)
    at = np.array([counts.min(), counts.max()])
    ax.plot(counts, means, "o", ms=3.5, color="0.35", mew=0, alpha=0.6, label="one answer")
    ax.plot(at, np.polyval(line, at), color="C1", lw=2.5, label="straight line through all")
    ax.set(title=label, xlabel="length of the answer (tokens)")
    ax.legend()
axes[0].set_ylabel("mean loss of the answer (nats per token)")
first = (some.weight > 0) & (some.weight.cumsum(1) == 1)
inner = some.weight * (~first & (some.y != 0))
sums, counts = ((part * inner).sum(1)[inner.any(1)] for part in (every["before"], 1))
print(f"before: a first token costs {every['before'][first].mean():.0f} "
      f"nats; M - J without it and END {(sums / counts).mean() - sums.sum() / counts.sum():.2f}")
assert gap["before"] > 2 * abs(gap["after 60 steps"])
plots.Picture(fig, alt="Two clouds of points, mean loss against the length of the answer. Before "
              "training the line through them falls steeply; after 60 steps it is almost flat.")

# %% [markdown] name="covariance-reading"
# Before training END costs [21 nats](../05_project/03_fine_tuning.ipynb) and the first token of an answer 12, since the model has never given one. Every answer pays for both, however short. So short answers have high means, $\rho$ is negative, and $M$ lies above $J$. Without the two tokens about half of the gap is left. After 60 steps both are cheaper, the cloud is nearly level, and the two numbers almost agree.
#
# **So the printed loss stops showing the error, and the error stays:** the last line of the derivation has no loss in it. The wrong weights depend on the counts alone.
#
# ## Play
#
# Thirty-two answers of the same model, cut into $K$ micro-batches. The *sound weight* of a token is the one it has uncut. At which $K$ does a token first have twice that? And at which $K$ is one heaviest?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The weight of a token of every answer against the length of that answer, for every cut.
sums, counts = (np.concatenate(part) for part in zip(*twenty[:2], strict=True))
curve = [printed(sums, counts, parts) for parts in range(1, 33)]

def weights_at(parts):
    return np.concatenate([np.full(len(c), counts.sum() / (parts * c.sum()))
                           for c in np.array_split(counts, parts)])

fig, (ax, beside) = plots.panels(2)
fig.set_size_inches(9.2, 3.8)
length = np.linspace(counts.min(), counts.max(), 100)
ax.axhline(1, color="0.3", lw=1, label="token mean")
ax.plot(length, counts.mean() / length, "--", color="0.3", lw=1, label="sequence mean")
ax.set(xlabel="length of the answer (tokens)", ylabel="weight of its tokens / sound weight",
       ylim=(0, 1.08 * max(weights_at(parts).max() for parts in range(1, 33))))
ax.legend(loc="upper right")
beside.plot(range(1, 33), curve, color="0.6", lw=1)
beside.set(xlabel="micro-batches K", ylabel="printed loss (nats per token)")

def cut(ax, beside, parts):
    weights = weights_at(parts)
    ax.plot(counts, weights, "o", ms=6, alpha=0.8)
    beside.plot([parts], [curve[parts - 1]], "o", ms=8)
    return (f"With {parts} micro-batch{'es' * (parts > 1)} the printed loss is "
            f"{curve[parts - 1]:.2f}. The weights run from {weights.min():.2f} to "
            f"{weights.max():.2f}.")

plots.moving(fig, "micro-batches", range(1, 33), cut, start=8,
             alt="Left: 32 points, one for each answer. With one micro-batch they lie on the level "
             "line at 1; with 32 they lie on a curve that falls with the length. Right: the "
             "printed loss rises with the number of micro-batches.")

# %% [markdown] name="breaks-text"
# Twice the weight is passed at $K = 14$. At 32 all points lie on the curve of the sequence mean, $\bar n / n$. The heaviest token of all comes before, at 24: there the shortest answer is alone in its micro-batch, while others come in pairs.
#
# ## What breaks: the error that shipped
#
# This is gradient accumulation as it stood in much-used trainers, and the cure:

# %% name="breaks"
def losses_of(model, part):  # of the tokens that count, one after the other
    x, y, weight = (torch.from_numpy(a).to(setting.device) for a in part)
    counts = weight > 0
    return token_loss(model(x)[counts], y[counts])

def shipped(model, parts):
    for part in parts:
        (losses_of(model, part).mean() / len(parts)).backward()

def cured(model, parts):
    total = sum(part.weight.sum() for part in parts)  # the tokens of the whole step
    for part in parts:
        (losses_of(model, part).sum() / total).backward()

# %% tags=["fold", "nbval-ignore-output"] name="breaks-table"
# How far each gradient is from that of the whole batch, relative to its length, in three batches.
def gradient(model, way, t, parts):
    model.zero_grad()
    way(model, [batches(t).rows(part) for part in np.array_split(np.arange(16), parts)])
    return torch.cat([p.grad.flatten() for p in model.parameters()]).double()

def off(model, way, parts):
    pairs = [(gradient(model, way, t, parts), gradient(model, cured, t, 1)) for t in range(3)]
    return [float((cut - whole).norm() / whole.norm()) for cut, whole in pairs]

few = (4, 16)
table = []
for label, model, way, form in (("shipped, before training", base, shipped, ".2f"),
                                ("shipped, after 60 steps", by_token, shipped, ".2f"),
                                ("cured, before training", base, cured, ".0e")):
    found = [off(model, way, parts) for parts in few]
    table.append([label, *(spread(part, form) for part in found)])
    assert min(found[1]) > 0.05 if way is shipped else np.max(found) < 1e-3
Table(["", *(f"{parts} micro-batches" for parts in few)], table,
      "Distance from the gradient of the uncut batch / its length: median, range of 3 batches.")

# %% [markdown] name="breaks-reading"
# Cut into 16, the gradient is off by about a third of its length before training, and by no less after 60 steps (medians). The cure leaves rounding. It needs one number before the first backward pass: the count of the whole step.
#
# The error was described in 2021. In October 2024 B. Marie reported it to TRL with curves, D. and M. Han of Unsloth explained it, and within days Hugging Face mended the transformers Trainer (sources). A test with rows of equal length cannot find it: where all $n_k$ are equal, the covariance is 0.
#
# ### It comes once more
#
# Two devices share a step, and the *engine*, the software between them, averages their gradients. That is another mean of means. Two micro-batches on each device:

# %% tags=["fold"] name="devices-table"
# The weight of a token / sound weight, under three ways to divide.
tokens = np.array([[40, 30], [8, 6]])
ways = {
    "its micro-batch (shipped)": tokens,
    "the micro-batches of its device": np.broadcast_to(tokens.sum(1, keepdims=True) / 2, (2, 2)),
    "all tokens of the step": np.full((2, 2), tokens.mean()),
}
Table(["each token's loss is divided by the tokens of",
       *(f"device {d}: {c} tokens" for d in (1, 2) for c in tokens[d - 1])],
      [[way, *(f"{w:.2f}" for w in (tokens.mean() / count).ravel())]
       for way, count in ways.items()], "Weight of one token / sound weight.")

# %% [markdown] name="devices-reading"
# The second row is the half-cured trainer: right on each device, wrong between them. In transformers the count over all devices became an option soon after, and the default in July 2025 (sources). How to reach the third row is exercise 2.
#
# ## What the sequence mean does to an answer
#
# Is the sequence mean wrong? It is another goal: every answer counts the same. But it has a price that one does not expect. Take a model so simple that it knows only the place in the answer. At place $t$ it must say how probable END is. It sees all answers of length $t$ or more, and those of length $t$ end here. Under the token mean the best probability is a share of answers. Under the sequence mean it is a share of *weights* $1/n$:
#
# $$h_t = \frac{\#\{n = t\}}{\#\{n \ge t\}} \qquad \text{or} \qquad h_t = \frac{\sum_{n = t} 1/n}{\sum_{n \ge t} 1/n}$$
#
# The answers that end at $t$ are the shortest of those that are left, so they have the largest weights. **Wherever some answers end and others go on, the second share is larger. The model stops too early.**

# %% name="stops"
def mean_length(n, weight):  # of the answers that such a model says
    places = np.arange(1, n.max() + 1)
    ending = np.array([weight[n == t].sum() for t in places])
    left = np.array([weight[n >= t].sum() for t in places])
    h = ending / left
    reach = np.cumprod(np.append(1, 1 - h))[:-1]  # the chance to come to place t
    return (reach * h * places).sum()

# %% tags=["fold"] name="lengths-picture"
# Lengths that trained models say, five recorded splits, beside the real ones.
names = ("token mean", "sequence mean")
real = np.array([np.mean(run["lengths, real"]) for run in runs])
says = {name: np.array([np.mean(run[f"lengths, {name}"][1]) for run in runs]) for name in names}
simple = {"token mean": [], "sequence mean": []}
for run in runs:
    n_ = np.array(run["training lengths"])
    simple["token mean"].append(mean_length(n_, np.ones(len(n_))))
    simple["sequence mean"].append(mean_length(n_, 1 / n_))
    assert np.isclose(simple["token mean"][-1], n_.mean())
    assert np.isclose(simple["sequence mean"][-1], 1 / (1 / n_).mean())
print(f"real answers: {spread(real, '.1f')} tokens")
for name in names:
    print(f"{name}: trained model {spread(says[name], '.1f')}, "
          f"the model that knows only the place {spread(simple[name], '.1f')}")
print(f"sequence mean - token mean, same split: {spread(says[names[1]] - says[names[0]], '+.1f')}")
assert (says["token mean"] - says["sequence mean"]).min() > 1
together = {"real": np.concatenate([run["lengths, real"] for run in runs])}
together |= {name: np.concatenate([run[f"lengths, {name}"][1] for run in runs]) for name in names}
plots.histogram(together, "length of the answer (tokens; 42: cut)",
                "Three outlines of lengths. Those of the sequence mean are shifted to short "
                "answers against those of the token mean.", bins=np.arange(0.5, 44, 3),
                title="What the trained models say to new prompts")

# %% [markdown] name="mask-text"
# In the simple model the token mean gives the answers their own mean length. The sequence mean says length $n$ with a probability in proportion to $1/n$ times the number of such answers. That gives the harmonic mean of the lengths, four tokens less. The trained transformer can read what it has already said. Yet the sequence mean moves it the same way. After 160 steps at the rate 0.003 it says 21 tokens instead of 24, fewer in each of the five splits. (Under both means its lengths scatter more than the real ones: more very short answers, more that are cut.) Nobody asked for shorter answers. They came with a divisor.
#
# ## Should the prompt count?
#
# The other choice is which tokens count at all. To *mask* the prompt is to give its tokens the weight 0, as we did so far. When [prompts have two fifths of the tokens](../05_project/03_fine_tuning.ipynb), counting them decides nothing. Shi and others report that it helps where prompts are long, answers short and examples few. So turn the task round: the prompt is the description, the answer is the *name* of the function. Each way is trained at four rates for 60 steps of 8 examples: with 64 examples, which come back seven times, and with all of them, where none comes twice. The judge is the loss of names that do not occur in training.

# %% tags=["fold"] name="mask-picture"
# Loss on new names over the rate, masked or counted; and each way at its best rate.
rates = [0.0003, 0.001, 0.003, 0.01]
masks, tasks = ("masked", "counted"), ("name, few", "name, all")

def mask_runs(task, how):  # (splits, rates)
    return np.array([run[f"{task}: {how}"] for run in runs])

def at_best(task, how):  # in each split at the rate with the lowest mean over the other splits
    table = mask_runs(task, how)
    picked = [np.delete(table, s, 0).mean(0).argmin() for s in range(len(runs))]
    assert min(picked) > 0 and max(picked) < len(rates) - 1
    return table[np.arange(len(runs)), picked]

prompt_share = np.mean([run["name, all: share of the prompt"] for run in runs])
print(f"share of the prompt: {prompt_share:.0%}. Counted - masked, nats per token of the name:")
for task, label in zip(tasks, ("64 examples", "all examples"), strict=True):
    best = at_best(task, "counted") - at_best(task, "masked")
    late = mask_runs(task, "counted")[:, 3] - mask_runs(task, "masked")[:, 3]
    print(f"  {label}: each at its best rate {spread(best, '+.2f')}, "
          f"both at 0.01 {spread(late, '+.2f')}")
plots.side_by_side(
    rates, *({f"prompt {how}": mask_runs(task, how).mean(0) for how in masks} for task in tasks),
    "learning rate", ("loss on new names (nats)",) * 2,
    "Two panels, loss against the rate. With 64 examples the masked curve has the lower minimum, "
    "at 0.001, and rises faster at high rates, where the curves cross. With all examples the two "
    "minima, at 0.003, are close.", logs=("x", "x"),
    titles=("64 examples, again and again", "all examples, none twice"),
)

# %% [markdown] name="mask-reading"
# Four fifths of the tokens are prompt. With 64 examples masking ends lower, by 0.14 nats in the median and in every split, if each way has its best rate. With all examples there is no winner. But look at the right end of both pictures: at a rate that is too high, counting the prompt is ahead in every split. Who compares at this one rate finds that counting helps. Shi and others explain their gains by less overfitting. That cannot be all of it here, for counting is ahead at 0.01 where no example comes twice, too.
#
# ## Derivation: a token's own probability as its weight
#
# In **dynamic fine-tuning** (DFT, Wu and others) one multiplies the loss of each token by the probability $p$ that the model itself gives to this token now, taken as a constant. How hard does a token then pull on its own logit $z$? That is the slope $g_z$.

# %% tags=["fold"] name="derivation-dft"
# The pull of a token on its own logit under DFT, tied to the library's loss.
p = sp.Symbol("p", positive=True)

def own_pull(p):
    z = np.stack([np.log(p), np.log1p(-p)], -1)  # a vocabulary of two, the token is the first
    return dft(z, np.zeros(len(p), dtype=int)).grad[:, 0]

(
    derive(r"g_z", "p * (p - 1)", "cross-entropy pulls with $p - 1$ "
           "([derived here](../03_algorithms/02_cross_entropy.ipynb)); the weight $p$ is a "
           "constant, so it stands in front", {"p": p}, ranges={p: (0.001, 0.999)})
    .equals("(p - 1/2)**2 - 1/4", "complete the square: **strongest at $p = 1/2$, and next to "
            "nothing for a token that the model finds impossible**")
    .library("dft(z, y).grad", own_pull)
)

# %% [markdown] name="dft-pull-text"
# ## What DFT teaches, and what not
#
# Here is the pull against the probability. A token near $p = 0$, from which cross-entropy learns most, is silent under DFT. Below the picture: the same 60 steps as before, with DFT for the loss, and once more at a third of the rate.

# %% tags=["fold"] name="dft-picture"
# The pull of a token on its own logit against its probability.
at = np.linspace(0.001, 0.999, 200)
plots.lines(
    at, {"cross-entropy": 1 - at, "DFT": -own_pull(at)}, "probability of the token",
    "pull on its own logit (nats per unit)",
    "Cross-entropy falls on a straight line from 1 to 0. DFT is an arch, 0 at both ends and a "
    "quarter in the middle.", title="How hard a token pulls",
)

# %% name="dft-run"
by_own = tuned(rows, bridge.as_autograd(dft))
slower = tuned(rows, bridge.as_autograd(dft), lr=1e-3)

# %% tags=["fold", "nbval-ignore-output"] name="dft-table"
# The loss of END and of all other tokens of new answers.
some_new = new.rows(slice(0, 200))
ends = (some_new.y == tokenizer.token_to_id(data.END)) & (some_new.weight > 0)
kinds = {"END": ends, "all others": (some_new.weight > 0) & ~ends}
found = {}
for label, model in (("before", base), ("cross-entropy", by_token), ("DFT", by_own),
                     ("DFT, rate 0.001", slower)):
    y = torch.from_numpy(some_new.y).flatten()
    each = token_loss(logits_of(model, some_new).flatten(0, 1), y).numpy()
    found[label] = [each[mask.flatten()] for mask in kinds.values()]
assert found["DFT"][0].mean() > 15 and found["cross-entropy"][0].mean() < 6
Table(["60 steps with", "loss of END (nats)", "loss of all others", "mean p of all others"],
      [[label, f"{end.mean():.1f}", f"{others.mean():.1f}", f"{np.exp(-others).mean():.2f}"]
       for label, (end, others) in found.items()])

# %% [markdown] name="dft-reading"
# END has the probability $e^{-21}$ before training. That is its weight, and its pull. So DFT does not teach it, and its loss even rises, at both rates. On the other tokens DFT reaches its own goal: $p (p - 1)$ is the slope of $1 - p$, so it raises the mean $p$, and this ends higher than under cross-entropy. The improbable tokens pay: the loss ends above where it began. The authors use DFT to sharpen models that can already solve a part of the tasks, and report gains in mathematics and code. It is no way to teach a token that is new.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Two means (5 minutes, easy)
# `each` holds the losses of a batch, `weight` is 1 where a token counts and 0 elsewhere; both have the shape `(rows, places)`. The rows are cut into `K` micro-batches of equally many rows, in their order. Return two numbers: the token mean of the batch, and the mean of the micro-batches' token means.

# %% name="exercise-means"
def two_means(each, weight, K):
    ### BEGIN SOLUTION
    sums = np.array([part.sum() for part in np.split(each * weight, K)])
    counts = np.array([part.sum() for part in np.split(weight, K)])
    return sums.sum() / counts.sum(), (sums / counts).mean()
    ### END SOLUTION

# %% name="check-means"
check("two_means")

# %% [markdown] name="exercise-engine-text"
# <details><summary>Hint 1</summary>Find the sum and the count of each micro-batch first. Both means follow from them.</details>
# <details><summary>Hint 2</summary>np.split(each, K) gives the losses of the micro-batches.</details>
#
# ### 2. Over micro-batches and devices (7 minutes, medium)
# `gradients[d, k]` is the *mean* gradient of micro-batch `k` on device `d`, and `counts[d, k]` the number of its tokens. The shapes are `(devices, micro, size)` and `(devices, micro)`. The engine will average over the devices what you hand to it. From its own gradients, what must each device hand over, `(devices, size)`, so that the engine's average is the gradient of the token mean of the whole step? Return that.

# %% name="exercise-engine"
def handed_over(gradients, counts):
    ### BEGIN SOLUTION
    sums = (gradients * counts[:, :, None]).sum(1)
    return len(counts) * sums / counts.sum()
    ### END SOLUTION

# %% name="check-engine"
check("handed_over")

# %% [markdown] name="exercise-who-text"
# <details><summary>Hint 1</summary>Turn each mean back into a sum. Add up on each device.</details>
# <details><summary>Hint 2</summary>The engine divides by the number of devices. You divide by all tokens; multiply by what the engine takes away.</details>
#
# ### 3. Who has masked? (5 minutes, medium)
# Colleagues have fine-tuned the same model on the same first batch, and each has kept the loss that was printed at step 0, before any update. All took a token mean. `first` holds these losses. You compute the losses `each` of the batch yourself, `(rows, places)`; `text` is True at the labels of prompt and answer, `answer` at those of the answer. Every printed loss is rounded, some to one decimal, some to three. Return an array: True for each colleague who masked the prompt.

# %% name="exercise-who"
def who_masked(first, each, text, answer):
    ### BEGIN SOLUTION
    masked, counted = each[answer].mean(), each[text].mean()
    return np.abs(first - masked) < np.abs(first - counted)
    ### END SOLUTION

# %% name="check-who"
check("who_masked")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Which loss would each way print? Compute both.</details>
# <details><summary>Hint 2</summary>Rounded numbers are never equal to yours. Which of the two is nearer?</details>
#
# ## Takeaways
#
# - Add up the losses and divide by the tokens of the whole step, over all micro-batches and devices. Then the cut changes nothing.
# - The sequence mean counts every answer alike, and so every token of a short answer more. The model then says shorter answers than under the token mean.
# - Do not trust the loss curve to show a wrong mean: the gap is a covariance, and it fades while the weights stay wrong. Do not use DFT to teach what the model finds impossible.
#
# ## Does it hold?
#
# **Lengths and losses at two rates.** Each model, judged by both means on new answers:

# %% tags=["fold"] name="control-lengths"
# Lengths and losses at both rates.
lines = []
for k_, rate in enumerate(("0.001", "0.003")):
    for name in names:
        says_ = np.array([np.mean(run[f"lengths, {name}"][k_]) for run in runs])
        loss_ = np.array([run[name][k_] for run in runs])
        lines.append([rate, name, spread(says_, ".1f"), spread(loss_[:, 0]), spread(loss_[:, 1])])
own = {name: np.array([run[name] for run in runs])[:, :, 1] for name in names}
dearer = own["sequence mean"] - own["token mean"]
Table(["rate", "trained with", "length (tokens)", "new answers, token mean (nats)",
       "sequence mean (nats)"], lines,
      "Sequence-mean loss, second row of a rate - first, same split: "
      f"{spread(dearer.ravel(), '+.3f')}, above 0 in {(dearer > 0).sum()} of {dearer.size}. "
      f"Real answers: {spread(real, '.1f')} tokens.")

# %% [markdown] name="control-rates-text"
# The answers are shorter at both rates. And the sequence mean does not even win by its own measure: in 8 of 10 pairs (two rates, five splits) the model trained with the token mean has the lower loss. Why, we have not tested.
#
# **Masked or counted, every rate.** With the first task, from signature to description, and 64 examples, the lowest rate is the best for both ways, so the grid ends too early there and decides nothing:

# %% tags=["fold"] name="control-rates"
# Every rate: mean over the splits.
Table(["task, examples", "", *(f"rate {r:g}" for r in rates)],
      [[task, how, *(f"{x:.2f}" for x in mask_runs(task, how).mean(0))]
       for task in ("describe, few", *tasks) for how in masks], "Mean loss of new answers, nats.")

# %% tags=["fold"] name="record"
# Where the recorded numbers come from.
record

# %% [markdown] name="sources"
# ## Sources
#
# - B. Marie, October 2024: *Gradient accumulation yields worse results than the equivalent batch size*, issue 2175 of TRL.
# - Unsloth, October 2024: *Bugs in LLM training: gradient accumulation fix*. It names a first report of 2021.
# - Hugging Face, 16 October 2024: *Fixing gradient accumulation*; pull request 34191 of transformers. Over devices: issue 34242 and pull request 34373 (October 2024), 39395 (July 2025).
# - Z. Shi, A. X. Yang, B. Wu, L. Aitchison, E. Yilmaz and A. Lipani, 2024: *Instruction tuning with loss over instructions*, arXiv 2405.14394.
# - Y. Wu and others, 2025: *On the generalization of SFT: a reinforcement learning perspective with reward rectification*, arXiv 2508.05629 (dynamic fine-tuning).
