/* base.js: what the scripts of flowrun's pages share; page.js stands behind it in the same element.
 *
 * Texts go in as text (textContent), never as markup.  A store is the browser's, where it lets the page
 * have one: everything here works without.
 */
var base = (function () {
"use strict";

function $(id) { return document.getElementById(id); }

function make(name, className, text) {
  var e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function empty(e) { while (e.firstChild) e.removeChild(e.firstChild); }

/* @text with each {name} that @values has put in. */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, function (all, name) {
    return values && name in values ? String(values[name]) : all;
  });
}

/* The texts of elements with data-t, and titles of those with data-tip, from t(key). */
function draw_words(t) {
  document.querySelectorAll("[data-t]").forEach(function (e) { e.textContent = t(e.dataset.t); });
  document.querySelectorAll("[data-tip]").forEach(function (e) {
    e.title = t(e.dataset.tip);
    e.setAttribute("aria-label", t(e.dataset.tip));
  });
}

/* @kind: "localStorage" or "sessionStorage"; set() says whether it is kept. */
function store(kind, prefix) {
  function the() { try { return window[kind]; } catch (e) { return null; } }
  return {
    get: function (key) {
      try { return the() && the().getItem(prefix + key); } catch (e) { return null; }
    },
    set: function (key, value) {
      try { the().setItem(prefix + key, value); return true; } catch (e) { return false; }
    },
    remove: function (key) {
      try { the().removeItem(prefix + key); } catch (e) { return; }
    }
  };
}

/* Something said in passing, in the element "toast". */
function say(text, long) {
  var toast = $("toast");
  toast.textContent = text;
  toast.classList.add("on");
  clearTimeout(say.timer);
  say.timer = setTimeout(function () { toast.classList.remove("on"); }, long ? 5200 : 2600);
}

/* Light or dark: the reader's choice, kept in @kept, or the system's; the button "theme" turns it. */
function theme(kept) {
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function set() {
    document.documentElement.dataset.theme = kept.get("theme") || (dark.matches ? "dark" : "light");
  }
  $("theme").addEventListener("click", function () {
    var to = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    kept.set("theme", to);
    document.documentElement.dataset.theme = to;
  });
  dark.addEventListener("change", set);
  set();
}

/* "en" or "zh": the reader's choice, @wanted, or the browser's own. */
function language(kept, wanted) {
  var lang = kept.get("language") || wanted;
  return lang === "en" || lang === "zh" ? lang : /^zh/i.test(navigator.language) ? "zh" : "en";
}

function set_language(kept, lang) {
  kept.set("language", lang);
  return lang;
}

return { $: $, make: make, empty: empty, fill: fill, draw_words: draw_words, store: store, say: say, theme: theme,
  language: language, set_language: set_language };
})();
