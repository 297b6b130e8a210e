// The conversation: bubbles, and the line to say something.

import { get, post } from "./api.js";
import { arrange, ask, fill, h } from "./dom.js";
import { language, moment, t } from "./i18n.js";
import { changed, state, when } from "./state.js";

export function talkColumn(report) {
  const title = h("h2.grow", {}, t("talk"));
  const log = h("div.messages.scroll", { role: "log", "aria-live": "polite", "aria-label": t("talk"), tabindex: "0" });
  const form = sayForm(report);
  when(["chat"], () => {
    const chat = state.chats.get(state.chat);
    title.textContent = chat ? `${chat.name} · ${t(chat.group ? "group" : "private")}` : t("talk");
    form.classList.toggle("hidden", !chat);
  });
  when(["messages", "chat", "message"], () => drawMessages(log));
  return h("main.column.talk", { "aria-label": t("talk") }, h("header.row", {}, title, moreButton(report)), log, form);
}

/** Draws only what changed: a bubble is made anew when its message is another object than before. */
function drawMessages(log) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  if (!state.chat) return fill(log, h("p.soft", {}, t("chooseChat")));
  if (!state.messages.length) return fill(log, h("p.soft", {}, t("nothingSaid")));
  const before = new Map([...log.children].map((line) => [line.dataset.id, line]));
  const lines = state.messages.map((message) => {
    const chosen = message.id === state.message;
    const old = before.get(message.id);
    return old && old.message === message && old.chosen === chosen ? old : bubble(message, chosen);
  });
  const older = state.hasOlder ? [h("button", { "data-key": "older", onclick: () => readOlder(log) }, t("older"))] : [];
  arrange(log, [...older, ...lines]);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function bubble(message, chosen) {
  const kind = message.kind === "system" ? "system" : message.mine ? "mine" : "theirs";
  const line = h(`div.line.${kind}`, { "data-id": message.id });
  line.message = message;
  line.chosen = chosen;
  if (kind === "system") {
    line.append(h("span.text", {}, message.text));
    return line;
  }
  line.append(h("button.bubble", {
    "aria-pressed": String(chosen), "data-key": `message-${message.id}`, onclick: () => choose(message),
  },
    h("span.who", {}, `${message.mine ? t("bot") : message.from} · ${moment(message.time)}`),
    message.media && message.kind === "image" && h("img", { src: message.media, alt: message.text || t("picture"), loading: "lazy" }),
    message.text && h(`span.text${message.recalled ? ".recalled" : ""}`, {}, message.text),
    message.recalled && h("span.soft.small", {}, ` ${t("recalled")}`)));
  return line;
}

async function choose(message) {
  state.message = message.id;
  state.why = null;
  state.editing = false;
  state.tab = "why";
  changed("message", "why", "tab", "editing");
  const why = await get(`/api/why?lang=${language}&message=${encodeURIComponent(message.id)}`).catch(() => null);
  if (state.message !== message.id) return;
  state.why = why;
  changed("why");
}

async function readOlder(log) {
  const first = state.messages[0];
  const page = await get(`/api/messages?chat=${encodeURIComponent(state.chat)}&before=${encodeURIComponent(first.seq)}`);
  const height = log.scrollHeight;
  state.messages = [...page.messages, ...state.messages];
  state.hasOlder = page.more;
  changed("messages");
  requestAnimationFrame(() => { log.scrollTop = log.scrollHeight - height; });
}

function people() {
  return state.chats.get(state.chat)?.people ?? [];
}

function speaker() {
  const known = people();
  return known.includes(state.speaker[state.chat]) ? state.speaker[state.chat] : known[0];
}

