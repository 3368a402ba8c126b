# ---
# jupyter:
#   lesson:
#     title: "Preference tuning"
#     question: "A model is trained to prefer the chosen answer, and the probability of the chosen answer falls. Where does it go?"
#     minutes: 45
#     needs: [05_project/03_fine_tuning, 03_algorithms/02_cross_entropy, 03_algorithms/09_divergences]
#     settles: []
#     studies: [losses.dpo, losses.bradley_terry, losses.soft_cross_entropy]
#     terms: [policy, reference, likelihood displacement]
# ---

# %% [markdown] name="title"
# # Preference tuning
#
# **Goal.** Derive the loss that tunes a model by comparisons of two answers, and find out what it does not promise.
#
# **The question.** A language model sees pairs of answers to one prompt. In every pair one answer is *chosen* and one is *rejected*, and the model is trained to prefer the chosen one. It learns that well. But the chosen answers have become less probable than before the training. Where has their probability gone?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import copy

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, exercises, parity, plots, records
from lessons_lib.bridge import as_autograd
from lessons_lib.derive import derive
from lessons_lib.losses import (
    bradley_terry,
    cpo,
    dpo,
    ipo,
    kto,
    reverse_kl,
    robust_dpo,
    simpo,
    soft_cross_entropy,
)
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/07_preference_tuning")
record = records.of("06_applications/07_preference_tuning")
room = records.load("06_applications/07_preference_tuning")  # the code that was recorded
RATES, LOSSES = room["RATES"], room["LOSSES"]
runs = [record.runs[s] for s in sorted(record.runs)]
tried, judges = runs[:2], runs[2:]  # two choose the learning rates, the others judge

def of(name, *where, runs=judges):  # (runs, 5): share, KL, chosen, rejected, length
    found = []
    for run in runs:
        value = run[name]
        for k in where:
            value = value[k]
        found.append(value)
    return np.array(found)

def spread(values, form=".2f"):  # median (lowest to highest) over the runs
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

start, pressed = of("reference"), of("DPO", -1)

# %% tags=["fold"] name="question-picture"
# How much more or less probable the answers of held-out pairs became, in the recorded runs.
best_rise = -np.log(start[:, 0])
print("pairs in each run:", ", ".join(str(run["pairs"]) for run in judges))
print(f"fresh answers that are short: {spread(start[:, 0])} before, {spread(pressed[:, 0])} after")
print(f"log-probability of the chosen answers: {spread(pressed[:, 2], '+.1f')} nats, of the "
      f"rejected ones {spread(pressed[:, 3], '+.1f')}")
print(f"the best policy would change the chosen ones by {spread(best_rise, '+.1f')} nats")
assert pressed[:, 0].min() > 0.8 and pressed[:, 2].max() < -3 and start[:, 0].max() < 0.65
plots.bars(
    {"chosen: best possible policy": plots.band(best_rise),
     "chosen: after the training": plots.band(pressed[:, 2]),
     "rejected: after the training": plots.band(pressed[:, 3])},
    "change of the log-probability of an answer (nats)",
    "Three bars. The best policy would raise the chosen answers by less than one nat. The training "
    "lowers the chosen ones by many nats and the rejected ones by more than twice as many.",
    title=f"Pairs that the training did not see, {len(judges)} runs",
)

# %% [markdown] name="question-reading"
# The model is that of [Fine-tuning](../05_project/03_fine_tuning.ipynb): it reads the first line of a Python function and writes a docstring (standard library, PSF licence). For each prompt it draws two answers. A rule that everybody can check plays the judge: **at most 40 characters**. We keep the prompts where one answer obeys and the other does not, 111 to 129 in each run, and hold a quarter of them out. Seven recorded runs differ in modules, answers and order. Two of them choose the learning rates. The numbers below come from the other five: the median, and in brackets the lowest and the highest.
#
# After 32 training steps with 8 pairs each, at the highest rate that we try, every fresh answer to a new prompt is short. So the training works. And the short answers that were chosen have lost 36 nats (median): their probability is divided by a number of sixteen digits. The best policy, which we derive below, would have raised them.
#
# ## Derivation: from a comparison to a loss
#
# The **policy** $\pi$ is the model, seen as a probability for every whole answer. The log-probability of an answer is the sum over its tokens. The **reference** $\rho$ is the model before the training, frozen. The reward $r$ of an answer is a number that says how good it is. Nobody knows it. We only see who wins.
#
# | symbol | code | shape | meaning |
# |---|---|---|---|
# | $c$, $d$ | `chosen`, `rejected` | `(N,)` | log-probabilities of the two answers under the policy |
# | $c_0$, $d_0$ | `ref_chosen`, `ref_rejected` | `(N,)` | the same under the reference |
# | $\beta$ | `beta` | number | the price of a nat of KL divergence, in units of the reward |
#
# **First step: from rewards to wins.** Bradley and Terry let the chosen answer win with the probability $\sigma(r_c - r_d)$, the sigmoid of the difference of the two rewards. The loss is the negative logarithm of that:
#
# $$\ell = -\log \sigma(r_c - r_d) = \log\left(1 + e^{-(r_c - r_d)}\right)$$
#
# **Second step: the best policy.** A high reward is not all. A model that forgets how to write is of no use, so each nat of KL divergence from the reference costs $\beta$. Let $i$ run over all $n$ answers to a prompt. Two abbreviations:
#
# $$Z = \sum_{j=1}^{n} \rho_j\, e^{r_j/\beta}, \qquad \pi^*_i = \frac{\rho_i\, e^{r_i/\beta}}{Z}$$

