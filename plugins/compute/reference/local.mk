# plugins/compute/reference
