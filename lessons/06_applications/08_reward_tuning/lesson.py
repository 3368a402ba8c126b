# ---
# jupyter:
#   lesson:
#     title: "Tuning by reward"
#     question: "Add 10 to every reward. The best answer is still the best, by as much as before. Why does the model hardly learn any more?"
#     minutes: 45
#     needs: [03_algorithms/02_cross_entropy, 03_algorithms/03_sgd, 03_algorithms/04_adam, 03_algorithms/09_divergences, 05_project/03_fine_tuning]
#     settles: []
#     studies: [losses.reinforce, losses.leave_one_out_advantage, losses.group_advantage]
#     terms: [reward, baseline, advantage, group, reward hacking]
# ---

# %% [markdown] name="title"
# # Tuning by reward
#
# **Goal.** Train a language model with nothing but a number for each of its answers, and find out what must be subtracted from that number.
#
# **The question.** Our small model writes broken words. A program counts the different real words in each answer. This count is all the model is told, and it learns to write more of them. Now we add 10 to every count. The best answer is still the best, by as much as before. But the model hardly learns any more. Why?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import collections
import copy
import re

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, models, parity, plots, records, training
from lessons_lib.derive import derive
from lessons_lib.losses import group_advantage, leave_one_out_advantage, reinforce
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/08_reward_tuning")
record = records.of("06_applications/08_reward_tuning")
judges, tuners = [record.runs[s] for s in range(5)], [record.runs[s] for s in range(5, 7)]

