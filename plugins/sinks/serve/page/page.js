/* page.js: the page to write on, at work.
 *
 * It speaks with the server it came from alone, by relative addresses (page.h names them).  What people
 * and models write is put in as text.  Nothing outlives the tab but language and colours: the key, what
 * was asked and what was answered lie in sessionStorage.
 *
 *   form --question()--> body --ask_server()--> events --take_event()--> an ask --draw--> variants
 *                                                                              \--rate()--> POST feedback
 */
(function () {
"use strict";

var $ = base.$, make = base.make, empty = base.empty, say = base.say, lang = "en";
var kept = base.store("localStorage", "flowrun-serve:"), session = base.store("sessionStorage", "flowrun-serve:");

/* ---- words ---------------------------------------------------------------------------------- */

var words = {
  en: {
    other: "中文", language: "Language", theme: "Light or dark", help: "Keys", key: "Access key",
    title: "Write copy", ask: "What to write", to_answers: "To the texts",
    model: "Model", boldness: "How free", steady: "Steady", balanced: "Balanced", bold: "Bold",
    hint_steady: "Keeps to what is certain; texts are much alike.", hint_balanced: "Sound, with some variety.",
    hint_bold: "More surprises, good and bad.",
    length: "How long at most", short: "Short", medium: "Medium", long: "Long",
    hint_short: "A few sentences.", hint_medium: "One or two paragraphs.", hint_long: "As much as it takes.",
    count: "How many texts", write: "Write", stop: "Stop", input: "What should be written?",
    needed: "required", fill_in: "Please fill this in.", left_out: "left empty: {text}",
    answers: "Texts", welcome: "Say what you know. The texts appear here, side by side.",
    welcome_more: "Rate each from 1 to 5, and put right what is wrong: next month’s model learns from what you liked.",
    welcome_plain: "Take several, compare, copy the one you like.",
    variant: "Text {n}", writing: "Writing…", thinking: "Thinking…", queued: "Waiting for its turn…",
    done: "Done.", done_n: "{n} texts are done.", stopped: "Stopped", stopped_long: "Stopped. What was written so far stays.",
    cut: "Cut off: longest length", broken: "Broken off", failed: "Failed", nothing_yet: "", nothing: "No text came. Choose a longer length, or write again.",
    thought: "How the model thought", copy: "Copy", copied: "Copied.", no_copy: "The browser did not let it copy: mark the text and press Ctrl+C.",
    correct: "Correct", correct_label: "The text as it should have been", keep_correction: "Keep the correction",
    rating: "How good is it?", r1: "Unusable", r2: "To be rewritten", r3: "Usable after work", r4: "Good, small touches", r5: "Use as it is",
    remark: "Remark", remark_label: "What was good, what was not?", keep: "Keep", saving: "Saving…", saved: "Saved",
    not_saved: "Not saved", again: "Try again", now: "Now",
    not_collected: "This server collects no ratings.", rate_first: "Rate it first, 1 to 5.",
    no_room: "The server has no room for ratings. Please tell whoever looks after it; yours is still here.",
    past: "Earlier in this session", forget: "Forget all", forgotten: "Forgotten.",
    past_note: "Kept in this tab only, until you close it.", one_text: "1 text", n_texts: "{n} texts",
    key_title: "Access key", key_label: "Your key", key_note: "It stays in this tab and is forgotten when you close it.",
    key_use: "Use it", cancel: "Cancel", key_needed: "This server asks for a key. Whoever looks after it can give you one.",
    key_wrong: "The server does not take this key. Please check it.", key_change: "Another key, or none:",
    busy: "Many people are writing just now. It is tried again by itself in {s} s.", busy_long: "Still too busy. Please try again in a little while.",
    loading: "The model is not ready yet. It is tried again by itself in {s} s.", draining: "The server is about to stop. Please try again in a few minutes.",
    unreachable: "The server cannot be reached. Is the network there?", broke: "The connection broke. What was written so far stays.",
    too_long: "That is too long for the model. Please shorten what you filled in.", no_model: "That model is no longer there; the list has been renewed.",
    refused: "The server did not take that.", server_error: "Something went wrong in the server.", it_says: "It says: {text}",
    took_too_long: "It took too long and was ended by the server.", not_allowed: "This key may not do that.",
    keyboard: "Keys", close: "Close", k_write: "write", k_stop: "stop", k_tab: "from field to field, from text to text",
    k_rate: "rate the text that you are at", k_copy: "copy it", k_correct: "correct it", k_remark: "a remark; Ctrl+Enter keeps it", k_help: "this list"
  },
  zh: {
    other: "English", language: "语言", theme: "浅色或深色", help: "按键", key: "访问密钥",
    title: "写文案", ask: "写什么", to_answers: "跳到文案",
    model: "模型", boldness: "发挥程度", steady: "稳妥", balanced: "平衡", bold: "大胆",
    hint_steady: "用语稳妥，各条大同小异。", hint_balanced: "稳当，又有些变化。", hint_bold: "更有新意，也更容易出格。",
    length: "最长篇幅", short: "短", medium: "中", long: "长",
    hint_short: "几句话。", hint_medium: "一两段。", hint_long: "写完为止。",
    count: "写几条", write: "开始写", stop: "停止", input: "要写什么？",
    needed: "必填", fill_in: "请填写此项。", left_out: "留空则为：{text}",
    answers: "文案", welcome: "填好各项，文案会并排显示在这里。",
    welcome_more: "请给每条打 1 至 5 分，不对的地方直接改：下个月的模型会从您喜欢的文案里学习。",
    welcome_plain: "多写几条，比一比，复制您喜欢的那条。",
    variant: "第 {n} 条", writing: "正在写……", thinking: "正在思考……", queued: "排队中……",
    done: "写好了。", done_n: "{n} 条都写好了。", stopped: "已停止", stopped_long: "已停止，写出的部分保留。",
    cut: "到了最长篇幅，未写完", broken: "中断", failed: "失败", nothing_yet: "", nothing: "没有写出文字。请选更长的篇幅，或再写一次。",
    thought: "模型的思考过程", copy: "复制", copied: "已复制。", no_copy: "浏览器不允许复制，请选中文字后按 Ctrl+C。",
    correct: "修改", correct_label: "改成您认为对的样子", keep_correction: "保存修改",
    rating: "写得怎么样？", r1: "不能用", r2: "要重写", r3: "改改能用", r4: "不错，稍改即可", r5: "可以直接用",
    remark: "备注", remark_label: "哪里好，哪里不好？", keep: "保存", saving: "正在保存……", saved: "已保存",
    not_saved: "未保存", again: "再试一次", now: "马上试",
    not_collected: "此服务器不收集评分。", rate_first: "请先打 1 至 5 分。",
    no_room: "服务器已存不下评分，请告知管理员；您的评分还留在这里。",
    past: "本次写过的", forget: "全部清除", forgotten: "已清除。",
    past_note: "只保存在此标签页，关闭即清除。", one_text: "1 条", n_texts: "{n} 条",
    key_title: "访问密钥", key_label: "您的密钥", key_note: "只留在此标签页，关闭后即清除。",
    key_use: "使用", cancel: "取消", key_needed: "此服务器需要密钥，请向管理员索取。",
    key_wrong: "服务器不接受这个密钥，请核对。", key_change: "换一个密钥，或留空：",
    busy: "现在写的人较多，{s} 秒后自动再试。", busy_long: "还是太忙，请稍后再试。",
    loading: "模型尚未就绪，{s} 秒后自动再试。", draining: "服务器即将停止，请几分钟后再试。",
    unreachable: "连不上服务器，请检查网络。", broke: "连接中断，写出的部分保留。",
    too_long: "内容太长，模型读不下，请精简填写的内容。", no_model: "该模型已不在，列表已更新。",
    refused: "服务器没有接受这个请求。", server_error: "服务器出错了。", it_says: "服务器说：{text}",
    took_too_long: "用时过长，已被服务器结束。", not_allowed: "这个密钥没有此权限。",
    keyboard: "按键", close: "关闭", k_write: "开始写", k_stop: "停止", k_tab: "下一项、下一条",
    k_rate: "给当前这条打分", k_copy: "复制", k_correct: "修改", k_remark: "写备注，Ctrl+Enter 保存", k_help: "显示本列表"
  }
};

/* Names that columns often have; anything else is shown as it is called. */
var columns = {
  name: ["Name", "名称"], title: ["Title", "标题"], product: ["Product", "产品"], category: ["Category", "类别"], brand: ["Brand", "品牌"],
  attributes: ["Features", "特点"], features: ["Features", "特点"], facts: ["Facts", "要点"], description: ["Description", "说明"],
  selling_points: ["Selling points", "卖点"], audience: ["For whom", "受众"], tone: ["Tone", "语气"], style: ["Style", "风格"],
  keywords: ["Keywords", "关键词"], price: ["Price", "价格"], platform: ["Platform", "平台"], scene: ["Occasion", "场景"],
  occasion: ["Occasion", "场景"], language: ["Language", "语言"], material: ["Material", "材质"], colour: ["Colour", "颜色"],
  color: ["Colour", "颜色"], size: ["Size", "尺寸"], length: ["Length", "篇幅"]
};
var one_line = /^(name|title|product|category|brand|audience|tone|style|price|platform|scene|occasion|language|material|colou?r|size|length)$/;

function t(key, values) { return base.fill(words[lang][key], values); }

/* ---- settings in plain words ---------------------------------------------------------------- */

var picks = {
  boldness: { words: ["steady", "balanced", "bold"], values: [0.3, 0.7, 1.0], at: 1, hint: true },
  length: { words: ["short", "medium", "long"], values: [96, 320, 1024], at: 1, hint: true },
  count: { words: null, values: [1, 2, 3, 4], at: 1, hint: false }
};
var room_to_think = 1024; /* tokens, for models that think before they write */

var models = [], format = { fields: [], feedback: true }, asks = [], shown = null, running = null, nodes = [], serial = 0;

/* ---- the network ---------------------------------------------------------------------------- */

function headers(more) {
  var secret = session.get("key"), all = more || {};
  if (secret) all.Authorization = "Bearer " + secret;
  return all;
}

function get_json(address) {
  return fetch(address, { headers: headers(), cache: "no-store" }).then(function (answer) {
    if (answer.status === 401) return ask_key(answer).then(function () { return get_json(address); });
    if (!answer.ok) return Promise.reject(answer);
    return answer.json();
  });
}

/* The server's own words, in whichever shape an error has. */
function error_of(text) {
  var e;
  try { e = JSON.parse(text).error; } catch (x) { e = null; }
  if (typeof e === "string") return { message: e, code: "" };
  return e && typeof e === "object" ? { message: String(e.message || ""), code: String(e.code || "") } : { message: "", code: "" };
}

/* What went wrong, for a person: { text, more, wait: seconds until it is tried again, 0: not by itself }. */
function explain(status, told, after) {
  var wait = Math.min(Math.max(Math.ceil(Number(after)) || 2, 1), 120), quoted = told.message ? t("it_says", { text: told.message }) : "";
  if (status === 429) return { key: "busy", wait: wait };
  if (status === 503 && /drain|shut|stop/.test(told.code)) return { key: "draining", wait: 0 };
  if (status === 503) return { key: "loading", wait: wait };
  if (status === 403) return { key: "not_allowed", wait: 0, more: quoted };
  if (status === 404 && /model/.test(told.code)) return { key: "no_model", wait: 0, more: quoted };
  if (status === 413 || /context|too_long|too_large/.test(told.code)) return { key: "too_long", wait: 0, more: quoted };
  if (status === 408 || status === 504 || /deadline|timeout/.test(told.code)) return { key: "took_too_long", wait: 0 };
  return { key: status >= 500 ? "server_error" : "refused", wait: 0, more: quoted };
}

/* Server-sent events (WHATWG HTML, section 9.2.6): @each gets the data of every event. */
function read_events(stream, each) {
  var reader = stream.getReader(), decoder = new TextDecoder(), rest = "", data = [];
  function line(text) {
    if (text === "") {
      if (data.length) each(data.join("\n"));
      data = [];
    } else if (text.slice(0, 5) === "data:") data.push(text.charAt(5) === " " ? text.slice(6) : text.slice(5));
  }
  function more(part) {
    var lines;
    rest += part.done ? decoder.decode() : decoder.decode(part.value, { stream: true });
    lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    lines.forEach(line);
    return part.done ? undefined : reader.read().then(more);
  }
  return reader.read().then(more);
}

/* ---- the key -------------------------------------------------------------------------------- */

var lock_wanted = null;

/* Resolves when there is another key, rejects when the person does not want to. */
function ask_key(answer) {
  if (lock_wanted) return lock_wanted.promise;
  lock_wanted = {};
  lock_wanted.promise = new Promise(function (resolve, reject) { lock_wanted.resolve = resolve; lock_wanted.reject = reject; });
  $("lock-why").textContent = t(!answer ? "key_change" : session.get("key") ? "key_wrong" : "key_needed");
  $("secret").value = "";
  if (!$("lock").open) $("lock").showModal();
  $("secret").focus();
  return lock_wanted.promise;
}

function key_given() {
  var wanted = lock_wanted, secret = $("secret").value.trim();
  lock_wanted = null;
  if (secret) session.set("key", secret);
  else session.remove("key");
  $("secret").value = "";
  draw_key();
  if (wanted) wanted.resolve();
}

function key_refused() {
  var wanted = lock_wanted;
  lock_wanted = null;
  if (wanted) wanted.reject({ cancelled: true });
}

function draw_key() { $("key").classList.toggle("on", !!session.get("key")); }

/* ---- the form ------------------------------------------------------------------------------- */

function fields_of_format() {
  return format.fields.length ? format.fields : [{ name: "input", required: true, multiline: true }];
}

function label_of(field) {
  var own = field.label, known = columns[field.name];
  if (own && typeof own === "object") own = own[lang] || own.en || own.zh;
  if (typeof own === "string" && own) return own;
  if (!format.fields.length) return t("input");
  if (known && Object.prototype.hasOwnProperty.call(columns, field.name)) return known[lang === "zh" ? 1 : 0];
  return field.name.replace(/_/g, " ");
}

function box_of(i) { return $("field-" + i); }

function grow(box) {
  if (box.tagName !== "TEXTAREA") return;
  box.style.height = "auto";
  box.style.height = box.scrollHeight + 2 + "px";
  box.classList.toggle("full", box.scrollHeight > box.clientHeight + 4);
}

function make_field(field, i) {
  var e = make("div", "field"), label = make("label"), box, wrong = make("p", "wrong");
  var large = field.multiline === true || !one_line.test(field.name);
  box = make(large ? "textarea" : "input");
  if (large) box.rows = format.fields.length ? 2 : 5;
  else box.type = "text";
  box.id = "field-" + i;
  box.dir = "auto";
  box.maxLength = 65536;
  box.required = !!field.required;
  label.htmlFor = box.id;
  label.appendChild(make("span"));
  label.appendChild(make("span", "mark-needed"));
  wrong.id = "wrong-" + i;
  wrong.hidden = true;
  box.addEventListener("input", function () { grow(box); unmark(i); keep_draft(); });
  e.appendChild(label);
  e.appendChild(box);
  e.appendChild(wrong);
  return e;
}

function draw_fields() {
  fields_of_format().forEach(function (field, i) {
    var label = document.querySelector("label[for='field-" + i + "']"), box = box_of(i);
    label.firstChild.textContent = label_of(field);
    label.firstChild.dir = "auto";
    label.lastChild.textContent = field.required ? t("needed") : "";
    box.placeholder = typeof field.default === "string" && field.default ? t("left_out", { text: field.default })
      : typeof field.example === "string" ? field.example : "";
    if (!$("wrong-" + i).hidden) $("wrong-" + i).textContent = t("fill_in");
  });
}

function build_fields() {
  empty($("fields"));
  fields_of_format().forEach(function (field, i) { $("fields").appendChild(make_field(field, i)); });
  draw_fields();
}

function unmark(i) {
  var box = box_of(i);
  box.removeAttribute("aria-invalid");
  box.removeAttribute("aria-describedby");
  $("wrong-" + i).hidden = true;
}

/* TRUE when nothing that must be there is missing; the first that is gets the focus. */
function complete() {
  var first = null;
  fields_of_format().forEach(function (field, i) {
    var box = box_of(i);
    if (!field.required || box.value.trim()) return unmark(i);
    box.setAttribute("aria-invalid", "true");
    box.setAttribute("aria-describedby", "wrong-" + i);
    $("wrong-" + i).textContent = t("fill_in");
    $("wrong-" + i).hidden = false;
    first = first || box;
  });
  if (first) first.focus();
  return !first;
}

function values() {
  var all = Object.create(null);
  fields_of_format().forEach(function (field, i) { all[field.name] = box_of(i).value.trim(); });
  return all;
}

function put_values(all) {
  fields_of_format().forEach(function (field, i) {
    var text = all && Object.prototype.hasOwnProperty.call(all, field.name) ? all[field.name] : "";
    box_of(i).value = typeof text === "string" ? text : "";
    grow(box_of(i));
    unmark(i);
  });
}

function build_pick(id) {
  var pick = picks[id], before = Number(kept.get(id)), most = id === "count" && format.choices ? format.choices : Infinity;
  if (kept.get(id) !== null && pick.values[before] !== undefined) pick.at = before;
  empty($(id).querySelector(".choices"));
  pick.values.forEach(function (value, i) {
    var label = make("label"), radio = make("input");
    if (id === "count" && value > most) return;
    radio.type = "radio";
    radio.name = id;
    radio.value = String(i);
    radio.checked = i === pick.at;
    radio.addEventListener("change", function () { pick.at = i; kept.set(id, String(i)); draw_picks(); });
    label.appendChild(radio);
    label.appendChild(make("span"));
    $(id).querySelector(".choices").appendChild(label);
  });
}

function draw_picks() {
  Object.keys(picks).forEach(function (id) {
    var pick = picks[id];
    $(id).querySelectorAll("label > span").forEach(function (e, i) { e.textContent = pick.words ? t(pick.words[i]) : String(pick.values[i]); });
    if (pick.hint) $(id + "-hint").textContent = t("hint_" + pick.words[pick.at]);
  });
}

function model_chosen() { return models.length ? models[Math.max($("model").selectedIndex, 0)] : null; }

function draw_models() {
  var select = $("model"), before = select.value || session.get("model"), at = -1;
  empty(select);
  models.forEach(function (m, i) {
    var option = make("option", "", m.id);
    option.value = m.id;
    if (m.id === before) at = i;
    if (at < 0 && m.default === true) at = i;
    select.appendChild(option);
  });
  select.selectedIndex = Math.max(at, 0);
  $("model-row").hidden = models.length < 2;
  $("who").textContent = models.length === 1 ? models[0].id : "";
}

function keep_draft() { session.set("draft", JSON.stringify(values())); }

/* ---- what is asked -------------------------------------------------------------------------- */

/* A model that was seen to think, or says so by its name, gets room for that too. */
function thinks(model) {
  return session.get("thinks:" + (model ? model.id : "")) === "1" || /(^|[^a-z])r1([^a-z]|$)|think|reason/i.test(model ? model.id : "");
}

/* The body of POST generate. */
function question(ask) {
  var body = { stream: true, n: ask.n, temperature: ask.temperature, max_tokens: ask.max_tokens };
  if (ask.asked) body.model = ask.asked;
  if (format.fields.length) body.fields = ask.fields;
  else body.input = ask.fields.input;
  return body;
}

function new_ask() {
  var model = model_chosen(), n = picks.count.values[picks.count.at], all = values(), length, ask;
  length = picks.length.values[picks.length.at] + (thinks(model) ? room_to_think : 0);
  if (format.max_tokens) length = Math.min(length, format.max_tokens);
  ask = { at: Date.now(), fields: Object.create(null), asked: model ? model.id : null, n: n, temperature: picks.boldness.values[picks.boldness.at],
    max_tokens: length, answer: null, model: model ? model.id : null, revision: model && typeof model.revision === "string" ? model.revision : null,
    state: "queued", variants: [] };
  Object.keys(all).forEach(function (name) { if (all[name]) ask.fields[name] = all[name]; });
  while (ask.variants.length < n)
    ask.variants.push({ text: "", thought: "", finish: null, rating: 0, comment: "", corrected: null, saved: null });
  return ask;
}

function write() {
  if (running) return;
  if (!complete()) return;
  close_notice();
  shown = new_ask();
  asks.unshift(shown);
  if (asks.length > 50) asks.pop();
  keep_draft();
  build_variants();
  run(shown, 0);
  if (window.innerWidth <= 860) $("answers").scrollIntoView({ behavior: "smooth" });
}

/* What a run that is over still hears is of no interest to anybody. */
function run(ask, tries) {
  var control = new AbortController(), answered = false;
  function over() { return !running || running.control !== control; }
  running = { ask: ask, control: control };
  ask.state = "queued";
  draw_run();
  fetch("generate", { method: "POST", headers: headers({ "Content-Type": "application/json", Accept: "text/event-stream" }),
    body: JSON.stringify(question(ask)), signal: control.signal, cache: "no-store" })
    .then(function (answer) {
      if (answer.status === 401) {
        return ask_key(answer).then(function () { running = null; run(ask, tries); });
      }
      if (!answer.ok) return answer.text().then(function (text) { refused(ask, tries, answer, text); });
      answered = true;
      return read_events(answer.body, function (data) { if (!over()) take_event(ask, data); }).then(function () { if (!over()) ended(ask); });
    })
    .catch(function (error) {
      if (over()) return;
      if (error && error.cancelled) return give_up(ask, null);
      if (control.signal.aborted) return give_up(ask, ask.state === "stopped" ? null : { key: "broke" });
      give_up(ask, { key: answered ? "broke" : "unreachable" });
    });
}

/* The server said no before anything was written. */
function refused(ask, tries, answer, text) {
  var why = explain(answer.status, error_of(text), answer.headers.get("Retry-After"));
  if (why.key === "no_model") load_models();
  if (!why.wait) return give_up(ask, why);
  if (tries >= 5) return give_up(ask, { key: "busy_long" });
  wait_for(ask, tries, why);
}

/* Counts down in sight; the reader of a screen is told once. */
function wait_for(ask, tries, why) {
  var left = why.wait, timer;
  function go() {
    clearInterval(timer);
    close_notice();
    running = null;
    run(ask, tries + 1);
  }
  function tick() {
    left--;
    if (left <= 0) return go();
    notice.number.textContent = String(left);
  }
  running.stop = function () { clearInterval(timer); close_notice(); give_up(ask, null); };
  timer = setInterval(tick, 1000);
  notice({ key: why.key, values: { s: left }, count: left, wait: true, act: { key: "now", go: go } });
}

function stop() {
  if (!running) return;
  running.ask.state = "stopped";
  if (running.stop) return running.stop();
  running.control.abort();
}

/* It ended badly, or was stopped: what was written so far stays. */
function give_up(ask, why) {
  var empty_handed = ask.variants.every(function (v) { return !v.text && !v.thought; });
  if (ask.state !== "stopped") ask.state = why || !empty_handed ? "failed" : "stopped";
  ask.variants.forEach(function (v) { if (!v.finish) v.finish = ask.state === "stopped" ? "stopped" : "broken"; });
  running = null;
  send_waiting(ask);
  if (empty_handed) asks = asks.filter(function (a) { return a !== ask; });
  if (shown === ask && empty_handed) { shown = null; build_variants(); }
  if (why) notice({ key: why.key, values: {}, more: why.more, act: { key: "again", go: function () { close_notice(); write(); } } });
  draw_run();
  $("state").textContent = ask.state === "stopped" && !empty_handed ? t("stopped_long") : ask.state === "stopped" ? t("stopped") : "";
  keep_asks();
}

function ended(ask) {
  var open = ask.variants.some(function (v) { return !v.finish; });
  if (open) return give_up(ask, { key: "broke" });
  ask.state = "done";
  running = null;
  send_waiting(ask);
  draw_run();
  $("state").textContent = ask.n > 1 ? t("done_n", { n: ask.n }) : t("done");
  keep_asks();
}

/* One event of the stream: a chunk as OpenAI writes it, an error, or "[DONE]". */
function take_event(ask, data) {
  var chunk, why;
  if (data === "[DONE]") return;
  try { chunk = JSON.parse(data); } catch (e) { return; }
  if (!chunk || typeof chunk !== "object") return;
  if (chunk.error) {
    why = explain(Number(chunk.error.status) || 500, error_of(data), 0);
    throw_away(ask, why);
    return;
  }
  if (typeof chunk.id === "string") ask.answer = chunk.id;
  if (typeof chunk.model === "string") ask.model = chunk.model;
  if (typeof chunk.system_fingerprint === "string") ask.revision = chunk.system_fingerprint;
  (Array.isArray(chunk.choices) ? chunk.choices : []).forEach(function (c) { take_choice(ask, c); });
}

function throw_away(ask, why) {
  var control = running && running.ask === ask ? running.control : null;
  give_up(ask, why);
  if (control) control.abort();
}

function take_choice(ask, choice) {
  var i = choice.index || 0, v = ask.variants[i], delta = choice.delta || {};
  if (!v || ask.state === "stopped") return;
  if (typeof delta.reasoning_content === "string" && delta.reasoning_content) {
    if (!v.thought) session.set("thinks:" + (ask.asked || ""), "1");
    v.thought += delta.reasoning_content;
    append(ask, i, "thought", delta.reasoning_content);
  }
  if (typeof delta.content === "string" && delta.content) {
    /* blank lines behind the thought are nobody's text */
    var text = v.text ? delta.content : delta.content.replace(/^\s+/, "");
    v.text += text;
    append(ask, i, "text", text);
  }
  if (ask.state === "queued") { ask.state = "writing"; draw_run(); }
  if (typeof choice.finish_reason === "string") {
    v.finish = choice.finish_reason;
    if (shown === ask) draw_variant(i);
  }
}

/* ---- the variants in sight ------------------------------------------------------------------ */

function append(ask, i, part, text) {
  var node = shown === ask ? nodes[i] : null, was;
  if (!node) return;
  was = node.stage;
  node[part].appendChild(document.createTextNode(text));
  node.stage = part;
  if (part === "thought") node.think.hidden = false;
  if (was !== part) draw_variant(i);
}

function badge_of(ask, v) {
  if (v.finish === "length" || v.finish === "context") return ["cut", "warn"];
  if (v.finish === "stopped" || v.finish === "cancelled") return ["stopped", ""];
  if (v.finish === "deadline") return ["took_too_long", "bad"];
  if (v.finish === "broken" || v.finish === "error") return ["broken", "bad"];
  if (v.finish) return [null, ""];
  return [ask.state === "queued" && !v.text && !v.thought ? "queued" : v.text || !v.thought ? "writing" : "thinking", "live"];
}

function draw_variant(i) {
  var node = nodes[i], ask = shown, v = ask.variants[i], badge = badge_of(ask, v), busy = !v.finish, s = v.saved;
  node.title.textContent = t("variant", { n: i + 1 });
  node.badge.textContent = badge[0] ? t(badge[0]) : "";
  node.badge.className = "badge " + badge[1];
  node.text.classList.toggle("writing", busy && !!v.text);
  node.text.setAttribute("aria-busy", String(busy));
  node.text.dataset.empty = busy || v.text ? "" : t("nothing");
  node.think.hidden = !v.thought;
  node.acts.hidden = !v.text;
  node.rate.hidden = busy || !v.text || format.feedback === false;
  node.correct.hidden = node.correct_button.getAttribute("aria-expanded") !== "true";
  node.correct_button.hidden = busy || format.feedback === false;
  node.remark.hidden = !v.rating;
  node.said.hidden = !v.rating;
  node.meaning.textContent = v.rating ? t("r" + v.rating) : "";
  node.kept.textContent = s === "saving" ? t("saving") : s === "saved" ? "✓ " + t("saved") : s === "failed" ? t("not_saved") : "";
  node.kept.className = s === "failed" ? "bad" : "";
  node.retry.hidden = s !== "failed";
  node.radios.forEach(function (radio, k) {
    radio.checked = k + 1 === v.rating;
    radio.setAttribute("aria-label", k + 1 + ": " + t("r" + (k + 1)));
    radio.parentNode.title = t("r" + (k + 1));
  });
}

function button(name, action) {
  var e = make("button", "plain");
  e.type = "button";
  e.dataset.t = name;
  e.textContent = t(name);
  e.addEventListener("click", action);
  return e;
}

function worded(name, word) {
  var e = make(name, "", t(word));
  e.dataset.t = word;
  return e;
}

/* A box under a label, with a button that keeps what is in it; Ctrl+Enter does, too. */
function make_box(word, button_word, className, done) {
  var e = make("div", "more"), label = make("label"), box = make("textarea", className), row = make("div", "row");
  box.rows = 2;
  box.dir = "auto";
  label.appendChild(worded("span", word));
  label.appendChild(box);
  row.appendChild(button(button_word, done));
  box.addEventListener("input", function () { grow(box); });
  box.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    done();
  });
  e.appendChild(label);
  e.appendChild(row);
  e.box = box;
  return e;
}

