// generate-js.mjs DIR NAME DTYPE N QUESTION: what Transformers.js answers, greedily, with DIR/NAME/onnx/model*.onnx.
// Prints {"prompt": ids, "answer": ids, "text": text}.  $FLOWRUN_NPM holds @huggingface/transformers.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.FLOWRUN_NPM, 'x.js'));
const { env, AutoTokenizer, AutoModelForCausalLM } = await import(pathToFileURL(require.resolve('@huggingface/transformers')).href);
const [dir, name, dtype, n, question] = process.argv.slice(2);
env.localModelPath = dir;
env.allowRemoteModels = false;
env.allowLocalModels = true;
const tokenizer = await AutoTokenizer.from_pretrained(name);
const model = await AutoModelForCausalLM.from_pretrained(name, { dtype, device: 'cpu' });
const inputs = tokenizer.apply_chat_template([{ role: 'user', content: question }], { add_generation_prompt: true, return_dict: true });
const output = await model.generate({ ...inputs, max_new_tokens: Number(n), do_sample: false });
const ids = output.tolist()[0].map(Number);
const prompt = inputs.input_ids.tolist()[0].map(Number);
const answer = ids.slice(prompt.length);
console.log(JSON.stringify({ prompt, answer, text: tokenizer.decode(answer, { skip_special_tokens: true }) }));
