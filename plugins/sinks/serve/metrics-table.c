/* SPDX-License-Identifier: Apache-2.0 */
/* metrics-table.c: every figure there is (metrics.h).
 *
 * Names follow Prometheus's rules: base units (seconds, bytes), counters end in _total.  Those of
 * vLLM follow vllm/v1/metrics/loggers.py, with its labels and buckets;
 * vllm:time_per_output_token_seconds and vllm:inter_token_latency_seconds are its older and newer
 * name of one figure.  process_… follow the client libraries.
 */
#include "config.h"

#include "metrics-private.h"

/* ---- buckets -----------------------------------------------------------------------------------
 */

/* From a cached answer to a long one on a slow machine. */
static const double request_seconds[]
    = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2,
        0.3,    0.5,     0.75,   1,     2.5,    5,     10,   30,    60,   120, 300 };
static const double first_seconds[]
    = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60 };
static const double token_seconds[] = { 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05,
                                        0.075, 0.1,    0.15,  0.2,    0.3,  0.5,   1,    2.5 };
static const double queue_seconds[]
    = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 };
static const double rows[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 };

static const double vllm_first[]
    = { 0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
        1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560 };
static const double vllm_token[] = { 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5,
                                     0.75, 1,     2.5,  5,     7.5, 10,   20,  40,  80 };
static const double vllm_request[] = { 0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                       30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680 };
static const double vllm_tokens[]
    = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000 };
static const double vllm_n[] = { 1, 2, 5, 10, 20 };
static const double vllm_pass[]
    = { 1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384 };

/* ---- the table ---------------------------------------------------------------------------------
 */

#define COUNTER(name_, help_, ...)                                                                 \
  {                                                                                                \
    .name = (name_), .type = SERVE_COUNTER, .help = (help_), .labels = { __VA_ARGS__ }             \
  }
#define GAUGE(name_, help_, ...)                                                                   \
  {                                                                                                \
    .name = (name_), .type = SERVE_GAUGE, .help = (help_), .labels = { __VA_ARGS__ }               \
  }
#define PRESENT(name_, help_, ...)                                                                 \
  {                                                                                                \
    .name = (name_), .type = SERVE_GAUGE, .help = (help_), .labels = { __VA_ARGS__ },              \
    .present = TRUE                                                                                \
  }
#define HISTOGRAM(name_, help_, buckets_, ...)                                                     \
  {                                                                                                \
    .name = (name_), .type = SERVE_HISTOGRAM, .help = (help_), .labels = { __VA_ARGS__ },          \
    .buckets = (buckets_), .n_buckets = G_N_ELEMENTS (buckets_)                                    \
  }
#define ENGINE(type_, name_, help_)                                                                \
  {                                                                                                \
    .name = (name_), .type = (type_), .help = (help_), .labels = { "model_name", "engine" },       \
    .engine = TRUE                                                                                 \
  }
#define VLLM(name_, help_, buckets_)                                                               \
  HISTOGRAM ("vllm:" name_, help_, buckets_, "model_name", "engine")