# %% tags=["fold"] name="derive-best"
# The best policy under a KL penalty, tied to the library's reverse_kl.
n, i, j = sp.symbols("n i j", integer=True, positive=True)
beta, Z = sp.symbols("beta Z", positive=True)
pi, rho, s = map(sp.IndexedBase, ("pi", "rho", "s"))
r = sp.IndexedBase("r")
whole = sp.Sum(rho[j] * sp.exp(r[j] / beta), (j, 1, n))

def objective(pi, rho, r, beta):
    return (pi * r).sum(1) - beta * reverse_kl(np.log(pi), np.log(rho)).value

(
    derive("J",
           "Sum(pi[i] * r[i], (i, 1, n)) - beta * Sum(pi[i] * log(pi[i] / rho[i]), (i, 1, n))",
           "the mean reward, minus $\\beta$ times the KL divergence from the reference",
           {"n": n, "i": i, "beta": beta, "Z": Z, "pi": pi, "rho": rho, "s": s, "r": r},
           {n: (2, 3)}, simplex=[pi, rho], ranges={beta: (0.5, 2)},
           means={Z: whole, s[i]: rho[i] * sp.exp(r[i] / beta) / whole})
    .library("(pi * r).sum() - beta * reverse_kl(log pi, log rho).value", objective)
    .equals("beta * log(Z) - beta * Sum(pi[i] * log(pi[i] / s[i]), (i, 1, n))",
            "$r_i = \\beta \\log(\\pi^*_i Z / \\rho_i)$; the $\\pi_i$ sum to 1",
            r"\beta \log Z - \beta \sum_{i=1}^{n} \pi_i \log \frac{\pi_i}{\pi^*_i}")
    .at_most("beta * log(Z)", "a KL divergence is never negative, and 0 only for "
             "$\\pi = \\pi^*$: **so $\\pi^*$ is the best policy**")
)

# %% [markdown] name="play-text"
# The best policy keeps the reference and multiplies each answer by $e^{r/\beta}$. Try it in a world of three answers, with rewards that we choose. A small $\beta$ makes KL cheap. At which $\beta$ does A overtake B? And from where on does more KL buy hardly any reward?

# %% tags=["fold"] name="play-picture"
# The best policy of a small world, for each beta.
NAMES = ("A: “Return the name.”", "B: “Return the name of the file.”", "C: “Return.”")
ref = np.array([0.4, 0.5, 0.1])
words, rewards = np.array([3.0, 6.0, 1.0]), np.array([2.0, 1.0, 0.0])

def best(b):
    tilted = ref * np.exp(rewards / b)
    return tilted / tilted.sum()

betas = [float(f"{b:.2g}") for b in np.geomspace(0.1, 10, 25)]
found = np.array([best(b) for b in betas])
nats, paid = (found * np.log(found / ref)).sum(1), found @ rewards
fig, (ax, line) = plots.panels(2)
fig.set_size_inches(8.4, 3.4)
place = np.arange(3)
ax.barh(place - 0.2, ref, 0.38, color="0.75", label="reference")
ax.barh([0], [0], color="C0", hatch="//", label="best policy")
ax.set(yticks=place, xlim=(0, 1), ylim=(2.6, -0.9), xlabel="probability")
ax.set_yticklabels([f"{k}\nreward {v:.0f}" for k, v in zip("ABC", rewards, strict=True)])
ax.legend(loc="upper center", ncols=2, fontsize=8)
line.plot(nats, paid, color="0.4")
line.set(xlabel="KL from the reference (nats)", ylabel="mean reward", ylim=(1.2, 2.1))

def at(ax, line, b):
    k = betas.index(b)
    ax.barh(place + 0.2, found[k], 0.38, color="C0", hatch="//")
    line.plot(nats[k], paid[k], "o", ms=9, color="C0")
    return (f"With beta = {b:g} the best policy says A with {found[k][0]:.0%}, B with "
            f"{found[k][1]:.0%}, C with {found[k][2]:.0%}: reward {paid[k]:.2f}, "
            f"KL {nats[k]:.2f} nats.")

print("; ".join(NAMES))
plots.moving(
    fig, "beta", betas, at, start=1.0,
    alt="Left: bars of three answers under the reference and under the best policy. Right: mean "
    "reward over KL, a curve that rises steeply and flattens. For a small beta all probability is "
    "on A, for a large one the best policy is the reference.",
)

# %% [markdown] name="third-step"
# The curve on the right is a limit: no policy has more reward for the same KL, or its $J$ would be higher than that of the best. It ends at $\log(1/0.4) = 0.92$ nats, where only A is left.
#
# **Third step: no reward model.** Turn the formula of $\pi^*$ round. Every policy is the best one for *some* reward: $r = \beta \log(\pi / \rho) + \beta \log Z$. So take the reward from the policy itself, for both answers:

# %% tags=["fold"] name="derive-difference"
# The difference of two rewards that a policy implies.
c, d, c0, d0 = sp.symbols("c d c_0 d_0", real=True)
logs = {"c": c, "d": d, "c0": c0, "d0": d0, "beta": beta, "Z": Z}
(
    derive("r_c - r_d", "(beta * (c - c0) + beta * log(Z)) - (beta * (d - d0) + beta * log(Z))",
           "the reward of each answer, from the policy", logs)
    .equals("beta * ((c - c0) - (d - d0))",
            "**$Z$ cancels: both answers belong to the same prompt**")
)

# %% [markdown] name="derive-dpo-text"
# $Z$ is a sum over all possible answers, which nobody can compute. It is gone. Put this difference, $z$, into Bradley and Terry's loss:

# %% tags=["fold"] name="derive-dpo"
# DPO: value and slopes, tied to the library.
z, h = sp.symbols("z h", real=True)

def by(which):  # dpo of a hundred pairs; each has its own beta
    def computed(c, d, c0, d0, beta):
        rows = zip(c, d, c0, d0, beta, strict=True)
        return np.array([which(dpo(*(np.array([v]) for v in row[:4]), float(row[4])))[0]
                         for row in rows])
    return computed

(
    derive(r"\ell", "log(1 + exp(-z))", "the loss of Bradley and Terry, with the policy's rewards",
           logs | {"z": z}, means={z: "beta * ((c - c0) - (d - d0))"}, ranges={beta: (0.1, 2)})
    .library("bradley_terry(beta * (c - c0), beta * (d - d0)).value",
             lambda c, d, c0, d0, beta: bradley_terry(beta * (c - c0), beta * (d - d0)).value)
    .library("dpo(c, d, c0, d0, beta).value", by(lambda loss: loss.value), "this is DPO")
    .slope(c, "-beta / (1 + exp(z))", "the slope of $z$ by $c$ is $\\beta$: **the chosen answer "
           "is pulled up, less and less**")
    .library("beta * bradley_terry(beta * (c - c0), beta * (d - d0)).grad.chosen",
             lambda c, d, c0, d0, beta:
             beta * bradley_terry(beta * (c - c0), beta * (d - d0)).grad.chosen,
             "the chain rule, in code")
    .library("dpo(c, d, c0, d0, beta).grad.chosen", by(lambda loss: loss.grad.chosen))
    .library("-dpo(c, d, c0, d0, beta).grad.rejected", by(lambda loss: -loss.grad.rejected),
             "the rejected one is pushed down just as hard")
)

# %% name="show"
show(dpo)

# %% [markdown] name="parity-text"
# `softplus(-z)` is $\log(1 + e^{-z})$. `e` is the option `label_smoothing`, 0 until the end of this lesson. Value and slopes agree with PyTorch's `logsigmoid` and autograd to rounding.

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch.
parity.table("dpo", setting.device)

# %% [markdown] name="relatives-text"
# This is *direct preference optimization*, DPO: a supervised loss of four log-probabilities. No reward model is trained, and nothing is sampled while it trains. We call $h = (c - c_0) - (d - d_0)$ the lead of the chosen answer, so $z = \beta h$. Here is what its relatives change:
#
# | loss | what is different | why |
# |---|---|---|
# | IPO | a squared error: the lead is to be $1/(2\beta)$, and no more | DPO's slope never reaches 0, so a lead grows without end |
# | KTO | one answer at a time, good or bad | thumbs up and down come without a pair |
# | CPO | no reference, plus the cross-entropy of the chosen answer | saves the second model |
# | ORPO | no reference, odds in place of probabilities, plus cross-entropy | fine-tuning and preferences in one run |
# | SimPO | no reference, the mean over the tokens in place of the sum, a margin | length no longer counts |

# %% tags=["fold"] name="shape-picture"
# Value and slope over the lead, each in units of its start.
lead = np.linspace(-20, 40, 241)
none = 0 * lead
plus = np.ones(len(lead), dtype=int)
shapes = {"DPO": dpo(lead, none, none, none), "IPO": ipo(lead, none, none, none)}
shapes = {k: (v.value, v.grad.chosen) for k, v in shapes.items()}
single = kto(lead, none, plus, 0.0)
shapes["KTO (one good answer)"] = (single.value, single.grad)
zero = int(np.argmin(abs(lead)))
fig, (ax, slope) = plots.panels(2)
plots.draw_lines(ax, lead, {k: v / v[zero] for k, (v, _) in shapes.items()},
                 "lead of the chosen answer (nats)", "loss / loss at lead 0")
plots.draw_lines(slope, lead, {k: g / -g[zero] for k, (_, g) in shapes.items()},
                 "lead of the chosen answer (nats)", "slope / size of the slope at 0")
ax.set(ylim=(-0.1, 4))
slope.set(ylim=(-2.2, 3.4))
slope.axhline(0, color="0.5", lw=1)
ax.get_legend().remove()
slope.legend(loc="upper left")
plots.Picture(fig, "Left: losses over the lead. DPO falls to 0, IPO is a parabola with its bottom "
              "at 5, KTO is an S that falls from a plateau. Right: their slopes. DPO's and KTO's "
              "fade to 0 from below, IPO's crosses 0 at a lead of 5 nats.")

