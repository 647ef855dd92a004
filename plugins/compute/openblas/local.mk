# plugins/compute/openblas
