# ---
# jupyter:
#   lesson:
#     title: "Clipped ratios"
#     question: "The clip stops at a ratio of 1.2. Afterwards half of the ratios are above it, and one is beyond 2. Who broke the rule?"
#     minutes: 45
#     needs: [07_preference_tuning, 08_reward_tuning, 03_algorithms/02_cross_entropy, 03_algorithms/04_adam, 03_algorithms/09_divergences]
#     settles: []
#     studies: [losses.ppo_clip, losses.gspo, losses.cispo, losses.kl_penalty]
#     terms: [ratio, importance sampling, clip width, clip-higher, length bias]
# ---

# %% [markdown] name="title"
# # Clipped ratios
#
# **Goal.** Take several steps on the same answers, and know which of their tokens still push and which do not.
#
# **The question.** [Tuning by reward](08_reward_tuning.ipynb) used every answer for one step. Answers are dear, so we now use each of them 64 times. PPO, the usual method, has a clip: it stops at 1.2 times the old probability. After the 64 steps half of the tokens that were pushed up are above 1.2. One is beyond 2. Who broke the rule?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports, and the recorded runs.
import itertools
from types import SimpleNamespace

import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, parity, plots, records
from lessons_lib.derive import derive
from lessons_lib.losses import cispo, group_advantage, gspo, kl_penalty, ppo_clip
from lessons_lib.show import Table, show

setting = bridge.start(device, seed, profile)
check = exercises.of("06_applications/09_clipped_ratios")
record = records.of("06_applications/09_clipped_ratios")
rates = [2.0**k for k in range(-1, 9)]
adam_rates = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]

def course(name, seeds=range(5)):  # (seeds, rates, batches)
    return np.array([record.runs[s][name] for s in seeds])

def best(name):  # the rate that seeds 5 to 9 choose; seeds 0 to 4 judge
    k = int(np.argmax(course(name, range(5, 10))[:, :, -1].mean(0)))
    return k, course(name)[:, k]

def spread(values, form=".2f"):  # median (lowest to highest) over the seeds
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

# %% tags=["fold"] name="world"
# Pictures of digits, a linear model, and answers drawn from it.
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def world(seed):
    split = data.digits(seed)
    x, x_test = (np.c_[part / 8, np.ones(len(part))] for part in (split.x, split.x_test))
    return SimpleNamespace(x=x, y=split.y, x_test=x_test, y_test=split.y_test,
                           rng=np.random.default_rng(seed))

def answers(w, here):  # 16 prompts of five pictures, eight answers to each
    at = here.rng.integers(len(here.x), size=(16, 5))
    x = here.x[at]
    p = softmax(x @ w)[:, None]
    said = (here.rng.random((16, 8, 5, 1)) > p.cumsum(-1)[..., :-1]).sum(-1)
    reward = (said == here.y[at][:, None]).mean(-1)
    A = np.broadcast_to(group_advantage(reward)[..., None], said.shape)
    hot = np.eye(10)[said]
    return SimpleNamespace(x=x, hot=hot, A=A, old=np.log((p * hot).sum(-1)))

def probabilities(w, here):  # of the right digit, for every test picture
    return softmax(here.x_test @ w)[np.arange(len(here.x_test)), here.y_test]

def ppo(width):
    return lambda log_p, old, A: -ppo_clip(log_p, old, A, width, width).grad

def no_clip(log_p, old, A):
    return -ppo_clip(log_p, old, A, 1 - 1e-12, 1e12).grad

# %% tags=["fold"] name="use"
# Several steps on the same answers: `push` gives the slope of the objective by each log p.
def use(w, batch, push, uses, rate):
    ratios = []
    for _ in range(uses):
        p = softmax(batch.x @ w)[:, None]                # (16, 1, 5, 10)
        log_p = np.log((p * batch.hot).sum(-1))          # of the drawn tokens (16, 8, 5)
        c = push(log_p, batch.old, batch.A)              # slope by each log p
        by_logit = c[..., None] * (batch.hot - p) / c.size
        w = w + rate * np.einsum("ngtk,ntx->xk", by_logit, batch.x)
        p = softmax(batch.x @ w)[:, None]
        ratios.append(np.exp(np.log((p * batch.hot).sum(-1)) - batch.old))
    return w, np.array(ratios)

# %% tags=["fold", "nbval-ignore-output"] name="question-picture"
# Four batches to warm up, then 64 uses of the fifth.
def warm(seed):
    here = world(seed)
    w = np.zeros((65, 10))
    for _ in range(4):
        w, _ = use(w, answers(w, here), ppo(0.2), 16, 16)
    return w, answers(w, here), here

w0, batch, here = warm(seed)
w1, ratios = use(w0, batch, ppo(0.2), 64, 8)
up, last = batch.A > 0, ratios[-1]
above = (last[up] > 1.2).mean()
print(f"{up.sum()} tokens of answers better than their group's mean: {above:.0%} "
      f"have a ratio above 1.2, the largest is {last[up].max():.2f}")
assert above > 0.25 and last[up].max() > 1.25
fig, (ax,) = plots.panels()
was = np.exp(batch.old)
for here_, mark, colour, label in ((up, "o", "C0", "answer better than the mean"),
                                   (~up, "^", "C1", "not better")):
    ax.plot(was[here_], (was * last)[here_], mark, ms=4, color=colour, alpha=0.6, label=label)
ends = np.array([0.008, 1])
for factor, style in ((1.2, "-"), (0.8, "--")):
    ax.plot(ends, factor * ends, style, color="0.2", lw=1.2, label=f"{factor} times the old")
ax.set(xscale="log", yscale="log", xlabel="probability when the token was drawn",
       ylabel="probability after 64 steps", xlim=ends, ylim=(0.004, 1.1))
