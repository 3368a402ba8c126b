# ---
# jupyter:
#   lesson:
#     title: "What this curve says"
#     question: "Five runs, five bugs, and no error message. Which curve belongs to which bug?"
#     minutes: 45
#     needs: [02_pre_training, 03_algorithms/02_cross_entropy, 03_algorithms/04_adam, 03_algorithms/11_momentum, 03_algorithms/16_schedules]
#     settles: []
#     studies: [losses.cross_entropy]
#     terms: [graph]
# ---

# %% [markdown] name="title"
# # What this curve says
#
# **Goal.** Find five common bugs of a training loop from what the run shows, and confirm each with one number.
#
# **The question.** We train one small language model six times: the same start, the same batches, 150 updates. One run is healthy. In each of the five others one line is wrong, and none of them raises an error. Which curve belongs to which bug?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import weakref
from types import SimpleNamespace

import matplotlib
import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from lessons_lib import bridge, data, exercises, models, plots, records
from lessons_lib.derive import derive
from lessons_lib.landscapes import quadratic
from lessons_lib.losses import cross_entropy
from lessons_lib.show import Table
from lessons_lib.training import Recipe, evaluate, optimizers_for, token_loss

setting = bridge.start(device, seed, profile)
check = exercises.of("05_project/05_what_this_curve_says")

# %% tags=["fold"] name="text"
# The text in tokens, the model and its optimizer: one layer, everything on the CPU.
base = models.pretrained()
text = data.corpus(seed=seed)
ids = data.encode(base.tokenizer, text.train)
test = data.in_order(data.encode(base.tokenizer, text.validation), 64, 40)
windows = data.windows(ids, 64, 8, seed)  # 8 rows of 64 tokens for each update
V = base.model.config.vocab_size
STEPS, EPOCH = 150, 50
recipe = Recipe(steps=STEPS, lr=3e-3, warmup=20)

def new_model():
    torch.manual_seed(seed)
    model = models.Transformer(models.Config(vocab_size=V, num_hidden_layers=1))
    return model, *optimizers_for(model, recipe)

def batch(step):  # tokens, and the token that follows each
    x, y, _ = windows(step)
    return torch.from_numpy(x), torch.from_numpy(y)

def set_rate(optimizer, factor):
    for group in optimizer.param_groups:
        group["lr"] = recipe.lr * factor

def norm(model):  # of the gradient of all parameters together
    return float(sum((a.grad**2).sum() for a in model.parameters()) ** 0.5)

# %% [markdown] name="loop-text"
# This is the loop. Its five arguments let us put in one wrong line at a time. Left alone, it is healthy. The loss is [our cross-entropy](../03_algorithms/02_cross_entropy.ipynb), the optimizer our AdamW, the text Python's own documentation (PSF licence).

# %% name="loop"
def train(score=token_loss, label=lambda x, y: y, clock=lambda step: step,
          clear=lambda optimizer: optimizer.zero_grad(), note=torch.Tensor.item):
    model, optimizer = new_model()
    losses, norms, total = [], [], 0
    for step in range(STEPS):
        set_rate(optimizer, recipe.factor(clock(step)))
        x, y = batch(step)
        loss = score(model(x).flatten(0, 1), label(x, y).flatten()).mean()
        clear(optimizer)
        loss.backward()
        norms.append(norm(model))
        optimizer.step()
        total = total + note(loss)  # for the mean loss, shown at the end
        losses.append(loss.item())
    return SimpleNamespace(model=model, losses=np.array(losses), norms=norms, total=total)

