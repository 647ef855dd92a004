# plugins/transforms/clean