ax.legend(loc="upper left", fontsize=8)
plots.Picture(fig, "Points along the diagonal on logarithmic axes, old probability against new. "
              "Circles lie mostly around and above the upper line, 1.2 times the old probability; "
              "triangles mostly around and below the lower line, 0.8 times.")

# %% [markdown] name="question-reading"
# Each mark is one token of an answer. Many circles lie above the solid line, where the clip stops, and many triangles below the dashed one.
#
# ## The world
#
# A prompt is a row of five small pictures of handwritten digits (UCI, by way of scikit-learn, CC BY 4.0). An answer is five digits, each a *token*. The reward is the share of digits that are right, one number for the whole answer. Eight answers to a prompt are a group, and every token gets the advantage $A$ of its answer. A batch has 16 prompts. The model is linear: its logits are weights times pixels. So we know exactly what it is worth: its *expected reward* is the mean probability of the right digit, over test pictures.
#
# ## Formula
#
# The answers were drawn when a token had the probability $q$. After a step it has the probability $p$. The **ratio** of a token is the new probability over the old one, $\rho = p / q$. The objective of a token in PPO, proximal policy optimization, shall *rise*:
#
# $$L = \min\big( \rho A,\ \operatorname{clip}(\rho,\ 1 - l,\ 1 + h)\, A \big)$$
#
# The clip holds $\rho$ between $1 - l$ and $1 + h$. The **clip width** is $l$ below and $h$ above, here 0.2 for both. Where does this come from?
#
# ## Derivation: old answers, new model
#
# We want the mean of $A$ over answers of the *new* model, and have answers of the *old* one. One choice among $C$ answers, with logits $z$:

# %% tags=["fold"] name="derive-importance"
# Importance sampling and its slope, tied to the library's PPO with bounds that never bind.
C, i, k, t, T = sp.symbols("C i k t T", integer=True, positive=True)
z, p, q, a = (sp.IndexedBase(n) for n in ("z", "p", "q", "A"))
soft = sp.exp(z[i]) / sp.Sum(sp.exp(z[k]), (k, 1, C))

def mean_slope(z, q, grads):  # over answers drawn with q: minus the loss's slope by each logit
    p = softmax(z)
    slopes = np.eye(z.shape[1]) - p[:, None]
    return -((q * grads)[..., None] * slopes).sum(1)

def pulled(z, q, A):
    return mean_slope(z, q, ppo_clip(np.log(softmax(z)), np.log(q), A, 1 - 1e-12, 1e12).grad)

(
    derive("J", "Sum(p[i] * A[i], (i, 1, C))", "the mean over the new model's answers",
           {"C": C, "i": i, "k": k, "z": z, "p": p, "q": q, "A": a}, {C: (2, 3)}, simplex=[q],
           means={p[i]: soft})
    .equals("Sum(q[i] * (p[i] / q[i]) * A[i], (i, 1, C))",
            "multiply and divide by $q_i$: **a mean over old answers, each weighed by its ratio**")
    .slope(z[k], "p[k] * (A[k] - Sum(p[i] * A[i], (i, 1, C)))",
           "as in the last lesson: up if better than the mean")
    .equals("Sum(q[i] * (p[i] / q[i]) * A[i] * (KroneckerDelta(i, k) - p[k]), (i, 1, C))",
            "as a mean over old answers: $\\rho A$ times the slope of $\\log p$",
            tex=r"\sum_{i=1}^{C} q_i\, \frac{p_i}{q_i}\, A_i \left( [i = k] - p_k \right)")
    .library("-mean(ppo_clip(log_p, log_q, A, no bounds).grad * slope of log_p)", pulled)
)

# %% [markdown] name="importance-reading"
# To weigh old draws by the ratio, so that they stand for new ones, is called **importance sampling**. On average it is exact. So why clip? Because of the spread. An answer of $T$ tokens has the product of their ratios. Suppose all tokens have the same $p$ and $q$:

# %% tags=["fold"] name="derive-spread"
# The mean square of an answer's ratio, tied to GSPO's geometric mean over every possible answer.
def square_of_all(p, q, T):
    said = np.array(list(itertools.product(range(len(p)), repeat=int(T))))
    new, old = np.log(p)[said], np.log(q)[said]
    s = -gspo(new, old, np.ones(len(said)), np.ones(said.shape), 0.0, 1e12).value
    return (np.exp(old.sum(1)) * s ** (2 * T)).sum()

(
    derive(r"\overline{\rho^2}", "Sum(q[i] * (p[i] / q[i])**2, (i, 1, C))**T",
           "the mean square of a product of $T$ independent ratios is the product of theirs",
           {"C": C, "i": i, "T": T, "p": p, "q": q}, {C: (2, 3)}, simplex=[p, q],
           ranges={T: (1, 4)})
    .equals("(1 + Sum(q[i] * (p[i] / q[i] - 1)**2, (i, 1, C)))**T",
            "the mean of $\\rho$ is 1, so its mean square is 1 and its variance: "
            "**the spread grows exponentially with the length**")
    .library("mean of (-gspo(log_p, log_q, 1, mask, no bounds).value) ** (2 T)", square_of_all,
             "over all answers; `gspo` gives the $T$-th root of an answer's ratio", each=True)
)

# %% tags=["fold"] name="spread-table"
# The spread of an answer's ratio for tokens with a spread of 0.1.
Table(["tokens in the answer", "standard deviation of its ratio"],
      [[str(n), f"{np.sqrt(1.01**n - 1):.3g}"] for n in (1, 5, 100, 1000)],
      "Each token's ratio has the mean 1 and the standard deviation 0.1.")

# %% [markdown] name="spread-reading"
# A thousand tokens that each hardly changed give a weight whose spread is a hundred times its mean. A few answers decide everything. PPO for language models therefore takes each token's own ratio and ignores the rest of the answer. That is no longer exact, and far quieter. And it adds the clip.
#
# ## Derivation: what the clip does
#
# Write $u = \log \rho$. In $u$ the slope is the slope by $\log p$, and $\rho$ itself has the slope $\rho$.

