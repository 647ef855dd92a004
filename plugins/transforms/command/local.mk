# plugins/transforms/command
