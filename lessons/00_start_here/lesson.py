# ---
# jupyter:
#   lesson:
#     title: Start here
#     minutes: 5
#     settles: [E1]
# ---

# %% [markdown] name="title"
# # Start here
#
# This course takes the losses and optimizers that train large models apart. Each lesson derives a formula and has a machine check the
# derivation; shows the few lines of our library that compute it; compares them with PyTorch, each number with its tolerance; draws one
# picture that answers one question; breaks the formula the way people really break it; and hands over to you.
#
# A **loss function** says how wrong a prediction is. An **optimizer** is the rule that turns its gradient into the next parameters. (The
# article that this course follows calls the second one an "optimization function", 优化函数; the standard term is *optimizer*, 优化器, because
# the function being optimised is the loss.)

# %% [markdown] name="the-lessons"
# ## The lessons
#
# | lesson | minutes | exercises | the question it answers |
# |---|---|---|---|
# | [Binary cross-entropy](03_algorithms/01_binary_cross_entropy.ipynb) | 60 | 4 | A model is certain, and wrong. Why does its loss stop teaching it? |
# | [Multi-class cross-entropy](03_algorithms/02_cross_entropy.ipynb) | 70 | 4 | Nearly every answer is right, and the loss will not fall below 1.46. Why? |
# | [Stochastic gradient descent](03_algorithms/03_sgd.ipynb) | 70 | 4 | Every step goes downhill, and half of them end higher. Is something broken? |
# | [Adam](03_algorithms/04_adam.ipynb) | 80 | 4 | Leave out the two lines that divide by 1 - beta^t. Is the first step too small or too large? |
# | [Squared, absolute and Huber error](03_algorithms/05_regression.ipynb) | 40 | 3 | One of 310 values is mistyped. How far does it move the prediction, and is the loss that ignores it better? |
# | [Robust and quantile regression](03_algorithms/06_robust.ipynb) | 40 | 3 | Squared or absolute error? Nobody tells us how clean the data are. Can the loss learn it? |
# | [Probabilistic regression: Gaussian, Laplace, Poisson](03_algorithms/07_probabilistic_regression.ipynb) | 40 | 3 | A network that could follow the curve calls a stretch of it noise. Why? |
# | [Margins: hinge, ranking, triplet, cosine](03_algorithms/08_margins.ipynb) | 40 | 3 | Throw away 8 of 10 training examples: is it possible that nothing changes? |
# | [Divergences: KL both ways, Jensen-Shannon](03_algorithms/09_divergences.ipynb) | 40 | 3 | The target has two humps, the model one. Which loss puts it where the target has nothing, and is that wrong? |
# | [Soft targets, class weights, ignored tokens, focal loss](03_algorithms/10_soft_targets.ipynb) | 40 | 3 | A rare class gets the weight 19, and with batches of one nothing changes. Why? |
# | [Momentum and Nesterov](03_algorithms/11_momentum.ipynb) | 40 | 4 | Momentum 0.9 makes steps up to ten times longer. Is it just a larger learning rate? |
# | [AdaGrad, RMSProp, Adadelta](03_algorithms/12_adaptive.ipynb) | 40 | 4 | AdaGrad never forgets a gradient. Is that a disease, and what really stops it? |
# | [AdamW and decoupled weight decay](03_algorithms/13_adamw.ipynb) | 40 | 4 | Penalty or decay: whose weights are pulled most, and which reads new text better? |
# | [The Adam family: AMSGrad, NAdam, RAdam, Adamax](03_algorithms/14_adam_family.ipynb) | 40 | 3 | Adam walks to the worst end of a convex problem. Should you use AMSGrad? |
# | [Second order: Newton, conjugate gradient, L-BFGS](03_algorithms/15_second_order.ipynb) | 40 | 3 | Newton needs one step where gradient descent needs thousands: is it the price, the noise or the saddles that keeps it out of training? |
# | [Schedules, warm-up and averaging](03_algorithms/16_schedules.ipynb) | 40 | 3 | SGD circles. Lower the rate, or average the circle: on paper both end at one place. On data? |
# | [Clipping and accumulation](03_algorithms/17_clipping_and_accumulation.ipynb) | 40 | 3 | We cap every gradient for stability. Does the optimizer still look for the same place? |
# | [Advantages and drawbacks, measured](03_algorithms/18_advantages_and_drawbacks.ipynb) | 40 | 3 | How much worse is a classifier that is trained with squared error? |
# | [Fields of application: field, loss, optimizer, metric](03_algorithms/19_fields.ipynb) | 35 | 3 | Ten classes, nothing trained yet, and the first loss is 2.9. Is something broken? |

# %% [markdown] name="is-everything-in-place"
# ## Is everything in place?
#
# Run the next cell (Shift + Enter). If a package is missing or too old, it says what to do.

# %% tags=["nbval-ignore-output"] name="self-check"
from lessons_lib import bridge
from lessons_lib.checks import check, progress_table
from lessons_lib.self_check import self_check

self_check()

# %% [markdown] name="after-self-check"
# Lessons compute on a GPU if there is one; each first cell has `device = "auto"` for you to change to `"cpu"` or `"cuda"`.

# %% tags=["parameters"] name="parameters"
device = "auto"  # "auto", "cpu" or "cuda"
seed = 0
profile = "quick"  # "quick": 5 seeds, "full": 20

# %% tags=["nbval-ignore-output"] name="device"
bridge.start(device, seed, profile).device

# %% [markdown] name="how-an-exercise-works"
# ## How an exercise works
#
# You get a stub that ends in `...`, and a check right under it. Run the check: it says *open*. Replace `...` by an answer and run both cells
# again. It judges what your code computes, at settings where mistakes show, and names the mistake if it knows it. Try it here: first `a - b`,
# then `a + b`.

# %% name="exercise-warm-up"
def warm_up(a, b):
    """The sum of two arrays."""
    ### BEGIN SOLUTION
    return a + b
    ### END SOLUTION

# %% name="check-warm-up"
check("warm_up")

# %% [markdown] name="your-progress"
# ## Your progress
#
# Kept on this machine only; nothing is sent anywhere. Run the cell again to see what is new. Each lesson ends with a link to its solutions;
# running those counts for nothing here.
#
# What `make lab` opens is a copy of your own. When the course changes, lessons in which you changed no cell are renewed at the next start;
# the others stay yours, and the table names those that have a newer edition.

# %% name="progress"
progress_table()