# %% tags=["fold"] name="derive-clip"
# The two branches of the clip and the slope, tied to the library's PPO.
rho, u, A, l, h = sp.symbols("rho u A l h", real=True)
names = {"rho": rho, "u": u, "A": A, "l": l, "h": h}

def clipped(u, A, l, h):  # point by point: the bounds are plain numbers
    return ppo_clip(np.array([u]), np.zeros(1), np.array([A]), float(l), float(h))

(
    derive("L", "Min(rho * A, Max(1 - l, Min(rho, 1 + h)) * A)",
           "the smaller one of the product and the clipped product", names,
           ranges={l: (0, 1), h: (0, 1)}, means={rho: sp.exp(u)},
           tex=r"\min\big( \rho A,\ \operatorname{clip}(\rho,\ 1 - l,\ 1 + h)\, A \big)")
    .equals("Piecewise((A * Min(rho, 1 + h), A > 0), (A * Max(rho, 1 - l), True))",
            "for $A > 0$ the smaller factor wins, for $A \\le 0$ the larger one: "
            "**one bound for each sign**",
            tex=r"\begin{cases} A \min(\rho,\ 1 + h) & A > 0 \\ "
            r"A \max(\rho,\ 1 - l) & A \le 0 \end{cases}")
    .library("-ppo_clip(u, 0, A, l, h).value", lambda u, A, l, h: -clipped(u, A, l, h).value[0],
             each=True)
    .slope(u, "Piecewise((0, (A > 0) & (rho > 1 + h)), (0, (A <= 0) & (rho < 1 - l)), "
           "(rho * A, True))", "a constant has no slope: **the token no longer pushes**",
           tex=r"\begin{cases} 0 & A > 0,\ \rho > 1 + h \\ 0 & A \le 0,\ \rho < 1 - l \\ "
           r"\rho A & \text{else} \end{cases}")
    .library("-ppo_clip(u, 0, A, l, h).grad", lambda u, A, l, h: -clipped(u, A, l, h).grad[0],
             each=True)
)

# %% tags=["fold"] name="shape-picture"
# PPO's loss and its slope by log p, for both signs of the advantage.
r = np.linspace(0.4, 1.8, 281)
shapes = {}
for sign in (1.0, -1.0):
    value, slope = ppo_clip(np.log(r), 0 * r, sign + 0 * r)
    shapes[f"A = {sign:+.0f}"] = (value, np.where(np.abs(np.diff(slope, append=slope[-1])) > 0.5,
                                                  np.nan, slope))
plots.shape(r, shapes, "ratio",
            "Left the loss over the ratio. For A = +1 it falls until 1.2 and is "
            "flat beyond. For A = -1 it is flat below 0.8 and rises without end above. Right the "
            "slope: it jumps to zero at 1.2 and below 0.8.")

# %% [markdown] name="shape-reading"
# The loss is $-L$. Read the flat parts. A good token has no slope above 1.2, a bad one none below 0.8. On the other side there is no bound: a good token that has *fallen* to 0.5 is pulled back, and a bad one at 1.8 is pushed down hard. $L$ is the smaller of $\rho A$ and something else. So the clip is pessimistic: it can take away a gain, never a loss.
#
# Now the answer to our question. **The clip forbids no ratio. It only takes away the push of that token.** Whoever else moves the token may go on. To see who it is, we cut the connections one by one. Own logits for each picture: other pictures can no longer move the token, the eight answers to this picture still can. Own logits for each token: nobody else can. Each token's own push stays as it was.

# %% tags=["fold", "nbval-ignore-output"] name="who"
# The same 64 uses with fewer and fewer connections, five seeds.
def apart(w, batch, shared, uses=64, rate=8):
    z = np.broadcast_to((batch.x @ w)[:, None], batch.hot.shape).copy()
    size = (batch.x**2).sum(-1)[:, None, :, None]
    for _ in range(uses):
        p = softmax(z)
        c = ppo(0.2)(np.log((p * batch.hot).sum(-1)), batch.old, batch.A)
        g = c[..., None] * (batch.hot - p) / c.size
        z = z + rate * size * (g.sum(1, keepdims=True) if shared else g)
    return np.exp(np.log((softmax(z) * batch.hot).sum(-1)) - batch.old)

found = {"shared weights (the model)": [], "own logits for each picture": [],
         "own logits for each token": []}
for s in range(seed, seed + 5):
    w, b, _ = warm(s)
    for name, r_end in zip(found, (use(w, b, ppo(0.2), 64, 8)[1][-1], apart(w, b, True),
                                   apart(w, b, False)), strict=True):
        r_up = r_end[b.A > 0]
        found[name].append([(r_up > 1.2).mean(), (r_up > 1.3).mean(), (r_up < 1).mean()])
found = {name: np.array(rows) for name, rows in found.items()}
alone = found["own logits for each token"]
assert alone[:, 1].max() < 0.05 < found["shared weights (the model)"][:, 1].min() * 0.7
Table(["tokens of answers better than the mean", "ratio above 1.2", "above 1.3", "below 1"],
      [[name, *(spread(rows[:, j], ".0%") for j in range(3))] for name, rows in found.items()],
      "After 64 uses, five seeds: median (lowest to highest).")

# %% [markdown] name="who-reading"
# Alone, most tokens climb to 1.2 and stop there, past it by part of one step, since their push ends. Hardly one reaches 1.3. With connections, tokens are carried far past the bound, and some even below 1. So the ratios far beyond the bound are the work of *other tokens*, on the same picture and on others. The steps are plain gradient steps, so it is not momentum.
#
# ## Play
#
# The slider is the clip width. On the left the objective that the tokens climb, on the right the ratios after 64 uses of this one batch. At which width does this batch gain the most expected reward? And up to which width do the tokens crowd at the bounds?