# %% tags=["fold"] name="runs-first"
# Three of the runs. To play the hunt, leave this cell and the next one folded.
runs = {"healthy": train()}
runs["A"] = train(clock=lambda step: step // EPOCH)
runs["B"] = train(label=lambda x, y: x)

# %% tags=["fold"] name="runs-second"
# The three others.
runs["C"] = train(note=lambda loss: loss)
runs["D"] = train(score=lambda logits, labels: token_loss(logits.softmax(-1), labels))
runs["E"] = train(clear=lambda optimizer: None)

# %% tags=["fold", "nbval-ignore-output"] name="hunt-picture"
# The six curves, each as the mean of the last five updates.
def smooth(losses):
    return np.array([losses[max(0, t - 4) : t + 1].mean() for t in range(len(losses))])

fig, (ax,) = plots.panels()
fig.set_size_inches(7.6, 4.4)
ax.plot(smooth(runs["healthy"].losses), color="0.75", lw=6, label="healthy")
plots.draw_lines(ax, np.arange(STEPS), {k: smooth(runs[k].losses) for k in "ABCDE"},
                 "update", "training loss (nats per token)", "Six runs of one model")
ax.axhline(np.log(V), color="0.4", lw=1)
ax.text(2, np.log(V) + 0.1, "a blind guess", color="0.3", fontsize=8)
ax.set(ylim=(-0.2, 6.8))
ax.legend(loc="center right")
plots.Picture(
    fig,
    "Six curves that start near 6.2 nats, at the line of a blind guess, except B, which starts at "
    "5. A falls slowly and evenly. B drops to nearly 0 within 70 updates. C lies on the thick grey "
    "healthy curve, which ends at 4.9. D stays just below the line of the blind guess. E follows "
    "the healthy curve for about 30 updates, then turns up and swings.",
)

# %% [markdown] name="hunt-text"
# The bugs, in no order:
#
# 1. **A softmax too many.** The logits go through a softmax before they go into the cross-entropy.
# 2. **No `zero_grad`.** Each backward pass adds its gradient to the old ones.
# 3. **Labels not shifted.** The model is to predict the token that it has just read.
# 4. **A slow clock.** The schedule moves once per epoch, and its warm-up was counted in updates. (The runs are short: 50 updates stand for an epoch.)
# 5. **A running loss that remembers.** The mean loss is summed up as a tensor, without `.item()`.
#
# Write down your five pairs before you read on. Which curve lies on another one?
#
# ## The frame
#
# Two numbers frame the healthy curve of a fresh language model.
#
# The upper one is the loss of a blind guess: each of the $V = 512$ tokens gets the probability $1/V$, so the loss is $\log V$. A fresh model starts there. (A fine-tuning starts lower, at the loss of its base model.)
#
# The lower one is what the text allows. It is unknown, but a longer training gives an idea of it: the base model of the course has read 33 times as many tokens as our runs.

# %% tags=["fold", "nbval-ignore-output"] name="frame"
# Start and end of every run, within the frame.
def last(run):
    return run.losses[-10:].mean()

print(f"a blind guess: {np.log(V):.2f} nats; the base model on new text after "
      f"{base.about['steps']} updates: {base.about['validation'][-1][1]:.2f}")
read = STEPS * 8 * 64
print(f"tokens read by each run: {read:,} ({read / len(ids):.0%} of the training text); "
      f"by the base model: {base.about['tokens']:,}, "
      f"{base.about['tokens'] / read:.0f} times as many")
rows = [[k, *(f"{v:.2f}" for v in (r.losses[0], r.losses.min(), last(r), evaluate(r.model, test)))]
        for k, r in runs.items()]
away = {k: abs(r.losses - runs["healthy"].losses).max() for k, r in runs.items()}
print(f"largest distance of C's losses from the healthy ones: {away['C']:.1g} nats")
assert abs(runs["healthy"].losses[0] - np.log(V)) < 0.1 and np.log(V) - runs["B"].losses[0] > 0.5
assert away["C"] < 0.1 and last(runs["B"]) < 0.5 and np.log(V) - last(runs["D"]) < 0.3
late = {k: last(run) - last(runs["healthy"]) for k, run in runs.items()}
assert late["A"] > 0.1 and late["E"] > 0.3
Table(["run", "first loss", "lowest", "mean of the last 10", "next token, new text"], rows,
      "Nats per token. Last column: the right loss, with the right labels, on validation text.")

# %% [markdown] name="labels-text"
# B leaves the frame at both ends. It starts 1.2 nats below the blind guess, before a single update. It ends near 0, far below the base model. And as a model of the *next* token it is worse than a blind guess: 10 nats. D is as bad there, but its curve does not fall. C is the healthy curve.
#
# ## B: the labels are not shifted
#
# B has read less than half of the text, so it cannot know it by heart. No model foresees a new text for 0.04 nats per token. B copies: its labels are its inputs, and the answer stands in the question.

# %% tags=["fold", "nbval-ignore-output"] name="labels-picture"
# Which token is read, and which one is predicted: the 16 most frequent tokens of the new text.
x = torch.from_numpy(test.x)
common = np.bincount(test.x.ravel(), minlength=V).argsort()[::-1][:16].copy()
spelled = [base.tokenizer.decode([int(k)]).replace(" ", "␣").replace("\n", "↵") for k in common]
fig, axes = plots.panels(2)
fig.set_size_inches(9.6, 4.3)
blues = matplotlib.colormaps["Blues"].resampled(8)
diagonal = {}
for ax, k in zip(axes, ("healthy", "B"), strict=True):
    with torch.no_grad():
        chance = runs[k].model(x).softmax(-1)
    means = np.array([chance[x == int(token)].mean(0)[common].numpy() for token in common])
    diagonal[k] = means.diagonal().mean()
    top = 0.2 if k == "healthy" else 1
    drawn = ax.imshow(means, cmap=blues, vmin=0, vmax=top, aspect="auto")
    fig.colorbar(drawn, ax=ax, label="mean probability (scales differ)")
    ax.grid(False)
    ax.set(xlabel="token predicted", ylabel="token read", title=k if k == "healthy" else f"run {k}",
           xticks=range(16), yticks=range(16))
    ax.set_xticklabels(spelled, fontsize=7)
    ax.set_yticklabels(spelled, fontsize=7)
for k in ("healthy", "B"):
    print(f"{k}: mean probability that a token follows itself {diagonal[k]:.2f}")
prompt = data.encode(base.tokenizer, "The value of")
for k in ("healthy", "B"):
    said = models.generate(runs[k].model, prompt, 14, temperature=0.5, seed=seed)
    print(f"{k} goes on:", repr(base.tokenizer.decode(said.tolist())))
assert diagonal["B"] > 0.7 and diagonal["healthy"] < 0.4
plots.Picture(fig, "Two matrices of 16 by 16 tokens, read against predicted. In the healthy run a "
              "few columns are tinted. In run B only the diagonal is dark: each token "
              "predicts itself.")

# %% [markdown] name="labels-reading"
# B's matrix is the identity: after "of" it says "of". So the sample repeats the last word of the prompt. That is the signature.
#
# The start is a signature as well. In our model the [embedding](02_pre_training.ipynb) serves twice: it reads the tokens and scores them. So even a fresh model leans towards the token it has just read, and B begins below $\log V$.
#
# | | |
# |---|---|
# | wrong | `loss = score(model(x), x)` |
# | right | `loss = score(model(x[:, :-1]), x[:, 1:])` |
#
# Some libraries shift inside the model. Then shifting by hand is a bug too: the model learns the token after the next. One test finds both: where the loss is taken, print the tokens read above the labels, as text.
#
# ## Derivation: the softmax too many
#
# D has one softmax too many. The line runs, because probabilities are numbers, and the cross-entropy takes any numbers as logits. What can its loss become? Let $p$ be the probabilities of $C$ classes. They sum to 1. Number the classes so that class 1 is the right one:

# %% tags=["fold"] name="derive-floor"
# Derivation 1: the lowest loss that a softmax too many allows.
i, j, m, C = sp.symbols("i j m C", integer=True, positive=True)
p, q, z = map(sp.IndexedBase, "pqz")

def of_probabilities(p):
    return cross_entropy(p, np.zeros(len(p), int)).value

(
    derive(r"\ell", "log(Sum(exp(p[j]), (j, 1, C))) - p[1]",
           "cross-entropy, with probabilities where logits belong",
           {"p": p, "j": j, "C": C}, {C: (2, 3, 10)}, simplex=[p])
    .equals("log(exp(p[1]) + Sum(exp(p[j]), (j, 2, C))) - p[1]", "the right class split off")
    .library("cross_entropy(p, 0).value", of_probabilities)
    .at_least("log(exp(p[1]) + C - 1) - p[1]",
              "no probability is negative, so each $e^{p_j} \\ge 1$")
    .equals("log(1 + (C - 1) * exp(-p[1]))", "one logarithm; it falls as $p_1$ grows")
    .at_least("log(1 + (C - 1) * exp(-1))", "$p_1$ is at most 1")
    .equals("log(E + C - 1) - 1", "**the floor**: a perfect model ends here, not at 0",
            tex=r"\log (e + C - 1) - 1")
)

# %% [markdown] name="floor-text"
# At $p_1 = 1$ both bounds are met, so the floor is reached by a perfect model only. The start has not moved: all $p_j = 1/C$ give $\log C$. So the whole way from knowing nothing to perfection is
#
# $$\log C - \log(e + C - 1) + 1 \;<\; 1$$
#
# **less than one nat, for any number of classes.** With $C = 512$ the floor is 5.24. D ends at 6.17 and did not even get near. So look at the slopes. Let $q$ be the second softmax, taken of $p$. We want the slope by $z_1$, the logit of the right class:

# %% tags=["fold"] name="derive-fade"
# Derivation 2: the slope by the right logit.
def soft(at):
    return sp.exp(z[at]) / sp.Sum(sp.exp(z[m]), (m, 1, C))

def value_of_both(z):
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    return cross_entropy(p, np.zeros(len(p), int)).value

def through_both(z):  # the library's slope by p, then through the first softmax
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    g = cross_entropy(p, np.zeros(len(p), int)).grad
    return p[:, 0] * (g[:, 0] - (p * g).sum(-1))

(
    derive(r"\ell", "log(Sum(exp(p[j]), (j, 1, C))) - p[1]",
           "as above, with $p$ the softmax of $z$",
           {"p": p, "q": q, "z": z, "j": j, "C": C}, {C: (2, 3)},
           means={p[i]: soft(i),
                  q[i]: sp.exp(soft(i)) / sp.Sum(sp.exp(soft(j)), (j, 1, C))})
    .library("cross_entropy(softmax(z), 0).value", value_of_both)
    .slope(z[1], "p[1] * (q[1] - 1 - Sum(p[j] * q[j], (j, 1, C)) + p[1])",
           "the chain rule: the slope by each $p_j$ is $q_j$, less 1 for the right class; "
           "**$p_1$ stands in front**")
    .library("cross_entropy(p, 0).grad, then the first softmax", through_both)
)

# %% [markdown] name="fade-text"
# In the healthy loss this slope is $p_1 - 1$: the less the model believes in the right token, the harder the push. With a softmax too many, $p_1$ is a factor. **A token that the model does not believe in gets hardly any push.** At the start every $p_j$ is $1/512$, and the slope is 512 times too small.
#
# ## Play: how many classes?
#
# Move the slider. At how many classes can the loss still halve? And why would a few classes hide the bug better than many?

# %% tags=["fold"] name="floor-picture"
# The library's loss of p and of log p; the other classes share the rest evenly.
sizes = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 28, 40, 64, 100, 128, 200, 256, 400, 512, 1000,
         2000, 4000]
