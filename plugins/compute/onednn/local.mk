# plugins/compute/onednn
