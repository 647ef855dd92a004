# plugins/lm/compute: opening backends; the reference backend is in plugins/compute/reference
