# plugins/transforms/split
