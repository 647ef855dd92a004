# plugins/transforms/dedup