# %% tags=["fold", "nbval-ignore-output"] name="play-picture"
# The objective and the ratios for each clip width.
widths = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75,
          0.8, 0.85, 0.9, 0.95]
after = {width: use(w0, batch, ppo(width), 64, 8) for width in widths}
worth = {width: probabilities(w, here).mean() for width, (w, _) in after.items()}
start_worth = probabilities(w0, here).mean()
free, _ = use(w0, batch, no_clip, 64, 8)
free_worth = probabilities(free, here).mean()
print(f"expected reward after this batch without a clip: {free_worth:.2f}")
assert free_worth - start_worth > worth[0.2] - start_worth > worth[0.02] - start_worth
fig, (left, right) = plots.panels(2)
left.plot([], [], color="C0", label="A = +1")
left.plot([], [], color="C1", ls="--", label="A = -1")
left.legend(loc="lower left")
left.set(xlim=(0, 2.4), ylim=(-2.4, 2.2), xlabel="ratio", ylabel="objective L of a token")
edges = np.linspace(0, 3, 61)
right.plot([], [], color="C0", label="better than the mean")
right.plot([], [], color="C1", ls="--", label="not better")
right.legend(loc="upper right", fontsize=8)
right.set(xlim=(0, 3), ylim=(0, 0.62), xlabel="ratio after 64 uses", ylabel="share of the tokens")
grid_r = np.linspace(0.02, 2.4, 239)

def width_frame(left, right, width):
    for sign, colour, style in ((1.0, "C0", "-"), (-1.0, "C1", "--")):
        value = -ppo_clip(np.log(grid_r), 0 * grid_r, sign + 0 * grid_r, width, width).value
        left.plot(grid_r, value, style, color=colour, lw=2)
        left.plot([1 + sign * width] * 2, [-2.4, 2.2], ":", color=colour, lw=1)
        ends = after[width][1][-1][up if sign > 0 else ~up]
        counts = np.histogram(np.clip(ends, 0, 2.99), edges)[0] / len(ends)
        right.stairs(counts, edges, color=colour, lw=2, ls=style)
        right.plot([1 + sign * width] * 2, [0, 0.62], ":", color=colour, lw=1)
    return (f"Clip width {width:g}: {(after[width][1][-1][up] > 1 + width).mean():.0%} of the good "
            f"tokens end above the bound. Expected reward {start_worth:.2f} before the batch, "
            f"{worth[width]:.2f} after it.")

plots.moving(
    fig, "clip width", widths, width_frame, start=0.2,
    alt="Left two broken lines over the ratio, rising for A = +1 up to the bound and falling for "
    "A = -1 from the other bound. Right two histograms of ratios, one around each bound.",
)

# %% [markdown] name="play-reading"
# Wide clips gain the most from *this* batch, and no clip gains more than the usual width of 0.2 (the line above the picture). Then what is the clip good for? One batch is not a training: twenty follow one another.
#
# ## The race
#
# A training draws fresh answers, uses them many times, and draws again:

# %% name="loop"
def trained(push, rate, seed, uses=16, batches=20):
    here, w = world(seed), np.zeros((65, 10))
    for _ in range(batches):
        batch = answers(w, here)                # fresh answers and their log q
        w, _ = use(w, batch, push, uses, rate)  # many steps on the same ones
    return probabilities(w, here)               # of the right digit, test pictures

# %% [markdown] name="race-text"
# Every batch is used 1, 4, 16 or 64 times. Plain gradient steps; ten rates each, from 0.5 to 256 in factors of two. Five seeds choose the rate, five others judge.

# %% tags=["fold"] name="race-table"
# The expected reward after 20 batches at each method's best rate, recorded.
methods = {"no clip": "ratio, no clip", "PPO": "ratio, clipped at 0.2 (PPO)",
           "GSPO": "one ratio per answer, clipped at 0.2 (GSPO)",
           "CISPO": "ratio as weight, at most 5 (CISPO)"}
table = []
for name, label in methods.items():
    cells = []
    for n in (1, 4, 16, 64):
        place, curve = best(f"{name}, {n}")
        assert 0 < place < len(rates) - 1  # inside the grid
        cells.append(f"{spread(curve[:, -1])}; rate {rates[place]:g}")
    table.append([label, *cells])
for n in (16, 64):
    missing = [1 - np.median(best(f"{name}, {n}")[1][:, -1]) for name in ("PPO", "no clip")]
    assert missing[0] < 0.7 * missing[1]
Table(["", *(f"{n} use{'s' * (n > 1)}" for n in (1, 4, 16, 64))], table,
      "Expected reward: median (lowest to highest) of five seeds.")

# %% tags=["fold"] name="race-picture"
# The courses over 20 batches, 64 uses.
plots.lines(
    np.arange(1, 21),
    {"no clip, 64 uses": plots.band(best("no clip, 64")[1]),
     "PPO, 64 uses": plots.band(best("PPO, 64")[1]),
     "one use": plots.band(best("PPO, 1")[1])},
    "batch (128 answers each)", "expected reward",
    "Three bands over 20 batches. With one use the reward rises slowly. With 64 uses both curves "
    "start alike; without the clip it soon bends and ends lower, with the clip it goes on rising.",
    title="Plain gradient steps, each at its best rate")

# %% tags=["fold", "nbval-ignore-output"] name="stuck"
# The right digit's probability on the test pictures after 20 batches of 16 uses.
ended = {label: np.array([trained(push, rate, s) for s in range(5)])
         for label, push, rate in (("no clip, rate 8", no_clip, 8), ("PPO, rate 8", ppo(0.2), 8),
                                   ("PPO, rate 32", ppo(0.2), 32))}
