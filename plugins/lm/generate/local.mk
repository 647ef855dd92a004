# plugins/lm/generate: choosing tokens
