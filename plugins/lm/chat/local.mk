# plugins/lm/chat: records to token ids