def spread(values, form=".1f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

def course(name, k, what="reward", runs=judges):  # (seeds, steps)
    return np.array([run["rates"][name][k][what] for run in runs])

def ends(curves):  # the mean of the last eight steps, 256 answers
    return np.asarray(curves)[:, -8:].mean(1)

# %% tags=["fold"] name="question-picture"
# The reward of each step, recorded with five seeds.
plain, shifted = course("plain", 1), course("plus 10", 1)
print(f"words in an answer, first step: {spread(plain[:, 0])}")
print(f"last eight steps: {spread(ends(plain))} with the count, "
      f"{spread(ends(shifted))} with the count plus 10")
assert np.median(ends(plain)) > 1.3 * np.median(ends(shifted))
plots.lines(
    np.arange(1, 33), {"reward: the count": plots.band(plain),
                       "reward: the count + 10": plots.band(shifted)},
    "step (32 answers each)", "real words in an answer",
    "Two bands over 32 steps. With the count as reward the number of real words about doubles. "
    "With the count plus 10 it stays near where it was.",
    title="The same rate, the same prompts",
)

# %% [markdown] name="question-reading"
# Both models have the same rule (Adam), the same rate and the same number of answers. No other rate that we tried saves the second one (the table further down).
#
# ## A number in place of a label
#
# A **reward** is a number that says how good a whole answer was. Nobody shows the model a better answer. It must find one itself, by chance.
#
# The prompt is 6 tokens from Python's documentation (PSF licence). The model continues it by 10 tokens of its own, drawn from its probabilities. A word is real if it occurs at least five times in the documentation. Here are the checker, the drawing, and the logarithm of each drawn token's probability:

# %% tags=["fold"] name="text"
# The base model, the prompts, and the words of the documentation.
base, tokenizer, _ = models.pretrained(str(setting.device))
text = data.corpus(seed=0).train
ids = data.encode(tokenizer, text)
begins = np.array([tokenizer.id_to_token(k).startswith("Ġ") for k in range(512)])
places = np.flatnonzero(begins[ids[6:]])  # where a word begins six tokens later
found_in_text = collections.Counter(re.findall(r"[a-z]+", text.lower()))
known = {word for word, n in found_in_text.items() if n >= 5}
print(f"{len(known)} real words, {sum(len(word) == 1 for word in known)} of them of one letter")

def prompts(n, rng):  # each eight times: eight answers to one prompt
    at = rng.choice(places, n)
    rows = torch.from_numpy(ids[at[:, None] + np.arange(6)]).repeat_interleave(8, 0)
    return rows.to(setting.device)

def say(rows):
    return [tokenizer.decode([int(t) for t in row]) for row in rows]

# %% name="answers"
def reward(answer):  # how many different real words
    return float(len(set(re.findall(r"[a-z]+", answer.lower())) & known))

@torch.no_grad()
def draw(model, rows, new=10):
    for _ in range(new):
        p = model(rows)[:, -1].softmax(-1)
        rows = torch.cat([rows, torch.multinomial(p, 1)], 1)
    return rows

def log_p(model, rows, start=6):  # of each drawn token
    log_probs = model(rows[:, :-1])[:, start - 1 :].log_softmax(-1)
    return log_probs.gather(2, rows[:, start:, None])[..., 0]

# %% [markdown] name="formula"
# ## Formula
#
# Drawing cannot be differentiated: a token is drawn or not. But probabilities can be. Let $p_i$ be the probability of answer $i$ and $r_i$ its reward. We want the *expected reward* $J = \sum_i p_i r_i$ to rise. The slope of each $p_i$ by a parameter $\theta$ of the model is
#
# $$\frac{\partial p_i}{\partial \theta} = p_i\, \frac{\partial \log p_i}{\partial \theta}$$
#
# because the slope of $\log p_i$ is that of $p_i$, divided by $p_i$. The factor $p_i$ in front makes the sum a mean over drawn answers. So we may draw $n$ answers and take their mean; in this sum $i$ counts the drawn ones:
#
# $$\frac{\partial J}{\partial \theta} \approx \frac{1}{n} \sum_{i=1}^{n} A_i\, \frac{\partial \log p_i}{\partial \theta}, \qquad A_i = r_i - b$$
#
# The rule is called REINFORCE (Williams 1992). **The answer that was drawn becomes more probable if $A_i$ is positive, and less if it is negative.** $b$ is any number that the answer itself has no part in, the **baseline**. $A_i$, the reward less the baseline, is the **advantage** of the answer. With $b = 0$ it is the reward, with $b = -10$ the reward plus 10. The logarithm of an answer's probability is the sum over its tokens, so every token of the answer gets the same $A_i$.
#
# ## Derivation: any baseline
#
# May one really take any $b$? Take the simplest case: one choice among $C$ answers, with a logit $z_k$ for each. Their probabilities $p$ are the [softmax](../03_algorithms/02_cross_entropy.ipynb) of the logits.

# %% tags=["fold"] name="derivation"
# The slope of the expected reward, tied to the library's REINFORCE.
C, i, k = sp.symbols("C i k", integer=True, positive=True)
b = sp.Symbol("b")
z, r, p = map(sp.IndexedBase, ("z", "r", "p"))

def mean_of_reinforce(z, r, b):  # the mean over the answers that may be drawn, by probability
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    pulls = -reinforce(np.log(p), r - b[:, None]).grad  # A of each answer
    slopes = np.eye(z.shape[1]) - p[:, None]  # of log p of each answer by each logit
    return ((p * pulls)[..., None] * slopes).sum(1)

(
    derive("J", "Sum(p[i] * r[i], (i, 1, C))", "the expected reward",
           {"C": C, "i": i, "k": k, "b": b, "z": z, "r": r, "p": p}, {C: (2, 3)},
           means={p[i]: sp.exp(z[i]) / sp.Sum(sp.exp(z[k]), (k, 1, C))})
    .equals("b + Sum(p[i] * (r[i] - b), (i, 1, C))", "take $b$ from every reward and add it "
            "again: the $p_i$ sum to 1")
    .slope(z[k], "p[k] * (r[k] - Sum(p[i] * r[i], (i, 1, C)))",
           "the slope of $p_i$ is $p_i$ times that of $\\log p_i$, which is 1 less $p_k$ for "
           "$i = k$ and minus $p_k$ else: **up if better than the mean**")
    .equals("Sum(p[i] * (r[i] - b) * (KroneckerDelta(i, k) - p[k]), (i, 1, C))",
            "the same as a mean over drawn answers, with any $b$: the mean slope of $\\log p_i$ "
            "is 0, as the $p_i$ sum to 1",
            tex=r"\sum_{i=1}^{C} p_i\, (r_i - b) \left( [i = k] - p_k \right)")
    .library("-mean(reinforce(log_p, r - b).grad * slope of log_p)", mean_of_reinforce)
)

# %% [markdown] name="derivation-reading"
# ($[i = k]$ is 1 for $i = k$, else 0.) Yes, any: the slope holds no $b$. **A baseline changes nothing on average.** So nothing changed on average when we added 10. What did change?
#
# ## Play
#
# Three answers A, B and C with probabilities 50, 30 and 20 per cent have the rewards 0, 1 and 2. One answer is drawn, and the logits take a step along one of the three coloured arrows. The black arrow is their mean, weighted by the probabilities. Move the baseline. Does the black arrow move? At which baseline are the arrows shortest?

# %% tags=["fold"] name="play-picture"
# The three possible steps for each baseline, beside their mean squared length.
chances, prizes = np.array([0.5, 0.3, 0.2]), np.array([0.0, 1.0, 2.0])
slopes = np.eye(3) - chances
flat = np.array([[-0.866, -0.5], [0.866, -0.5], [0.0, 1.0]])  # towards A, B and C
sizes = (slopes**2).sum(1)

def length2(b):  # the mean squared length of the step
    return (chances * (prizes - b) ** 2 * sizes).sum()

best = (chances * sizes * prizes).sum() / (chances * sizes).sum()
fig, (left, right) = plots.panels(2)
left.set(xlim=(-3.1, 3.1), ylim=(-2.2, 4.4), aspect="equal", xticks=[], yticks=[],
         title="the step of the logits")
for name, at, chance, prize in zip("ABC", ((-1.9, -1.9), (1.9, -1.9), (-1.7, 4.1)), chances, prizes,
                                   strict=True):
    left.text(*at, f"{name}: {chance:.0%}, reward {prize:g}", ha="center", va="center", fontsize=9)
grid = np.linspace(-1.2, 3.2, 100)
right.plot(grid, [length2(x) for x in grid], color="0.4")
right.set(xlabel="baseline b (units of the reward)", ylabel="mean squared length of the step",
          ylim=(0, 3.7))

def arrows(left, right, b):
    for a, colour in enumerate(("C0", "C1", "C2")):
        step = (prizes[a] - b) * slopes[a] @ flat
        if abs(prizes[a] - b) > 0.01:
            left.annotate("", step, (0, 0), arrowprops={
                "arrowstyle": "-|>", "color": colour, "lw": 2, "ls": ("-", "--", ":")[a]})
        tip = step + 0.28 * step / max(np.linalg.norm(step), 0.1)
        left.text(*tip, "ABC"[a], color=colour, ha="center", va="center", fontweight="bold")
    mean = chances * (prizes - b) @ slopes @ flat
    left.annotate("", mean, (0, 0), arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 3.5})
    right.plot([b], [length2(b)], "o", color="C3", ms=9)
    up = " or ".join("ABC"[a] for a in range(3) if prizes[a] > b + 1e-9)
    return (f"Baseline {b:g}: mean squared length {length2(b):.2f}. Pushed up when it is drawn: "
            f"{up or 'none of the three'}.")