function make_stars(node, ask, i) {
  var rate = make("fieldset", "rate"), stars = make("div", "stars"), said = make("div", "said");
  rate.appendChild(worded("legend", "rating"));
  node.radios = [];
  for (var k = 1; k <= 5; k++) {
    var label = make("label", "", String(k)), radio = make("input");
    radio.type = "radio";
    radio.name = "rating-" + serial + "-" + i;
    radio.value = String(k);
    radio.addEventListener("change", rate_variant.bind(null, ask, i, k));
    label.appendChild(radio);
    stars.appendChild(label);
    node.radios.push(radio);
  }
  node.said = said;
  node.meaning = make("span");
  node.kept = make("span");
  node.kept.setAttribute("role", "status");
  node.retry = button("again", function () { send_rating(ask, i); });
  node.retry.classList.add("small-button");
  said.appendChild(node.meaning);
  said.appendChild(node.kept);
  rate.appendChild(stars);
  rate.appendChild(said);
  rate.appendChild(node.retry);
  return rate;
}

function make_variant(ask, i) {
  var v = ask.variants[i], node = { stage: v.text ? "text" : "" }, e = make("article", "sheet variant"), head = make("header");
  node.title = make("h3");
  node.title.id = "variant-" + i;
  node.badge = make("span", "badge");
  head.appendChild(node.title);
  head.appendChild(node.badge);
  e.tabIndex = 0;
  e.dataset.variant = String(i);
  e.setAttribute("aria-labelledby", node.title.id);
  node.think = make("details", "think");
  node.think.appendChild(worded("summary", "thought"));
  node.think.firstChild.id = "thought-" + i;
  node.think.setAttribute("aria-labelledby", "thought-" + i);
  node.thought = make("div", "thought", v.thought);
  node.thought.dir = "auto";
  node.think.appendChild(node.thought);
  node.text = make("div", "text", v.text);
  node.text.dir = "auto";
  node.text.setAttribute("aria-live", "polite");
  node.acts = make("div", "acts");
  node.acts.appendChild(button("copy", function () { copy(ask, i); }));
  node.correct_button = button("correct", function () { open_correction(ask, i); });
  node.correct_button.setAttribute("aria-expanded", "false");
  node.acts.appendChild(node.correct_button);
  node.correct = make_box("correct_label", "keep_correction", "corrected", function () { keep_correction(ask, i); });
  node.rate = make_stars(node, ask, i);
  node.remark = make_box("remark_label", "keep", "", function () { keep_remark(ask, i); });
  node.remark.box.maxLength = 4000;
  node.remark.box.value = v.comment;
  node.rate.appendChild(node.remark);
  [head, node.think, node.text, node.acts, node.correct, node.rate].forEach(function (part) { e.appendChild(part); });
  node.element = e;
  return node;
}

