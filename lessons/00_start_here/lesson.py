# ---
# jupyter:
#   lesson:
#     title: Start here
#     question: What is here, in which order, and does it run on my machine?
#     minutes: 5
#     needs: []
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
# <!-- lessons -->

# %% [markdown] name="is-everything-in-place"
# ## Is everything in place?
#
# Run the next cell (Shift + Enter). If a package is missing or too old, it says what to do.

# %% tags=["nbval-ignore-output"] name="self-check"
from lessons_lib import bridge, exercises
from lessons_lib.self_check import self_check

check = exercises.of("00_start_here")
self_check()

# %% [markdown] name="after-self-check"
# Lessons compute on a GPU if there is one; each first cell has `device = "auto"` for you to change to `"cpu"` or `"cuda"`.

# %% tags=["parameters", "fold"] name="parameters"
# Parameters: device, seed, profile
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
exercises.progress_table()
