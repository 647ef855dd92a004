# plugins/lm/lora: adapters