function build_variants() {
  var box = $("variants");
  empty(box);
  nodes = [];
  serial++;
  $("welcome").hidden = !!shown;
  box.hidden = !shown;
  if (shown) {
    box.dataset.n = String(shown.n);
    shown.variants.forEach(function (v, i) {
      nodes.push(make_variant(shown, i));
      box.appendChild(nodes[i].element);
      draw_variant(i);
    });
  }
  draw_past();
}

function draw_run() {
  var busy = !!running, was_busy = !$("stop").hidden;
  $("write").hidden = busy;
  $("stop").hidden = !busy;
  if (busy && document.activeElement === $("write")) $("stop").focus();
  if (!busy && was_busy && (document.activeElement === $("stop") || document.activeElement === document.body)) $("write").focus({ preventScroll: true });
  if (busy) $("state").textContent = t(running.ask.state === "queued" ? "queued" : "writing");
  if (shown) shown.variants.forEach(function (v, i) { draw_variant(i); });
  draw_past();
}

/* ---- copy, rate, correct -------------------------------------------------------------------- */

function copy(ask, i) {
  var v = ask.variants[i], text = v.corrected || v.text;
  function failed() {
    var range = document.createRange();
    range.selectNodeContents(nodes[i].text);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
    /* clipboard.writeText is there for https and this machine alone; the old way works anywhere */
    say(t(!v.corrected && document.execCommand && document.execCommand("copy") ? "copied" : "no_copy"), true);
  }
  if (!navigator.clipboard || !navigator.clipboard.writeText) return failed();
  navigator.clipboard.writeText(text).then(function () { say(t("copied")); }, failed);
}

