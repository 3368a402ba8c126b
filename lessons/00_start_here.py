# ---
# jupyter:
#   lesson:
#     title: Start here
#     minutes: 5
#     settles: []
# ---

# %% [markdown]
# # Start here
#
# placeholder