function sayForm(report) {
  const who = h("select", { "aria-label": t("speaksAs"), onchange: () => { state.speaker[state.chat] = who.value; } });
  const text = h("textarea", {
    rows: "1", "aria-label": t("write"), placeholder: t("write"), role: "combobox", "aria-expanded": "false",
    "aria-controls": "mentions", "aria-autocomplete": "list",
  });
  const mentions = mentionList(text, () => [state.session?.bot.name, ...people()].filter(Boolean));
  const file = h("input.hidden", { type: "file", accept: "image/*", onchange: () => sendPicture(file.files[0], report) });
  const say = async () => {
    const said = text.value.replace(/\s+$/, "");
    if (!said) return;
    text.value = "";
    await post("/api/say", { chat: state.chat, from: speaker(), text: said }).catch((error) => { text.value = said; report(error); });
  };
  text.addEventListener("keydown", (event) => {
    if (mentions.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say(); }
  });
  when(["chat", "chats"], () => {
    fill(who, people().map((name) => h("option", { value: name }, name)));
    who.value = speaker() ?? "";
  });
  const form = h("form.say.hidden", { onsubmit: (event) => { event.preventDefault(); say(); } },
    mentions.list, who, text, file,
    h("button", { type: "button", onclick: () => file.click() }, t("picture")),
    h("button.main", { type: "submit" }, t("say")));
  acceptPictures(form, text, report);
  return form;
}

function acceptPictures(form, text, report) {
  const picture = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("drop"); });
  form.addEventListener("dragleave", () => form.classList.remove("drop"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("drop");
    sendPicture(picture(event.dataTransfer.files), report);
  });
  text.addEventListener("paste", (event) => {
    const file = picture(event.clipboardData.files);
    if (file) { event.preventDefault(); sendPicture(file, report); }
  });
}

async function sendPicture(file, report) {
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  await post("/api/picture", { chat: state.chat, from: speaker(), name: file.name || "picture.png", data: btoa(binary) }).catch(report);
}

/** Completion of names after `@`: arrows choose, Enter or Tab takes, Escape closes. */
function mentionList(text, names) {
  const list = h("ul.mentions.hidden", { role: "listbox", id: "mentions", "aria-label": t("chats") });
  let chosen = 0;
  let found = [];
  const typed = () => /@([^@\s]*)$/.exec(text.value.slice(0, text.selectionStart));
  const close = () => { found = []; draw(); };
  const take = (name) => {
    const at = typed();
    if (!at) return close();
    const end = text.selectionStart;
    text.setRangeText(`@${name} `, at.index, end, "end");
    close();
    text.focus();
  };
  const draw = () => {
    list.classList.toggle("hidden", !found.length);
    text.setAttribute("aria-expanded", String(found.length > 0));
    text.setAttribute("aria-activedescendant", found.length ? `mention-${chosen}` : "");
    fill(list, found.map((name, i) => h("li", {
      role: "option", id: `mention-${i}`, "aria-selected": String(i === chosen), onmousedown: (event) => { event.preventDefault(); take(name); },
    }, name)));
  };
  text.addEventListener("input", () => {
    const at = typed();
    found = at ? names().filter((name) => name.toLowerCase().startsWith(at[1].toLowerCase())).slice(0, 8) : [];
    chosen = 0;
    draw();
  });
  text.addEventListener("blur", close);
  const key = (event) => {
    if (!found.length) return false;
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

const deeds = ["join", "leave", "rename", "pat", "recall", "red_packet", "friend_request"];

function moreButton(report) {
  const choice = h("select", { "aria-label": t("more"), onchange: () => { const what = choice.value; choice.value = ""; act(what, report); } },
    h("option", { value: "" }, t("more")),
    deeds.map((what) => h("option", { value: what }, t(what))));
  return choice;
}

async function act(what, report) {
  const fields = { join: [{ name: "name", label: t("name") }], rename: [{ name: "name", label: t("name") }],
    friend_request: [{ name: "name", label: t("name") }, { name: "text", label: t("greeting") }] }[what];
  const values = fields ? await ask(t(what), fields, { ok: t("ok"), cancel: t("cancel") }) : {};
  if (values) await post("/api/act", { what, chat: state.chat, from: speaker(), ...values }).catch(report);
}
