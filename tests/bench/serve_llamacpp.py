"""serve_llamacpp.py MODEL.gguf decode|prefill STREAMS PROMPT TOKENS: llama.cpp (xllamacpp) as a server in this process.

Prints the best and the median of three: tokens decoded per second in all streams together, each stream's own rate
added up, or tokens of one prompt per second; and the peak of memory in bytes.
"""
import contextlib
import json
import os
import resource
import sys
import threading

# It writes to both streams as it likes.
kept = os.dup(1)
quiet = os.open(os.devnull, os.O_WRONLY)
os.dup2(quiet, 1)
os.dup2(quiet, 2)
import xllamacpp

model, what, streams, prompt, tokens = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
params = xllamacpp.CommonParams()
params.model.path = model
params.cpuparams.n_threads = len(os.sched_getaffinity(0))
params.n_ctx = 1024 * streams
params.n_parallel = streams
params.warmup = True
with contextlib.suppress(Exception):
    params.n_gpu_layers = 0
server = xllamacpp.Server(params)


def ask(number, answers):
    words = ("hello " * prompt)[: 6 * prompt - len(str(number))] + str(number)
    answer = server.handle_completions(
        {"prompt": words, "n_predict": tokens, "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
         "cache_prompt": False}
    )
    answers.append((answer if isinstance(answer, dict) else json.loads(answer))["timings"])


rates = []
for _ in range(3):
    answers = []
    threads = [threading.Thread(target=ask, args=(i, answers)) for i in range(streams)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rates.append(sum(a["prompt_per_second" if what == "prefill" else "predicted_per_second"] for a in answers))
rates.sort()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
os.write(kept, f"{rates[-1]:.1f} {rates[len(rates) // 2]:.1f} {peak}\n".encode())
os._exit(0)
