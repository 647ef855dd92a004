/* SPDX-License-Identifier: Apache-2.0 */
/* emulated.cc: kernels.cu as host C++, for test-emulated. */
#include "kernels.cu"
