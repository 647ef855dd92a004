#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test-serve.py: sink.serve through OpenAI's own Python client, unchanged, with a real model.

Answers must be those of transform.generate on the same question (which is held against
transformers elsewhere), whole and by stream, alone and beside others; in f32, for a processor's
bf16 rounds a row otherwise when others are beside it.  Errors must be the classes that the client
raises for OpenAI's.  Prints TAP.  $FLOWRUN_VENV is a virtual
environment with openai; $FLOWRUN_SMOLLM2 the model.
"""
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import oracles

oracles.enter()
try:
    import openai
except ImportError as e:
    oracles.skip_all("%s: set FLOWRUN_VENV to an environment with openai" % e)
MODEL = os.environ.get("FLOWRUN_SMOLLM2", "")
if not os.path.exists(MODEL):
    oracles.skip_all("FLOWRUN_SMOLLM2 names no file")
FLOWRUN = os.environ["FLOWRUN"]
count = 0


def tell(good, name, detail=""):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        print("# " + str(detail)[:1500].replace("\n", "\n# "), flush=True)


QUESTIONS = ["What is the capital of France?", "Write one line of copy for a cast-iron kettle.", "用一句话介绍绿茶。", "Count to five."]
TOKENS = 24


def generated(tmp):
    """What transform.generate answers."""
    pipeline = {
        "name": "ask",
        "run": {"record": False},
        "stages": {
            "rows": {"use": "source.rows", "with": {"rows": [{"input": q} for q in QUESTIONS]}},
            "model": {"use": "source.model", "with": {"path": MODEL}},
            "answer": {"use": "transform.generate", "from": {"in": "rows", "model": "model"},
                       "with": {"max_tokens": TOKENS, "temperature": 0, "batch": 1, "type": "f32"}},
            "write": {"use": "sink.jsonl", "from": "answer", "with": {"path": "answers.jsonl"}},
        },
    }
    path = os.path.join(tmp, "ask.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(pipeline, file)
    subprocess.run([FLOWRUN, path], check=True, capture_output=True)
    with open(os.path.join(tmp, "answers.jsonl"), encoding="utf-8") as file:
        return [json.loads(line)["generated"] for line in file]


def start(tmp):
    log = os.path.join(tmp, "log")
    process = subprocess.Popen([FLOWRUN, "serve", "--var", "model=" + MODEL, "--var", "port=0", "--set", "serve.type=f32",
                                "--progress", "plain"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(log, "wb"))
    for _ in range(1200):
        with open(log, encoding="utf-8", errors="replace") as file:
            found = re.search(r"answers on (http://\S+)", file.read())
        if found:
            return process, found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("no server: " + open(log, encoding="utf-8").read())


def ask(client, question, **more):
    return client.chat.completions.create(model="", messages=[{"role": "user", "content": question}], max_tokens=TOKENS,
                                          **{"temperature": 0, **more})


def check_answers(client, wanted):
    fresh = {"extra_headers": {"Cache-Control": "no-cache"}}
    for question, text in zip(QUESTIONS, wanted):
        answer = ask(client, question, **fresh)
        found = answer.choices[0].message.content
        tell(found == text, f"the answer of transform.generate: {question}", (found, text))
        stream = ask(client, question, stream=True, stream_options={"include_usage": True}, **fresh)
        pieces, usage, roles = [], None, []
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                pieces.append(choice.delta.content or "")
                roles.append(choice.delta.role)
        tell("".join(pieces) == text and len(pieces) > 4, "the same by stream, piece by piece", pieces)
        tell(usage == answer.usage or usage.completion_tokens == answer.usage.completion_tokens, "with the same usage",
             (usage, answer.usage))
        tell(roles[0] == "assistant", "and who speaks", roles)


async def check_beside(url, wanted):
    """All at once, and others that draw beside them."""
    client = openai.AsyncOpenAI(base_url=url + "/v1", api_key="none")

    async def one(question, **more):
        answer = await client.chat.completions.create(
            model="", messages=[{"role": "user", "content": question}], max_tokens=TOKENS,
            extra_headers={"Cache-Control": "no-cache"}, **{"temperature": 0, **more})
        return answer.choices[0].message.content

    drawn = [one("Tell me a story.", temperature=1, seed=i) for i in range(4)]
    found = await asyncio.gather(*[one(q) for q in QUESTIONS], *drawn)
    same = sum(a == b for a, b in zip(found, wanted))
    tell(same == len(wanted), f"beside others: {same} of {len(wanted)} to the letter", list(zip(found, wanted)))
    again = await asyncio.gather(*[one("Tell me a story.", temperature=1, seed=i) for i in range(4)])
    tell(list(found[len(wanted):]) == list(again), "a seed gives the same whoever is beside", (found[len(wanted):], again))
    await client.close()


def check_rest(client):
    # A word in the middle of what it says when nothing stops it.
    whole = ask(client, QUESTIONS[0]).choices[0].message.content
    stop = whole.split()[2]
    answer = ask(client, QUESTIONS[0], n=2, logprobs=True, top_logprobs=3, stop=[stop])
    tell(len(answer.choices) == 2 and all(c.finish_reason == "stop" and c.message.content == whole[:whole.index(stop)]
                                          for c in answer.choices), "n and stop", answer)
    tell(len(answer.choices[0].logprobs.content[0].top_logprobs) == 3, "logprobs", answer.choices[0].logprobs)
    answer = client.completions.create(model="", prompt="The capital of France is", max_tokens=4, temperature=0, logprobs=1)
    tell("Paris" in answer.choices[0].text and len(answer.choices[0].logprobs.tokens) == 4, "a completion", answer)
    models = client.models.list().data
    tell(len(models) == 1 and client.models.retrieve(models[0].id).id == models[0].id, "models", models)
    for kind, more in ((openai.NotFoundError, {"model": "none"}), (openai.BadRequestError, {"temperature": 9}),
                       (openai.BadRequestError, {"messages": [{"role": "user", "content": "word " * 9000}]}),
                       (openai.BadRequestError, {"response_format": {"type": "json_object"}})):
        try:
            client.chat.completions.create(**{"model": "", "messages": [{"role": "user", "content": "x"}], **more})
            tell(False, f"{kind.__name__} for {list(more)}", "an answer")
        except openai.APIStatusError as e:
            tell(isinstance(e, kind) and e.code and e.message, f"{kind.__name__} for {list(more)}", repr(e))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        wanted = generated(tmp)
        process, url = start(tmp)
        client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
        try:
            check_answers(client, wanted)
            asyncio.run(check_beside(url, wanted))
            check_rest(client)
        finally:
            process.send_signal(signal.SIGTERM)
        tell(process.wait(60) == 0, "it ends well", process.returncode)
    print(f"1..{count}")


main()