function open_correction(ask, i) {
  var node = nodes[i], v = ask.variants[i], open = node.correct_button.getAttribute("aria-expanded") !== "true";
  node.correct_button.setAttribute("aria-expanded", String(open));
  if (open && !node.correct.box.value) node.correct.box.value = v.corrected || v.text;
  draw_variant(i);
  if (open) { grow(node.correct.box); node.correct.box.focus(); }
}

/* A correction without a rating would not say how good the text was. */
function keep_correction(ask, i) {
  var v = ask.variants[i], text = nodes[i].correct.box.value.trim();
  v.corrected = text && text !== v.text.trim() ? text : null;
  if (v.rating) return send_rating(ask, i);
  say(t("rate_first"), true);
  nodes[i].radios[2].focus();
}

function keep_remark(ask, i) {
  ask.variants[i].comment = nodes[i].remark.box.value.trim();
  send_rating(ask, i);
}

/* Arrow keys pass over ratings that are not meant: what is sent is where they come to rest. */
function rate_variant(ask, i, rating) {
  var v = ask.variants[i];
  v.rating = rating;
  v.saved = "saving";
  clearTimeout(v.timer);
  v.timer = setTimeout(function () { send_rating(ask, i); }, 600);
  if (shown === ask) draw_variant(i);
}

