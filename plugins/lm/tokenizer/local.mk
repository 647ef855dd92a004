# plugins/lm/tokenizer: text to ids and back
