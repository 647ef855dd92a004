# plugins/lm/decoder: forward, backward, cache