function feedback_body(ask, i) {
  var v = ask.variants[i];
  return { answer: ask.answer, variant: i, rating: v.rating, comment: v.comment || null, corrected: v.corrected, model: ask.model, revision: ask.revision,
    input: format.fields.length ? null : ask.fields.input || null, fields: format.fields.length ? ask.fields : null, output: v.text,
    reasoning: v.thought || null };
}

/* The server knows an answer when all its texts have ended: until then a rating waits. */
function send_waiting(ask) {
  ask.variants.forEach(function (v, i) { if (v.waits) send_rating(ask, i); });
}

function send_rating(ask, i) {
  var v = ask.variants[i], sent = JSON.stringify(feedback_body(ask, i));
  clearTimeout(v.timer);
  v.saved = "saving";
  v.waits = !!running && running.ask === ask;
  if (shown === ask) draw_variant(i);
  if (v.waits) return;
  function told(state, text) {
    v.saved = state;
    if (shown === ask) draw_variant(i);
    if (text) say(text, true);
    keep_asks();
  }
  fetch("feedback", { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: sent, cache: "no-store", keepalive: sent.length < 60000 })
    .then(function (answer) {
      if (answer.ok) return told(sent === JSON.stringify(feedback_body(ask, i)) ? "saved" : "saving");
      if (answer.status === 401) return ask_key(answer).then(function () { send_rating(ask, i); });
      if (answer.status === 404) { format.feedback = false; draw_run(); return told(null, t("not_collected")); }
      return answer.text().then(function (text) {
        told("failed", answer.status === 507 ? t("no_room") : t("not_saved") + ". " + t("it_says", { text: error_of(text).message || answer.status }));
      });
    })
    .catch(function (error) { told("failed", error && error.cancelled ? "" : t("unreachable")); });
}

