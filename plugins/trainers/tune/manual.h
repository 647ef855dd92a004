/* SPDX-License-Identifier: Apache-2.0 */
/* manual.h: the manual's text of both elements; what they share is written once. */
#ifndef FLOWRUN_TUNE_MANUAL_H
#define FLOWRUN_TUNE_MANUAL_H

#define MANUAL_SAMPLES                                                                             \
  "### What is learned\n"                                                                          \
  "\n"                                                                                             \
  "A row becomes a sample through the checkpoint's own chat template: the prompt as the model "    \
  "will see it in\n"                                                                               \
  "use, then the answer, then the end token. Only the answer and the end token are learned; "      \
  "`flowrun head\n"                                                                                \
  "PIPELINE STAGE.tokens` shows samples with what is learned marked. Rows have `input` and "       \
  "`output` (and, if there\n"                                                                      \
  "are, `system` and `history`), or `messages`. A row that cannot be a sample (no answer, a "      \
  "template that refuses\n"                                                                        \
  "it) goes to `rejects` as `no_sample`.\n"                                                        \
  "\n"                                                                                             \
  "A sample longer than `max_length` ends the run before it begins, with the longest by name: a "  \
  "model that learned\n"                                                                           \
  "from cut answers writes cut answers, and nobody knows why. With `truncate` such rows are "      \
  "rejected (`too_long`) or cut,\n"                                                                \
  "and counted either way. A cut on the left keeps answer and end token; a cut on the right "      \
  "loses them.\n"                                                                                  \
  "\n"

#define MANUAL_STEPS                                                                               \
  "### Steps\n"                                                                                    \
  "\n"                                                                                             \
  "A step learns from `batch` x `accumulate` samples; the last step of an epoch takes what is "    \
  "left, so every sample\n"                                                                        \
  "is learned exactly once an epoch. The loss is the mean over all learned tokens of the step, "   \
  "however it is cut:\n"                                                                           \
  "`batch: 8`, and `batch: 2` with `accumulate: 4`, are the same training. Inside a step, "        \
  "samples pass the decoder side by\n"                                                             \
  "side without padding, each with its own positions and attention, `micro_tokens` at once. That " \
  "and `packing` change\n"                                                                         \
  "speed and memory, and results only by rounding.\n"                                              \
  "\n"                                                                                             \
  "The learning rate rises over `warmup` steps and then falls with `schedule`. The optimiser is "  \
  "AdamW with decoupled\n"                                                                         \
  "decay, on values in F32, after the gradient was clipped to `max_grad_norm`.\n"                  \
  "\n"                                                                                             \
  "### Validation\n"                                                                               \
  "\n"                                                                                             \
  "Loss and perplexity of `validation` are measured before the first step, every `eval_steps` "    \
  "and at the end. With\n"                                                                         \
  "`load_best` the model that leaves is the one with the lowest validation loss; "                 \
  "`early_stopping` ends a training that no\n"                                                     \
  "longer gets better. Without `validation`, the last state leaves.\n"                             \
  "\n"                                                                                             \
  "### When it goes wrong\n"                                                                       \
  "\n"                                                                                             \
  "A loss or gradient that is not finite stops the run at once, and so does a loss that runs "     \
  "away "                                                                                          \
  "(`diverge`). The message\n"                                                                     \
  "names the step, the losses before it, the learning rate and the rows that it learned from. "    \
  "In the first steps it is\n"                                                                     \
  "checked that every trained tensor has a gradient and that they are those planned: a training "  \
  "that changes nothing\n"                                                                         \
  "stops.\n"                                                                                       \
  "\n"                                                                                             \
  "A run that is killed, or cancelled, goes on from its last checkpoint when it is started "       \
  "again, "                                                                                        \
  "and gives the bytes of an\n"                                                                    \
  "undisturbed one: parameters, optimiser, order and chance are all in it. A checkpoint that is "  \
  "damaged is passed over\n"                                                                       \
  "with a warning. The same seed and `threads` give the same bytes; other `threads` the same "     \
  "curve up to rounding.\n"                                                                        \
  "\n"                                                                                             \
  "`flowrun check` prints a forecast: what is trained, tokens, cuts, steps, memory and time. The " \
  "report puts what was\n"                                                                         \
  "measured beside it.\n"                                                                          \
  "\n"

#define MANUAL_SHARED_DEFAULTS                                                                     \
  "* `epochs` 3, `batch` 8: the defaults of transformers, which LLaMA-Factory and TRL keep. "      \
  "Small data "                                                                                    \
  "learned more often is\n"                                                                        \
  "  learned by heart; watch the validation loss.\n"                                               \
  "* `schedule` cosine with a short `warmup` (3 %): a first step at the full rate, with moments "  \
  "that know one gradient,\n"                                                                      \
  "  can throw a model off; falling to 0 is worth more than the exact shape.\n"                    \
  "* `max_grad_norm` 1, `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-8, `weight_decay` 0: the "        \
  "defaults of transformers,\n"                                                                    \
  "  which all of these tools inherit.\n"                                                          \
  "* `max_length` 2048 with `truncate` error: others cut at 1024 or 2048 without a word.\n"        \
  "* `type` auto: bf16 activations halve memory and double speed where the processor has them; "   \
  "what is trained, its\n"                                                                         \
  "  gradients and all sums stay in F32, so small steps are not lost.\n"

static const char lora_details[]
    = "Trains a low-rank adapter (LoRA, Hu et al. 2021) on a model whose weights stay as they are "
      "stored, mapped and\n"
      "shared: each linear layer in `targets` gets two thin matrices A and B and adds `alpha` / "
      "`rank` x B A x to its\n"
      "output. A begins random, B at 0, so training begins at the base model. What leaves by "
      "`model` is the base with the\n"
      "adapter: `sink.safetensors` writes it as PEFT does, or merged; `transform.generate` uses it "
      "as it is. A model that comes\n"
      "with an adapter has it trained on.\n"
      "\n" MANUAL_SAMPLES MANUAL_STEPS "### Defaults\n"
      "\n"
      "* `rank` 16 with `alpha` 32: enough for style and domain; alpha is twice the rank by "
      "custom, "
      "so that changing the rank\n"
      "  leaves the strength alone. For large ranks set `rslora`.\n"
      "* `targets` q_proj and v_proj: the paper's choice and PEFT's default for these families, "
      "and "
      "the least memory.\n"
      "  `all-linear` learns more per step, with several times the numbers and some more time.\n"
      "* `dropout` 0.1: with a few hundred samples an adapter learns them by heart; PEFT's "
      "examples use 0.05 to 0.1.\n"
      "* `lr` 5e-5: safe. Adapters bear more than whole models: 1e-4 to 5e-4 is common for small "
      "ranks and little data.\n" MANUAL_SHARED_DEFAULTS;

static const char full_details[]
    = "Trains every weight of a model. Values, gradients and both moments of the optimiser are in "
      "F32: 16 bytes for each\n"
      "number of the model, beside activations. Use it where an adapter is not enough, on models "
      "that fit. Quantised weights\n"
      "are widened first. What leaves by `model` is the tuned model; `sink.safetensors` writes it "
      "as "
      "a Hugging Face directory.\n"
      "\n" MANUAL_SAMPLES MANUAL_STEPS "### Defaults\n"
      "\n"
      "* `lr` 3e-5: whole models forget faster than adapters learn; 1e-5 to 5e-5 is the range that "
      "practice agrees on.\n" MANUAL_SHARED_DEFAULTS;

#endif