fig, (ax,) = plots.panels()
for label, dash in (("right: cross-entropy of the logits", "-"), ("a softmax too many", "--")):
    ax.plot([], [], dash, label=label)
ax.set(xlabel="probability of the right class", ylabel="loss (nats)", xlim=(-0.02, 1.02),
       ylim=(-0.3, 9.5))
ax.legend(loc="upper right")

def floor(C):
    return np.log(np.e + C - 1) - 1

def both(ax, C):
    right = np.linspace(1 / C, 1 - 1e-6, 80)
    rest = np.repeat((1 - right)[:, None] / (C - 1), C - 1, axis=1)
    p, first = np.hstack([right[:, None], rest]), np.zeros(80, int)
    for dash, numbers in (("-", np.log(p)), ("--", p)):
        ax.plot(right, cross_entropy(numbers, first).value, dash)
    ax.axhline(floor(C), color="0.4", lw=1, ls=":")
    left = floor(C) / np.log(C)
    return (f"{C} classes: a blind guess costs {np.log(C):.2f} nats in both. With a softmax too "
            f"many no model gets below {floor(C):.2f}, that is {left:.1%} of it.")

plots.moving(
    fig, "number of classes", sizes, both, start=10,
    alt="The loss over the probability of the right class, for ten classes. Both curves start at "
    "2.3 nats. The right one falls steeply and reaches 0. The other falls slowly, nearly along a "
    "straight line, and ends at its floor of 1.46.",
)

