/* SPDX-License-Identifier: Apache-2.0 */
/* quality.h: made by UPDATE=1 test-desensitize from labelled.jsonl. */
#define QUALITY_TABLE "\n"