lost = {label: (part < 0.01).mean(1) for label, part in ended.items()}
for label, part in lost.items():
    print(f"{label}: {spread(part, '.0%')} of the test pictures give the right digit less than 1 %")
assert lost["no clip, rate 8"].min() > 2 * max(lost[f"PPO, rate {x}"].max() for x in (8, 32))
plots.histogram({label: part.ravel() for label, part in ended.items()},
                "probability of the right digit on a test picture",
                "Two histograms with most pictures near one. Without the clip a second tall bar "
                "stands at zero, several times that with the clip.",
                title="After 20 batches, 16 uses each, five seeds", bins=20)

# %% [markdown] name="race-reading"
# With one use, 20 batches bring 0.61. With 64 uses and PPO's clip they bring 0.87, without a clip 0.71. The first two batches go as fast without it (picture). Then the curve bends, and the histogram shows why. Without the clip the model becomes *sure* too early: on about a tenth of the test pictures the right digit has less than 1 per cent. With the clip there is hardly such a picture, at the same rate of 8 and at 32. A digit with a probability near zero is hardly ever drawn, and what is not drawn cannot be rewarded. **The clip leaves the choice open until new answers come.**
#
# With Adam in place of plain steps, at its best rate, no clip is as good as the clip. There the clip forgives a rate that is too high (table under "Does it hold?").
#
# ## Derivation: one ratio per answer, and no silent token
#
# Two later methods change the place of the clip. GSPO, group sequence policy optimization, clips one ratio per answer, $s = e^{\bar u}$, the geometric mean of its tokens' ratios. CISPO keeps the gradient of $\log p$ and clips only its weight.

# %% tags=["fold"] name="derive-gspo"
# GSPO's slope by a token's log p, tied to the library.
U = sp.IndexedBase("u")
(
    derive("s A", "A * exp(Sum(u[t], (t, 1, T)) / T)",
           "the $T$-th root of the answer's ratio, times $A$; $u_t = \\log \\rho_t$",
           {"T": T, "t": t, "k": k, "u": U, "A": A}, {T: (2, 3)})
    .library("-gspo(u, 0, A, 1, no bounds).value",
             lambda u, A: -gspo(u, 0 * u, A, np.ones(u.shape), 1 - 1e-12, 1e12).value)
    .slope(U[k], "A * exp(Sum(u[t], (t, 1, T)) / T) / T",
           "the exponent has the slope $1/T$: **the same for every token, or 0 for all of them**")
    .library("-gspo(u, 0, A, 1, no bounds).grad",
             lambda u, A: -gspo(u, 0 * u, A, np.ones(u.shape), 1 - 1e-12, 1e12).grad)
)

# %% tags=["fold"] name="derive-cispo"
# CISPO's value and slope, tied to the library.
x = sp.Symbol("x", real=True)

def weighed(rho, h, A, x):
    return cispo(np.array([x]), np.array([x - np.log(rho)]), np.array([A]), 1.0, float(h))

(
    derive(r"\hat\rho A \log p", "Min(rho, 1 + h) * A * x",
           "the clipped ratio is a fixed weight; $x$ is $\\log p$",
           {"rho": rho, "h": h, "A": A, "x": x}, ranges={rho: (0, 9), h: (0, 4)},
           tex=r"\min(\rho,\ 1 + h)\, A\, x")
    .library("-cispo(x, x - log(rho), A, 1, h).value",
             lambda rho, h, A, x: -weighed(rho, h, A, x).value[0], each=True)
    .slope(x, "Min(rho, 1 + h) * A", "the weight has no slope: **no token falls silent**",
           tex=r"\min(\rho,\ 1 + h)\, A")
    .library("-cispo(x, x - log(rho), A, 1, h).grad",
             lambda rho, h, A, x: -weighed(rho, h, A, x).grad[0], each=True)
)

# %% tags=["fold", "nbval-ignore-output"] name="matrix-picture"
# The push of every token of one group, for three methods, after 64 uses.
log_p = np.log(last) + batch.old
g = int(np.argmax(batch.A[:, :, 0].max(1)))
order = np.argsort(-batch.A[g, :, 0])
parts = (batch.A[g][order], log_p[g][order], batch.old[g][order])
A_g, new_g, old_g = parts
pushes = {"PPO": -ppo_clip(new_g, old_g, A_g).grad,
          "GSPO, times 5": -5 * gspo(new_g, old_g, A_g[:, 0], np.ones(A_g.shape), 0.2, 0.2).grad,
          "CISPO": -cispo(new_g, old_g, A_g).grad}
fig, axes = plots.panels(3)
fig.set_size_inches(9.2, 3.2)
for ax, (label, push) in zip(axes, pushes.items(), strict=True):
    plots.draw_matrix(ax, push, "token", "answer (best first)", "push", label)
    ax.set(xticks=range(5), xticklabels=range(1, 6), yticks=range(8), yticklabels=range(1, 9))
every = [-ppo_clip(log_p, batch.old, batch.A).grad, -cispo(log_p, batch.old, batch.A).grad,
         -gspo(log_p, batch.old, batch.A[..., 0], np.ones(log_p.shape), 0.2, 0.2).grad]
print("tokens without a push, whole batch: " + ", ".join(
    f"{name} {(c[batch.A != 0] == 0).mean():.0%}"
    for name, c in zip(("PPO", "CISPO", "GSPO"), every, strict=True)))
plots.Picture(fig, "Three grids of eight answers by five tokens, red where a token is pushed up "
              "and blue where down. PPO has single white cells, GSPO has whole white or whole "
              "coloured rows, CISPO has hardly a white cell.")

