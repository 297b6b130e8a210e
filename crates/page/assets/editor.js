// `bot.toml` in the page: checked while it is written, saved to the file, reloaded by the bot.

import { get, post, put } from "./api.js";
import { fill, h } from "./dom.js";
import { language, t } from "./i18n.js";
import { changed, state, when } from "./state.js";

const PAUSE = 300;

export function editorSection(report) {
  const text = h("textarea.mono", { spellcheck: "false", "aria-label": "bot.toml", wrap: "off" });
  const found = h("ul.diagnostics", { "aria-live": "polite", "aria-label": t("edit") });
  const said = h("span.grow.small", { role: "status" });
  let waiting = null;
  const check = async () => show(found, text, (await post("/api/check", { text: text.value, lang: language })).diagnostics);
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => check().catch(report), PAUSE);
  });
  text.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
  });
  const save = async () => {
    clearTimeout(waiting);
    try {
      const answer = await put("/api/file", { text: text.value, lang: language });
      said.textContent = t(answer.reloaded ? "saved" : "notLoaded");
      said.className = `grow small ${answer.reloaded ? "" : "bad"}`;
      show(found, text, answer.diagnostics, answer.report);
    } catch (error) {
      report(error);
    }
  };
  const read = async () => {
    text.value = (await get("/api/file")).text;
    await check();
  };
  const section = h("div.editor.hidden", {}, text, found,
    h("div.row.say", {}, said, h("button.main", { onclick: save }, t("save"))));
  when(["editing"], () => {
    section.classList.toggle("hidden", !state.editing);
    if (state.editing) read().then(() => text.focus()).catch(report);
  });
  return section;
}

function show(place, text, diagnostics, report) {
  const lines = diagnostics.map((one) => h("li", {}, h(`button.small.${one.severity === "error" ? "bad" : "warn"}`, {
    onclick: () => jump(text, one.line, one.column),
  }, `${one.line}:${one.column} ${one.message}${one.hint ? `\n${one.hint}` : ""}`)));
  fill(place, lines, report ? h("li.text.small", {}, report) : null, !lines.length && !report ? h("li.soft.small", {}, t("noMistakes")) : null);
}

/** Puts the cursor at a line and a column, both counted from 1. */
function jump(text, line, column) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const at = start + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  text.focus();
  text.setSelectionRange(at, at);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}

/** Opens or closes the editor. */
export function toggleEditor() {
  state.editing = !state.editing;
  state.tab = state.editing ? "why" : state.tab;
  changed("editing", "tab");
}
