# plugins/transforms/filter
