# plugins/transforms/format
