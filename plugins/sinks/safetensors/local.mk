# plugins/sinks/safetensors