plots.moving(
    fig, "baseline", [round(x, 1) + 0.0 for x in np.arange(-1, 3.01, 0.2)], arrows, start=-1.0,
    alt="On the left arrows from one point: three coloured ones, each towards its own answer, and "
    "a short black one, their mean, up and to the right. On the right a parabola over the "
    "baseline, with a dot.",
)

# %% [markdown] name="play-reading"
# The black arrow stays. The coloured ones grow with the distance of the baseline from the rewards. At $b = -1$ *every* answer that is drawn is pushed up, also the worst one, and A is drawn most often. The truth is in the small differences between long arrows. Only many draws bring it out.
#
# ## Derivation: the best baseline
#
# Let $s_i$ be the squared length of the slope of $\log p_i$. The mean of the step is fixed, so its [variance](../03_algorithms/03_sgd.ipynb) is smallest where the mean squared length $V$ is:

# %% tags=["fold"] name="derive-best"
# The baseline with the least variance, tied to the library's REINFORCE.
s = sp.IndexedBase("s", positive=True)

def by_squares(p, r, s):  # the weighted mean of the pulls, where the baseline is 0
    pulls = -reinforce(np.log(p), r).grad
    return (p * s * pulls).sum(1) / (p * s).sum(1)

(
    derive("V", "Sum(p[i] * (r[i] - b)**2 * s[i], (i, 1, C))",
           "the step after answer $i$ is $r_i - b$ times the slope of $\\log p_i$",
           {"C": C, "i": i, "b": b, "p": p, "r": r, "s": s}, {C: (2, 3)}, simplex=[p])
    .equals("Sum(p[i] * s[i] * r[i]**2, (i, 1, C)) - 2 * b * Sum(p[i] * s[i] * r[i], (i, 1, C)) "
            "+ b**2 * Sum(p[i] * s[i], (i, 1, C))", "multiplied out: the parabola of the picture")
    .slope(b, "2 * b * Sum(p[i] * s[i], (i, 1, C)) - 2 * Sum(p[i] * s[i] * r[i], (i, 1, C))",
           "by $b$, term by term")
    .zero_at(b, "Sum(p[i] * s[i] * r[i], (i, 1, C)) / Sum(p[i] * s[i], (i, 1, C))",
             "**a weighted mean of the rewards**: answers that move the model more count more")
    .library("-mean(s * reinforce(log_p, r).grad) / mean(s)", by_squares)
)

# %% [markdown] name="noise-text"
# The best baseline is the mean reward if all $s_i$ are equal. How far apart are they else? We look at the three answers, and at the language model. It answered 32 prompts, eight times each, and we took the gradient of every single answer, five seeds:

# %% tags=["fold"] name="noise-table"
# The mean squared length of one answer's gradient, for four baselines.
def squared(sums, b):
    return sums[2] - 2 * b * sums[1] + b * b * sums[0]

noise = [run["noise"] for run in judges]
best_b = np.array([n["sums"][1] / n["sums"][0] for n in noise])
mean_r = np.array([n["mean"] for n in noise])
times = {label: np.array([squared(n["sums"], b) / squared(n["sums"], c)
                          for n, b, c in zip(noise, bs, best_b, strict=True)])
         for label, bs in (("-10 (ten more for each)", [-10] * 5),
                           ("0 (the count itself)", [0] * 5), ("the mean reward", mean_r),
                           ("the best", best_b))}
print(f"three answers: mean reward {chances @ prizes:.2f}, best baseline {best:.2f}\n"
      f"language model: mean reward {spread(mean_r, '.2f')}, best baseline {spread(best_b, '.2f')}")
assert times["-10 (ten more for each)"].min() > 30 and times["the mean reward"].max() < 1.4
Table(["baseline", "mean squared length of the step, in units of the best"],
      [[label, spread(t, ".3g")] for label, t in times.items()])

# %% [markdown] name="groups"
# For the language model the mean reward is nearly as good as the best baseline. And ten more is the answer to our question. **Added to all rewards, 10 leaves the gradient's mean and multiplies its variance.** The mean of $n$ answers has one $n$-th of the variance. So the table says about how many times as many answers one needs for the same noise. Adam divides by the gradient's size, so its steps are as long as ever. But chance decides most of their direction.
#
# ## Derivation: the others as baseline
#
# The mean reward changes while the model learns, and from prompt to prompt. A simple way to follow it is to draw a **group**, $G$ answers to the same prompt, and to let them judge each other. But the mean of the group holds the answer's own reward. So leave that one out: the baseline of an answer is the mean of the *others*. For the first one:

# %% tags=["fold"] name="derive-groups"
# Leave one out, and the group's mean, tied to the library's two functions.
G, j = sp.symbols("G j", integer=True, positive=True)
(
    derive("A_1", "r[1] - Sum(r[j], (j, 2, G)) / (G - 1)", "the reward less the others' mean",
           {"G": G, "j": j, "r": r}, {G: (2, 3, 5)})
    .library("leave_one_out_advantage(r)[0]", lambda r: leave_one_out_advantage(r)[:, 0])
    .equals("G / (G - 1) * (r[1] - Sum(r[j], (j, 1, G)) / G)",
            "add $r_1$ to the sum and take it away: **the mean of all, only a little longer**")
    .library("G / (G - 1) * group_advantage(r, scale=False)[0]",
             lambda r, G: (G / (G - 1)) * group_advantage(r, scale=False)[:, 0])
)

# %% [markdown] name="groups-reading"
# The others know nothing of this answer, so the gradient stays unbiased. The method is called RLOO, REINFORCE leave-one-out. GRPO, group relative policy optimization, takes the mean $\bar r$ of all and divides by the group's standard deviation $\sigma$, so that every prompt pulls about as strongly:
#
# $$A_i = \frac{r_i - \bar r}{\sigma + \varepsilon}$$
#
# with a tiny $\varepsilon$ against division by zero. (The full GRPO also has a rule for using the same answers in several steps. We use each answer once.) In both, 10 more for everybody cancels. In both, a group with equal rewards teaches nothing.
#
# ## Code

# %% name="source"
show(reinforce, leave_one_out_advantage, group_advantage)

# %% [markdown] name="parity-text"
# The loss is minus the advantage times $\log p$, so that going down means going up in reward. Its *value* says nothing about progress. (`_centred` gives each reward less the group's mean, in a unit in which none is large.) PyTorch has none of the three. The table compares them with their formulas under autograd.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: the largest relative difference.
parity.table("reinforce", setting.device)

# %% [markdown] name="three-text"
# ## Two hundred steps, three answers
#
# The three answers of above again, now trained. Each step draws a group of eight answers and moves the logits at the rate 0.2. A corner of the triangle means that only this answer is given. The picture shows the first 40 steps of five runs, a dot for every second step.

# %% tags=["fold"] name="three-paths"
# Many trainings at once, with and without 10 more.
def one_group(p, advantage, rng, n=8):  # p (runs, 3): the estimated slope of each run's logits
    drawn = (rng.random((len(p), n, 1)) > p.cumsum(1)[:, None, :-1]).sum(-1)
    slope_of = np.eye(3)[drawn] - p[:, None]
    return (advantage(prizes[drawn])[..., None] * slope_of).mean(1)

