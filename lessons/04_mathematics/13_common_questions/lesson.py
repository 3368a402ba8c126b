# ---
# jupyter:
#   lesson:
#     title: Common questions
#     question: "A model reads 1258 digits. The probability that it gives to all of them is 0, and no digit was impossible. What happened?"
#     minutes: 35
#     needs: [03_algorithms/02_cross_entropy, 03_algorithms/04_adam, 03_algorithms/30_mean_sum_or_half]
#     studies: [losses.binary_cross_entropy_on_probabilities]
#     settles: []
# ---

# %% [markdown] name="title"
# # Common questions
#
# **Goal.** Answer, each in a few lines and with a number, what everybody asks about these formulas: why the logarithm, why the minus, why the mean, why a root, why two betas, and why a loss can get better while the model gets more answers wrong.
#
# **The question.** Nobody has trained this model yet, so it gives the right name of every digit the probability 1/10. The product of these probabilities is the likelihood of all digits read. After 1258 digits the computer says that it is 0, and no digit was impossible. What happened?

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: another seed or device gives other numbers, and the same lesson.
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["fold"] name="setup"
# Set-up: what this lesson imports.
import numpy as np
import sympy as sp
import torch

from lessons_lib import bridge, data, exercises, plots
from lessons_lib.derive import derive
from lessons_lib.losses import (
    binary_cross_entropy,
    binary_cross_entropy_on_probabilities,
    cross_entropy,
)
from lessons_lib.optim import SGD, Adam, descend
from lessons_lib.show import Table

setting = bridge.start(device, seed, profile)
check = exercises.of("04_mathematics/13_common_questions")

# %% tags=["fold"] name="underflow"
# The likelihood of more and more digits, as a product and as a sum of logarithms.
digits = data.digits(seed)
inputs = np.hstack([digits.x, np.ones((len(digits.y), 1))])

def softmax_gradient(theta):
    return inputs.T @ cross_entropy(inputs @ theta, digits.y).grad / len(digits.y)

stages = descend(np.zeros((65, 10)), SGD(0.2), softmax_gradient, 10)
count, products, sums = np.arange(1, len(digits.y) + 1), {}, {}
with np.errstate(under="ignore"):
    for name, theta in (("untrained", stages[0]), ("after 10 steps", stages[10])):
        costs = cross_entropy(inputs @ theta, digits.y).value
        products[name] = np.cumprod(np.exp(-costs))
        sums[name] = -np.cumsum(costs) / np.log(10)
assert products["untrained"][322] > 0 == products["untrained"][323]
fig, (ax,) = plots.panels()
for i, name in enumerate(products):
    kept = products[name] > 0
    ax.plot(count, sums[name], f"C{i}", ls=(0, (2, 2)), lw=1, label=f"{name}: sum of logarithms")
    ax.plot(count[kept], np.log10(products[name][kept]), f"C{i}", lw=2.5, label=f"{name}: product")
    if not kept.all():
        ax.plot(count[kept][-1], np.log10(products[name][kept][-1]), f"C{i}x", ms=10, mew=2)
ax.set(xlabel="digits read", ylabel="likelihood of all (power of ten)")
ax.legend()
plots.Picture(
    fig, alt="Two lines fall from 0: the untrained model's to -1258, that of the model after "
    "10 steps much more slowly. Both thick lines, the products, end with a cross at minus 323.",
)

# %% name="underflow-numbers"
print("the smallest float64 above 0:", np.nextafter(0, 1))
print("untrained, product of 323 digits:", products["untrained"][322])
print("untrained, product of 324 digits:", products["untrained"][323])
print(f"untrained, sum of 1258 logarithms: {sums['untrained'][-1]:.0f} powers of ten")
print(f"untrained, minus the logarithm of 1/10: {-np.log(0.1):.2f} nats")