# %% [markdown] name="fade-reading"
# Only with two classes can the loss halve, and there the bug looks like slow learning. With 4000 classes it falls by 12 per cent at most, and the curve looks flat.
#
# ## D: what it learns instead
#
# D's gradient is tiny. AdamW [divides the size out](../03_algorithms/04_adam.ipynb), so the model still moves. Where does it go?

# %% tags=["fold", "nbval-ignore-output"] name="fade-table"
# What the two models say about the new text.
y = torch.from_numpy(test.y)
rows, shares = [], {}
for k in ("healthy", "D"):
    with torch.no_grad():
        p = runs[k].model(x).softmax(-1)
    best = p.argmax(-1)
    hit = (best == y).float().mean().item()
    shares[k] = len(best.unique()), p.amax(-1).mean().item(), hit
    rows.append([k, f"{runs[k].norms[0]:.2g}", str(shares[k][0]), f"{shares[k][1]:.2f}",
                 f"{hit:.1%}", f"{last(runs[k]):.2f}"])
print(f"log(e + 511) = {np.log(np.e + V - 1):.2f}, minus the share of D's right answers: "
      f"{np.log(np.e + V - 1) - shares['D'][2]:.2f} nats")
print("D's first choices:", *(repr(base.tokenizer.decode([int(k)])) for k in best.unique()))
assert shares["D"][1] > 2 * shares["healthy"][1]
assert runs["healthy"].norms[0] > 100 * runs["D"].norms[0]
perfect, right = 100 * torch.eye(V), torch.arange(V)
for name, numbers in (("as they are", perfect), ("after a softmax", perfect.softmax(-1))):
    print(f"the loss of perfect logits {name}: {token_loss(numbers, right).mean().item():.2f} nats")
Table(["run", "first gradient norm", "different first choices", "their mean probability",
       "first choice is right", "loss at the end (nats)"], rows)