/* ---- what was asked before ------------------------------------------------------------------ */

function keep_asks() {
  var list = asks.slice(0, 50), text;
  do {
    text = JSON.stringify(list, function (key, value) { return key === "timer" ? undefined : value; });
    if (session.set("asks", text)) break;
    list.pop();
  } while (list.length);
  draw_past();
}

function recall_asks() {
  var list;
  try { list = JSON.parse(session.get("asks") || "[]"); } catch (e) { list = []; }
  asks = (Array.isArray(list) ? list : []).filter(function (a) { return a && Array.isArray(a.variants) && a.fields && typeof a.fields === "object"; });
  asks.forEach(function (a) {
    a.variants.forEach(function (v) {
      if (!v.finish) v.finish = "broken";
      if (v.saved === "saving") v.saved = "failed";
    });
  });
}

function line_of(ask) {
  var texts = Object.keys(ask.fields).map(function (name) { return ask.fields[name]; });
  return texts.join(" · ").slice(0, 200);
}

function draw_past() {
  var list = $("past-list"), focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.ask : undefined;
  empty(list);
  $("past").hidden = asks.length === 0 || (asks.length === 1 && asks[0] === shown);
  asks.forEach(function (ask, i) {
    var li = make("li"), b = make("button"), time = make("time"), mean = make("span", "mean"), when = new Date(ask.at);
    var best = Math.max.apply(null, ask.variants.map(function (v) { return v.rating; }));
    time.dateTime = when.toISOString();
    time.textContent = when.toLocaleTimeString(lang === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" });
    mean.appendChild(document.createTextNode(ask.n === 1 ? t("one_text") : t("n_texts", { n: ask.n })));
    if (best > 0) {
      mean.appendChild(document.createTextNode(" · "));
      mean.appendChild(make("b", "", "★ " + best));
    }
    b.type = "button";
    b.dataset.ask = String(i);
    if (ask === shown) b.setAttribute("aria-current", "true");
    b.appendChild(time);
    b.appendChild(make("span", "what", line_of(ask)));
    b.appendChild(mean);
    b.addEventListener("click", show_ask.bind(null, ask));
    li.appendChild(b);
    list.appendChild(li);
  });
  if (focus !== undefined && list.childNodes[focus]) list.childNodes[focus].firstChild.focus({ preventScroll: true });
}

/* An earlier ask comes back with its fields, so that it can be asked again, or otherwise. */
function show_ask(ask) {
  shown = ask;
  if (!running) put_values(ask.fields);
  build_variants();
  $("state").textContent = "";
  $("answers").scrollIntoView({ block: "start" });
  $("answers").focus({ preventScroll: true });
}

function forget() {
  if (running) stop();
  asks = [];
  shown = null;
  session.remove("asks");
  session.remove("draft");
  put_values(null);
  build_variants();
  say(t("forgotten"));
  box_of(0).focus();
}

/* ---- what is told --------------------------------------------------------------------------- */

/* { key, values, more, wait, count, act: { key, go } } */
function notice(what) {
  var box = $("notice"), p = make("p"), parts = words[lang][what.key].split("{s}"), act;
  notice.what = what;
  empty(box);
  notice.number = make("span", "", what.count === undefined ? "" : String(what.count));
  notice.number.setAttribute("aria-live", "off");
  p.appendChild(document.createTextNode(parts[0]));
  if (parts.length > 1) {
    p.appendChild(notice.number);
    p.appendChild(document.createTextNode(parts[1]));
  }
  if (what.more) p.appendChild(make("span", "quiet", what.more));
  box.appendChild(p);
  if (what.act) {
    act = make("button", "", t(what.act.key));
    act.type = "button";
    act.addEventListener("click", what.act.go);
    box.appendChild(act);
  }
  box.classList.toggle("wait", !!what.wait);
  box.hidden = false;
}

function close_notice() {
  $("notice").hidden = true;
  notice.what = null;
  empty($("notice"));
}

var key_list = [["Ctrl Enter", "k_write"], ["Esc", "k_stop"], ["Tab", "k_tab"], ["1 – 5", "k_rate"], ["C", "k_copy"], ["E", "k_correct"],
  ["R", "k_remark"], ["?", "k_help"]];

function draw_keys() {
  var list = $("keylist");
  empty(list);
  key_list.forEach(function (k) {
    var dt = make("dt");
    k[0].split(" ").forEach(function (name) {
      dt.appendChild(name === "–" ? document.createTextNode("–") : make("kbd", "", name));
      dt.appendChild(document.createTextNode(" "));
    });
    list.appendChild(dt);
    list.appendChild(make("dd", "", t(k[1])));
  });
}

function draw_words() {
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  base.draw_words(t);
  $("welcome-more").textContent = t(format.feedback === false ? "welcome_plain" : "welcome_more");
  $("language").textContent = t("other");
  $("language").lang = lang === "zh" ? "en" : "zh-Hans";
  draw_fields();
  draw_picks();
  draw_keys();
  if (notice.what) notice(notice.what);
  $("state").textContent = "";
  draw_run();
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* By the place of the key, so that they work while a Chinese input method is on. */
function key_of(e) {
  var code = /^(?:Digit|Numpad)([1-5])$/.exec(e.code);
  if (code) return code[1];
  code = /^Key([A-Z])$/.exec(e.code);
  return code ? code[1].toLowerCase() : e.key;
}

function is_writing_in(target) {
  return target.tagName === "TEXTAREA" || target.tagName === "SELECT" || (target.tagName === "INPUT" && target.type !== "radio");
}

function on_key(e) {
  var at = e.target.closest ? e.target.closest(".variant") : null, i = at ? Number(at.dataset.variant) : -1, key = key_of(e), node = nodes[i];
  if (e.isComposing || $("keys").open || $("lock").open) return;
  if (key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); return write(); }
  if (key === "Escape" && running) { e.preventDefault(); return stop(); }
  if (is_writing_in(e.target) || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "?") { e.preventDefault(); return $("keys").showModal(); }
  if (!node) return;
  if (/^[1-5]$/.test(key) && !node.rate.hidden) { e.preventDefault(); return rate_variant(shown, i, Number(key)); }
  if (key === "c" && !node.acts.hidden) { e.preventDefault(); return copy(shown, i); }
  if (key === "e" && !node.acts.hidden && !node.correct_button.hidden) { e.preventDefault(); return open_correction(shown, i); }
  if (key === "r" && !node.rate.hidden && !node.remark.hidden) { e.preventDefault(); node.remark.box.focus(); }
}

/* ---- all connected -------------------------------------------------------------------------- */

document.addEventListener("keydown", on_key);
$("ask").addEventListener("submit", function (e) { e.preventDefault(); write(); });
$("stop").addEventListener("click", stop);
$("model").addEventListener("change", function () { session.set("model", $("model").value); });
$("key").addEventListener("click", function () { ask_key(null).then(load, function () { return; }); });
$("lock").addEventListener("close", function () { if ($("lock").returnValue === "given") key_given(); else key_refused(); $("lock").returnValue = ""; });
$("lock-form").addEventListener("submit", function (e) { e.preventDefault(); $("lock").close("given"); });
$("lock-cancel").addEventListener("click", function () { $("lock").close(""); });
$("help").addEventListener("click", function () { $("keys").showModal(); });
$("keys-close").addEventListener("click", function () { $("keys").close(); });
$("forget").addEventListener("click", forget);
$("language").addEventListener("click", function () { lang = base.set_language(kept, lang === "zh" ? "en" : "zh"); draw_words(); });

function load_models() {
  return get_json("v1/models").then(function (list) {
    models = (list && Array.isArray(list.data) ? list.data : []).filter(function (m) { return m && typeof m.id === "string"; });
    draw_models();
  });
}

/* Only what a form can be made of. */
function take_format(got) {
  var seen = Object.create(null);
  var limits = (got && got.limits) || {};
  format = { fields: [], feedback: !got || got.feedback !== false, max_tokens: limits.max_tokens > 0 ? limits.max_tokens : 0,
    choices: limits.choices > 0 ? limits.choices : 0 };
  (got && Array.isArray(got.fields) ? got.fields : []).forEach(function (f) {
    if (!f || typeof f.name !== "string" || !f.name || seen[f.name]) return;
    seen[f.name] = true;
    format.fields.push(f);
  });
}

function load_format() {
  var before = values();
  return get_json("format").then(take_format, function (error) {
    if (error && error.cancelled) throw error;
    take_format(null); /* an older server, or none of ours: one box */
  }).then(function () {
    var draft;
    build_fields();
    ["boldness", "length", "count"].forEach(build_pick);
    draw_picks();
    try { draft = JSON.parse(session.get("draft") || "null"); } catch (e) { draft = null; }
    put_values(Object.keys(before).some(function (name) { return before[name]; }) ? before : draft);
  });
}

function load() {
  return load_format().then(load_models).then(function () { draw_words(); }, function (error) {
    if (error && error.cancelled) return;
    notice({ key: error && error.status ? (error.status === 503 ? "draining" : "server_error") : "unreachable", values: {}, act: { key: "again", go: function () { close_notice(); load(); } } });
  });
}

base.theme(kept);
lang = base.language(kept, "auto");
recall_asks();
build_fields();
["boldness", "length", "count"].forEach(build_pick);
shown = asks.length ? asks[0] : null;
build_variants();
draw_key();
draw_words();
load().then(function () { if (!running && document.activeElement === document.body) box_of(0).focus({ preventScroll: true }); });
})();
