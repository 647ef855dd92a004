# Harnesses of plugins/lm: jinja.