# %% [markdown] name="schedule-text"
# D has become sure of a few frequent tokens and says nothing else. A sure answer costs $\log(e + 511)$ where it is wrong, and one nat less where it is right. So D's curve shows little more than how often it is right: 6.24 minus 0.07. And as the table of the frame shows, honest cross-entropy gives D more than 10 nats, because it is sure and wrong.
#
# | | |
# |---|---|
# | wrong | `loss = F.cross_entropy(model(x).softmax(-1), y)` |
# | right | `loss = F.cross_entropy(model(x), y)` |
#
# The test takes no training: give the loss perfect logits, 100 for the right class and 0 elsewhere. It must return 0. D's loss returns its floor, 5.24.
#
# ## A: a slow clock
#
# A looks healthy but slow. Nothing in the curve says why: a rate that was chosen too small looks the same. So log the rate:

# %% tags=["fold"] name="schedule-picture"
# What the optimizer's rate really was, in per cent of the recipe's highest.
clocks = {"healthy": lambda step: step, "A": lambda step: step // EPOCH}
rates = {k: np.array([100 * recipe.factor(clock(t)) for t in range(STEPS)])
         for k, clock in clocks.items()}
fig, (ax,) = plots.panels()
fig.set_size_inches(6.4, 3.0)
plots.draw_lines(ax, np.arange(STEPS), rates, "update", "rate (% of the highest)", "")
for k, rate in rates.items():
    print(f"{k}: {rate[0]:.0f}% in the first update, {rate.max():.0f}% at most, "
          f"{rate[-1]:.0f}% in the last")
plots.Picture(fig, "Rate over 150 updates. The healthy one rises to 100 per cent in 20 updates and "
              "then falls along a cosine to 10. That of A stands at 5, then 10, then 15 per cent.")

# %% [markdown] name="zero-text"
# The recipe says "20 steps of [warm-up](../03_algorithms/16_schedules.ipynb)", and its author meant updates. A's loop counts epochs. In the third epoch the rate stands at 15 per cent. The warm-up would take 20.
#
# | | |
# |---|---|
# | wrong | `for epoch ...: for batch ...: optimizer.step()`, then `schedule.step()` once per epoch |
# | right | `schedule.step()` directly after each `optimizer.step()` |
#
# The cure that lasts is to log the rate beside the loss. The same log shows the twin of this bug, a count that is off by one: with `lr * step / warmup` and steps from 0, the first update has the rate 0.
#
# ## E: no `zero_grad`
#
# E follows the healthy curve, then turns back and swings. PyTorch *adds* every new gradient to what is stored. Without `zero_grad` the optimizer sees the sum of all gradients since the start:
#
# $$u_t = u_{t-1} + g_t$$
#
# This is [momentum](../03_algorithms/11_momentum.ipynb) with $\mu = 1$. There the width of the swing shrinks by $\sqrt\mu$ per step. With $\mu = 1$ it never shrinks: a ball without friction.

# %% tags=["fold", "nbval-ignore-output"] name="zero-picture"
# Left: plain gradient descent in a valley, by torch. Right: the gradient norms of two runs.
valley, steps = quadratic(1.0, 12.0), 200

def path(clear):
    theta = torch.tensor([-1.8, 0.9], dtype=torch.float64, requires_grad=True)
    optimizer, trail = torch.optim.SGD([theta], lr=0.02), [theta.tolist()]
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        (0.5 * (theta[0] ** 2 + 12 * theta[1] ** 2)).backward()
        optimizer.step()
        trail.append(theta.tolist())
    return np.array(trail)

trails = {"zero_grad called": path(True), "forgotten": path(False)}
away = {k: np.linalg.norm(t[-50:], axis=1).max() for k, t in trails.items()}
fig, (ax, over) = plots.panels(2)
plots.draw_contours(ax, valley, ((-2.2, 2.2), (-1.2, 1.7)), "A valley, 120 steps")
plots.draw_trails(ax, {k: trail[:120] for k, trail in trails.items()})
ax.grid(False)
ax.set(xlabel="along the valley", ylabel="across the valley")
ax.legend(fontsize=8)
plots.draw_lines(over, np.arange(STEPS), {k: runs[k].norms for k in ("healthy", "E")}, "update",
                 "gradient norm (log)", "What the optimizer is given", log="y")
for k, far in away.items():
    print(f"{k}: at most {far:.2g} from the minimum in the last 50 of {steps} steps")
grown = np.mean(runs["E"].norms[-10:]) / np.mean(runs["healthy"].norms[-10:])
print(f"E's gradient norm at the end, over the healthy one's: {grown:.0f}")
for name, clear in (("called", True), ("forgotten", False)):
    model, _ = new_model()
    pair = []
    for x, y in [batch(0)] * 2:  # the same batch twice, and no update between
        if clear:
            model.zero_grad()
        token_loss(model(x).flatten(0, 1), y.flatten()).mean().backward()
        pair.append(norm(model))
    print(f"one batch twice, zero_grad {name}: second gradient / first = {pair[1] / pair[0]:.2f}")
assert away["forgotten"] > 1 and away["zero_grad called"] < 0.2 and grown > 8
plots.Picture(fig, "Left: a long valley. With zero_grad the path runs down and along the floor to "
              "the minimum. Without it the path swings from side to side and end to end of the "
              "valley, in a box around the minimum. Right: the gradient norm of the healthy "
              "run stays near 1; that of E grows to about 30.")

# %% [markdown] name="memory-text"
# In the valley the dashed path never comes to rest. In E, AdamW divides the sum by its size, so nothing explodes. But the direction is that of the sum, and old gradients never leave it. The signature is the gradient norm: the healthy one stays near 1, and E's grows to more than 30 times as much.
#
# | | |
# |---|---|
# | wrong | `loss.backward(); optimizer.step()` |
# | right | `optimizer.zero_grad(); loss.backward(); optimizer.step()` |
#
# The test: call the step twice with the same batch and a rate of 0. The second gradient must equal the first. In E it is twice as large.
#
# ## What breaks: trusting the curve
#
# One bug is left, the running loss, and one curve, C. **It lies on the healthy curve.** This bug changes no number of the training. It only keeps things alive.
#
# The **graph** is the record of operations that autograd writes beside each tensor, to find the gradient later. `total = total + loss` makes a tensor too, and its graph holds the graphs of all losses before it. Count its nodes:

# %% name="memory"
def nodes(tensor):
    seen, todo = set(), [getattr(tensor, "grad_fn", None)]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo += [before for before, _ in node.next_functions]
    return len(seen)

# %% tags=["fold", "nbval-ignore-output"] name="memory-count"
# What the two running losses hold after 150 updates.
for k in ("healthy", "C"):
    mean = torch.as_tensor(runs[k].total).item() / STEPS
    print(f"{k}: mean loss {mean:.2f}, nodes held {nodes(runs[k].total):,}")
assert nodes(runs["healthy"].total) == 0 and nodes(runs["C"].total) > 20 * STEPS

# %% [markdown] name="memory-worse"
# In training, `backward` frees what the layers have saved for it, and only the nodes pile up. In validation nothing calls `backward`, and everything stays:

# %% name="validation"
def validate(batches, note):
    total = 0
    for x, y in batches:
        loss = token_loss(runs["healthy"].model(x).flatten(0, 1), y.flatten()).mean()
        total = total + note(loss)
    return total

# %% tags=["fold", "nbval-ignore-output"] name="validation-picture"
# The bytes that autograd has saved for backward and that are still alive at the end.
class Box:
    def __init__(self, tensor):
        self.tensor = tensor.detach()

def megabytes(count, note):
    boxes = []

    def keep(tensor):  # called for every tensor that autograd saves
        box = Box(tensor)
        boxes.append(weakref.ref(box))
        return box

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda box: box.tensor):
        total = validate([batch(step) for step in range(count)], note)
    alive = [box.tensor.untyped_storage() for box in (ref() for ref in boxes) if box]
    sizes = {part.data_ptr(): part.nbytes() for part in alive}
    own = {p.untyped_storage().data_ptr() for p in runs["healthy"].model.parameters()}
    del total  # only now
    return sum(size for place, size in sizes.items() if place not in own) / 1e6

