# ---
# jupyter:
#   lesson:
#     title: "Where this goes"
#     question: "Four small models fall on a straight line. Does the fifth?"
#     minutes: 25
#     needs: [08_reward_tuning, 03_algorithms/05_regression, 03_algorithms/26_how_large_a_batch, 05_project/02_pre_training]
#     settles: []
#     studies: [losses.squared_error]
#     terms: [extrapolation, power law, irreducible loss]
# ---

# %% [markdown] name="title"
# # Where this goes
#
# **Goal.** Predict the loss of a model that is larger than all you have trained, and measure how wrong the prediction is.
#
# **The question.** We train four small language models, each about twice as large as the one before. On logarithmic axes their losses lie on a straight line. Can we read the loss of a model five times as large off the line, and save its training?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, the recorded runs, and the two fits.
from types import SimpleNamespace

import numpy as np
import sympy as sp
import torch
from torch import nn

from lessons_lib import bridge, data, exercises, models, plots, records, training
from lessons_lib.derive import derive
from lessons_lib.losses import squared_error
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/11_where_this_goes")
record = records.of("06_applications/11_where_this_goes")
runs = [record.runs[s] for s in range(5)]
N = np.array(runs[0]["parameters"])
L = np.array([run["held out"] for run in runs])  # (seeds, sizes)
tried = np.array(record.runs[100]["tried"])  # (sizes, factors of the rate)
widths, factors = np.array([4, 8, 16, 32, 64, 128]), np.array([0.02, 0.04, 0.08, 0.16, 0.32])

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def line(n, loss, level=0.0):  # least squares on log(loss - level); slope, and the prediction at q
    x, y = np.log(n), np.log(loss - np.asarray(level)[..., None])
    slope = ((x - x.mean()) * y).sum(-1) / ((x - x.mean()) ** 2).sum()
    def at(q):
        way = slope[..., None] * (np.log(q) - x.mean())
        return np.asarray(level)[..., None] + np.exp(y.mean(-1)[..., None] + way)
    return slope, at

def law(n, loss):  # the level whose line comes nearest to the losses: E, alpha, the prediction at q
    levels = np.linspace(0, 0.999 * loss.min(), 2000)
    fitted = line(n, loss, levels)[1](n)
    best = squared_error(fitted, np.tile(loss, (2000, 1))).value.sum(1).argmin()
    slope, at = line(n, loss, levels[best])
    return levels[best], -slope, at

# %% tags=["fold"] name="question-picture"
# Four sizes, the line through their logarithms, and how far they are from it.
slope, by_line = line(N[:4], L[:, :4])
off = by_line(N[:4]) / L[:, :4] - 1
print(f"parameters: {', '.join(f'{n:,.0f}' for n in N)}")
print(f"largest distance of the four from their line: {spread(abs(off).max(1), '.1%')} of the loss")
print(f"prediction for {N[5]:,.0f} parameters: {spread(by_line(N[5:])[:, 0])} nats per token")
assert abs(off).max() < 0.02
fig, (ax,) = plots.panels()
wide = np.geomspace(5e3, 4e5, 50)
ax.plot(wide, by_line(wide).mean(0), "--", label="line through the four")
ax.plot(N[:4], L[:, :4].mean(0), "o", ms=8, label="four sizes, mean of five seeds")
ax.axvline(N[5], color="0.5", lw=1, ls=":")
ax.text(N[5] * 0.93, 4.4, "the large\none: ?", ha="right")
ax.set(xscale="log", yscale="log", xlabel="parameters",
       ylabel="loss on held-out text (nats per token)",
       yticks=[3, 3.5, 4, 4.5], yticklabels=["3", "3.5", "4", "4.5"], ylim=(2.75, 4.8))
ax.minorticks_off()
ax.legend(loc="lower left")
plots.Picture(fig, "Four points on logarithmic axes, from 7 thousand to 56 thousand parameters. A "
              "falling dashed line passes through all of them and goes on to 300 thousand.")

