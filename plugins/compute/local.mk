# plugins/compute: who multiplies matrices.
include plugins/compute/reference/local.mk
include plugins/compute/cpu/local.mk
include plugins/compute/openblas/local.mk
include plugins/compute/onednn/local.mk
include plugins/compute/cublas/local.mk