kept = {f"batches: {n}, total + loss": megabytes(n, lambda loss: loss)
        for n in (1, 5, 10, 20)}
kept["batches: 20, total + loss.item()"] = megabytes(20, torch.Tensor.item)
size = sum(4 * a.numel() for a in runs["healthy"].model.parameters()) / 1e6
for k in kept:
    print(f"{k}: {kept[k]:.1f} MB")
print(f"the model itself: {size:.1f} MB")
first, *_, most, none = kept.values()
assert first > 1 and most > 15 * first and none < 0.01
plots.bars(kept, "kept for a backward pass that never comes (MB)",
           "Five bars. With total + loss the kept memory grows in proportion to the number of "
           "batches. With total + loss.item() it stays at nothing.",
           title="Validation of a small model")

# %% [markdown] name="exercises"
# Each batch leaves 4.3 MB behind, fourteen times the model itself. So the signature is memory that grows with the number of steps. On a long validation it ends in an out-of-memory error.
#
# | | |
# |---|---|
# | wrong | `total = total + loss` |
# | right | `total = total + loss.item()`, and validation under `torch.no_grad()` |
#
# So the pairs are A 4, B 3, C 5, D 1 and E 2.
#
# ## Exercises
#
# One for each bug, all short. Replace `...` by your answer and run the cell, then the check below it.
#
# ### 1. How many classes? (4 minutes, easy)
# A colleague's classifier gets every training example right, and yet its loss has been flat at `floor` for a day. You suspect a softmax too many. How many classes must the data have, if you are right? Do not round.