# %% [markdown] name="question-reading"
# No point is farther from the line than 1.4 per cent, in any of five seeds. To read a value beyond the data off a fit is an **extrapolation**. We have trained the large model, too. Its loss stands below, and before you look: will it be above the line, on it, or below it?
#
# ## The models
#
# A family of well-tuned transformers takes too long for this page. So we take a neural language model of 2003, that of Bengio and others: it predicts a token from the three before it. Its size is set by one number, the width of the embedding.

# %% name="window"
class Window(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.config = SimpleNamespace(vocab_size=512)
        self.embed = nn.Embedding(512, width)
        self.hidden = nn.Linear(3 * width, 2 * width)
        self.head = nn.Linear(2 * width, 512)

    def forward(self, tokens):
        e = nn.functional.pad(self.embed(tokens), (0, 0, 2, 0))
        three = torch.cat([e[:, k : k + tokens.shape[1]] for k in range(3)], -1)
        return self.head(torch.relu(self.hidden(three)))

# %% [markdown] name="live-text"
# The text is Python's documentation (PSF licence). Every size gets the same 300 steps of 512 tokens and [the usual recipe](../05_project/02_pre_training.ipynb). The learning rate was chosen for each size, out of five, with a seed that is not used again. Two of the six sizes, trained on this page:

# %% tags=["nbval-ignore-output"] name="live"
tokenizer = models.pretrained()[1]
text = data.corpus(seed=0)
ids = data.encode(tokenizer, text.train)
held_out = data.in_order(data.encode(tokenizer, text.validation), 64)

for width, lr, k in ((4, 0.113, 0), (32, 0.04, 3)):
    torch.manual_seed(seed)
    model = Window(width).to(setting.device)
    training.train(model, data.windows(ids, 64, 8, seed), training.Recipe(steps=300, lr=lr))
    loss = training.evaluate(model, held_out)
    print(f"width {width}: {loss:.2f} nats here, {spread(L[:, k])} in five recorded runs")

# %% tags=["fold"] name="live-check"
# The run on this page is near the recorded ones.
assert abs(loss - L[:, 3].mean()) < 0.12

# %% [markdown] name="play-text"
# ## The law
#
# Larger models of this kind get better, but not without end: they see three tokens and no more, and the text is what it is. Call $E$ the loss that is left for a model of any size. Let only the rest fall, by the same factor for each doubling of the size:
#
# $$L(N) = E + A\, N^{-\alpha}$$
#
# Here $N$ is the number of parameters. A quantity of the form $A N^{-\alpha}$ is a **power law** with the exponent $\alpha$. The level $E$ is called the **irreducible loss**: what remains however large the model, *with this text, this number of steps and this kind of model*. It is no property of language. Move the level. Right, the picture shows what is left of each loss after the level has been subtracted, and the line through the four small models. Left, the same fit on the losses. Which level puts all six on one line? And can you tell it from the four alone?

# %% tags=["fold"] name="play-picture"
# The losses less a level, and the line through the four small ones.
mean = L.mean(0)
levels = [round(0.1 * k, 1) for k in range(30)]
fig, (whole, part) = plots.panels(2)
ticks = [0.1, 0.2, 0.3, 0.5, 0.7, 1]
whole.set(xscale="log", xlabel="parameters", ylabel="loss (nats per token)", xlim=(5e3, 4e5),
          ylim=(2.7, 4.5), title="the loss")
part.set(xscale="log", yscale="log", xlabel="parameters", ylabel="share of the smallest model's",
         xlim=(5e3, 4e5), ylim=(0.1, 1.3), title="the loss less the level", yticks=ticks,
         yticklabels=[f"{t:g}" for t in ticks])
part.tick_params(which="minor", labelleft=False)
whole.plot(N[:4], mean[:4], "o", ms=8, color="C0", label="the four in the fit")
whole.plot(N[4:], mean[4:], "s", ms=8, mfc="none", color="C1", label="two larger ones")
whole.plot([], [], "--", color="0.3", label="fitted to the four")
whole.legend(loc="upper right")

def less(whole, part, level):
    _, at = line(N[:4], mean[:4], level)
    first = mean[0] - level
    whole.plot(wide, at(wide), "--", color="0.3")
    part.plot(wide, (at(wide) - level) / first, "--", color="0.3")
    part.plot(N[:4], (mean[:4] - level) / first, "o", ms=8, color="C0")
    part.plot(N[4:], (mean[4:] - level) / first, "s", ms=8, mfc="none", color="C1")
    far = abs(at(N[:4]) / mean[:4] - 1).max()
    guess = at(N[5:])[0]
    return (f"Level {level:.1f}: the fit misses the four by at most {far:.1%} of their loss, "
            f"predicts {guess:.2f} for the largest and misses it by {guess - mean[5]:+.2f} nats.")

plots.moving(
    fig, "level that is subtracted (nats)", levels, less, start=0.0,
    alt="Six losses over the number of parameters, and the same less the level on logarithmic "
    "axes. With the level 0 the four small ones lie on a line and the two larger ones above it. "
    "With a level near 2.7 all six are close to one line.",
)

# %% tags=["fold"] name="play-numbers"
# The prediction of the line, of the law from the four, and the truth.
small = [law(N[:4], loss) for loss in map(lambda row: row[:4], L)]
by_law = np.array([at(N) for _, _, at in small])
miss_line, miss_law = by_line(N) - L, by_law - L
print(f"measured, largest model: {spread(L[:, 5])} nats")
print(f"line: {spread(by_line(N[5:])[:, 0])}, misses by {spread(miss_line[:, 5], '+.2f')}")
print(f"law fitted to the four: {spread(by_law[:, 5])}, misses by {spread(miss_law[:, 5], '+.2f')}")
print(f"fifth model: the line misses by {spread(miss_line[:, 4], '+.2f')}")
print(f"largest miss of the four by the line: {spread(abs(miss_line[:, :4]).max(1))}")
print(f"from the fifth to the sixth model the loss falls by {spread(L[:, 4] - L[:, 5])} nats")
assert (miss_line[:, 4:] < 0).all() and (miss_law[:, 4:] < 0).all()
assert abs(miss_line[:, 5]).min() > 3 * abs(miss_line[:, :4]).max()

# %% [markdown] name="play-reading"
# The fifth model is 0.11 nats above the line. The sixth, five times as large as the largest in the fit, is 0.25 nats above it. The four in the fit never missed their line by more than 0.05. And the prediction of the line hardly depends on the seed: from 2.90 to 2.95, where 3.16 is true. **Five seeds agree, and all are wrong in the same direction.**
#
# With a level near 2.7 all six lie close to one line. But that level was found with the large models in view. Can the derivation say what we should have expected?
#
# ## Derivation: the line is always too low
#
# First, why a line at all. Subtract the level and take logarithms:

# %% tags=["fold"] name="derive-line"
# A power law is a line in logarithms, once the level is subtracted.
n_, E_, A_, alpha, a, q, L0, L1, L2 = sp.symbols("N E A alpha a q L_0 L_1 L_2", positive=True)
(
    derive(r"\log(L - E)", "log(E + A * N**(-alpha) - E)", "the law, less its level",
           {"N": n_, "E": E_, "A": A_, "alpha": alpha})
    .equals("log(A) - alpha * log(N)", "**straight in $\\log N$, with the slope $-\\alpha$**")
)

# %% [markdown] name="derive-bias-text"
# Now leave $E$ in. Take three sizes, each $k$ times the one before, and write $a$ for what the smallest has above the level. The next one has $aq$ and the third $aq^2$, with $q = k^{-\alpha}$. A line in logarithms says that the loss falls by the same *factor* again. So from $L_0$ and $L_1$ it predicts $L_1 \cdot L_1 / L_0$ for the third:

# %% tags=["fold"] name="derive-bias"
# The miss of the straight line, tied to the slope of the library's squared error.
(
    derive("m", "L1**2 / L0 - L2", "prediction minus the third loss",
           {"E": E_, "a": a, "q": q, "L0": L0, "L1": L1, "L2": L2}, ranges={q: (0.1, 1)},
           means={L0: "E + a", L1: "E + a * q", L2: "E + a * q**2"})
    .equals("((E + a * q)**2 - (E + a * q**2) * (E + a)) / (E + a)",
            "the three losses put in, over one denominator")
    .equals("-E * a * (1 - q)**2 / (E + a)",
            "$E^2$ and $a^2 q^2$ cancel; $2q - 1 - q^2 = -(1 - q)^2$: **never above zero**")
    .library("squared_error(prediction, loss).grad / 2",
             lambda E, a, q: squared_error((E + a * q) ** 2 / (E + a), E + a * q**2).grad / 2)
)

# %% [markdown] name="valley-text"
# The miss is zero only without a level ($E = 0$) or without progress ($q = 1$). Else the line promises too much, and the more the farther it reaches: with a large step $k$, $q$ is small. If the law holds, **a straight line errs in one direction: it is too optimistic.**
#
# ## Can four models tell the level?
#
# So fit all three numbers, $E$, $A$ and $\alpha$. For each level we draw the best line through $\log(L - E)$ and keep the level with the smallest squared error of the losses. The picture shows this error for pairs of level and exponent, each with its best $A$:

# %% tags=["fold"] name="valley-picture"
# The error of the fit over level and exponent: four sizes, and all six.
every = [law(N, loss) for loss in L]
grid_E, grid_a = np.linspace(0, 3.15, 90), np.linspace(0.02, 0.9, 80)
fig, axes = plots.panels(2, sharey=True)
titles = ("four sizes", "all six sizes")
for ax, k, fits, title in zip(axes, (4, 6), (small, every), titles, strict=True):
    shape = N[:k] ** -grid_a[:, None, None] * np.ones((1, len(grid_E), 1))
    rest = mean[:k] - grid_E[None, :, None]
    size = (shape * rest).sum(-1, keepdims=True) / (shape**2).sum(-1, keepdims=True)
    error = np.sqrt(((size * shape - rest) ** 2).mean(-1))
    drawn = ax.contourf(grid_E, grid_a, np.log10(error), levels=np.linspace(-2.6, 0.2, 15),
                        cmap="cividis", extend="both")
    ax.plot([e for e, *_ in fits], [b for _, b, _ in fits], "wo", mec="k", ms=7)
    ax.set(xlabel="level E (nats per token)", title=title)
axes[0].set_ylabel("exponent")
fig.colorbar(drawn, ax=list(axes), label="log10 of the error (nats)")
plots.Picture(fig, "Two maps of the fit's error over level and exponent. With four sizes a long, "
              "narrow dark valley runs from level 0 to beyond 2.5, and the best fits of five seeds "
              "are strewn along it. With six sizes the white points lie close together.")

# %% tags=["fold"] name="valley-numbers"
# The fitted numbers and their spread over the seeds.
level4, level6 = np.array([e for e, *_ in small]), np.array([e for e, *_ in every])
a4, a6 = np.array([b for _, b, _ in small]), np.array([b for _, b, _ in every])
Table(["fitted to", "level E (nats)", "exponent", "farthest of the fitted losses (nats)"],
      [["four sizes", spread(level4), spread(a4), spread(abs(miss_law[:, :4]).max(1), ".3f")],
       ["all six", spread(level6), spread(a6),
        spread(abs(np.array([at(N) for *_, at in every]) - L).max(1), ".3f")]],
      "Median, and lowest to highest of five seeds.")

# %% [markdown] name="valley-reading"
# Left, the dark valley is long: a higher level with a steeper slope fits the four losses as well. Two of five seeds put the level at 0, where the law *is* the straight line, and one puts it at 2.18. With all six sizes the level is 2.76 (2.53 to 2.86). The reason is in the picture of the law: among small models the part above the level is large, and the level hides behind it.
#
# ## How wrong is an extrapolation?
#
# The honest test hides the largest models from the fit, and then looks.

# %% tags=["fold"] name="miss-picture"
# Prediction minus measured loss, for the line and the law, near and far.
five = np.array([law(N[:5], loss[:5])[2](N) for loss in L]) - L
reach = [f"{N[5] / N[k]:.1f}" for k in (3, 4)]
near = f"{N[4] / N[3]:.1f}"
bars = {f"line, four sizes, {near} times": miss_line[:, 4],
        f"line, four sizes, {reach[0]} times": miss_line[:, 5],
        f"law, four sizes, {near} times": miss_law[:, 4],
        f"law, four sizes, {reach[0]} times": miss_law[:, 5],
        f"law, five sizes, {reach[1]} times": five[:, 5]}
for label, miss in bars.items():
    print(f"{label}: {spread(miss, '+.2f')} nats")
plots.bars({k: plots.band(v) for k, v in bars.items()}, "prediction minus measured loss (nats)",
           "Five bars with spreads. The line misses by the most, to the low side, and more at the "
           "longer distance. The law misses by less.",
           title="Beyond the largest model in the fit, five seeds")

# %% [markdown] name="miss-reading"
# Below zero means too optimistic. The law's median miss is smaller than the line's, and still too low in every seed. With a fifth size in the fit, and half of the distance to go, it misses by 0.06 nats. How much is a miss of 0.19? From the fifth model to the sixth, for 2.4 times the parameters, the loss falls by 0.13. The miss is larger than this whole step.
#
# ## What breaks: one learning rate for all sizes
#
# The law is about *well-trained* models. A common mistake is to choose the learning rate on a small model and to keep it. Three of our sizes, with a rate that suits the smallest, with a fourth of it, and each with its own:

# %% tags=["fold"] name="breaks-picture"
# One rate for all sizes, or each its own: seed 100, the one with which the rates were chosen.
rate = factors * np.sqrt(8 / widths[:, None])  # what was tried at each size
three = [1, 3, 5]

def at_rate(lr):
    return [tried[k, abs(rate[k] - lr).argmin()] for k in three]

ways = {"0.08 for all": at_rate(0.08), "0.02 for all": at_rate(0.02),
        "each its own": tried[three].min(1)}
for label, losses in ways.items():
    print(f"{label}: " + ", ".join(f"{v:.2f}" for v in losses))
fig, (ax,) = plots.panels()
plots.draw_lines(ax, N[three], ways, "parameters", "loss on held-out text (nats per token)",
                 log="x")
ax.minorticks_off()
ax.set(xticks=N[three], xticklabels=[f"{n:,.0f}" for n in N[three]])
plots.Picture(fig, "Three curves over three sizes. With the rate 0.08 the loss falls and rises "
              "again. With 0.02 and with a rate of its own for each size it falls.")

# %% [markdown] name="breaks-reading"
# The rate 0.08 is within 0.01 nats of the best for the smallest of the three. With it the largest model ends at 3.90, *worse* than the one of middle size at 3.53. Somebody would conclude that size stops paying. With 0.02 for all, the smallest loses 0.32 nats and the largest 0.05, so the curve is too steep. The signature: at one end of the sizes another rate would be much better. The cure: choose the rate at every size.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. What is left to gain? (3 minutes, easy)
# Hoffmann and others fitted more than 400 models by $L = 1.69 + 406.4 / N^{0.34} + 410.7 / D^{0.28}$, with $D$ tokens of text. Return the share of this loss that can still fall when $N$ and $D$ grow.

# %% name="exercise-left"
def left(N, D):
    ### BEGIN SOLUTION
    rest = 406.4 / N**0.34 + 410.7 / D**0.28
    return rest / (1.69 + rest)
    ### END SOLUTION

# %% name="check-left"
check("left")

# %% [markdown] name="exercise-level-text"
# <details><summary>Hint 1</summary>Which of the three terms stay when N and D go to infinity?</details>
# <details><summary>Hint 2</summary>The two that fall, divided by the sum of all three.</details>
#
# ### 2. Find the level (8 minutes, medium)
# The thing itself. `N` holds sizes, `L` their losses, and `levels` the candidates for $E$, all below the smallest loss. For each candidate lay the line of least squares through $\log(L - E)$ over $\log N$ (`np.polyfit` does it), turn it back into predicted losses, and sum their squared errors. Return the candidate with the smallest sum.

# %% name="exercise-level"
def level(N, L, levels):
    ### BEGIN SOLUTION
    x, errors = np.log(N), []
    for E in levels:
        slope, height = np.polyfit(x, np.log(L - E), 1)
        predicted = E + np.exp(height + slope * x)
        errors.append(np.sum((predicted - L) ** 2))
    return levels[np.argmin(errors)]
    ### END SOLUTION

# %% name="check-level"
check("level")

# %% [markdown] name="exercise-times-text"
# <details><summary>Hint 1</summary>np.polyfit(x, y, 1) returns the slope first, then the height at x = 0.</details>
# <details><summary>Hint 2</summary>Compare losses with losses: undo the logarithm and add the candidate again.</details>
#
# ### 3. How much larger? (5 minutes, medium)
# A model has the loss `L`, and you want `target`. With the law's level `E` and exponent `alpha`: by which factor must the number of parameters grow? Return `np.inf` where no size reaches the target. Then find out: from 3.2 to 3.0 with the exponent 0.3, once with the level 0 and once with 2.8.

# %% name="exercise-times"
def times(L, target, E, alpha):
    ### BEGIN SOLUTION
    if target <= E:
        return np.inf
    return ((L - E) / (target - E)) ** (1 / alpha)
    ### END SOLUTION

# %% name="check-times"
check("times")

# %% [markdown] name="known"
# <details><summary>Hint 1</summary>Only the part above the level falls, and it falls as the size to the power of minus alpha.</details>
# <details><summary>Hint 2</summary>Solve for the factor: the ratio of the two parts, to the power 1 / alpha.</details>
# <details><summary>What it means (after solving)</summary>With the level 0 a model 1.24 times as large would do. With the level 2.8 it must be ten times as large. The level decides the bill.</details>
#
# ## What is known about large models
#
# Every row is a published finding, not a forecast.
#
# | question | finding | who |
# |:--|:--|:--|
# | Does the loss follow a law? | Power laws in model size, data and compute, over several powers of ten | Kaplan and others, 2020 |
# | Where should compute go? | With a level in the law: twice the parameters want twice the tokens | Hoffmann and others, 2022 |
# | How sure are its numbers? | Refitted: the published intervals would have needed over 600 000 runs; there were fewer than 500 | Besiroglu and others, 2024 |
# | Do new optimizers speed it up? | Fairly tuned, the gain over AdamW shrinks from 1.4 times at 0.1 billion parameters to 1.1 times at 1.2 billion | Wen and others, 2025 |
# | What comes after pre-training? | [Rewards](08_reward_tuning.ipynb) from a program that checks the answer, for mathematics and code | Lambert and others, 2024; DeepSeek-AI, 2025 |
# | Do such rewards teach new abilities? | Disputed. With many tries the base model solves more than the tuned one; a measure that also judges the reasoning says otherwise | Yue and others, 2025; Wen, Liu and others, 2025 |
#
# [How large a batch](../03_algorithms/26_how_large_a_batch.ipynb) pays has a lesson of its own. Kaplan's law has no level. Hoffmann fitted one, with the Huber loss of $\log L$, so that a single bad run cannot bend the law. Both laws are about loss. Neither says when a model learns to add.
#
# ## Takeaways
#
# - A power law is a straight line on logarithmic axes only after the irreducible loss is subtracted. A line through the raw losses promises too much.
# - Seeds that agree do not vouch for an extrapolation. Hide your largest model from the fit, predict it, and report the miss.
# - Do not extrapolate from runs that were not tuned at every size: with one learning rate for all, the larger model can look worse.
#
# ## Does it hold?
#
# **Each seed by itself.** Misses at the largest model, in nats:

# %% tags=["fold"] name="control-seeds"
# The miss of line and law, seed by seed.
Table(["seed", "measured", "line", "law, four sizes", "law, five sizes", "level from four",
       "from five"],
      [[s, *(f"{v:.2f}" for v in (L[s, 5], miss_line[s, 5], miss_law[s, 5], five[s, 5], level4[s],
                                  law(N[:5], L[s, :5])[0]))] for s in range(5)])

# %% [markdown] name="control-training-text"
# The line errs to the low side in all five, the law in four of them clearly and in one by less than 0.01 when it sees five sizes. Its level moves up in every seed when a fifth size is added.
#
# **Another cause?** The larger models could be worse on held-out text only because they have learned the training text by heart. The same line, with the loss of the last 20 training steps:

# %% tags=["fold"] name="control-training"
# The line through the four training losses, and its miss.
T = np.array([run["training"] for run in runs])
miss_train = line(N[:4], T[:, :4])[1](N) - T
print(f"miss at the fifth: {spread(miss_train[:, 4], '+.2f')}, at the sixth: "
      f"{spread(miss_train[:, 5], '+.2f')} nats")
print(f"held-out minus training loss: four sizes {spread((L - T)[:, :4].mean(1))}, "
      f"largest {spread((L - T)[:, 5])}")

# %% [markdown] name="control-rates-text"
# It bends there too, about half as much. So half of the bend is the growing distance between training and held-out text, from 0.25 nats for the small models to 0.65 for the largest. More text would change that. The level that we fitted belongs to this text and these 300 steps.
#
# **Were the rates good?** The loss with each rate, for each size. A rate is the factor times $\sqrt{8 / \text{width}}$:

# %% tags=["fold"] name="control-rates"
# The five rates of each size.
assert (tried.argmin(1) > 0).all() and (tried.argmin(1) < 4).all()
Table(["width", "parameters", *(f"factor {f:g}" for f in factors)],
      [[int(w), f"{n:,.0f}", *(f"{v:.2f}" for v in row)]
       for w, n, row in zip(widths, N, tried, strict=True)],
      "One seed, held-out loss in nats per token.")

# %% tags=["fold"] name="control-record"
# What made the recorded runs.
record

# %% [markdown] name="sources"
# The best rate lies inside the grid for every size.
#
# ## Sources
#
# - Y. Bengio, R. Ducharme, P. Vincent and C. Jauvin, 2003: *A neural probabilistic language model*, Journal of Machine Learning Research 3 (the model of this lesson).
# - J. Kaplan, S. McCandlish, T. Henighan and others, 2020: *Scaling laws for neural language models*, arXiv 2001.08361.
# - J. Hoffmann and others, 2022: *Training compute-optimal large language models*, arXiv 2203.15556.
# - T. Besiroglu, E. Erdil, M. Barnett and J. You, 2024: *Chinchilla scaling: a replication attempt*, arXiv 2404.10102.
# - K. Wen, D. Hall, T. Ma and P. Liang, 2025: *Fantastic pretraining optimizers and where to find them*, arXiv 2509.02046.
# - N. Lambert and others, 2024: *Tülu 3: pushing frontiers in open language model post-training*, arXiv 2411.15124.
# - DeepSeek-AI, 2025: *DeepSeek-R1: incentivizing reasoning capability in LLMs via reinforcement learning*, arXiv 2501.12948.
# - Y. Yue and others, 2025: *Does reinforcement learning really incentivize reasoning capacity in LLMs beyond the base model?*, arXiv 2504.13837.
# - X. Wen, Z. Liu and others, 2025: *Reinforcement learning with verifiable rewards implicitly incentivizes correct reasoning in base LLMs*, arXiv 2506.14245.
