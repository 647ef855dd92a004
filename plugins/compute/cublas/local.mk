# plugins/compute/cublas