# %% name="exercise-classes"
def classes(floor):
    ### BEGIN SOLUTION
    return np.exp(floor + 1) - np.e + 1
    ### END SOLUTION

# %% name="check-classes"
check("classes")

# %% [markdown] name="exercise-epoch-text"
# <details><summary>Hint 1</summary>Solve the last line of the first derivation for C.</details>
# <details><summary>Hint 2</summary>Add 1 and take e to the power of both sides.</details>
# <details><summary>What it means (after solving)</summary>If the answer is the true number of classes, you have found the bug without looking at the code. 1.461 gives 10 and 2.361 gives 27.</details>
#
# ### 2. The thing itself: one epoch (5 minutes, medium)
# Write the loop. `batches` is a list of pairs `(x, y)`; `model(x)` gives logits. Make one update per batch with `F.cross_entropy` and `optimizer`. Return the list of the losses as plain numbers, each measured before its update.

# %% name="exercise-epoch"
def one_epoch(model, optimizer, batches):
    ### BEGIN SOLUTION
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION

# %% name="check-epoch"
check("one_epoch")

# %% [markdown] name="exercise-rows-text"
# <details><summary>Hint 1</summary>Four calls per batch, in this order: the loss, clear, backward, step.</details>
# <details><summary>Hint 2</summary>optimizer.zero_grad() stands anywhere but between backward and step.</details>
#
# ### 3. Inputs and labels (5 minutes, medium)
# `ids` is a text, a row of token numbers. Cut it into as many rows of `context` inputs as it has labels for, from its beginning and without overlap. Return `x` and `y`, both of the shape `(rows, context)`: `y` holds the token that follows each token of `x`.

# %% name="exercise-rows"
def inputs_and_labels(ids, context):
    ### BEGIN SOLUTION
    rows = (len(ids) - 1) // context
    x = ids[: rows * context]
    y = ids[1 : rows * context + 1]
    return x.reshape(rows, context), y.reshape(rows, context)
    ### END SOLUTION

# %% name="check-rows"
check("inputs_and_labels")

# %% [markdown] name="exercise-clock-text"
# <details><summary>Hint 1</summary>The last input of a row needs a label too: the first input of the next row.</details>
# <details><summary>Hint 2</summary>So the last token of the text can only be a label. Cut first, one place apart, then reshape.</details>
#
# ### 4. How far has the warm-up come? (5 minutes, medium)
# A loop has run `done` updates (at least 1), with `updates` of them in an epoch. The rate rises in equal parts to its highest value in `warmup` ticks of the schedule and then stays; the first tick already gives one part. The bug: the schedule ticks once per epoch, and the first epoch has the first tick. Which share of the highest rate had the latest update?

# %% name="exercise-clock"
def share_of_rate(done, updates, warmup):
    ### BEGIN SOLUTION
    epoch = (done - 1) // updates
    return min(1, (epoch + 1) / warmup)
    ### END SOLUTION

# %% name="check-clock"
check("share_of_rate")

# %% [markdown] name="exercise-running-text"
# <details><summary>Hint 1</summary>Number the updates from 0. In which epoch, counted from 0, lies the last one?</details>
# <details><summary>Hint 2</summary>After one epoch and one update more the answer is 2 / warmup.</details>
#
# ### 5. A mean that forgets (3 minutes, easy)
# `score(batch)` returns the loss of a batch as a tensor with a graph. Return the mean over all batches, and let no graph outlive its batch. The check counts the graphs that are alive while your function runs.

# %% name="exercise-running"
def mean_loss(score, batches):
    ### BEGIN SOLUTION
    total = 0.0
    for rows in batches:
        total += score(rows).item()
    return total / len(batches)
    ### END SOLUTION

# %% name="check-running"
check("mean_loss")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Turn each loss into a plain number at once.</details>
# <details><summary>Hint 2</summary>A list of tensors keeps all their graphs as well, and so does their sum.</details>
#
# ## Takeaways
#
# - A fresh language model starts at $\log V$. If it starts far below, or comes near 0 on text that it reads for the first time, look for the answer in the input.
# - Cross-entropy takes logits. A softmax before it leaves less than one nat between a blind guess and perfection: the floor is $\log(e + C - 1) - 1$.
# - Do not diagnose from the curve alone. Log the rate, the gradient norm and the memory beside it: these name the slow clock, the missing `zero_grad` and the running loss.
#
# ## Does it hold?
#
# **Other seeds, other learning rates.** Five seeds (another split of the text, another start, other batches) and three rates, recorded. C needs no row.