const ServeFigureRow serve_figures[SERVE_N_FIGURES] = {
  [SERVE_F_REQUESTS]
  = COUNTER ("flowrun_requests_total", "Requests that have ended.", "route", "method", "status"),
  [SERVE_F_REQUEST_SECONDS]
  = HISTOGRAM ("flowrun_request_duration_seconds",
               "From a request's last byte to its answer's last byte.", request_seconds, "route"),
  [SERVE_F_IN_FLIGHT] = GAUGE ("flowrun_requests_in_flight", "Requests being answered."),
  [SERVE_F_CONNECTIONS] = GAUGE ("flowrun_connections", "Open connections."),
  [SERVE_F_REJECTED]
  = COUNTER ("flowrun_rejected_total", "Requests turned away before a model saw them.", "reason"),
  [SERVE_F_ERRORS] = COUNTER ("flowrun_errors_total", "Requests answered by an error.", "kind"),
  [SERVE_F_CLIENT_REQUESTS]
  = COUNTER ("flowrun_client_requests_total", "Requests by name of the API key.", "client"),
  [SERVE_F_CLIENT_TOKENS]
  = COUNTER ("flowrun_client_tokens_total", "Tokens by name of the API key.", "client", "kind"),
  [SERVE_F_ANSWERS]
  = COUNTER ("flowrun_answers_total", "Answers by public name, revision and why they ended.",
             "model", "revision", "stop"),
  [SERVE_F_MODEL_FAULTS]
  = COUNTER ("flowrun_model_faults_total", "Answers that failed by the server's fault.", "model",
             "revision"),
  [SERVE_F_FIRST_SECONDS]
  = HISTOGRAM ("flowrun_time_to_first_token_seconds", "From a request to its first token.",
               first_seconds, "model"),
  [SERVE_F_TOKEN_SECONDS]
  = HISTOGRAM ("flowrun_time_per_output_token_seconds",
               "Mean time of an answer's tokens after the first.", token_seconds, "model"),
  [SERVE_F_QUEUE_SECONDS] = HISTOGRAM ("flowrun_queue_seconds", "Waiting for a place in the batch.",
                                       queue_seconds, "model"),
  [SERVE_F_PROMPT_TOKENS] = COUNTER ("flowrun_prompt_tokens_total", "Tokens of prompts.", "model"),
  [SERVE_F_REUSED_TOKENS]
  = COUNTER ("flowrun_reused_tokens_total", "Tokens of prompts that did not have to be computed.",
             "model"),
  [SERVE_F_ANSWER_TOKENS] = COUNTER ("flowrun_answer_tokens_total", "Tokens of answers.", "model"),
  [SERVE_F_RUNNING] = GAUGE ("flowrun_running", "Answers in the batch."),
  [SERVE_F_WAITING] = GAUGE ("flowrun_waiting", "Requests waiting for a place in the batch."),
  [SERVE_F_WAITING_TOKENS] = GAUGE ("flowrun_waiting_tokens", "Tokens of their prompts."),
  [SERVE_F_BATCH_ROWS]
  = HISTOGRAM ("flowrun_batch_rows", "Tokens computed in one pass of the model.", rows),
  [SERVE_F_PASS_SECONDS]
  = HISTOGRAM ("flowrun_pass_seconds", "Time of one pass of the model.", token_seconds),
  [SERVE_F_KV_TOKENS] = GAUGE ("flowrun_kv_tokens", "Tokens whose keys and values have room."),
  [SERVE_F_KV_USED] = GAUGE ("flowrun_kv_used_tokens", "Of them, reserved by answers at work."),
  [SERVE_F_KV_KEPT]
  = GAUGE ("flowrun_kv_kept_tokens", "Of them, kept for prompts that begin alike."),
  [SERVE_F_PREFIX_EVICTED]
  = COUNTER ("flowrun_prefixes_evicted_total", "Beginnings of prompts given up for room."),
  [SERVE_F_CACHE_HITS] = COUNTER ("flowrun_cache_hits_total", "Answers found in the cache."),
  [SERVE_F_CACHE_MISSES]
  = COUNTER ("flowrun_cache_misses_total", "Answers looked for in the cache and computed."),
  [SERVE_F_CACHE_SHARED]
  = COUNTER ("flowrun_cache_shared_total", "Answers computed once for several that asked at once."),
  [SERVE_F_CACHE_EVICTED] = COUNTER ("flowrun_cache_evicted_total", "Answers given up for room."),
  [SERVE_F_CACHE_EXPIRED]
  = COUNTER ("flowrun_cache_expired_total", "Answers looked for after their time."),
  [SERVE_F_CACHE_ENTRIES] = GAUGE ("flowrun_cache_entries", "Answers in the cache."),
  [SERVE_F_CACHE_BYTES] = GAUGE ("flowrun_cache_bytes", "Memory that they take."),
  [SERVE_F_MODEL_REVISIONS] = GAUGE ("flowrun_model_revisions", "Revisions of models held."),
  [SERVE_F_ADAPTER_LOADS]
  = COUNTER ("flowrun_adapter_loads_total", "Adapters loaded, refused, unloaded.", "outcome"),
  [SERVE_F_ROLLBACKS] = COUNTER ("flowrun_rollbacks_total",
                                 "Routes rolled back: asked for, or by their guard.", "cause"),
  [SERVE_F_SHADOWS]
  = COUNTER ("flowrun_shadow_answers_total", "Shadow answers: what became of them.", "outcome"),
  [SERVE_F_FILES_CHANGED]
  = GAUGE ("flowrun_model_files_changed",
           "1: the model's files are not those that were opened; a restart would serve others."),
  [SERVE_F_LOG_LINES]
  = COUNTER ("flowrun_access_log_lines_total", "Lines of the access log.", "outcome"),
  [SERVE_F_FEEDBACK]
  = COUNTER ("flowrun_feedback_total", "Ratings of answers: what became of them.", "outcome"),
  [SERVE_F_STATE]
  = GAUGE ("flowrun_state", "1 for the state the server is in, 0 for the others.", "state"),
  [SERVE_F_BUILD] = GAUGE ("flowrun_build_info", "Always 1.", "version", "compiler"),
  [SERVE_F_MODEL_INFO]
  = PRESENT ("flowrun_model_info", "1 for each revision held.", "model", "revision", "hash"),
  [SERVE_F_ROUTE_SHARE]
  = PRESENT ("flowrun_route_share",
             "Share of the requests for a name that a revision gets, 0 to 1.", "model", "revision"),

  [SERVE_F_VLLM_RUNNING]
  = ENGINE (SERVE_GAUGE, "vllm:num_requests_running", "Answers in the batch."),
  [SERVE_F_VLLM_WAITING]
  = ENGINE (SERVE_GAUGE, "vllm:num_requests_waiting", "Requests waiting for a place in the batch."),
  [SERVE_F_VLLM_KV_USAGE]
  = ENGINE (SERVE_GAUGE, "vllm:kv_cache_usage_perc", "Share of keys and values in use, 0 to 1."),
  [SERVE_F_VLLM_PREFIX_QUERIES]
  = ENGINE (SERVE_COUNTER, "vllm:prefix_cache_queries_total", "Tokens of prompts admitted."),
  [SERVE_F_VLLM_PREFIX_HITS] = ENGINE (SERVE_COUNTER, "vllm:prefix_cache_hits_total",
                                       "Of them, those that did not have to be computed."),
  [SERVE_F_VLLM_PREEMPTIONS]
  = ENGINE (SERVE_COUNTER, "vllm:num_preemptions_total", "Always 0: nothing is preempted."),
  [SERVE_F_VLLM_PROMPT_TOKENS]
  = COUNTER ("vllm:prompt_tokens_total", "Tokens of prompts.", "model_name", "engine"),
  [SERVE_F_VLLM_ANSWER_TOKENS]
  = COUNTER ("vllm:generation_tokens_total", "Tokens of answers.", "model_name", "engine"),
  [SERVE_F_VLLM_SUCCESS] = COUNTER ("vllm:request_success_total", "Answers by why they ended.",
                                    "model_name", "engine", "finished_reason"),
  [SERVE_F_VLLM_FIRST_SECONDS]
  = VLLM ("time_to_first_token_seconds", "From a request to its first token.", vllm_first),
  [SERVE_F_VLLM_TOKEN_SECONDS]
  = VLLM ("time_per_output_token_seconds", "Mean time of an answer's tokens after the first.",
          vllm_token),
  [SERVE_F_VLLM_BETWEEN_SECONDS]
  = VLLM ("inter_token_latency_seconds", "Mean time of an answer's tokens after the first.",
          vllm_token),
  [SERVE_F_VLLM_REQUEST_SECONDS]
  = VLLM ("e2e_request_latency_seconds", "From a request to the end of its answer.", vllm_request),
  [SERVE_F_VLLM_QUEUE_SECONDS]
  = VLLM ("request_queue_time_seconds", "Waiting for a place in the batch.", vllm_request),
  [SERVE_F_VLLM_INFERENCE_SECONDS]
  = VLLM ("request_inference_time_seconds", "From a place in the batch to the end.", vllm_request),
  [SERVE_F_VLLM_PREFILL_SECONDS]
  = VLLM ("request_prefill_time_seconds", "From a place in the batch to the first token.",
          vllm_request),
  [SERVE_F_VLLM_DECODE_SECONDS]
  = VLLM ("request_decode_time_seconds", "From the first token to the last.", vllm_request),
  [SERVE_F_VLLM_REQUEST_PROMPT]
  = VLLM ("request_prompt_tokens", "Tokens of a request's prompt.", vllm_tokens),
  [SERVE_F_VLLM_REQUEST_ANSWER]
  = VLLM ("request_generation_tokens", "Tokens of a request's answer.", vllm_tokens),
  [SERVE_F_VLLM_PARAMS_N] = VLLM ("request_params_n", "Choices asked for.", vllm_n),
  [SERVE_F_VLLM_PARAMS_MAX] = VLLM ("request_params_max_tokens",
                                    "Most tokens of an answer that were asked for.", vllm_tokens),
  [SERVE_F_VLLM_PASS_TOKENS] = { .name = "vllm:iteration_tokens_total",
                                 .type = SERVE_HISTOGRAM,
                                 .help = "Tokens computed in one pass of the model.",
                                 .labels = { "model_name", "engine" },
                                 .buckets = vllm_pass,
                                 .n_buckets = G_N_ELEMENTS (vllm_pass),
                                 .engine = TRUE },

  [SERVE_F_PROCESS_CPU]
  = COUNTER ("process_cpu_seconds_total", "User and system time of all threads in seconds."),
  [SERVE_F_PROCESS_RSS] = GAUGE ("process_resident_memory_bytes", "Resident memory in bytes."),
  [SERVE_F_PROCESS_VIRTUAL] = GAUGE ("process_virtual_memory_bytes", "Virtual memory in bytes."),
  [SERVE_F_PROCESS_FDS] = GAUGE ("process_open_fds", "Open file descriptors."),
  [SERVE_F_PROCESS_MAX_FDS] = GAUGE ("process_max_fds", "Most file descriptors allowed."),
  [SERVE_F_PROCESS_START]
  = GAUGE ("process_start_time_seconds", "When the process started, in seconds since 1970."),
};