# %% [markdown] name="why-log"
# The product is 0 from the 324th digit on: float64 has no number between 0 and $5 \cdot 10^{-324}$. A better model gets further, and ends at the same height (orange). Where the product is 0 its slope is 0 too, and no gradient says how to do better.
#
# ## Why a logarithm?
#
# Because a product of many small numbers leaves the range of a computer, and a sum of their logarithms does not (picture). Nothing is lost: the logarithm grows with its argument, so both are highest for the same model, as the derivation below shows. And something is gained: a sum over examples can be split into [batches whose gradients are right on average](../03_algorithms/03_sgd.ipynb#Derivation). A product cannot.
#
# **Decided by:** the cross in the picture, and [from data to an objective](01_from_data_to_objective.ipynb#Derivation).
#
# ## Why the minus?
#
# The logarithm of a probability is never positive, and large likelihoods are good. Optimizers go downhill by convention, so the sign is turned. What is left is a price: 0 for a certain and right answer, 2.30 nats for one chance in ten.
#
# **Decided by:** [the meaning of a nat](../03_algorithms/01_binary_cross_entropy.ipynb#Formula).
#
# ## Derivation
#
# A coin fell $k$ times on heads and $m$ times on tails. Where is the likelihood of the chance $p$ highest, and where is the loss lowest?

# %% tags=["fold"] name="coin"
# The likelihood and the loss of seven heads and three tails.
chance = np.linspace(0.01, 0.99, 197)
likelihood = chance**7 * (1 - chance) ** 3
fig, axes = plots.panels(2)
for ax, height, title in zip(axes, (likelihood, -np.log(likelihood)), ("P", "-log P"), strict=True):
    ax.plot(chance, height, lw=2.5)
    ax.axvline(0.7, color="0.4", ls=":")
    ax.set(xlabel="chance p of heads", title=title)
axes[0].set(ylabel="likelihood")
axes[1].set(ylabel="loss (nats)")
plots.Picture(
    fig, alt="Left, the likelihood: a hill with its top at 0.7, flat on the ground below 0.2. "
    "Right, the loss: a valley with its floor at 0.7, steepest near 0 and near 1.",
)

# %% [markdown] name="coin-reading"
# Seven heads, three tails: both curves choose 0.7. Below 0.2 the likelihood is flat, and the loss is steep: it shows the way from afar.

# %% tags=["fold"] name="derive-product"
# Derivation 1: the product's highest point.
p = sp.Symbol("p", positive=True)
k, m = sp.symbols("k m", integer=True, positive=True)
(
    derive("P", "p**k * (1 - p)**m", "tosses do not depend on one another: a product",
           [p, k, m], ranges={p: (0.05, 0.95)})
    .equals("exp(k*log(p) + m*log(1 - p))", "a power is an exponential")
    .slope(p, "(k/p - m/(1 - p)) * p**k * (1 - p)**m", "the slope of the exponent, times the rest")
    .equals("(k - (k + m)*p) * p**(k - 1) * (1 - p)**(m - 1)", "over one denominator")
    .zero_at(p, k / (k + m), "**highest there**: the bracket is positive before, negative after")
)

# %% tags=["fold"] name="derive-loss"
# Derivation 2: the loss of the same tosses, and its lowest point.
def tossed(part, p, k, m):  # of the library's loss: k heads, and m tails
    heads, tails = (binary_cross_entropy_on_probabilities(p, 0 * p + label) for label in (1, 0))
    return k * getattr(heads, part) + m * getattr(tails, part)

(
    derive(r"(-\log P)", "-log(p**k * (1 - p)**m)", "minus the logarithm",
           [p, k, m], ranges={p: (0.05, 0.95)})
    .equals("-k*log(p) - m*log(1 - p)", "**the loss**: a sum over the tosses")
    .library("sum of binary_cross_entropy_on_probabilities(p, y).value",
             lambda p, k, m: tossed("value", p, k, m))
    .slope(p, "m/(1 - p) - k/p", "the slope of that exponent, with its sign turned")
    .library("sum of binary_cross_entropy_on_probabilities(p, y).grad",
             lambda p, k, m: tossed("grad", p, k, m))
    .equals("((k + m)*p - k) / (p*(1 - p))", "over one denominator")
    .zero_at(p, k / (k + m), "**the same place**")
)

