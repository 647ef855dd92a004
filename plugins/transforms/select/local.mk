# plugins/transforms/select
