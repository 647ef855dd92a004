# plugins/sinks/jsonl