# %% [markdown] name="why-mean"
# The product's slope still has the tiny product as a factor. The loss's slope has not: it is a sum of one term per toss.
#
# ## Why 1/n, or 1/2n?
#
# Any positive factor in front of the whole loss leaves its lowest point where it is. It changes the length of the gradient, and so the learning rate that suits gradient descent. Here is the untrained model's gradient:

# %% name="mean-numbers"
for n in (100, 1000):
    slopes = inputs[:n].T @ cross_entropy(np.zeros((n, 10)), digits.y[:n]).grad
    length = np.linalg.norm(slopes)
    print(f"{n} digits: the gradient of the sum is {length:.0f} long, of the mean {length / n:.1f}")

# %% [markdown] name="why-root"
# With $1/n$, more examples do not make the gradient longer. The $1/2$ is there to cancel the 2 in the derivative of a square. A framework's "mean" may divide by more than you think: PyTorch's squared error divides by the number of *all* entries. And where a penalty stands beside the loss, a factor before the loss alone does move the minimum.
#
# **Decided by:** [a sum with a smaller rate](../03_algorithms/30_mean_sum_or_half.ipynb#A-sum-with-a-smaller-rate-makes-the-same-step), and [the auto-encoder](10_the_auto_encoder.ipynb).
#
# ## Why a root?
#
# Adam divides by $\sqrt v$. The number $v$ is a mean of *squared* gradients. Why not divide by $v$ itself? Multiply all gradients by a factor, as a change of units does, and look at the first step:

# %% tags=["fold"] name="root"
# The first step for gradients of any size: without division, divided by the square, by its root.
size = 10.0 ** np.linspace(-3, 3, 61)

def first(rule):
    return [-descend(np.zeros(1), rule, lambda theta, g=g: np.array([g]), 1)[1][0] for g in size]

kinds = {"g (gradient descent)": first(SGD(1.0)), "g / v": size / size**2,
         "g / root of v (Adam)": first(Adam(1.0))}
plots.lines(
    size, kinds, "size of the gradient (log)", "first step at rate 1 (log)",
    "Three straight lines on logarithmic axes. The step of gradient descent rises with the "
    "gradient, the gradient divided by its square falls, and Adam's is flat at 1.",
    title="Divided by the root, the size of the gradient cancels", log="xy",
)

# %% [markdown] name="why-betas"
# Divided by $v$, the step is *shorter* the larger the gradient: it has the units of one over a gradient. Divided by the root, the units cancel, and the learning rate alone says how long the first step is.
#
# **Decided by:** the flat line, and [the story of the ratio](06_inside_adam.ipynb).
#
# ## Why two betas?
#
# The usual answer: the two averages have two tasks. The direction must turn soon when the slope turns, so $\beta_1$ is a short memory. The scale should be steady, so $\beta_2$ is a long one. Put it to the test. The gradient is $+1$ for 100 steps, then $-1$, with noise of twice that size. Left $\beta_2$ is 0.999, right it equals $\beta_1$.
#
# 1. With which $\beta_1$ does the mean step (bold) point the new way soonest? What do you pay for it?
# 2. Single steps (thin): are they calmer on the left, where the scale has the long memory?

# %% tags=["fold"] name="betas"
# The figure to move: Adam's steps before and after the slope turns, for one beta1 after the other.
rng = np.random.default_rng(seed)
slope = np.where(np.arange(200) < 100, 1.0, -1.0)[:, None] + rng.normal(0, 2, (200, 300))

def steps_of(beta1, beta2):  # steps of 300 parameters, each with its own noise, in learning rates
    stream = iter(slope)
    rule = Adam(1.0, beta1, beta2)
    trail = descend(np.zeros(300), rule, lambda theta: next(stream), len(slope))
    return -np.diff(trail, axis=0)

fig, axes = plots.panels(2, sharey=True)
for ax, title in zip(axes, ("beta2 = 0.999", "beta2 = beta1"), strict=True):
    ax.axvline(100, color="0.6", lw=1)
    ax.set(xlabel="step", title=title, xlim=(0, 200), ylim=(-2.4, 2.4))