def walk(advantage, rate, runs=300, steps=200, n=8):
    rng, z = np.random.default_rng(seed), np.log(np.tile(chances, (runs, 1)))
    trail = []
    for _ in range(steps + 1):
        p = np.exp(z - z.max(1, keepdims=True))
        trail.append(p / p.sum(1, keepdims=True))
        z = z + rate * one_group(trail[-1], advantage, rng, n)
    return np.array(trail)

def plus_ten(rewards):
    return rewards + 10

walks = {"leave one out": walk(leave_one_out_advantage, 0.2), "ten more": walk(plus_ten, 0.2)}
slow = {rate: walk(plus_ten, rate)[-1, :, 2] for rate in (0.1, 0.07, 0.05, 0.02)}
for label, trail in walks.items():
    ended = [(trail[-1, :, a] > 0.5).mean() for a in range(3)]
    print(f"{label}: at A, B, C (more than half) end "
          + ", ".join(f"{part:.0%}" for part in ended) + " of 300 runs")
print("mean probability of C after 200 steps, ten more, at smaller rates:\n  "
      + ", ".join(f"rate {rate:g}: {part.mean():.2f}" for rate, part in slow.items())
      + f"\n  leave one out, rate 0.2: {walks['leave one out'][-1, :, 2].mean():.2f}")
missed = 1 - walks["leave one out"][-1, :, 2].mean()
assert min(1 - part.mean() for part in slow.values()) > 3 * missed
assert 1 - walks["ten more"][-1, :, 2].mean() > 3 * missed
fig, axes = plots.panels(2)
for ax, (label, trail) in zip(axes, walks.items(), strict=True):
    plots.draw_simplex(ax, ("A, reward 0", "B, reward 1", "C, reward 2"), label)
    plots.draw_probabilities(ax, {str(m): trail[:41:2, m] for m in range(5)})
plots.Picture(fig, "Two triangles with five paths each. With leave one out all paths run in small "
              "steps towards corner C. With ten more they jump, and end in different corners.")

# %% tags=["fold"] name="histogram"
# How far one step of 32 answers goes in the right direction, 4000 times from the start.
where, rng = np.tile(chances, (16_000, 1)), np.random.default_rng(seed + 1)
exact = chances * (prizes - chances @ prizes)
three = {"ten more": plus_ten, "the reward itself": lambda r: r,
         "leave one out": leave_one_out_advantage}
guesses = {label: one_group(where, advantage, rng).reshape(4000, 4, 3).mean(1) @ exact
           / (exact @ exact) for label, advantage in three.items()}
for label, guess in guesses.items():
    print(f"{label}: mean {guess.mean():.2f}, standard deviation {guess.std():.2f}, "
          f"below zero {(guess < 0).mean():.0%}")
assert (guesses["ten more"] < 0).mean() > 0.25 > 0.1 > (guesses["leave one out"] < 0).mean()
pict = plots.histogram(
    guesses, "part of the step in the right direction (1: the exact slope)",
    "Three histograms around 1. Ten more is wide and flat, a third of it below zero. The reward "
    "itself is narrow, and leave one out narrower still.",
    title="4000 steps, 32 answers each", bins=np.arange(-7.2, 9.3, 0.4))
pict.fig.axes[0].axvline(1, color="0.3", lw=1)
pict

# %% [markdown] name="three-reading"
# All three histograms have the same mean, the exact slope (the thin line). With ten more, a third of all steps go the wrong way. So chance moves the logits. Near a corner nearly every draw is the same answer, and the slope of its $\log p$ is near 0: there a run gets stuck. A smaller rate helps a little: at the best of them the mean probability of C is about 0.8 after 200 steps. Leave one out reaches 0.98. At still smaller rates, 200 steps are too few.
#
# ## The language model
#
# A step of the training, with any advantage:

# %% name="tune"
policy_loss = bridge.as_autograd(reinforce)