# %% [markdown] name="where-text"
# With $\beta = 0.1$, DPO and KTO go on pulling, ever more weakly. IPO pulls back once the lead passes 5 nats. KTO, which sees one answer alone (the axis is then its rise $c - c_0$), also lets go of answers that are far behind.
#
# ## Derivation: where the probability goes
#
# Look at the lead again. If both log-probabilities fall by ten nats, the lead stays as it was. **DPO, IPO and SimPO see a difference, and nothing in the loss holds the chosen answer up.** What decides is what the answers share. In a language model they share all parameters. Take the smallest such model: one number $w$, and for each answer a feature $x_i$, say its length. Answer $i$ has the logit $\log \rho_i + w\, x_i$, and $m$ is the mean of $x$ under the policy:
#
# $$m = \sum_{i=1}^{n} \pi_i\, x_i$$

# %% tags=["fold"] name="derive-share"
# How the chosen answer moves when the shared number makes one step, tied to the library.
w, m = sp.symbols("w m", real=True)
eta = sp.Symbol("eta", positive=True)
xc, xd = sp.symbols("x_c x_d", real=True)
x = sp.IndexedBase("x")
part = sp.Sum(rho[j] * sp.exp(w * x[j]), (j, 1, n))

def first(w, x, rho):  # the cross-entropy of the first answer
    hot = np.zeros_like(x)
    hot[:, 0] = 1
    return soft_cross_entropy(np.log(rho) + w[:, None] * x, hot)

def step(eta, beta, h, xc, xd, m):
    one = [np.array([v]) for v in (h, 0.0, 0.0, 0.0)]
    push = dpo(*one, float(beta)).grad
    slope = push.chosen[0] * (xc - m) + push.rejected[0] * (xd - m)
    return -eta * slope * (xc - m)

(
    derive(r"\log \pi_c", "w * x[1] + log(rho[1]) - log(Sum(rho[j] * exp(w * x[j]), (j, 1, n)))",
           "softmax of the logits, for the chosen answer",
           {"n": n, "j": j, "w": w, "m": m, "x": x, "rho": rho}, {n: (2, 3)}, simplex=[rho],
           means={m: sp.Sum(x[j] * rho[j] * sp.exp(w * x[j]), (j, 1, n)) / part},
           tex=r"w\, x_c + \log \rho_c - \log \sum_{j=1}^{n} \rho_j\, e^{w x_j}")
    .library("-soft_cross_entropy(logits, c).value", lambda w, x, rho: -first(w, x, rho).value)
    .slope(w, "x[1] - m", "the logarithm's slope is the mean of $x$: **what the answer has more "
           "than the mean**", tex="x_c - m")
    .library("-(soft_cross_entropy(logits, c).grad * x).sum()",
             lambda w, x, rho: -(first(w, x, rho).grad * x).sum(1))
)

# %% [markdown] name="derive-step-text"
# The same holds for the rejected answer, with $x_d - m$. Now one small step of gradient descent with the rate $\eta$. It changes $w$ by $-\eta$ times the slope of the loss, and $\log \pi_c$ by $x_c - m$ times that, to first order:

# %% tags=["fold"] name="derive-step"
# The change of the chosen answer's log-probability in one small step.
(
    derive(r"\Delta \log \pi_c",
           "-eta * (-beta / (1 + exp(beta * h)) * (xc - m) + beta / (1 + exp(beta * h)) * (xd - m))"
           " * (xc - m)",
           "both slopes of DPO, each through its log-probability",
           {"eta": eta, "beta": beta, "h": h, "xc": xc, "xd": xd, "m": m}, ranges={beta: (0.1, 2)})
    .equals("eta * beta / (1 + exp(beta * h)) * (xc - xd) * (xc - m)",
            "**$m$ cancels in the push and stays in its effect**")
    .library("-eta * (grad.chosen * (x_c - m) + grad.rejected * (x_d - m)) * (x_c - m)", step,
             each=True)
)

# %% [markdown] name="paths-text"
# The first bracket is a direction: the pair says "shorter". The second says where the model stands. Let $x_c < x_d$, so that the chosen answer is the shorter one. It rises while $m > x_c$. **Once the model's mean answer is shorter than the chosen one, every further step lowers the chosen one.** It loses to answers that go further in the same direction.
#
# Here it is in our small world. The only pair is A, chosen, against B. Answer C, "Return.", is in no pair, and its reward is the lowest.

# %% name="paths"
def path(push, shared, rate=0.1, steps=600):  # the policy after every step
    own, w, trail = np.zeros(3), 0.0, []
    for _ in range(steps):
        log_pi = np.log(ref) + own + w * words
        pi = np.exp(log_pi) / np.exp(log_pi).sum()
        trail.append(pi)
        logs = [np.array([np.log(v)]) for v in (*pi[:2], *ref[:2])]
        g = push(*logs)
        slope = g.chosen * ([1, 0, 0] - pi) + g.rejected * ([0, 1, 0] - pi)  # by the logits
        if shared:
            w -= rate * slope @ words
        else:
            own -= rate * slope
    return np.array(trail)

# %% tags=["fold"] name="paths-picture"
# Three paths on the triangle of the three answers.
def by_dpo(*logs):
    return dpo(*logs, beta=1.0).grad

trails = {
    "DPO, a logit for each answer": path(by_dpo, False),
    "DPO, one shared number": path(by_dpo, True),
    "CPO, one shared number": path(lambda a, b, *_: cpo(a, b, beta=1.0).grad, True),
}
ends = {label: trail[-1] for label, trail in trails.items()}
for label, trail in trails.items():
    print(f"{label}: A {trail[0, 0]:.2f}, at its highest {trail[:, 0].max():.2f}, at the end "
          f"A {trail[-1, 0]:.2f}, B {trail[-1, 1]:.2f}, C {trail[-1, 2]:.2f}")
