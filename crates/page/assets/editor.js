// The rule file in the page: checked during typing, saved to the file, reloaded by the bot.

import { get, post, put, Refused } from "./api.js";
import { fill, h } from "./dom.js";
import { language, mistakesOf, t } from "./i18n.js";
import { changed, state, when } from "./state.js";
import { dialog, report } from "./widgets.js";

const PAUSE = 300;

/** The text of the file as last read or saved, and the line to go to after reading. */
const file = { text: null, line: null };

export function editorSection() {
  const text = h("textarea.mono", { spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-label": "bot.toml", "aria-describedby": "diagnostics", wrap: "off", "data-key": "rules" });
  const numbers = h("div.lines.mono", { "aria-hidden": "true" });
  const marks = h("div.marks", { "aria-hidden": "true" });
  const found = h("ul.diagnostics", { id: "diagnostics", "aria-live": "polite", "aria-label": t("edit") });
  const said = h("span.grow.small", { role: "status" });
  const unsaved = h("span.small.warn", {});
  const parts = { text, numbers, marks, found, said };
  let waiting = null;
  const check = async () => show(parts, (await post("/api/check", { text: text.value, lang: language })).diagnostics);
  const edited = () => {
    number(parts);
    state.unsaved = text.value !== file.text;
    unsaved.textContent = state.unsaved ? t("unsaved") : "";
    said.textContent = "";
    changed("unsaved");
    clearTimeout(waiting);
    waiting = setTimeout(() => check().catch(report), PAUSE);
  };
  const take = (known) => { file.text = known; text.value = known; edited(); };
  const save = () => { clearTimeout(waiting); return saveAs({ was: file.text, anyway: false }, parts, take, edited).catch(report); };
  text.addEventListener("input", edited);
  text.addEventListener("scroll", () => { for (const layer of [numbers, marks]) layer.style.translate = `0 ${-text.scrollTop}px`; }, { passive: true });
  text.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); save(); }
  });
  const read = async () => {
    const known = (await get("/api/file")).text;
    if (known !== file.text && !state.unsaved) {
      const elsewhere = file.text !== null;
      take(known);
      if (elsewhere) said.textContent = t("changedOnDisk");
    }
    if (file.line) jump(text, file.line, 1);
    file.line = null;
  };
  const section = h("div.editor.hidden", {},
    h("header.row", {}, h("h2.mono", {}, state.session?.file ?? "bot.toml"), unsaved, h("span.grow"), h("button.small", { onclick: toggleEditor }, t("close"))),
    h("div.code", {}, marks, numbers, text), found,
    h("div.row.foot", {}, said, h("button.main", { onclick: save }, t("save"))));
  when(["editing"], () => {
    const opened = section.classList.contains("hidden") && state.editing;
    section.classList.toggle("hidden", !state.editing);
    if (opened) text.focus();
    if (state.editing) read().catch(report);
  });
  addEventListener("focus", () => { if (state.editing) read().catch(() => {}); });
  addEventListener("beforeunload", (event) => { if (state.unsaved) event.preventDefault(); });
  return section;
}

/** Saves the text in place of `was`; asks if the file has another text by now, and if the text has mistakes. */
async function saveAs({ was, anyway }, parts, take, edited) {
  const { text, said } = parts;
  const saved = text.value;
  try {
    const answer = await put("/api/file", { text: saved, was, anyway, lang: language });
    show(parts, answer.diagnostics, answer.report);
    if (!answer.saved) return askAnyway(answer.mistakes, () => saveAs({ was, anyway: true }, parts, take, edited).catch(report));
    file.text = saved;
    edited();
    show(parts, answer.diagnostics, answer.report);
    said.textContent = t(answer.reloaded ? "saved" : "notLoaded");
    said.className = `grow small ${answer.reloaded ? "good" : "bad"}`;
  } catch (error) {
    if (!(error instanceof Refused && error.status === 412)) throw error;
    dialog(t("changedTitle"), (close) => [h("p", {}, t("changedText")), h("div.row.end", {},
      h("button", { onclick: close }, t("cancel")),
      h("button", { onclick: () => { close(); get("/api/file").then((answer) => take(answer.text)).catch(report); } }, t("keepTheirs")),
      h("button.main", { onclick: () => { close(); saveAs({ was: null, anyway }, parts, take, edited).catch(report); } }, t("keepMine")))]);
  }
}

/** A file with mistakes is written only on request: the bot keeps its previous rules until they are mended. */
function askAnyway(mistakes, save) {
  dialog(t("saveAnywayTitle", { mistakes: mistakesOf(mistakes) }), (close) => [h("p", {}, t("saveAnywayText")), h("div.row.end", {},
    h("button.main", { onclick: close }, t("mendFirst")),
    h("button", { "data-key": "save-anyway", onclick: () => { close(); save(); } }, t("saveAnyway")))]);
}

function number({ text, numbers }) {
  const count = text.value.split("\n").length;
  if (numbers.dataset.count === String(count)) return;
  numbers.dataset.count = count;
  numbers.textContent = Array.from({ length: count }, (_, i) => i + 1).join("\n");
}

/** Shows the mistakes: at their lines, and as a list below. */
function show({ text, marks, found }, diagnostics, more) {
  const here = diagnostics.filter((one) => !one.file || one.file === state.session.file);
  const kind = (one) => (one.severity === "error" ? "bad" : "warn");
  marks.replaceChildren(...here.map((one) => { const mark = h(`div.${kind(one)}`); mark.style.setProperty("--line", one.line - 1); return mark; }));
  text.setAttribute("aria-invalid", String(diagnostics.some((one) => one.severity === "error")));
  const lines = diagnostics.map((one) => {
    const place = here.includes(one) ? `${one.line}:${one.column}` : `${one.file}:${one.line}:${one.column}`;
    return h("li", {}, h(`button.${kind(one)}`, { disabled: !here.includes(one), onclick: () => jump(text, one.line, one.column) },
      h("span.mono", {}, place), ` ${one.message}`, one.hint && h("span.soft.small.text", {}, one.hint)));
  });
  fill(found, lines, more ? h("li.text.small", {}, more) : null, !lines.length && !more ? h("li.soft.small", {}, t("noMistakes")) : null);
}

/** Moves the cursor to a line and a column, both counted from 1. */
function jump(text, line, column) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const at = start + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  text.focus();
  text.setSelectionRange(at, column === 1 ? start + (lines[line - 1] ?? "").length : at);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}

/** Opens or closes the editor. */
export function toggleEditor() {
  state.editing = !state.editing;
  state.tab = state.editing ? "why" : state.tab;
  changed("editing", "tab");
}

/** Opens the editor at a line. */
export function editAt(line) {
  file.line = line;
  state.editing = true;
  state.tab = "why";
  changed("editing", "tab");
}
