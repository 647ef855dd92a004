"""onnx.py FLOWRUN WORK LAYERS DTYPE: called by onnx.sh.  flowrun is timed as a whole command (opening, writing, reading
back, hashing); torch only in torch.onnx.export(), its model being loaded.  Nothing is checked here: tests/conformance."""
import json
import os
import resource
import shutil
import subprocess
import sys
import time

flowrun, work, layers, dtype = sys.argv[1:5]
model = os.path.join(work, "r1-" + layers)
TORCH = r"""
import sys, time, torch, transformers, os, resource
model, out, dtype = sys.argv[1:4]
torch.set_grad_enabled(False)
m = transformers.AutoModelForCausalLM.from_pretrained(model, dtype={"f16": torch.float16, "f32": torch.float32}[dtype],
                                                      attn_implementation="eager").eval()
m.config.use_cache = False
ids = torch.arange(8)[None]
args = (ids, torch.ones_like(ids), ids.clone())
os.makedirs(out)
begin = time.monotonic()
names = ["input_ids", "attention_mask", "position_ids"]
axes = {n: {0: "batch_size", 1: "sequence_length"} for n in names}
if sys.argv[4] == "legacy":
    torch.onnx.export(m, args, out + "/model.onnx", input_names=names, output_names=["logits"], dynamic_axes=axes,
                      opset_version=17, dynamo=False, do_constant_folding=False)
else:
    shapes = tuple({0: torch.export.Dim("batch_size"), 1: torch.export.Dim("sequence_length")} for _ in names)
    torch.onnx.export(m, args, out + "/model.onnx", input_names=names, output_names=["logits"], dynamic_shapes=shapes,
                      dynamo=True, external_data=True)
os.sync()
print("seconds", time.monotonic() - begin)
print("rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def size(directory):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, names in os.walk(directory) for f in names)


def dd(n):
    """Seconds that the disk takes for as many bytes, written in order."""
    path = os.path.join(work, "dd")
    begin = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", "of=" + path, "bs=4M", "count=%d" % (n >> 22), "conv=fsync"],
                   check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    os.remove(path)
    return seconds


def ours():
    out = os.path.join(work, "ours")
    shutil.rmtree(out, ignore_errors=True)
    pipeline = os.path.join(work, "p.json")
    with open(pipeline, "w") as f:
        json.dump({"name": "onnx-bench", "stages": {
            "m": {"use": "source.model", "with": {"path": model}},
            "o": {"use": "sink.onnx", "from": "m", "with": {"path": out, "dtype": dtype}}}}, f)
    command = [flowrun, pipeline, "--fresh", "--run-dir", os.path.join(work, "run")]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    anonymous = 0  # beyond what is mapped
    while process.poll() is None:
        try:
            with open("/proc/%d/status" % process.pid) as f:
                anonymous = max([anonymous] + [int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon")])
        except OSError:
            pass
        time.sleep(0.02)
    seconds = time.monotonic() - begin
    if process.returncode:
        sys.exit("flowrun failed")
    return seconds, anonymous, size(out)


def theirs(kind):
    out = os.path.join(work, "torch-" + kind)
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run([sys.executable, "-c", TORCH, model, out, dtype, kind], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print("torch.onnx.export, %s: failed: %s" % (kind, done.stderr.strip().splitlines()[-1:]))
        return None
    figures = dict(line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["seconds"], ["rss"]))
    result = float(figures["seconds"]), float(figures["rss"]), size(out)
    shutil.rmtree(out)
    return result


os.sync()
seconds, anonymous, n = ours()
disk = dd(n)
print("%s, %s layers, %.2f GB" % (dtype, layers, n / 1e9))
print("flowrun             %7.1f s  %5.0f MB/s  (dd with fsync: %.1f s, %.0f MB/s)  %.2f GB of memory beyond mapped files" %
      (seconds, n / 1e6 / seconds, disk, n / 1e6 / disk, anonymous / 1e9))
for kind in ("legacy", "dynamo"):
    got = theirs(kind)
    if got:
        print("torch, %-12s %7.1f s  %5.0f MB/s  %.2f GB of memory  %.1f times flowrun's" %
              (kind, got[0], got[2] / 1e6 / got[0], got[1] / 1e9, got[0] / seconds))
