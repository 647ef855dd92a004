/* SPDX-License-Identifier: Apache-2.0 */
/* manual.h: the manual page of sink.gguf. */
static const char details[]
    = "Writes one GGUF file (version 3) that llama.cpp and what is built on it load: weights, "
      "tokenizer, chat template and all settings.\n"
      "\n"
      "- A model with an adapter is **merged**: W + scale · B · A in 32 bits, on the very weights "
      "that were trained with, then stored as `dtype` says.\n"
      "- **An adapter alone** (`\"what\": \"adapter\"`) is what llama.cpp takes beside its base "
      "(`--lora`), in 32 bits.\n";
