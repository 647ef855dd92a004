# Harnesses of plugins/lm: weights.