assert ends["DPO, one shared number"][2] > 0.7 and ends["CPO, one shared number"][0] > 0.35
dots = {label: trail[np.unique(np.geomspace(1, len(trail), 22).astype(int)) - 1]
        for label, trail in trails.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(7.4, 4.2)
plots.draw_simplex(ax, ("A (chosen)", "B (rejected)", "C (in no pair)"))
plots.draw_probabilities(ax, dots)
ax.legend(loc="upper left", bbox_to_anchor=(0.72, 1), frameon=False)
corners = np.array([[0, 0], [1, 0], [0.5, 0.75**0.5]])
for text, at_, side in (("start", ref, (10, 4)),
                        ("CPO stops here", ends["CPO, one shared number"], (14, 4))):
    ax.annotate(text, at_ @ corners, side, textcoords="offset points")
plots.Picture(fig, "A triangle with a corner for each of three answers. All paths start between A "
              "and B. DPO with a logit for each answer runs to A. DPO with one shared number bends "
              "past A and runs to C. CPO follows the same curve and stops half-way.")

# %% [markdown] name="paths-reading"
# With a logit of its own for each answer, DPO does what one hopes for: A rises to 0.97. With one shared number A rises at first, then the path bends to C, the answer with the lowest reward that no pair has ever mentioned. The loss is content all the way, since A's lead over B grows. That the chosen answer's probability falls is called **likelihood displacement**. CPO's second term, the cross-entropy of A, stops the same movement near A's highest point.
#
# ## In the language model
#
# Now the thing itself: two log-probabilities, minus those of the reference, into the loss.

# %% tags=["nbval-ignore-output"] name="train"
world = room["World"](seed, steps=80, prompts=160, judged=64)  # reference, pairs, new prompts
loss_of = as_autograd(dpo)
model = copy.deepcopy(world.reference).requires_grad_(True)
adam, rng = torch.optim.Adam(model.parameters(), lr=4e-4), np.random.default_rng(seed)
for _ in range(24):
    pairs = torch.from_numpy(rng.integers(world.held, len(world.before[0]), 8))
    chosen, rejected = (world.log_p(model, [part[pairs] for part in side])  # masked sums
                        for side in (world.chosen, world.rejected))
    value = loss_of(chosen, rejected, *(part[pairs] for part in world.before)).mean()
    adam.zero_grad()
    value.backward()
    adam.step()

# %% tags=["fold", "nbval-ignore-output"] name="train-table"
# What it writes now, and the same five numbers as in the recorded runs.
ours, old = world.judge(model), world.judge(world.reference)
print(f"this run: short {old[0]:.0%} before, {ours[0]:.0%} after; KL {ours[1]:.1f} nats; chosen "
      f"{ours[2]:+.1f}, rejected {ours[3]:+.1f} nats; "
      f"tokens of a fresh answer {old[4]:.0f} before, {ours[4]:.0f} after")
assert ours[0] > old[0] + 0.15 and ours[3] < ours[2] - 2
shown = [world.sample(m, world.new[:5], seed) for m in (world.reference, model)]
trim = [[text[:60] for text in world.texts(s)] for s in shown]
pair = [world.texts([p[:5] for p in side]) for side in (world.chosen, world.rejected)]
Table(["chosen", "rejected", "new prompt: before", "new prompt: after"],
      list(zip(*pair, *trim, strict=True)), "The pairs belong to other prompts. Cut at 60 signs.")

# %% [markdown] name="where-gone-text"
# Every new answer obeys the rule. The texts were poor before; now they are scraps. If length were the one shared number, the chosen answers would rise while the model's own answers are longer, and fall once these are shorter. The recorded runs, at every rate:

# %% tags=["fold"] name="where-gone"
# Tokens of fresh answers, and the change of the chosen ones, in the recorded runs.
picked = np.array([run["chosen length"] for run in judges])
print(f"tokens of a chosen answer: {spread(picked, '.0f')}")
assert (pressed[:, 4] < 0.8 * picked).all()
rows = [["before", spread(start[:, 4], ".0f"), "0"]]
for label, k in (*(("DPO", k) for k in range(len(RATES))), ("IPO", 3)):
    found = of(label, k)
    rows.append([f"{label}, rate {RATES[k]:.0e}", spread(found[:, 4], ".0f"),
                 spread(found[:, 2], "+.1f")])
Table(["", "tokens of a fresh answer", "chosen (nats)"], rows,
      "Chosen: change of the log-probability of held-out chosen answers.")

# %% [markdown] name="trade-text"
# At DPO's lowest rate the fresh answers are still longer than the chosen ones, and the chosen ones have risen. At the other rates they are shorter, and the chosen ones have fallen. **Their probability has gone to answers that are shorter still.** Length is not all that answers share. With IPO the fresh answers have 18 tokens, more than the chosen ones, and the chosen ones lose a little all the same.
#
# A high share of short answers is not the whole result. The fair picture has two axes: what was gained, and how far the model went for it. Here are all six losses at four learning rates each, judged on fresh answers to new prompts. And the best policy? Our rule knows two rewards only. So $\pi^*$ multiplies all short answers by one factor and all others by another, and its KL is that of two probabilities. With the share $a_0$ of short answers under the reference and $a$ under the policy,
#
# $$\mathrm{KL} = a \log \frac{a}{a_0} + (1 - a) \log \frac{1 - a}{1 - a_0}$$
#
# This takes $a_0$ for the same at every prompt. Where it differs, the best policy costs more: the formula is a lower limit.

# %% tags=["fold"] name="trade-picture"
# Share of short answers over KL: six losses, four rates, and the best policy.
fig, (ax,) = plots.panels()
fig.set_size_inches(7.2, 4)
a0 = np.median(start[:, 0])
a = np.linspace(a0, 1 - 1e-9, 200)
limit = a * np.log(a / a0) + (1 - a) * np.log((1 - a) / (1 - a0))
ax.plot(limit, a, "-", color="0.2", lw=2, label="best policy")
most = {}
for label, marker in zip(LOSSES, "osD^vP", strict=True):
    middle = np.median([of(label, k) for k in range(len(RATES))], 1)
    ax.plot(middle[:, 1], middle[:, 0], marker=marker, ms=6, lw=1, ls=":", label=label)
    most[label] = middle[:, 0].max()
ax.set(xlabel="KL from the reference (nats per answer)", ylim=(0.4, 1.03),
       ylabel="share of short answers")
ax.legend(ncols=2, loc="lower right")
floor = -np.log(start[:, 0])
print(f"the best policy reaches 100 % at {spread(floor)} nats; "
      f"DPO at the rate 4e-4 pays {spread(pressed[:, 1], '.1f')} for {spread(pressed[:, 0])}")
double = of("DPO", 2)
print(f"DPO at the rate 2e-4: share {spread(double[:, 0])}, KL {spread(double[:, 1], '.1f')}, "
      f"chosen {spread(double[:, 2], '+.1f')} nats")
print(f"rate 4e-4 pays {spread(pressed[:, 1] / floor, '.0f')} times as much as the best policy")
print("highest median share at any rate:", ", ".join(f"{k} {v:.2f}" for k, v in most.items()))
assert (pressed[:, 1] > 3 * floor).all()
plots.Picture(fig, "Share of short answers over KL. The curve of the best policy reaches 1 below "
              "one nat. All points of the six losses lie to its right; those that reach nearly 1 "
              "lie at several nats.")

# %% tags=["fold"] name="trade-table"
# Each loss at its best rate, chosen by two other runs: share minus 0.1 per nat.
def score(found):
    return found[..., 0] - 0.1 * found[..., 1]

def table(value, caption):  # each loss at the rate with the highest value
    rows = []
    for label in LOSSES:
        k = int(np.argmax([value(label, k) for k in range(len(RATES))]))
        found = of(label, k)
        rows.append([label, f"{RATES[k]:.0e}", *(spread(found[:, v]) for v in (0, 1)),
                     spread(found[:, 2], "+.1f")])
    return Table(["loss", "rate", "share of short answers", "KL (nats)", "chosen (nats)"], rows,
                 caption)

table(lambda label, k: score(of(label, k, runs=tried)).mean(),
      "Best rate: the highest share minus 0.1 per nat of KL, in the two other runs.")

# %% tags=["fold"] name="price-table"
# Each loss at the rate whose KL is nearest to 4 nats.
table(lambda label, k: -abs(np.median(of(label, k)[:, 1]) - 4),
      "The same at a like price: the rate at which the KL is nearest to 4 nats.")

# %% tags=["fold"] name="trade-record"
# What recorded these runs.
record

# %% [markdown] name="trade-reading"
# The best policy would reach 100 per cent for 0.7 nats. DPO, KTO and SimPO reach it for 3.5 to 4.1 nats. At the highest rate DPO pays eleven times the minimum. IPO, CPO and ORPO get no further than 77, 84 and 87 per cent at any of the four rates.
#
# At its best rate every loss moves the chosen answers by half a nat or less (first table). At a price near four nats, DPO, KTO and SimPO have lowered them by 6, 5 and 3 nats (second table). CPO and ORPO, which raise the chosen answer itself, have lowered them by 2, and fewer of their answers are short. IPO, whose lead is to stop at 5 nats, does not go that far.
#
# **Likelihood displacement grows with pressing, and in the end it buys nothing.** From the rate 0.0002 to 0.0004, DPO's share of short answers stays at 100 per cent. The KL doubles, and the chosen answers fall from -6 to -36 nats.
#
# ## What breaks
#
# SimPO drops the reference and takes the mean log-probability per token. Its lead is the plain difference of the two means. Somebody has sums at hand, from DPO, and puts these in. Nothing complains. Look at the lead that the loss sees *before the first step*:

# %% tags=["fold", "nbval-ignore-output"] name="breaks-picture"
# The lead of the chosen answer before any training: with sums, and with means per token.
with torch.no_grad():
    means = [world.log_p(world.reference, side, mean=True)
             for side in (world.chosen, world.rejected)]
sums = (world.before[0] - world.before[1]).numpy()
per_token = (means[0] - means[1]).numpy()
lengths = [(side[2] - side[1]).float() for side in (world.chosen, world.rejected)]
tie = np.corrcoef(sums, (lengths[1] - lengths[0]).numpy())[0, 1]
longer = (lengths[1] - lengths[0]).numpy()
weight = -simpo(sums, 0 * sums).grad.chosen  # SimPO's pull on each pair
few = sums < 1
print(f"chosen answers that lead before the training: sums {(sums > 0).mean():.0%}, "
      f"means {(per_token > 0).mean():.0%}")
print(f"with sums, {weight[few].sum() / weight.sum():.0%} of the pull comes from the "
      f"{few.mean():.0%} of the pairs with a lead below 1 nat")
gone, right = of("SimPO, sums", 1), of("SimPO", 2)
print(f"share of short answers: {spread(start[:, 0])} before; after training at the rate 2e-4 "
      f"with means {spread(right[:, 0])},\nwith sums {spread(gone[:, 0])}")
assert (sums > 0).mean() > 0.65 and (right[:, 0] > gone[:, 0] + 0.1).all()
fig, (ax,) = plots.panels()
ax.axhline(0, color="0.5", lw=1)
ax.plot(longer, sums, "o", ms=5, label="sums (nats)")
ax.plot(longer, per_token, "^", ms=5, label="means (nats per token)")
ax.set(xlabel="how much longer the rejected answer is (tokens)",
       ylabel="lead of the chosen answer before the training")
ax.legend(loc="upper left")
plots.Picture(fig, "Points, one per pair, of the lead over the difference of the lengths. With "
              "sums the lead grows with the difference, up to many nats. With means per token "
              "all leads lie next to 0.")

# %% [markdown] name="exercises"
# With sums, nearly all chosen answers lead before the first step. They are shorter, and a sum over fewer tokens is higher. So the loss sees its work as done on most pairs, and nearly all of its pull comes from the few that remain. With sums the share of short answers ends near where it began, with means at 100 per cent. Nothing else differs between the two.
#
# **The signature: nearly all pairs are won before the first step, and fresh answers do not follow.** The cure for SimPO: means per token.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. When does DPO let go? (4 minutes, easy)
# DPO's pull on the chosen answer is strongest at the start, where the policy is the reference, and fades as the lead $h$ grows. Return the lead, in nats, at which the pull is `share` of that at the start.

# %% name="exercise-lead"
def lead_at(share, beta):
    ### BEGIN SOLUTION
    return np.log(2 / share - 1) / beta
    ### END SOLUTION

# %% name="check-lead"
check("lead_at")

# %% [markdown] name="exercise-dpo-text"
# <details><summary>Hint 1</summary>At the start the lead is 0. What is the slope there? And 1 + exp(z) at the lead you look for?</details>
# <details><summary>Hint 2</summary>1 / (1 + exp(beta h)) = share / 2. Solve for h.</details>
# <details><summary>What it means (after solving)</summary>With beta = 0.1 the pull halves after 11 nats and is down to a hundredth after 53. A small beta lets DPO go far.</details>
#
# ### 2. The thing itself (8 minutes, medium)
# `policy` and `ref` hold the log-probabilities of tokens, each a pair (chosen, rejected) of arrays `(N, T)`. `masks` is a pair as well: 1 on the tokens of the answer, 0 on prompt and padding. Return the mean DPO loss of the `N` pairs.

# %% name="exercise-dpo"
def preference_loss(policy, ref, masks, beta):
    ### BEGIN SOLUTION
    chosen = ((policy[0] - ref[0]) * masks[0]).sum(1)
    rejected = ((policy[1] - ref[1]) * masks[1]).sum(1)
    return np.log1p(np.exp(-beta * (chosen - rejected))).mean()
    ### END SOLUTION

# %% name="check-dpo"
check("preference_loss")

# %% [markdown] name="exercise-falls-text"
# <details><summary>Hint 1</summary>The log-probability of an answer is a sum over its own tokens: the mask first, then the sum over T.</details>
# <details><summary>Hint 2</summary>log1p(exp(-z)) with z = beta (chosen - rejected), each of them minus the reference. The mean comes last.</details>
#
# ### 3. Which pairs would you leave out? (6 minutes, medium)
# Real answers share many numbers, not one. Answer $i$ has the features `X[i]`, shape `(d,)`, and the logit `X[i] @ w`; `p` holds the probabilities of all `n` answers. `chosen` and `rejected` hold the numbers of the answers of each pair. Each pair alone makes one small DPO step on `w`. Return, as an array of True and False, which pairs lower their own chosen answer.

# %% name="exercise-falls"
def falls(X, p, chosen, rejected):
    ### BEGIN SOLUTION
    push = X[chosen] - X[rejected]
    effect = X[chosen] - p @ X
    return (push * effect).sum(1) < 0
    ### END SOLUTION

# %% name="check-falls"
check("falls")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>The last line of the derivation, with vectors: what becomes of the product of the two brackets?</details>
# <details><summary>Hint 2</summary>A sum over the features. The mean is p @ X, of shape (d,).</details>
# <details><summary>What it means (after solving)</summary>Razin and others measure almost this on the last hidden states of a language model, and leave out the pairs that score worst.</details>
#
# ## Takeaways
#
# - DPO is the loss of Bradley and Terry, with the reward that the policy itself implies. The sum $Z$ cancels, since both answers share a prompt.
# - A pair teaches a direction and not a place. Print the log-probability of the chosen answers and the KL beside the loss.
# - Do not press a preference loss until every answer obeys. The step from nine tenths to all short answers cost DPO three nats more, where the best policy needs 0.7 for the whole way.
#
# ## Does it hold?
#
# **Other rates.** The mean of share minus 0.1 per nat of KL. Two runs chose the rate, the others are shown in the table above; only the rate was tuned, and the strength $\beta$ (or weight, or margin) is the library's default. So this is no ranking of the losses.

# %% tags=["fold"] name="control-rates"
# The score of each loss at each rate, in the two runs that chose and in those that judge.
rows = [[label, *(f"{score(of(label, k, runs=tried)).mean():.2f}, {score(of(label, k)).mean():.2f}"
                  for k in range(len(RATES)))] for label in LOSSES]
Table(["chose, judged", *(f"rate {r:.0e}" for r in RATES)], rows)

# %% [markdown] name="control-rule-text"
# The best rate, 0.0001, is the same for all six, in both groups of runs, and lies inside the grid.
#
# **Another rule.** The same drawn answers, paired anew by a judge who wants a full stop at the end. DPO, 32 steps:

# %% tags=["fold", "nbval-ignore-output"] name="control-rule"
# DPO with another rule: share of fresh answers that obey, KL, and the change of the chosen.
rows = []
for label, k in (("reference", 0), ("rate 1e-04", 1), ("rate 4e-04", 2)):
    found = of("full stop", k)
    rows.append([label, *(spread(found[:, v]) for v in (0, 1)), spread(found[:, 2], "+.1f"),
                 spread(found[:, 4], ".0f")])
assert of("full stop", 2)[:, 2].max() < 0
other = copy.copy(world)
other.rule = room["full_stop"]
other.compare(other.rule)
lengths = [float((side[2] - side[1]).float().mean()) for side in (other.chosen, other.rejected)]
print(f"tokens in the pairs of the live run: chosen {lengths[0]:.0f}, rejected {lengths[1]:.0f}")
Table(["", "share with a full stop", "KL (nats)", "chosen (nats)", "tokens of a fresh answer"],
      rows)

# %% [markdown] name="control-noise-text"
# The pressed model lowers its chosen answers here too. Its answers have become shorter, which the judge never asked for. But the chosen answers are the shorter ones again: an answer cut off after 32 tokens has no full stop. The pairs teach the rule and what comes with it.
#
# **Wrong labels.** Let a share $e$ of the pairs be flipped. Which lead has the lowest mean loss, for a pair whose right order is clear? Three losses with $\beta = 0.1$: DPO; cDPO, which is told $e$ as `label_smoothing`; robust DPO, told $e$ as `noise`.

# %% tags=["fold"] name="control-noise"
# The lead at which the mean slope over right and flipped labels is 0.
grid = np.linspace(0, 100, 100_001)
flat = 0 * grid
rows = []
for e in (0.0, 0.1, 0.2, 0.3):
    row = [f"{e:.0%}"]
    for rule, extra in ((dpo, {}), (dpo, {"label_smoothing": e}), (robust_dpo, {"noise": e})):
        right_, wrong = (rule(*pair, flat, flat, **extra).grad
                         for pair in ((grid, flat), (flat, grid)))
        pull = (1 - e) * right_.chosen + e * wrong.rejected  # the mean slope by the lead
        row.append("none: grows for ever" if pull[-1] < 0 else f"{grid[np.argmax(pull >= 0)]:.1f}")
    rows.append(row)
Table(["flipped", "DPO: lead (nats)", "cDPO", "robust DPO"], rows)

# %% [markdown] name="sources"
# With DPO, wrong labels stop the lead by themselves: at $\log((1 - e)/e)/\beta$. cDPO counts them once more and stops earlier. Robust DPO takes their mean effect out again, so its lead grows without end, like that of DPO with true labels.
#
# ## Sources
#
# - R. A. Bradley and M. E. Terry, 1952: *Rank analysis of incomplete block designs: I. The method of paired comparisons*, Biometrika 39.
# - R. Rafailov, A. Sharma, E. Mitchell, S. Ermon, C. D. Manning and C. Finn, 2023: *Direct preference optimization: your language model is secretly a reward model*, arXiv 2305.18290.
# - N. Razin, S. Malladi, A. Bhaskar, D. Chen, S. Arora and B. Hanin, 2024: *Unintentional unalignment: likelihood displacement in direct preference optimization*, arXiv 2410.08847 (why the chosen answer falls, and which pairs do it).
# - The relatives: K. Ethayarajh, W. Xu, N. Muennighoff, D. Jurafsky and D. Kiela, 2024: *KTO: model alignment as prospect theoretic optimization*, arXiv 2402.01306. Y. Meng, M. Xia and D. Chen, 2024: *SimPO: simple preference optimization with a reference-free reward*, arXiv 2405.14734. J. Hong, N. Lee and J. Thorne, 2024: *ORPO: monolithic preference optimization without reference model*, arXiv 2403.07691. H. Xu and others, 2024: *Contrastive preference optimization: pushing the boundaries of LLM performance in machine translation*, arXiv 2401.08417 (CPO).
# - M. G. Azar and others, 2023: *A general theoretical paradigm to understand learning from human preferences*, arXiv 2310.12036 (IPO). S. R. Chowdhury, A. Kini and N. Natarajan, 2024: *Provably robust DPO: aligning language models with noisy feedback*, arXiv 2403.00409.
