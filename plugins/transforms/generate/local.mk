# plugins/transforms/generate
