#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-levels.sh: the operations again on each older set of instructions that this processor can be held down to; apart
# from test-compute, so that both run at once.
exec "$top_builddir/plugins/compute/test-compute" levels --tap