# %% tags=["fold", "nbval-ignore-output"] name="control-record"
# Medians over the seeds, and ranges.
record = records.of("05_project/05_what_this_curve_says")

def spread(values, form=".2f"):
    low, middle, high = (format(v, form) for v in plots.band(values))
    return f"{middle} ({low} to {high})"

found = {k: np.array([run[k] for run in record.runs.values()]) for k in record.runs[0]}
letters = {"healthy": "healthy", "labels": "B", "softmax": "D", "schedule": "A", "zero_grad": "E",
           "zero_grad clipped": "E, clipped to norm 1"}
every = ("0.001", "0.003", "0.01")
assert all(np.log(V) - found[f"labels {lr}"][:, 0].max() > 0.5 for lr in every)
assert all(found[f"softmax {lr}"][:, 1].min() - floor(V) > 0.5 for lr in every)
for fast, slow in (("schedule 0.01", "healthy 0.01"), ("zero_grad clipped 0.001", "healthy 0.001")):
    assert found[slow][:, 2].min() - found[fast][:, 2].max() > 0.02
rows = [[name, *(spread(found[f"{bug} {lr}"][:, 2]) for lr in every),
         spread(found[f"{bug} 0.003"][:, 0]), spread(found[f"{bug} 0.003"][:, 3], ".1f")]
        for bug, name in letters.items()]
lowest = min(found[f"softmax {lr}"][:, 1].min() for lr in every)
print(f"D's lowest loss in 15 runs: {lowest:.2f} nats, "
      f"{np.log(V) - lowest:.2f} below a blind guess")
Table(["run", *(f"mean of the last 10, rate {lr}" for lr in every), "first loss (0.003)",
       "gradient norm, last 10 / first (0.003)"], rows, str(record))

# %% [markdown] name="control-record-text"
# B and D keep their signatures at every rate: B starts 1.2 nats below the blind guess, and D gets at best 0.11 nats below it. A does not. At the rate 0.01 it ends *below* the healthy run: that rate is too high, and the slow clock never reaches it. Only the log of the rate tells.
#
# **Clipping hides E.** With the gradient [clipped](../03_algorithms/17_clipping_and_accumulation.ipynb) to norm 1, each update also shortens the stored sum, so old gradients fade. At the rate 0.003 the sick run ends 0.4 nats above the healthy one, as if the rate were badly chosen. At 0.001 it even ends below. The gradient norm stays small too. The test with one batch twice still finds the bug, if the norm is taken before the clipping.
#
# **Few classes.** Ten handwritten digits (scikit-learn's copy of UCI data, CC BY 4.0) and a linear model with Adam, with the right loss and with a softmax too many:

# %% tags=["fold", "nbval-ignore-output"] name="control-digits"
# Loss and accuracy on the training part after 100 updates with all of its examples.
splits = [data.digits(s) for s in setting.seeds]
pixels = torch.tensor(np.stack([split.x for split in splits]), dtype=torch.float32)
pixels /= pixels.amax((1, 2), keepdim=True).clamp(min=1)
digit = torch.tensor(np.stack([split.y for split in splits]))
rows = []
for name, numbers in (("right", lambda z: z), ("a softmax too many", lambda z: z.softmax(-1))):
    w = torch.zeros(len(splits), 64, 10, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.2)
    for _ in range(100):
        scores = numbers(pixels @ w).flatten(0, 1)
        each = F.cross_entropy(scores, digit.flatten(), reduction="none").view(digit.shape).mean(1)
        optimizer.zero_grad()
        each.sum().backward()  # one model a seed: no gradient mixes them
        optimizer.step()
    losses = each.detach().double().numpy()
    hits = ((pixels @ w).argmax(-1) == digit).double().mean(1).numpy()
    rows.append([name, spread(losses), spread(100 * hits, ".1f")])
above = losses - floor(10)
assert above.min() > 0.02 and above.max() < 0.2 and 1 - hits.min() < 0.15
Table(["loss", "at the end (nats)", "accuracy (%)"], rows, f"The floor: {floor(10):.2f} nats.")

# %% [markdown] name="sources"
# With ten classes the sick model classifies well, and its loss ends just above the floor. So a flat curve does not prove that nothing was learned. The floor tells the two apart.
#
# ## Sources
#
# - A. Karpathy, 2019: *A recipe for training neural networks*. It tells that training fails silently, names the input that holds the answer, and checks the first loss against that of a blind guess. The list it grew from ("most common neural net mistakes", 2018) has the missing `zero_grad` and the softmax too many.
# - PyTorch, *Frequently asked questions*: "Don't accumulate history across your training loop", with the running loss.
