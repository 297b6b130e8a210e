// The form to send a message: the sender, the text, and completion of names after `@`.

import { post } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { changed, state, when } from "./state.js";
import { face, report, toast } from "./widgets.js";

/** The largest file that the sandbox accepts. */
const LARGEST = 20 << 20;

/** The people who can speak in the open chat. */
export function people() {
  return state.chats.get(state.chat)?.people ?? [];
}

/** The chosen speaker. */
export function speaker() {
  const known = people();
  return known.includes(state.speaker[state.chat]) ? state.speaker[state.chat] : known[0];
}

export function sayForm() {
  const picture = h("span");
  const who = h("select", { id: "speaker", onchange: () => { state.speaker[state.chat] = who.value; changed("chats"); } });
  const text = h("textarea", {
    rows: "1", "aria-label": t("write"), placeholder: t("write"), role: "combobox", "aria-expanded": "false",
    "aria-controls": "mentions", "aria-autocomplete": "list", "data-key": "say",
  });
  const mentions = mentionList(text, () => [state.session?.bot.name, ...people()].filter(Boolean));
  const file = h("input.hidden", { type: "file", multiple: true, "aria-label": t("attach"), onchange: () => { sendFiles(file.files); file.value = ""; } });
  const say = async () => {
    const said = text.value.replace(/\s+$/, "");
    if (!said) return;
    text.value = "";
    await post("/api/say", { chat: state.chat, from: speaker(), text: said }).catch((error) => { text.value ||= said; report(error); });
  };
  text.addEventListener("keydown", (event) => {
    if (mentions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say(); }
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); sendFiles(event.clipboardData.files); }
  });
  let shown = null;
  when(["chat", "chats"], () => {
    const looks = JSON.stringify([people(), speaker()]);
    if (looks === shown) return;
    shown = looks;
    fill(who, people().map((name) => h("option", { value: name }, name)));
    who.value = speaker() ?? "";
    picture.replaceChildren(speaker() ? face(speaker()) : "");
  });
  return h("form.say.hidden", { onsubmit: (event) => { event.preventDefault(); say(); } },
    mentions.list,
    h("div.row.speaks", {}, picture, h("label.row", { for: "speaker" }, h("span.small.soft", {}, t("speaksAs")), who), h("span.small.soft.hint", {}, t("writeHint"))),
    h("div.row.words", {}, text, file,
      h("button", { type: "button", title: t("attach"), "aria-label": t("attach"), onclick: () => file.click() }, "📎"),
      h("button.main", { type: "submit" }, t("say"))));
}

/** Sends pictures and files as the chosen speaker. */
export async function sendFiles(files) {
  if (!state.chat) return;
  for (const file of [...(files ?? [])]) {
    if (file.size > LARGEST) { toast(t("tooLarge", { name: file.name }), true); continue; }
    const call = file.type.startsWith("image/") ? "picture" : "attachment";
    const data = await base64(file);
    await post(`/api/${call}`, { chat: state.chat, from: speaker(), name: file.name || "picture.png", data }).catch(report);
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** Completion of names after `@`: arrow keys select, Enter or Tab accepts, Escape closes. */
function mentionList(text, names) {
  const list = h("ul.mentions.hidden", { role: "listbox", id: "mentions", "aria-label": t("names") });
  let chosen = 0;
  let found = [];
  const typed = () => /[@＠]([^@＠\s]*)$/.exec(text.value.slice(0, text.selectionStart));
  const close = () => { found = []; draw(); };
  const take = (name) => {
    const at = typed();
    if (!at) return close();
    text.setRangeText(`@${name} `, at.index, text.selectionStart, "end");
    close();
    text.focus();
  };
  const draw = () => {
    list.classList.toggle("hidden", !found.length);
    text.setAttribute("aria-expanded", String(found.length > 0));
    if (found.length) text.setAttribute("aria-activedescendant", `mention-${chosen}`);
    else text.removeAttribute("aria-activedescendant");
    fill(list, found.map((name, i) => h("li", {
      role: "option", id: `mention-${i}`, "aria-selected": String(i === chosen), onmousedown: (event) => { event.preventDefault(); take(name); },
    }, face(name), h("bdi", {}, name))));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  text.addEventListener("input", () => {
    const at = typed();
    if (!at && !found.length) return;
    found = at ? names().filter((name) => name.toLowerCase().includes(at[1].toLowerCase())).slice(0, 50) : [];
    chosen = 0;
    draw();
  });
  text.addEventListener("blur", close);
  const key = (event) => {
    if (!found.length || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { chosen = (chosen + step + found.length) % found.length; draw(); }
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    return true;
  };
  return { list, key };
}