axes[0].set(ylabel="step (learning rates)")

def remember(left, right, beta1):
    told = []
    for ax, beta2 in ((left, 0.999), (right, beta1)):
        moved = steps_of(beta1, beta2)
        ax.plot(moved[:, 0], "C0-", lw=0.7, alpha=0.8)
        ax.plot(moved.mean(1), "C1-", lw=2.5)
        turned = 100 - int((moved.mean(1)[::-1] >= 0).argmax())
        told.append(f"steps until the turn: {turned}, spread {moved[60:100].std():.2f}")
    return f"Left: {told[0]}. Right: {told[1]}."

plots.moving(
    fig, "beta1",
    [*np.arange(30, 86, 5) / 100, *np.arange(90, 100) / 100],
    remember, 0.9, "Two panels of steps over time. A thin line is one parameter, a bold one the "
    "mean of 300. The mean is positive for 100 steps and then falls below zero. "
    "Both panels look alike.",
)

# %% tags=["fold", "nbval-ignore-output"] name="betas-table"
# How soon the mean step turns, how far single steps scatter, and one gradient after 5000 zeros.
def after_silence(beta1, beta2):
    stream = iter([0.0] * 5000 + [1.0])
    rule = Adam(1.0, beta1, beta2)
    trail = descend(np.zeros(1), rule, lambda theta: np.array([next(stream)]), 5001)
    return (trail[-2] - trail[-1])[0]

rows = []
for beta1, beta2 in [(b, other) for b in (0.5, 0.9, 0.99) for other in (0.999, b)]:
    moved = steps_of(beta1, beta2)
    late = moved[60:100]
    turned = 100 - int((moved.mean(1)[::-1] >= 0).argmax())
    rows.append([f"{beta1}", f"{beta2}", turned, late.std(), after_silence(beta1, beta2),
                 f"{abs(late).max():.2f}"])
    assert beta2 == 0.999 or abs(moved).max() < 1 + 1e-9
assert rows[2][2] * 3 < rows[4][2] and rows[0][3] > 1.5 * rows[2][3]
for two, one in zip(rows[::2], rows[1::2], strict=True):
    assert 0.6 < one[3] / two[3] < 1.3 and two[4] > 2 * one[4]
rows = [[*row[:3], f"{row[3]:.2f}", row[5], f"{row[4]:.2f}"] for row in rows]
Table(["beta1", "beta2", "steps until the mean step turns", "spread of steps", "longest step",
       "step after a silence"], rows,
      "Steps in learning rates. The spread is the standard deviation of steps 61 to 100 of 300 "
      "parameters, the longest step is one of these.")

# %% [markdown] name="why-worse"
# $\beta_1$ is a real choice: a long memory is calm, and slow to turn. But look at the pairs in the table. With the same $\beta_1$, one memory turns as soon as two, within a step, and its steps scatter no more. The usual answer fails this test. The reason: a gradient that makes $m$ large makes $v$ large in the same step. With one memory both are means with the same weights, one of $g$ and one of $g^2$. A mean is at most the root of the mean of the squares, so no step is longer than the learning rate.
#
# A difference shows in the last column: one gradient after 5000 zeros. A long $\beta_2$ lets it into $v$ with a small weight, so Adam divides by less: with $\beta_1 = 0.9$ it steps [3.15 learning rates](../03_algorithms/21_how_far_can_adam_step.ipynb) instead of 0.32. Do language models need two memories? In a study of over 1,500 trainings equal betas were nearly as good as the best pair (Orvieto and Gower 2025).
#
# **Decided by:** the table, and [what the average is good for](../03_algorithms/04_adam.ipynb#What-is-the-average-good-for?).
#
# ## Why can accuracy fall while the loss falls?
#
# Accuracy asks on which side of one half a probability lies. The loss asks how much was bet on the truth. We train on the breast tumours with batches of eight, and test on new tumours after each step. From the moment $A$ to the later moment $B$ the mean loss falls, and the share of right answers as well. (We searched for such a pair; the last line of numbers says how often single steps do this.) Each point is one new tumour. In the grey half its answer at $B$ is wrong:

# %% tags=["fold"] name="opposite"
# Training, a test after every step, and two moments between which both fell.
def tested(seed, batch=8, rate=0.5, steps=300):
    split = data.breast_cancer(seed)
    draw = np.random.default_rng(seed)

    def gradient(theta):
        b = draw.choice(len(split.y), batch, replace=False)
        own_loss = binary_cross_entropy(split.x[b] @ theta, 1.0 * split.y[b])
        return split.x[b].T @ own_loss.grad / batch

    z = np.array(descend(np.zeros(30), SGD(rate), gradient, steps)) @ split.x_test.T
    loss = np.array([binary_cross_entropy(row, 1.0 * split.y_test).value.mean() for row in z])
    own = 1 / (1 + np.exp(-z * (2 * split.y_test - 1)))  # probability of each tumour's own label
    return loss, (own > 0.5).mean(axis=1), own

def both_fell(loss, accuracy):
    pairs = [(loss[i] - loss[j], i, j)
             for i in range(20, 301) for j in range(i + 1, min(i + 60, 301))
             if accuracy[j] < accuracy[i] and loss[j] < loss[i]]
    return max(pairs)[1:]

loss, accuracy, own = tested(seed)
A, B = both_fell(loss, accuracy)
fig, (ax,) = plots.panels()
ax.axhspan(0, 0.5, color="0.93")
ax.axvline(0.5, color="0.6", lw=1)
ax.axhline(0.5, color="0.6", lw=1)
ax.plot([0, 1], [0, 1], color="0.6", lw=1, ls=":")
ax.plot(own[A], own[B], "o", ms=5, mfc="none")
lost = (own[A] > 0.5) & (own[B] < 0.5)
ax.plot(own[A][lost], own[B][lost], "C1X", ms=11, label="named right at A, wrong at B")
ax.set(xlabel="probability of its own label at A", ylabel="the same at B")
ax.legend(loc="lower right")
plots.Picture(
    fig, alt="170 points between 0 and 1 in both directions, most of them near the upper right "
    "corner and above the diagonal. A few bold crosses lie right of one half and below it.",
)

# %% tags=["fold", "nbval-ignore-output"] name="opposite-numbers"
# The two moments, and how often a step does this.
print(f"A: step {A}, loss {loss[A]:.3f}, {accuracy[A]:.1%} right")
print(f"B: step {B}, loss {loss[B]:.3f}, {accuracy[B]:.1%} right")
won = (own[A] < 0.5) & (own[B] > 0.5)
print(f"from A to B {lost.sum()} right answers are lost and {won.sum()} won")
dearer = np.log(own[A] / own[B]) / own.shape[1]  # what each tumour adds to the mean loss
print(f"the lost answers add {dearer[lost].sum():.3f} to the mean loss, "
      f"all other tumours {dearer[~lost].sum():.3f}")
print(f"{(own[B] > own[A]).mean():.0%} of the points lie above the diagonal")

def shares(batch, rate):  # of the steps that lower the loss: those that lower the accuracy too
    for s in setting.seeds:
        down, worse = (np.diff(curve) < 0 for curve in tested(s, batch, rate)[:2])
        yield (down & worse).sum() / down.sum()

share = list(shares(8, 0.5))
print(f"of the steps that lower the loss, {min(share):.0%} to {max(share):.0%} "
      f"lower the accuracy too ({len(share)} seeds)")
assert loss[B] < loss[A] and accuracy[B] < accuracy[A] and min(share) > 0.01

# %% [markdown] name="why-worse-reading"
# Most points lie above the diagonal: the model became surer of the truth, and the loss rewards that. A few tumours slipped from above one half to below it, and fewer came the other way. These slips cost the mean loss little. Accuracy loses a whole answer for each.
#
# So watch both. The loss is what training can see; [why accuracy cannot be trained on](../02_concepts/02_what_makes_a_loss_good.ipynb#A-slope-to-follow) is a question of its own.
#
# **Decided by:** the numbers above, and [the loss is not the metric](../03_algorithms/19_fields.ipynb#The-loss-is-not-the-metric).
#
# ## What breaks
#
# A program multiplies first, and takes the logarithm of the product:

# %% name="breaks"
tenths = torch.full((1258,), 0.1, dtype=torch.float64, requires_grad=True)
bad, good = -tenths.prod().log(), -tenths.log().sum()
for name, cost in {"log of the product": bad, "sum of the logs": good}.items():
    (grad,) = torch.autograd.grad(cost, tenths)
    print(f"{name}: loss {cost.item():.1f}, first slope {grad[0].item():.1f}")

# %% [markdown] name="breaks-reading"
# The product is already 0, and minus the logarithm of 0 is infinite. Its slope is infinite too, and the chain rule multiplies it by the product's slope, 0: that is `nan`. The signature is a loss of `inf` at the first step, with a gradient of `nan`. The cure: *sum the logs*, never log the product.
#
# ## Exercises
#
# ### 1. How many factors? (4 minutes, easy)
# float64 rounds to 0 what lies below $2^{-1075}$, half of its smallest number. Return how many factors `p`, with $0 < p < 1$, it takes until their *exact* product is below that. (Do not multiply in float64: times 0.9, the last few numbers above 0 are rounded back to themselves, and the loop never ends.)

# %% name="exercise-factors"
def factors(p):
    ### BEGIN SOLUTION
    return int(np.floor(1075 * np.log(2) / -np.log(p))) + 1
    ### END SOLUTION

# %% name="check-factors"
check("factors")

# %% [markdown] name="exercise-typical-text"
# <details><summary>Hint 1</summary>Take the logarithm of both sides of $p^n < 2^{-1075}$, and mind the direction of the sign.</details>
# <details><summary>Hint 2</summary>The smallest whole number above x is <code>floor(x) + 1</code>.</details>
#
# ### 2. The typical probability (6 minutes, easy)
# A loss in nats is hard to feel. Its *typical probability* is the number that, if every example got it, would give the same likelihood of all. One over it is the perplexity of [the character model](11_a_character_model.ipynb). Return it, given the probabilities `p` of the right labels, for a hundred thousand examples as well.

# %% name="exercise-typical"
def typical(p):
    ### BEGIN SOLUTION
    return np.exp(np.mean(np.log(p)))
    ### END SOLUTION

# %% name="check-typical"
check("typical")

# %% [markdown] name="exercise-opposite-text"
# <details><summary>Hint 1</summary>If all n examples had the probability q, the likelihood of all would be q to the power n.</details>
# <details><summary>Hint 2</summary>Never form the product. The logarithm of q is the mean of the logarithms.</details>
#
# ### 3. How often do they disagree? (8 minutes, medium)
# Find out in a log file: `loss` and `accuracy` hold one number per test. Return how many pairs of *neighbouring* tests disagree: one of the two numbers says that the model got better, the other that it got worse. A number that stays the same says nothing.

# %% name="exercise-opposite"
def disagreements(loss, accuracy):
    ### BEGIN SOLUTION
    return int(np.sum(np.diff(loss) * np.diff(accuracy) > 0))
    ### END SOLUTION

# %% name="check-opposite"
check("disagreements")

# %% [markdown] name="takeaways"
# <details><summary>Hint 1</summary>Better means a lower loss, and a higher accuracy. When do both numbers move the same way?</details>
# <details><summary>Hint 2</summary>The product of two differences is positive when both have the same sign.</details>
#
# ## Takeaways
#
# - The logarithm turns a product that float64 cannot hold into a sum that it can. The best model stays the same.
# - A factor before the whole loss asks gradient descent for another learning rate. Adam's root takes the factor out.
# - Loss and accuracy can part. Do not take a lower loss as proof of more right answers, nor a higher accuracy as proof of better probabilities.
#
# ## Does it hold?
#
# One memory turns as soon as two, within a step or two, and its steps scatter no more: with less noise, with more, and when the slope turns so late that the memory of 0.999 is full. Where nine gradients of ten are 0 (last row), one memory turns a little later:

# %% tags=["fold", "nbval-ignore-output"] name="control-noise"
# Steps until the mean step turns, for three sizes of the noise, and after a longer past.
kept, draw, rows = slope, np.random.default_rng(seed + 1), []
for noise, past, share in ((0.5, 100, 1), (2, 100, 1), (8, 100, 1), (2, 3000, 1), (2, 100, 0.1)):
    sign = np.where(np.arange(past + 100) < past, 1.0, -1.0)
    slope = sign[:, None] + draw.normal(0, noise, (past + 100, 300))
    slope = slope * (draw.random(slope.shape) < share)
    row = [f"{noise}", past, f"{share:.0%}"]
    for betas in ((0.9, 0.999), (0.9, 0.9), (0.99, 0.999), (0.99, 0.99)):
        moved = steps_of(*betas)
        turned = 100 - int((moved.mean(1)[::-1] >= 0).argmax())
        row.append(f"{turned}, {moved[past - 40 : past].std():.2f}")
    rows.append(row)
slope = kept
names = ["noise / slope", "steps before", "gradients not 0",
         "0.9, 0.999", "0.9, 0.9", "0.99, 0.999", "0.99, 0.99"]
Table(names, rows, "Columns: the two betas. Cells: steps until the mean step turns, and the spread "
      "of single steps before.")

# %% [markdown] name="control-batch-text"
# Do both fall in other trainings? At a smaller rate, as often. With larger batches, less often. With all 399 tumours in each batch, almost never: then the steps have no noise.

# %% tags=["fold", "nbval-ignore-output"] name="control-batch"
# Of the steps that lower the loss: the share that lowers the accuracy too, in other trainings.
rows = []
for batch, rate in ((8, 0.5), (8, 0.1), (64, 0.5), (399, 0.5)):
    found = np.quantile(list(shares(batch, rate)), [0, 0.5, 1])
    rows.append([batch, f"{rate}", *(f"{x:.1%}" for x in found)])
Table(["batch", "rate", "lowest seed", "median", "highest seed"], rows)

# %% [markdown] name="control-pick-text"
# Should one then pick the step by accuracy, if right answers are what counts? On these tumours: no. One half of the test tumours picks the step, the other half judges it. The loss picks as well as accuracy, or better:

# %% tags=["fold", "nbval-ignore-output"] name="control-pick"
# The right answers of a step that the loss picked, and of one that accuracy picked.
def picked(seed, batch, rate):  # mean over 20 ways to halve the test tumours; ties share
    own, parts, told = tested(seed, batch, rate)[2], np.random.default_rng(seed), []
    for _ in range(20):
        half = parts.permutation(own.shape[1]) < own.shape[1] // 2
        right = (own > 0.5)[:, half].mean(1)
        judged = (own > 0.5)[:, ~half].mean(1)
        by_loss = judged[(-np.log(own[:, half])).mean(1).argmin()]
        told.append([by_loss, judged[right == right.max()].mean()])
    return np.mean(told, 0)

rows = []
for batch, rate in ((8, 0.5), (8, 0.1), (64, 0.5)):
    by = 100 * np.array([picked(s, batch, rate) for s in range(20)])
    gap = by[:, 0] - by[:, 1]
    assert gap.mean() > -0.3
    rows.append([batch, f"{rate}", *(f"{x:.1f}" for x in by.mean(0)),
                 f"{gap.mean():+.2f} ({gap.std(ddof=1) / 20**0.5:.2f})"])
Table(["batch", "rate", "picked by loss (%)", "picked by accuracy (%)", "gap (standard error)"],
      rows, "Right answers on the other half; 20 seeds with 20 halvings each.")

# %% [markdown] name="sources"
# ## Sources
#
# - D. Kingma and J. Ba, 2015: *Adam: a method for stochastic optimization*, arXiv 1412.6980.
# - A. Orvieto and R. Gower, 2025: *In search of Adam's secret sauce*, arXiv 2505.21829.
# - Data: digits and breast cancer, UCI Machine Learning Repository, as they come with scikit-learn, CC BY 4.0.
