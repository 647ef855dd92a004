/* page.js: the rating page at work.
 *
 * What it knows comes from the element "data": criteria, tasks and samples under ids that say
 * nothing.  Which system wrote a sample is not on the page.  All of that is somebody's text and is
 * put in as text (textContent), never as markup.
 *
 * A rater's order is drawn from the page's id and the rater's name, so that it is the same when the
 * page is opened again, here or on another machine.  Every change goes to localStorage where the
 * browser lets a file have it; "save" gives the file that source.json reads, a line a sample.
 */
(function () {
"use strict";

var data = JSON.parse(document.getElementById("data").textContent);
var levels = 5, idle = 60; /* a minute without a sign of life is a pause */

/* ---- words ---------------------------------------------------------------------------------- */

var words = {
  en: {
    other: "中文", language: "Language", theme: "Light or dark", help: "Keys",
    title: "Blind rating", save: "Save", save_file: "Save the file", welcome: "How good are these texts?",
    lead: "You will see {n} texts, one after the other, in an order of your own. Who or what wrote them is hidden. Rate each from 1 to 5 as it stands, without looking for the one before.",
    lead_repeats: " A few come twice, on purpose: rate them as if they were new.",
    your_name: "Your name or initials", begin: "Begin", go_on: "Go on",
    load: "Go on from a file saved earlier", scales: "What to look at",
    local: "Nothing leaves this computer. The page keeps your ratings as you go; at the end you save one file and hand it in.",
    known: "Welcome back: {done} of {n} are done.", known_none: "",
    task: "Task", reference: "For comparison", comment: "Comment", comment_here: "A remark, if you have one",
    back: "Back", undo: "Undo", skip: "Skip", skipped: "Skipped", next: "Next", finish: "Finish",
    of: "{at} / {n}", minutes: " · about {m} min left",
    thanks: "Thank you, {name}.", thanks_more: "Nearly there.",
    summary: "{done} texts rated, {skipped} skipped, in {m} min.", summary_left: "{left} of {n} are not rated yet.",
    look_again: "Look through again", go_left: "To those that are left", yours: "How you rated",
    saved: "Saved as {file}. Please hand this file in.", not_saved: "Save the file and hand it in: it is all that counts.",
    fast: "That was quick: {s} seconds. Take the time to read it through.",
    rate_first: "Rate all {n} criteria, or press S to skip.", left: "{n} are left; here is one.",
    undone: "Taken back.", nothing: "Nothing to take back.",
    no_store: "This browser keeps nothing for files: save the file before you close the page.",
    loaded: "{n} ratings read from the file.", loaded_unknown: "{n} ratings read; {u} lines did not fit and were left out.",
    wrong_page: "That file belongs to another page.", wrong_file: "That is not a file of ratings.",
    name_first: "Please enter a name first.", keyboard: "Keys", close: "Close",
    k_rate: "rate the criterion that is open", k_criterion: "another criterion", k_item: "text before, text after",
    k_next: "next text", k_skip: "skip this text", k_undo: "take back", k_comment: "write a remark; Esc leaves it",
    k_reference: "show what it is compared with", k_save: "save the file", k_help: "this list",
    h_rate: "rate", h_criterion: "criterion", h_next: "next", h_undo: "undo", h_comment: "remark", h_keys: "all keys"
  },
  zh: {
    other: "English", language: "语言", theme: "浅色或深色", help: "按键",
    title: "盲评", save: "保存", save_file: "保存文件", welcome: "这些文案写得怎么样？",
    lead: "接下来您会看到 {n} 条文案，逐条出现，顺序因人而异，作者已隐去。请就文案本身打 1 至 5 分，不必和上一条比较。",
    lead_repeats: "有几条会出现两次，这是有意安排，请当作新的来评。",
    your_name: "您的姓名或代号", begin: "开始", go_on: "继续",
    load: "从以前保存的文件继续", scales: "评分标准",
    local: "数据不会离开这台电脑。评分随评随存；评完后保存为一个文件，交回即可。",
    known: "欢迎回来，已评 {done} 条，共 {n} 条。", known_none: "",
    task: "任务", reference: "参考文案", comment: "备注", comment_here: "想说的话（可不填）",
    back: "上一条", undo: "撤销", skip: "跳过", skipped: "已跳过", next: "下一条", finish: "完成",
    of: "{at} / {n}", minutes: " · 约剩 {m} 分钟",
    thanks: "{name}，谢谢您！", thanks_more: "就差一点了。",
    summary: "已评 {done} 条，跳过 {skipped} 条，用时 {m} 分钟。", summary_left: "还有 {left} 条未评，共 {n} 条。",
    look_again: "再看一遍", go_left: "去评剩下的", yours: "您的评分分布",
    saved: "已保存为 {file}，请将此文件交回。", not_saved: "请保存文件并交回，结果以文件为准。",
    fast: "只用了 {s} 秒，请读完再评。",
    rate_first: "请评完 {n} 项，或按 S 跳过。", left: "还有 {n} 条，先看这一条。",
    undone: "已撤销。", nothing: "没有可撤销的操作。",
    no_store: "此浏览器不为本地文件保留数据，关闭页面前请先保存文件。",
    loaded: "已从文件读入 {n} 条评分。", loaded_unknown: "已读入 {n} 条评分；{u} 行不符，未采用。",
    wrong_page: "该文件属于另一个评分页。", wrong_file: "这不是评分文件。",
    name_first: "请先填写姓名。", keyboard: "按键", close: "关闭",
    k_rate: "给展开的一项打分", k_criterion: "换一项", k_item: "上一条、下一条",
    k_next: "下一条", k_skip: "跳过这一条", k_undo: "撤销", k_comment: "写备注，Esc 退出",
    k_reference: "显示参考文案", k_save: "保存文件", k_help: "显示本列表",
    h_rate: "打分", h_criterion: "换一项", h_next: "下一条", h_undo: "撤销", h_comment: "备注", h_keys: "全部按键"
  }
};

var $ = base.$, make = base.make, empty = base.empty, say = base.say, lang = "en";
var kept_here = base.store("localStorage", "flowrun-rating:"), keep = kept_here.set, kept_before = kept_here.get;

/* The words called @key, with {name} filled in; full-width punctuation needs no blank after it. */
function t(key, fill) { return base.fill(words[lang][key], fill); }

/* ---- what is kept --------------------------------------------------------------------------- */

var rater = "", order = [], at = 0, active = 0;
var records = Object.create(null); /* item id: { v: {criterion: 1–5}, s: seconds, c: comment, k: skipped, d: done once } */
var history_ = [];                 /* what undo takes back: { id, at, active, before } */
var unsaved = 0, kept = true, quick = [];

function record(id) {
  return records[id] || (records[id] = { v: {}, s: 0, c: "", k: false, d: false });
}

/* A criterion may be called "constructor": only a record's own members are ratings. */
function value_of(r, c) {
  return Object.prototype.hasOwnProperty.call(r.v, c.name) ? r.v[c.name] : 0;
}

function complete(r) {
  return !!r && data.criteria.every(function (c) { return value_of(r, c) >= 1; });
}

function done(r) { return !!r && (r.k || complete(r)); }

function count(test) {
  return data.items.reduce(function (n, item) { return n + (test(records[item.id]) ? 1 : 0); }, 0);
}

function remember(changed) {
  if (changed) unsaved++;
  kept = keep(data.page + ":" + rater, JSON.stringify({ records: records, unsaved: unsaved }));
  keep("last", rater);
  $("save").querySelector(".dot").hidden = unsaved === 0;
}

function recall(name) {
  var text = kept_before(data.page + ":" + name), old;
  try { old = text ? JSON.parse(text) : null; } catch (e) { old = null; }
  return old && old.records ? old : null;
}

/* Only what this page could have written; @from is somebody's file or the browser's store. */
function adopt(from) {
  var known = Object.create(null), n = 0;
  data.items.forEach(function (item) { known[item.id] = true; });
  Object.keys(from).forEach(function (id) {
    var r = from[id], mine;
    if (!known[id] || !r || typeof r !== "object") return;
    n++;
    if (records[id]) return; /* what is here already is newer */
    mine = record(id);
    data.criteria.forEach(function (c) {
      var v = r.v && value_of(r, c);
      if (Number.isInteger(v) && v >= 1 && v <= levels) mine.v[c.name] = v;
    });
    mine.k = r.k === true && !complete(mine);
    mine.s = r.s > 0 ? Number(r.s) : 0;
    mine.c = typeof r.c === "string" ? r.c : "";
    mine.d = done(mine);
  });
  return n;
}

/* ---- the order of a rater ------------------------------------------------------------------- */

/* FNV-1a over UTF-16, then mulberry32. */
function chance(text) {
  var h = 2166136261;
  for (var i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return function () {
    h = (h + 0x6d2b79f5) | 0;
    var x = Math.imul(h ^ (h >>> 15), 1 | h);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/* A shuffle in which texts for the same task keep their distance, as far as there are others. */
function order_for(name) {
  var random = chance(data.page + "\n" + name), rest = data.items.slice(), out = [];
  var gap = Math.min(6, data.prompts.length - 1);
  for (var i = rest.length - 1; i > 0; i--) {
    var j = Math.floor(random() * (i + 1)), swap = rest[i];
    rest[i] = rest[j]; rest[j] = swap;
  }
  while (rest.length) {
    var best = 0, distance = -1;
    for (var k = 0; k < rest.length && distance < gap; k++) {
      var d = gap;
      for (var b = 1; b <= gap && b <= out.length; b++)
        if (out[out.length - b].p === rest[k].p) { d = b - 1; break; }
      if (d > distance) { distance = d; best = k; }
    }
    out.push(rest.splice(best, 1)[0]);
  }
  return out;
}

/* ---- the clock ------------------------------------------------------------------------------ */

var seen = 0;

/* Time since the last sign of life belongs to the sample in sight, until it is done. */
function tick() {
  var now = Date.now(), item = order[at];
  if (!$("work").hidden && item && !document.hidden) {
    var r = record(item.id);
    if (!r.d) r.s += Math.min(Math.max((now - seen) / 1000, 0), idle);
  }
  seen = now;
}

/* ---- what is in sight ----------------------------------------------------------------------- */

function show(section) {
  ["start", "work", "end"].forEach(function (name) { $(name).hidden = name !== section; });
  $("strip").hidden = section === "start";
  $("save").hidden = section === "start";
  $("hint").hidden = section !== "work";
  document.body.classList.toggle("working", section !== "start");
}

function title() { return data.title || t("title"); }

function draw_words() {
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
  base.draw_words(t);
  $("language").textContent = t("other");
  $("title").textContent = title();
  $("title").title = title();
  $("comment").placeholder = t("comment_here");
  draw_start();
  draw_keys();
  draw_hint();
  if (order.length) draw();
  if (!$("end").hidden) draw_end();
}

function draw_start() {
  var own = data.instructions[lang], box = $("scales");
  $("lead").textContent = t("lead", { n: data.items.length }) + (data.repeats ? t("lead_repeats") : "");
  $("instructions").hidden = !own;
  $("instructions").textContent = own;
  empty(box);
  data.criteria.forEach(function (c) {
    var of = make("div", "of"), h = make("h4", "", c.title[lang]), list = make("ol");
    if (c.ask[lang]) h.appendChild(make("span", "", c.ask[lang]));
    c.anchors[lang].forEach(function (a) { list.appendChild(make("li", "", a)); });
    of.appendChild(h);
    of.appendChild(list);
    box.appendChild(of);
  });
  draw_known();
}

function draw_known() {
  var old = recall(tidy($("name").value)), n = 0;
  if (old) n = Object.keys(old.records).filter(function (id) { var r = old.records[id]; return r && (r.k || r.d); }).length;
  $("known").textContent = n ? t("known", { done: n, n: data.items.length }) : "";
  $("enter").querySelector("[data-t]:not(label)").textContent = t(n ? "go_on" : "begin");
}

var key_list = [["1 – 5", "k_rate"], ["↑ ↓", "k_criterion"], ["← →", "k_item"], ["Enter", "k_next"], ["S", "k_skip"],
  ["U", "k_undo"], ["C", "k_comment"], ["R", "k_reference"], ["Ctrl S", "k_save"], ["?", "k_help"]];

function add_keys(to, names) {
  names.split(" ").forEach(function (name) {
    to.appendChild(name === "–" ? document.createTextNode("– ") : make("kbd", "", name));
    to.appendChild(document.createTextNode(" "));
  });
}

function draw_keys() {
  var list = $("keylist");
  empty(list);
  key_list.forEach(function (k) {
    var dt = make("dt");
    add_keys(dt, k[0]);
    list.appendChild(dt);
    list.appendChild(make("dd", "", t(k[1])));
  });
}

function draw_hint() {
  var hint = $("hint");
  empty(hint);
  [["1 – 5", "h_rate"], ["↑ ↓", "h_criterion"], ["↵", "h_next"], ["U", "h_undo"], ["C", "h_comment"], ["?", "h_keys"]].forEach(function (h) {
    var one = make("span");
    add_keys(one, h[0]);
    one.appendChild(document.createTextNode(t(h[1])));
    hint.appendChild(one);
  });
}

/* One mark for each sample while they can be told apart, else a bar. */
function draw_strip() {
  var strip = $("strip");
  if (order.length > 160) {
    if (!strip.firstChild) { strip.classList.add("many"); strip.appendChild(make("progress")); }
    strip.firstChild.max = order.length;
    strip.firstChild.value = count(done);
    return;
  }
  while (strip.childNodes.length < order.length) {
    var mark = make("button");
    mark.type = "button";
    mark.tabIndex = -1;
    mark.addEventListener("click", go.bind(null, strip.childNodes.length));
    strip.appendChild(mark);
  }
  order.forEach(function (item, i) {
    var r = records[item.id], mark = strip.childNodes[i];
    mark.className = (r && r.k ? "skipped" : complete(r) ? "done" : "") + (i === at && $("end").hidden ? " here" : "");
    mark.title = String(i + 1);
    mark.setAttribute("aria-label", String(i + 1));
  });
}

/* Seconds a sample takes this rater: the median of those that are done. */
function pace() {
  var all = data.items.map(function (item) { return records[item.id]; }).filter(complete).map(function (r) { return r.s; });
  all.sort(function (a, b) { return a - b; });
  return all.length >= 5 ? all[all.length >> 1] : 0;
}

function draw_who() {
  var left = order.length - count(done), seconds = pace();
  $("name-now").textContent = rater;
  $("place").textContent = t("of", { at: at + 1, n: order.length })
    + (seconds && left ? t("minutes", { m: Math.max(1, Math.round(left * seconds / 60)) }) : "");
}

function draw_criteria() {
  var box = $("criteria"), r = record(order[at].id);
  box.classList.toggle("many", data.criteria.length > 4);
  while (box.childNodes.length < data.criteria.length) box.appendChild(make_criterion(box.childNodes.length));
  data.criteria.forEach(function (c, i) {
    var e = box.childNodes[i], value = value_of(r, c), buttons = e.querySelectorAll("button");
    e.className = "crit" + (i === active ? " active" : "");
    e.querySelector("h3").textContent = c.title[lang];
    e.querySelector(".ask").textContent = c.ask[lang];
    e.querySelector(".said").textContent = value ? c.anchors[lang][value - 1] : "\u00a0";
    buttons.forEach(function (b, k) {
      b.setAttribute("aria-checked", String(k + 1 === value));
      b.setAttribute("aria-label", (k + 1) + ": " + c.anchors[lang][k]);
      b.title = i === active ? "" : c.anchors[lang][k];
      b.lastChild.textContent = c.anchors[lang][k];
    });
  });
}

function make_criterion(i) {
  var e = make("div"), head = make("div", "head"), scale = make("div", "scale"), name = make("h3");
  name.id = "crit-" + i;
  head.appendChild(name);
  head.appendChild(make("span", "ask"));
  e.appendChild(head);
  e.setAttribute("role", "radiogroup");
  e.setAttribute("aria-labelledby", name.id);
  for (var k = 1; k <= levels; k++) {
    var b = make("button");
    b.type = "button";
    b.setAttribute("role", "radio");
    b.appendChild(make("b", "", String(k)));
    b.appendChild(make("span"));
    b.addEventListener("click", pressed.bind(null, i, k));
    scale.appendChild(b);
  }
  e.appendChild(scale);
  e.appendChild(make("p", "said"));
  head.addEventListener("click", function () { active = i; draw_criteria(); });
  return e;
}

function draw_comment() {
  var box = $("comment"), text = record(order[at].id).c;
  if (box.value !== text) box.value = text;
  box.style.height = "auto";
  box.style.height = Math.max(42, Math.min(box.scrollHeight + 2, window.innerHeight * .3)) + "px";
}

function draw_go() {
  var r = record(order[at].id), left = order.length - count(done);
  $("next").classList.toggle("wait", !done(r));
  $("next").firstChild.textContent = t(left === 0 ? "finish" : "next");
  $("skip").classList.toggle("on", r.k);
  $("skip").firstChild.textContent = t(r.k ? "skipped" : "skip");
  $("back").disabled = at === 0;
  $("undo").disabled = history_.length === 0;
}

/* Everything but the sample itself. */
function draw() {
  draw_strip();
  draw_who();
  draw_criteria();
  draw_comment();
  draw_go();
}

function draw_sample() {
  var item = order[at], task = data.prompts[item.p], list = $("parts"), sample = $("sample");
  empty(list);
  list.className = task.parts.length === 1 ? "single" : "";
  task.parts.forEach(function (part) {
    var dd = make("dd", "", part[1]);
    dd.dir = "auto";
    if (task.parts.length > 1) list.appendChild(make("dt", "", part[0]));
    list.appendChild(dd);
  });
  $("brief").hidden = task.parts.length === 0;
  $("reference").hidden = task.reference === null;
  $("reference").open = false;
  $("refer").textContent = task.reference === null ? "" : task.reference;
  sample.textContent = item.text;
  sample.classList.toggle("long", item.text.length > 420);
  sample.classList.remove("enter");
  void sample.offsetWidth; /* starts the animation again */
  sample.classList.add("enter");
}

/* ---- what a rater does ---------------------------------------------------------------------- */

/* The first criterion without a rating from @from on, around; none: all closed. */
function open_from(from) {
  var r = record(order[at].id), n = data.criteria.length;
  for (var i = 0; i < n; i++)
    if (!value_of(r, data.criteria[(from + i) % n])) return (from + i) % n;
  return -1;
}

function go(to) {
  if (!order.length) return;
  tick();
  at = Math.max(0, Math.min(order.length - 1, to));
  active = open_from(0);
  show("work");
  draw_sample();
  draw();
  if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
  window.scrollTo(0, 0);
}

function note(id) {
  history_.push({ id: id, at: at, active: active, before: JSON.stringify(records[id]) });
  if (history_.length > 500) history_.shift();
}

function too_fast(item, r) {
  quick.push(r.s < item.fast);
  if (quick.length > 5) quick.shift();
  /* once is an accident, three of five a habit; the first of all is told, too */
  if (r.s < item.fast && (quick.filter(Boolean).length >= 3 || quick.length === 1)) {
    say(t("fast", { s: r.s.toFixed(1) }), true);
    quick = [false];
  }
}

function rate(i, value) {
  var item = order[at], r = record(item.id);
  tick();
  note(item.id);
  if (r.k) r.k = r.d = false;
  r.v[data.criteria[i].name] = value;
  if (complete(r) && !r.d) {
    r.d = true;
    too_fast(item, r);
  }
  active = open_from(i + 1);
  remember(true);
  draw();
  if (active >= 0) $("criteria").childNodes[active].scrollIntoView({ block: "nearest" });
}

function pressed(i, value, event) {
  rate(i, value);
  if (event.detail > 0) event.currentTarget.blur(); /* a mouse leaves the keyboard to the page */
}

function skip() {
  var item = order[at], r = record(item.id);
  tick();
  note(item.id);
  if (r.k) {
    r.k = false;
    r.d = complete(r);
  } else {
    r.k = true;
    r.v = {};
    r.d = true;
  }
  remember(true);
  if (r.k) next(); else { active = open_from(0); draw(); }
}

function next() {
  var r = record(order[at].id), left;
  tick();
  if (!done(r)) {
    say(t("rate_first", { n: data.criteria.length }));
    return;
  }
  if (at + 1 < order.length) return go(at + 1);
  left = order.length - count(done);
  if (left === 0) return finish();
  go(order.findIndex(function (item) { return !done(records[item.id]); }));
  say(t("left", { n: left }));
}

function undo() {
  var last = history_.pop();
  if (!last) return say(t("nothing"));
  tick();
  if (last.before === undefined) delete records[last.id];
  else {
    var seconds = records[last.id] ? records[last.id].s : 0;
    records[last.id] = JSON.parse(last.before);
    records[last.id].s = Math.max(seconds, records[last.id].s);
  }
  if (last.at !== at || $("work").hidden) go(last.at);
  active = last.active;
  remember(true);
  draw();
  say(t("undone"));
}

function finish() {
  tick();
  show("end");
  draw_strip();
  draw_end();
  window.scrollTo(0, 0);
  if (document.activeElement) document.activeElement.blur();
}

function draw_end() {
  var left = order.length - count(done), box = $("bars"), seconds = 0;
  data.items.forEach(function (item) { seconds += records[item.id] ? records[item.id].s : 0; });
  $("thanks").textContent = left ? t("thanks_more") : t("thanks", { name: rater });
  $("summary").textContent = t("summary", { done: count(complete), skipped: count(function (r) { return r && r.k; }), m: Math.max(1, Math.round(seconds / 60)) })
    + (left ? " " + t("summary_left", { left: left, n: order.length }) : "");
  $("again").textContent = t(left ? "go_left" : "look_again");
  $("saved").textContent = unsaved ? t("not_saved") : $("saved").dataset.file ? t("saved", { file: $("saved").dataset.file }) : "";
  empty(box);
  data.criteria.forEach(function (c) {
    var counts = [0, 0, 0, 0, 0], of = make("div", "of"), bars = make("div", "bars"), most;
    data.items.forEach(function (item) { var r = records[item.id]; if (r && value_of(r, c)) counts[value_of(r, c) - 1]++; });
    most = Math.max.apply(null, counts.concat(1));
    of.appendChild(make("h4", "", c.title[lang]));
    counts.forEach(function (n, i) {
      var bar = make("div", n ? "" : "none", n ? String(n) : ""), fill = make("i");
      fill.style.height = Math.round(n / most * 62) + "px";
      bar.appendChild(fill);
      bar.appendChild(make("b", "", String(i + 1)));
      bars.appendChild(bar);
    });
    of.appendChild(bars);
    box.appendChild(of);
  });
}

/* ---- files ---------------------------------------------------------------------------------- */

/* JSON Lines, every line with the same members: what source.json makes columns of. */
function lines() {
  return order.map(function (item, i) {
    var r = records[item.id], line;
    if (!r || !(r.k || r.c || Object.keys(r.v).length)) return "";
    line = { page: data.page, rater: rater, item: item.id, position: i + 1 };
    data.criteria.forEach(function (c) { line[c.name] = value_of(r, c) || null; });
    line.skipped = r.k;
    line.seconds = Math.round(r.s * 10) / 10;
    line.comment = r.c;
    return JSON.stringify(line) + "\n";
  }).join("");
}

function file_name() {
  return "ratings-" + data.page.slice(0, 8) + "-" + rater.replace(/[\\\/:*?"<>|.\s\u0000-\u001f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, "-") + ".jsonl";
}

function save() {
  var link = make("a"), url;
  tick();
  remember(false);
  url = URL.createObjectURL(new Blob([lines()], { type: "application/x-ndjson" }));
  link.href = url;
  link.download = file_name();
  document.body.appendChild(link);
  link.click();
  document.body.removeChild(link);
  setTimeout(function () { URL.revokeObjectURL(url); }, 10000);
  unsaved = 0;
  remember(false);
  $("saved").dataset.file = file_name();
  if (!$("end").hidden) draw_end();
  say(t("saved", { file: file_name() }), true);
}

function load(text) {
  var from = Object.create(null), unknown = 0, read = 0, name = "";
  text.replace(/^\ufeff/, "").split("\n").forEach(function (one) {
    var line, r = { v: {} };
    if (!one.trim()) return;
    try { line = JSON.parse(one); } catch (e) { line = null; }
    if (!line || typeof line.item !== "string" || line.page !== data.page) {
      unknown += line && typeof line.page === "string" && line.page !== data.page ? 1e6 : 1;
      return;
    }
    if (typeof line.rater === "string" && !name) name = tidy(line.rater);
    data.criteria.forEach(function (c) { r.v[c.name] = line[c.name]; });
    r.k = line.skipped;
    r.s = line.seconds;
    r.c = line.comment;
    from[line.item] = r;
    read++;
  });
  if (!read) return say(t(unknown >= 1e6 ? "wrong_page" : "wrong_file"), true);
  if (name) $("name").value = name;
  enter(from, function (n) { say(n === read && !unknown ? t("loaded", { n: n }) : t("loaded_unknown", { n: n, u: unknown % 1e6 + read - n }), true); });
}

/* ---- beginning ------------------------------------------------------------------------------ */

function tidy(name) { return name.normalize("NFC").replace(/\s+/g, " ").trim().slice(0, 60); }

function enter(from, then) {
  var old, n = 0, first;
  rater = tidy($("name").value);
  if (!rater) { say(t("name_first")); $("name").focus(); return; }
  records = Object.create(null);
  history_ = [];
  old = recall(rater);
  if (old) { adopt(old.records); unsaved = old.unsaved || 0; }
  if (from) n = adopt(from);
  order = order_for(rater);
  remember(false);
  seen = Date.now();
  first = order.findIndex(function (item) { return !done(records[item.id]); });
  if (first < 0) { at = order.length - 1; finish(); } else go(first);
  if (then) then(n);
  else if (!kept) say(t("no_store"), true);
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* Letters and digits by the place of the key, so that they work while a Chinese input method is on. */
function key_of(e) {
  var code = /^(?:Digit|Numpad)([1-5])$/.exec(e.code);
  if (code) return code[1];
  code = /^Key([A-Z])$/.exec(e.code);
  return code ? code[1].toLowerCase() : e.key;
}

function on_key(e) {
  var key = key_of(e), control = e.ctrlKey || e.metaKey, target = e.target;
  if (e.isComposing || $("keys").open) return;
  if (control && key === "s" && !$("save").hidden) { e.preventDefault(); return save(); }
  if (target === $("comment") && (e.key === "Escape" || (control && e.key === "Enter"))) { e.preventDefault(); target.blur(); return; }
  if (/^(INPUT|TEXTAREA)$/.test(target.tagName)) return;
  if (e.key === "?") { e.preventDefault(); return $("keys").showModal(); }
  if ($("work").hidden) {
    if (!$("end").hidden && (key === "u" || (control && key === "z"))) { e.preventDefault(); undo(); }
    return;
  }
  if (control && key === "z") { e.preventDefault(); return undo(); }
  if (control || e.altKey) return;
  if (/^[1-5]$/.test(key)) { e.preventDefault(); if (!e.repeat) rate(active >= 0 ? active : data.criteria.length - 1, Number(key)); return; }
  if ((e.key === "Enter" || e.key === " ") && /^(BUTTON|SUMMARY|A|LABEL)$/.test(target.tagName)) return;
  var act = {
    Enter: next, ArrowRight: function () { if (at + 1 < order.length) go(at + 1); }, ArrowLeft: function () { go(at - 1); },
    ArrowUp: function () { active = active < 0 ? data.criteria.length - 1 : Math.max(0, active - 1); draw_criteria(); },
    ArrowDown: function () { active = active < 0 ? 0 : Math.min(data.criteria.length - 1, active + 1); draw_criteria(); },
    s: skip, u: undo, Backspace: undo, c: function () { $("comment").focus(); },
    r: function () { if (!$("reference").hidden) $("reference").open = !$("reference").open; }
  }[key];
  if (!act || (e.repeat && key === "Enter")) return;
  e.preventDefault();
  act();
}

/* ---- all connected -------------------------------------------------------------------------- */

document.addEventListener("keydown", on_key);
["keydown", "pointermove", "wheel", "touchstart"].forEach(function (name) { document.addEventListener(name, tick, { passive: true }); });
document.addEventListener("visibilitychange", function () {
  if (document.hidden) { seen = seen || Date.now(); if (rater) remember(false); } else seen = Date.now();
});
window.addEventListener("beforeunload", function (e) { if (unsaved && !kept) { e.preventDefault(); e.returnValue = ""; } });
$("enter").addEventListener("submit", function (e) { e.preventDefault(); enter(null, null); });
$("name").addEventListener("input", draw_known);
$("file").addEventListener("change", function () {
  var reader = new FileReader();
  reader.onload = function () { load(String(reader.result)); };
  if (this.files[0]) reader.readAsText(this.files[0]);
  this.value = "";
});
$("comment").addEventListener("input", function () { record(order[at].id).c = this.value; remember(true); draw_comment(); });
$("back").addEventListener("click", function () { go(at - 1); });
$("undo").addEventListener("click", undo);
$("skip").addEventListener("click", skip);
$("next").addEventListener("click", next);
$("again").addEventListener("click", function () {
  var first = order.findIndex(function (item) { return !done(records[item.id]); });
  go(Math.max(first, 0));
});
$("save").addEventListener("click", save);
$("save2").addEventListener("click", save);
$("help").addEventListener("click", function () { $("keys").showModal(); });
$("close").addEventListener("click", function () { $("keys").close(); });
$("language").addEventListener("click", function () { lang = base.set_language(kept_here, lang === "zh" ? "en" : "zh"); draw_words(); });

base.theme(kept_here);
lang = base.language(kept_here, data.language);
$("name").value = kept_before("last") || "";
draw_words();
$("name").focus();
})();
