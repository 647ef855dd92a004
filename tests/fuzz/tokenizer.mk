# Harnesses of plugins/lm: tokenizer.