def tune(advantage, lr, steps=32):
    model, rng = copy.deepcopy(base), np.random.default_rng(seed)
    recipe = training.Recipe(lr=lr, weight_decay=0.0)
    (optimizer,) = training.optimizers_for(model, recipe)
    for _ in range(steps):
        rows = draw(model, prompts(4, rng))  # four groups of eight answers
        r = torch.tensor([reward(answer) for answer in say(rows[:, 6:])])
        A = advantage(r.view(4, 8)).flatten().to(setting.device)
        loss = policy_loss(log_p(model, rows), A[:, None].expand(-1, 10)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model

tuned = tune(leave_one_out_advantage, 3e-3)

# %% tags=["fold", "nbval-ignore-output"] name="samples"
# Answers to new prompts, before and after.
fresh = prompts(4, np.random.default_rng(seed + 1000))[::8]
asked, before, after = (say(rows) for rows in (fresh, draw(base, fresh)[:, 6:],
                                               draw(tuned, fresh)[:, 6:]))
many = prompts(16, np.random.default_rng(seed + 2000))
means = [np.mean([reward(a) for a in say(draw(m, many)[:, 6:])]) for m in (base, tuned)]
print(f"real words in an answer, 128 new answers: before {means[0]:.1f}, after {means[1]:.1f}")
assert means[1] > means[0] + 2
Table(["prompt", "answer before", "answer after"], zip(asked, before, after, strict=True))

# %% [markdown] name="race-text"
# The count has about tripled. Now all four advantages, recorded: the same prompts, the same number of answers, three rates each. Two seeds choose the rate, five others judge.

# %% tags=["fold"] name="race-table"
# The reward of the last eight steps for each advantage at its best rate.
grids = {"plain": [3e-4, 1e-3, 3e-3], "plus 10": [3e-4, 1e-3, 3e-3],
         "leave one out": [1e-3, 3e-3, 1e-2], "group": [1e-3, 3e-3, 1e-2]}
called = {"plain": "the count (b = 0)", "plus 10": "the count + 10 (b = -10)",
          "leave one out": "leave one out (RLOO)", "group": "group, over sigma (GRPO)"}
chosen = {name: int(np.argmax([ends(course(name, k, runs=tuners)).mean() for k in range(3)]))
          for name in grids}
final = {name: ends(course(name, k)) for name, k in chosen.items()}
for name in ("plain", "leave one out", "group"):
    assert chosen[name] == 1  # inside the grid
assert min(final["leave one out"].min(), final["group"].min()) > final["plain"].max()
assert final["plain"].min() > final["plus 10"].max() + 0.5
start = course("plain", 1)[:, 0]
Table(["advantage", "best rate", "real words in an answer", "at the start"],
      [[called[name], f"{grids[name][k]:g}", spread(final[name]), spread(start)]
       for name, k in chosen.items()])

# %% [markdown] name="hack-text"
# Leave one out triples the count, to 8.1 words in ten tokens. The group with $\sigma$ does as well. The count itself reaches 5.6. With 10 more the two seeds choose the lowest rate, and there the model gains about 0.4 words.
#
# ## What breaks: the reward is not what you meant
#
# Read the answers again. We wanted real words in place of broken ones. The model has found what the checker counts: *different* words. A sentence says "the" twice; a list of odd words does not. Even single letters count, since the documentation has them. To get a high reward in a way that its author did not mean is called **reward hacking**. The reward itself does not show it. Reading does, and so does a judge that has not been tuned. Our judge is the base model: what [loss](../03_algorithms/02_cross_entropy.ipynb) does it have on the answers of the tuned one?

# %% tags=["fold", "nbval-ignore-output"] name="hack-table"
# Reward, distance from the base model, and its loss: with and without a penalty.
def last(runs, what):
    return ends([run[what] for run in runs])

def judged(runs):  # -log p_base of a token: the entropy, and the KL of ten tokens over ten
    return last(runs, "entropy") + last(runs, "far") / 10

free = [run["rates"]["leave one out"][1] for run in judges]
kinds = {"no penalty": free,
         "no penalty, rate 0.001": [run["rates"]["leave one out"][0] for run in judges],
         "penalty 0.2": [run["penalties"][0] for run in judges],
         "penalty 0.5": [run["penalties"][1] for run in judges],
         "words of 4 letters or more": [run["long"] for run in judges]}
assert np.median(judged(free)) > np.median(judged(kinds["penalty 0.2"]))
long = last(kinds["words of 4 letters or more"], "far")
assert np.median(long) > 1.2 * np.median(last(free, "far"))
own = [run["entropy"][0] for run in free]
Table(["", "reward", "KL from the base model (nats per answer)", "the base model's loss (nats "
       "per token)", "an answer"],
      [["base model", spread(start), "0", spread(own), before[0]],
       *([label, *map(spread, (last(runs, "reward"), last(runs, "far"), judged(runs))),
          runs[0]["answers"][1][1]] for label, runs in kinds.items())],
      "Five seeds, median (lowest to highest), all with leave one out, at the rate 0.003 but "
      "for the third row.")

# %% [markdown] name="hack-cure"
# The base model has a loss of 2.4 nats per token on its own answers and of about 6 on those of the tuned model (first two rows). It would hardly ever write them.
#
# The KL is the [divergence](../03_algorithms/09_divergences.ipynb) of the tuned model from the base model, here over the ten tokens of an answer. It is the mean of $\log p - \log p_{\text{base}}$ over drawn answers. The cure subtracts it from the reward, with a weight $\beta$, the penalty of the table:
#
# $$r'_i = r_i - \beta \left( \log p_i - \log p_{i,\text{base}} \right)$$
#
# This is the price of the KL in [Preference tuning](07_preference_tuning.ipynb). An answer that the base model would never give must now be worth it. Another checker alone is no cure: the last row counts words of four letters or more, and gets lists of long words, still further from the base model.

# %% tags=["fold"] name="hack-picture"
# What the reward costs: reward over KL, a point for each seed.
print("KL, steps 17 to 24, then 25 to 32 (nats per answer):")
for label in ("no penalty, rate 0.001", "penalty 0.2"):
    curves = np.array([run["far"] for run in kinds[label]])
    print(f"  {label}: {spread(curves[:, 16:24].mean(1))}, then {spread(ends(curves))}")
fig, (ax,) = plots.panels()
for (label, runs), mark in zip(kinds.items(), "ovsD^", strict=True):
    if label.startswith("words"):
        continue
    ax.plot(last(runs, "far"), last(runs, "reward"), mark, ms=8, label=label)
ax.plot([0], [start.mean()], "k*", ms=12, label="base model")
ax.set(xlabel="KL from the base model (nats per answer)", ylabel="real words in an answer",
       xlim=(-2, None), ylim=(0, 9))
ax.legend(loc="lower right")
plots.Picture(fig, "Points of five seeds each, reward over KL from the base model. From the base "
              "model the points rise steeply to those with a penalty, and then hardly any more to "
              "those without one, far to the right. Without a penalty at a lower rate they lie "
              "among those with the penalty 0.2.")

# %% [markdown] name="exercises"
# From a penalty of 0.2 to none, the model gains 0.3 words and goes half as far again from where it started. At the end of our runs a lower rate alone is as near, with nearly as many words (triangles). But there the KL still rises, and with the penalty it stands still.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Leave one out (3 minutes, easy)
# `rewards` has the shape `(prompts, G)`: the `G` answers to each prompt. Return the leave-one-out advantage of every answer, in the same shape. Use NumPy alone.

# %% name="exercise-others"
def others(rewards):
    ### BEGIN SOLUTION
    G = rewards.shape[1]
    mean = (rewards.sum(1, keepdims=True) - rewards) / (G - 1)
    return rewards - mean
    ### END SOLUTION

# %% name="check-others"
check("others")

# %% [markdown] name="exercise-slope-text"
# <details><summary>Hint 1</summary>What do the others have together? The sum of all, less the answer's own reward.</details>
# <details><summary>Hint 2</summary>keepdims=True keeps a column of sums that fits to rewards.</details>
#
# ### 2. The gradient, by hand (8 minutes, medium)
# A model chooses among `len(z)` answers with the logits `z`. It has drawn `answers`, an array of their numbers, and got `rewards`, one for each. Return the estimated slope of the expected reward by `z`, shape `(C,)`, with the baseline `b`. It is the direction that *raises* the reward.

# %% name="exercise-slope"
def slope(z, answers, rewards, b):
    ### BEGIN SOLUTION
    p = np.exp(z) / np.exp(z).sum()
    A = rewards - b
    hot = np.eye(len(z))[answers]
    return (A[:, None] * (hot - p)).mean(0)
    ### END SOLUTION

# %% name="check-slope"
check("slope")

# %% [markdown] name="exercise-best-text"
# <details><summary>Hint 1</summary>The slope of the log-probability of answer i by logit k is [i = k] - p_k: a row for each drawn answer.</details>
# <details><summary>Hint 2</summary>np.eye(len(z))[answers] has a 1 where the answer stands. Weigh each row by its advantage, then take the mean over the rows.</details>
#
# ### 3. The best baseline (8 minutes, hard)
# For the model of exercise 2 with the probabilities `p`, and an answer's reward in `r`, return the baseline with the least variance. What must $s_i$ be here?

# %% name="exercise-best"
def best_baseline(p, r):
    ### BEGIN SOLUTION
    s = 1 - 2 * p + (p**2).sum()
    return (p * s * r).sum() / (p * s).sum()
    ### END SOLUTION

# %% name="check-best"
check("best_baseline")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>s_i is the squared length of the row [i = k] - p_k, over all k.</details>
# <details><summary>Hint 2</summary>The row has 1 - p_i at place i and -p_k elsewhere. Add up the squares.</details>
# <details><summary>Find out (after solving)</summary>Take two answers, p = (0.9, 0.1) and r = (0, 1). The mean reward is 0.1; the best baseline is 0.9, the mean with the probabilities exchanged. Put it into slope() for either answer: both give the exact slope. With two answers the best baseline leaves no noise at all. So the best baseline can be far from the mean reward.</details>
#
# ## Takeaways
#
# - The gradient of an expected reward is the mean of advantage times the slope of $\log p$. A baseline leaves that mean and decides the noise.
# - Let the answers to one prompt judge each other: take from each reward the mean of the others. Then a constant in the reward cancels.
# - Do not tune by a reward that you would not want to see maximised. Read the answers, and watch the KL.
#
# ## Does it hold?
#
# **All rates.** The reward of the last eight steps, five seeds:

# %% tags=["fold"] name="control-rates"
# The reward for each advantage and rate.
Table(["advantage", *(f"rate {x:g}" for x in (3e-4, 1e-3, 3e-3, 1e-2))],
      [[called[name], *([""] if grids[name][0] == 1e-3 else []),
        *(spread(ends(course(name, k))) for k in range(3)),
        *([""] if grids[name][0] < 1e-3 else [])] for name in grids])

# %% [markdown] name="control-rates-text"
# The count and both groups have their best rate inside the grid. For the count + 10 the two lowest rates are about equal, 2.9 and 3.0 words. The rate 0 would leave the base model as it is, at 2.5. At 0.003 some of its runs end below the start.
#
# **Is it the noise, or the 10?** The three answers again, at the rate 0.2. First the 10 stays and the noise goes: 400 answers a step in place of 8. Then the 10 goes and as much noise stays: leave one out, and a coin adds the reward plus 10 to each advantage or takes it away.

# %% tags=["fold"] name="control-cause"
# The 10 with little noise, the noise without the 10; the noise of a group's gradient.
coin = np.random.default_rng(seed + 2)

def tossed(rewards):
    flips = coin.choice([-1.0, 1.0], rewards.shape)
    return leave_one_out_advantage(rewards) + flips * (rewards + 10)

def share(trail, a):
    return (trail[-1, :, a] > 0.5).mean()

controls = {"ten more, 8 answers": walks["ten more"],
            "ten more, 400 answers": walk(plus_ten, 0.2, runs=40, n=400),
            "leave one out and the coin, 8 answers": walk(tossed, 0.2)}
for label, trail in controls.items():
    print(f"{label}: at C end {share(trail, 2):.0%} of {trail.shape[1]} runs")
_, many, noisy = controls.values()
assert share(many, 2) > 0.8 and 1 - share(noisy, 2) > 0.05
ratio = {name: np.array([n["variance"][name] / n["variance"]["leave one out"] for n in noise])
         for name in ("plain", "plus 10")}
print("the language model:")
for name, values in ratio.items():
    print(f"variance of a group's gradient, {called[name]}: {spread(values)} times leave one out")
assert ratio["plus 10"].min() > 30 and ratio["plain"].min() > 1.5

# %% [markdown] name="control-entropy-text"
# Without the noise the 10 does no harm. With as much noise and no 10, about as many runs miss C. It is the noise.
#
# **The entropy** says how undecided the model is at a token, 0 if it is sure. Every step's mean, recorded at the rate 0.003:

# %% tags=["fold"] name="control-entropy"
# Entropy at the start and at the end.
rows = []
for name, k in (("plain", 2), ("plus 10", 2), ("leave one out", 1), ("group", 1)):
    curve = course(name, k, "entropy")
    rows.append([called[name], spread(curve[:, 0]), spread(ends(curve))])
Table(["advantage", "entropy, first step (nats per token)", "last eight steps"], rows)

# %% tags=["fold"] name="control-record"
# What made the record.
record

# %% [markdown] name="sources"
# Without the group's baseline the entropy ends lower in the median, and runs scatter from 0.6 to 3.7. With it the entropy rises in the median.
#
# ## Sources
#
# - R. J. Williams, 1992: *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, Machine Learning 8 (REINFORCE).
# - E. Greensmith, P. L. Bartlett and J. Baxter, 2004: *Variance reduction techniques for gradient estimates in reinforcement learning*, Journal of Machine Learning Research 5 (the best baseline).
# - W. Kool, H. van Hoof and M. Welling, 2019: *Buy 4 REINFORCE samples, get a baseline for free!*, ICLR workshop Deep Reinforcement Learning Meets Structured Prediction (the others as baseline).
# - A. Ahmadian and others, 2024: *Back to basics: revisiting REINFORCE style optimization for learning from human feedback in LLMs*, arXiv 2402.14740 (RLOO for language models).
# - Z. Shao and others, 2024: *DeepSeekMath: pushing the limits of mathematical reasoning in open language models*, arXiv 2402.03300 (GRPO).
# - J. Skalse, N. Howe, D. Krasheninnikov and D. Krueger, 2022: *Defining and characterizing reward hacking*, arXiv 2209.13085.