# %% [markdown] name="matrix-reading"
# White is no push. (GSPO's push is shared by five tokens, so it is drawn five times as strong.) PPO silences single tokens, GSPO whole answers, CISPO none. In the race GSPO is ahead of PPO at the same width, most of all with four uses; with 16 uses, each at its own best width, they are about equal. CISPO is no better than no clip from 16 uses on: its bound of 5 limits the noise, and nothing limits the way. Its authors want rare tokens, often the turning points of a long answer, to keep their gradient.
#
# DAPO goes the same way inside PPO. A token at 0.01 has no more push at 0.012, one at 0.5 goes on to 0.6: the rare token gains the least. The cure is called **clip-higher**: an upper width larger than the lower one, 0.28 and 0.2. It moves 0.012 to 0.0128. DAPO also drops groups with equal rewards, which teach nothing, and takes the [token mean](06_instruction_tuning.ipynb).
#
# ## Code

# %% name="source"
show(ppo_clip, gspo, cispo, kl_penalty)

# %% [markdown] name="parity-text"
# `product` lets a zero win over infinity. PyTorch has none of the four. The tables compare them with their formulas under autograd. One trap: exactly at the bound our slope is 0, autograd's depends on the version (PyTorch here: last line).

# %% tags=["fold-all", "nbval-ignore-output"] name="parity"
# Parity with PyTorch: PPO.
parity.table("ppo_clip", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-gspo"
# Parity with PyTorch: GSPO.
parity.table("gspo", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-cispo"
# Parity with PyTorch: CISPO.
parity.table("cispo", setting.device)

# %% tags=["fold-all", "nbval-ignore-output"] name="parity-kl"
# Parity with PyTorch: the KL penalty.
parity.table("kl_penalty", setting.device)

# %% tags=["fold", "nbval-ignore-output"] name="kink"
# The slope exactly at the bound.
at = torch.tensor(1.25, requires_grad=True)
torch.min(at, at.clamp(0.75, 1.25)).backward()
ours = 0 - ppo_clip(np.log([1.25]), np.zeros(1), np.ones(1), 0.25, 0.25).grad[0]
print(f"ratio 1.25, bound 1.25, A = 1: PyTorch {torch.__version__.split('+')[0]} gives the slope "
      f"{at.grad:g}, ppo_clip {ours:g}")

# %% [markdown] name="grpo"
# ## Derivation: the penalty of GRPO
#
# GRPO for $G$ answers of $T_i$ tokens to a prompt is now one line:
#
# $$\frac{1}{G} \sum_{i=1}^{G} \frac{1}{T_i} \sum_{t=1}^{T_i} \Big( L_{it} - \beta\, \big( e^{d_{it}} - d_{it} - 1 \big) \Big), \qquad A_i = \frac{r_i - \bar r}{\sigma + \varepsilon}$$
#
# $L_{it}$ is the objective above, $d = \log q - \log p$ with $q$ now the probability under a fixed *reference* model. The penalty is called k3 (Schulman). Two things about it can be computed:

# %% tags=["fold"] name="derive-k3"
# The mean of k3 is the KL divergence, tied to the library.
(
    derive("K", "Sum(p[i] * (q[i] / p[i] - log(q[i] / p[i]) - 1), (i, 1, C))",
           "the mean of $e^d - d - 1$ over the model's own answers",
           {"C": C, "i": i, "p": p, "q": q}, {C: (2, 3)}, simplex=[p, q])
    .library("mean(kl_penalty(log_p, log_q).value)",
             lambda p, q: (p * kl_penalty(np.log(p), np.log(q)).value).sum(1))
    .equals("Sum(p[i] * log(p[i] / q[i]), (i, 1, C))",
            "the $q_i$ and the $p_i$ sum to 1: **the KL of the model from the reference**")
    .at_least("0", "each term $e^d - d - 1$ is at least 0, as $e^d$ lies above its tangent $1 + d$")
)

# %% tags=["fold"] name="derive-k3-slope"
# The mean slope of k3 is that of another divergence, tied to the library.
(
    derive("H", "-Sum(q[i] * log(p[i]), (i, 1, C))", "the cross-entropy with $q$ as the label",
           {"C": C, "i": i, "k": k, "z": z, "p": p, "q": q}, {C: (2, 3)}, simplex=[q],
           means={p[i]: soft})
    .equals("Sum(q[i] * log(q[i] / p[i]), (i, 1, C)) - Sum(q[i] * log(q[i]), (i, 1, C))",
            "the KL of the reference from the model, and a part that holds no $z$")
    .slope(z[k], "p[k] - q[k]", "prediction minus label, as for every cross-entropy")
    .equals("Sum(p[i] * (1 - q[i] / p[i]) * (KroneckerDelta(i, k) - p[k]), (i, 1, C))",
            "the same as a mean over the model's answers of $1 - e^d$ times the slope of $\\log p$",
            tex=r"\sum_{i=1}^{C} p_i \left( 1 - e^{d_i} \right) \left( [i = k] - p_k \right)")
    .library("mean(kl_penalty(log_p, log_q).grad * slope of log_p)", lambda z, q: -mean_slope(
        z, softmax(z), kl_penalty(np.log(softmax(z)), np.log(q)).grad))
)

# %% [markdown] name="k3-reading"
# **The value is the KL of the model from the reference. The gradient is that of the KL of the reference from the model.** For drawing is part of the model too, and k3's gradient does not see that. The two [divergences](../03_algorithms/09_divergences.ipynb) have the same minimum, $p = q$, and different ways to it.
#
# ## Three divisions
#
# GRPO divides three times: by $\sigma$, by $T_i$ and by $G$. Dr. GRPO (Liu and others) removes the first two. First $\sigma$. Take 16 answers with reward 1 or 0:

# %% tags=["fold"] name="sigma-table"
# How strongly a group pulls, with and without the standard deviation.
pull = {}
for right in (1, 2, 4, 8):
    group = np.r_[np.ones(right), np.zeros(16 - right)]
    pull[right] = [np.abs(group_advantage(group, scale=s)).sum() for s in (False, True)]
Table(["right of 16", "sum of |A|, without sigma", "share of the largest", "with sigma",
       "share of the largest"],
      [[str(n), f"{v[0]:.2f}", f"{v[0] / pull[8][0]:.0%}", f"{v[1]:.2f}",
        f"{v[1] / pull[8][1]:.0%}"] for n, v in pull.items()])

# %% [markdown] name="sigma-reading"
# Without $\sigma$ the hard prompt with 1 right answer of 16 pulls a quarter as much as the half-solved one. With $\sigma$ it pulls half as much. Very easy prompts gain in the same way. Then $1/T_i$. A token of a wrong answer gets $A_i / T_i$: **in a wrong answer of 100 tokens each is punished a tenth as much as in one of 10.** To answer wrongly at length becomes the cheaper mistake. This is the **length bias**. Four answers show it: right or wrong, with 10 or 100 tokens. At first one answer in ten is right and half of each kind are long. The reward does not care about length, and we take exact steps:

# %% tags=["fold"] name="length-picture"
# Exact steps with and without the division by length.
long_r, long_T = np.array([1.0, 1, 0, 0]), np.array([10.0, 100, 10, 100])

def lengths_of(per_answer, rate, steps=6000):
    z, trail = np.log([0.05, 0.05, 0.45, 0.45]), []
    for _ in range(steps):
        p = softmax(z)
        A = long_r - p @ long_r
        trail.append([p[:2].sum(), *(p[k] @ long_T[k] / p[k].sum()
                                     for k in (slice(2, None), slice(2)))])
        weight = A / long_T if per_answer else A / 100
        z = z + rate * p * (weight - p @ weight)
    return np.array(trail)

ways = {"divided by its own length": lengths_of(True, 0.4), "by a constant": lengths_of(False, 4)}
stop = {label: way[np.searchsorted(way[:, 0], 0.5)] for label, way in ways.items()}
for label, (_, wrong, right) in stop.items():
    print(f"{label}: when half are right, wrong answers have {wrong:.0f} tokens on average, "
          f"right ones {right:.0f}")
assert stop["divided by its own length"][1] - 55 > 10 and abs(stop["by a constant"][1] - 55) < 1
fig, (ax,) = plots.panels()
own, constant = ways.values()
ax.plot(own[:, 0], own[:, 1], color="C1", label="wrong answers, divided by their own length")
ax.plot(constant[:, 0], constant[:, 1], ":", color="0.3", lw=2.5,
        label="both kinds, divided by a constant")
ax.plot(own[:, 0], own[:, 2], "--", color="C0", label="right answers, divided by their own length")
ax.set(xlabel="share of right answers", ylabel="mean length (tokens)", xlim=(0.1, 0.9),
       ylim=(0, 135))
ax.legend(loc="upper left", fontsize=8)
plots.Picture(fig, "Mean length over the share of right answers. Divided by a constant both kinds "
              "stay at 55 tokens. Divided by their own length wrong answers grow towards 100 and "
              "right ones shrink.")

# %% [markdown] name="length-reading"
# Divided by its own length, the wrong answers grow and the right ones shrink. Divided by a constant, both stay. DAPO's token mean divides by the tokens of the whole batch, one number for all of its answers, and it too has no such bias within a batch.
#
# ## What breaks: a ratio that is always 1
#
# PPO needs the *old* log-probabilities, those of the moment when the answer was drawn. A common mistake takes them from the current model in every step (`log_p.detach()`). The loss runs, the gradient looks sound. Its signature: **the ratio is 1.000 in every step, and the share of clipped tokens is 0.** We ran it as well:

# %% tags=["fold"] name="breaks-table"
# What the ratio 1 makes of many uses, recorded.
rows, values = [], []
for n in (1, 4, 16, 64):
    place, curve = best(f"ratio 1, {n}")
    values.append(curve[:, -1])
    rows.append([str(n), f"{rates[place]:g}", f"{n * rates[place]:g}", spread(curve[:, -1]),
                 spread(best(f"PPO, {n}")[1][:, -1])])
assert max(np.abs(v - values[0]).max() for v in values) < 0.005
Table(["uses", "best rate", "uses times rate", "expected reward, ratio 1", "PPO"], rows)

# %% [markdown] name="breaks-reading"
# Sixty-four uses bring exactly what one brings, at a 64th of the rate. Not nearly: exactly. Where the ratio is 1, the slope by a logit is the sum over a group of $A\,([\text{drawn}] - p)$. The advantages of a group sum to 0, so $p$ cancels. The gradient does not depend on the model any more, and 64 steps are one step 64 times as long. (In a language model the answers differ in what stands before a token, so there it is not exact.) The cure: store the log-probabilities while drawing, and print the mean ratio and the clipped share.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. Who is silent? (4 minutes, easy)
# `log_p`, `old` and `A` have one entry per token. Return the *share* of tokens that PPO's clip has silenced, as a number from 0 to 1. Take a token with $A = 0$ as not silenced, and one just at a bound as silenced.

# %% name="exercise-silent"
def silent(log_p, old, A, low, high):
    ### BEGIN SOLUTION
    ratio = np.exp(log_p - old)
    off = ((A > 0) & (ratio >= 1 + high)) | ((A < 0) & (ratio <= 1 - low))
    return off.mean()
    ### END SOLUTION

# %% name="check-silent"
check("silent")

# %% [markdown] name="exercise-loss-text"
# <details><summary>Hint 1</summary>One condition for positive advantages, one for negative ones.</details>
# <details><summary>Hint 2</summary>(A > 0) & (ratio >= 1 + high) is the first. The mean of a Boolean array is a share.</details>
#
# ### 2. The clipped loss (8 minutes, medium)
# `log_p`, `old` and `mask` have the shape `(answers, tokens)`, `A` has one number per answer. Return PPO's loss as one number to be made *small*, as the token mean over the tokens whose mask is 1.

# %% name="exercise-loss"
def clipped_loss(log_p, old, A, mask, low, high):
    ### BEGIN SOLUTION
    ratio = np.exp(log_p - old)
    A = A[:, None]
    held = np.clip(ratio, 1 - low, 1 + high)
    loss = -np.minimum(ratio * A, held * A)
    return (mask * loss).sum() / mask.sum()
    ### END SOLUTION

# %% name="check-loss"
check("clipped_loss")

# %% [markdown] name="exercise-longer-text"
# <details><summary>Hint 1</summary>A[:, None] gives every token the advantage of its answer.</details>
# <details><summary>Hint 2</summary>The smaller one of ratio times A and clipped ratio times A; then minus, since a loss is made small.</details>
#
# ### 3. Which division makes answers longer? (10 minutes, hard)
# A model chooses among whole answers with the probabilities `p`; they have the advantages `A` and the `lengths`. A step at the rate 1 adds to each logit $p_k (a_k - \bar a)$ with $\bar a = \sum_i p_i a_i$. Here $a$ is `A / lengths` if `per_answer`, else `A` divided by the largest length. Return the change of the mean length, to first order: the logits' changes $\delta_k$ change each probability by $p_k (\delta_k - \bar \delta)$.

# %% name="exercise-longer"
def longer(p, A, lengths, per_answer):
    ### BEGIN SOLUTION
    a = A / lengths if per_answer else A / lengths.max()
    delta = p * (a - (p * a).sum())
    change = p * (delta - (p * delta).sum())
    return (change * lengths).sum()
    ### END SOLUTION

# %% name="check-longer"
check("longer")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>First a, then the change of every logit, then that of every probability.</details>
# <details><summary>Hint 2</summary>The mean length is the sum of p times lengths. Its change is the sum of the changes of p times lengths.</details>
# <details><summary>Find out (after solving)</summary>Take the four answers of the text: p = np.array([.05, .05, .45, .45]), lengths = np.array([10., 100., 10., 100.]), and the advantages r minus the mean of r. Which division changes the mean length, and in which direction? Then start from p = (.45, .45, .05, .05). The sign turns: with many right answers, the short right ones win.</details>
#
# ## Takeaways
#
# - The clip holds no ratio back. It silences tokens that have reached their bound, and other tokens may carry them on.
# - Watch three numbers: the mean ratio, the clipped share, the length of wrong answers. A ratio of exactly 1 after the first step is a bug.
# - Do not add a clip where each answer is used for one step: every ratio is 1 and the clip does nothing. With many uses it keeps the choice open.
#
# ## Does it hold?
#
# **With Adam.** The same race with Adam, seven rates from 0.003 to 3:

# %% tags=["fold"] name="control-adam"
# The race with Adam, and how wide the good rates are.
rows = []
for name in ("no clip", "PPO"):
    for n in (1, 16, 64):
        place, curve = best(f"{name}, Adam, {n}")
        means = course(f"{name}, Adam, {n}")[:, :, -1].mean(0)
        rows.append([f"{name}, {n}", f"{adam_rates[place]:g}", spread(curve[:, -1]),
                     *(f"{m:.2f}" for m in means)])
Table(["method, uses", "best rate", "expected reward", *(f"{x:g}" for x in adam_rates)], rows,
      "On the right the mean of the five judging seeds for each rate.")

# %% [markdown] name="control-adam-text"
# At its best rate each has 0.88: the clip gains nothing. At ten times the rate that is best without a clip, the clip still has 0.88 (16 uses at 0.3, 64 uses at 0.1), and no clip 0.82 and 0.78. With Adam the clip is an insurance.
#
# **The clip width.** 16 uses, plain steps, each width at the rate that the five other seeds choose:

# %% tags=["fold"] name="control-width"
# The expected reward for each clip width.
grid_w = (0.05, 0.1, 0.2, 0.4, 0.8)
Table(["16 uses", *(f"width {x:g}" for x in grid_w)],
      [[name, *(spread(best(f"{name}, width {x}")[1][:, -1]) for x in grid_w)]
       for name in ("PPO", "GSPO")])

# %% [markdown] name="control-width-text"
# PPO does best at 0.4 and 0.8; GSPO is about flat from 0.05 to 0.4. Best against best they are about equal. With the narrow width of 0.1 PPO still reaches 0.82. (GSPO's published bounds, 0.0003 and 0.0004, belong to much longer answers.)
#
# **All rates.** 16 uses, the mean of the five judging seeds:

# %% tags=["fold"] name="control-rates"
# The expected reward for each rate, plain steps.
Table(["16 uses", *(f"rate {x:g}" for x in rates)],
      [[name, *(f"{m:.2f}" for m in course(f"{name}, 16")[:, :, -1].mean(0))] for name in methods])

# %% tags=["fold"] name="control-record"
# What made the record.
record

# %% [markdown] name="sources"
# ## Sources
#
# - J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, 2017: *Proximal policy optimization algorithms*, arXiv 1707.06347 (PPO).
# - J. Schulman, 2020: *Approximating KL divergence*, joschu.net (k3).
# - Z. Shao and others, 2024: *DeepSeekMath: pushing the limits of mathematical reasoning in open language models*, arXiv 2402.03300 (GRPO).
# - Q. Yu and others, 2025: *DAPO: an open-source LLM reinforcement learning system at scale*, arXiv 2503.14476.
# - Z. Liu and others, 2025: *Understanding R1-Zero-like training: a critical perspective*, arXiv 2503.20783 (Dr. GRPO).
# - MiniMax, 2025: *MiniMax-M1: scaling test-time compute efficiently with lightning attention*, arXiv 2506.13585 (CISPO).
# - C. Zheng and others, 2025: *Group sequence policy optimization*, arXiv 2507.18071 (GSPO).
