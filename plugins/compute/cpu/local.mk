# plugins/compute/cpu
