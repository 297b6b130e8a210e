// The conversation: message bubbles, the actions of its people, and the scroll position.

import { get, post } from "./api.js";
import { wordsOf } from "./chats.js";
import { arrange, h } from "./dom.js";
import { editAt } from "./editor.js";
import { dayOf, language, moment, t } from "./i18n.js";
import { people, sayForm, sendFiles, speaker } from "./say.js";
import { changed, isNotice, state, when } from "./state.js";
import { announce, ask, botFace, face, menu, report, toast, walk } from "./widgets.js";

/** The distance from the end that still counts as the end. */
const NEAR = 60;

export function talkColumn() {
  const title = h("h2.grow.name", {}, t("talk"));
  const log = h("div.messages.scroll", { role: "log", "aria-live": "off", "aria-label": t("talk"), tabindex: "0" });
  const below = h("button.below.hidden", { onclick: () => { toEnd(log); log.focus(); } });
  const form = sayForm();
  const more = h("div", {}, menu(t("more"), deeds, { "data-key": "more" }));
  when(["chat", "chats"], () => {
    const chat = state.chats.get(state.chat);
    title.replaceChildren(chat ? h("bdi", {}, chat.name) : t("talk"), chat
      ? h("span.soft.small", {}, ` · ${t(chat.group ? "group" : "private")}${chat.group ? ` · ${t("people", { n: chat.people.length + 1 })}` : ""}`) : "");
    for (const part of [form, more]) part.classList.toggle("hidden", !chat);
  });
  const draw = () => {
    drawMessages(log);
    below.classList.toggle("hidden", !state.below);
    below.textContent = `↓ ${t("newBelow", { n: state.below })}`;
  };
  log.addEventListener("scroll", () => {
    state.atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    if (state.atEnd && state.below) { state.below = 0; changed("messages"); }
  }, { passive: true });
  walk(log, ".bubble", true);
  when(["messages", "chat", "message"], draw);
  // A picture that loads late or a window that shrinks moves the end: scroll along.
  new ResizeObserver(() => { if (state.atEnd) toEnd(log); }).observe(log);
  log.addEventListener("load", () => { if (state.atEnd) toEnd(log); }, true);
  const column = h("main.column.talk", { "aria-label": t("talk") }, h("header.row", {}, title, more), h("div.place", {}, log, below), form);
  acceptDrops(column);
  return column;
}

function toEnd(log) {
  log.scrollTop = log.scrollHeight;
  state.atEnd = true;
}

function acceptDrops(column) {
  // By default, the browser leaves the page to open a file that is dropped outside the column.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  column.addEventListener("dragover", () => column.classList.add("drop"));
  column.addEventListener("dragleave", (event) => { if (!column.contains(event.relatedTarget)) column.classList.remove("drop"); });
  column.addEventListener("drop", (event) => { column.classList.remove("drop"); sendFiles(event.dataTransfer.files); });
}

let drawn = { chat: null, last: null };

/** Draws only the changes: a bubble is rebuilt if its message is a new object. */
function drawMessages(log) {
  if (!state.chat) return log.replaceChildren(h("p.empty", {}, t("chooseChat")));
  const first = drawn.chat !== state.chat;
  const last = state.messages.at(-1);
  if (!first && last && last !== drawn.last && (last.mine || isNotice(last))) announce(`${last.mine ? t("bot") : ""} ${wordsOf(last)}`);
  drawn = { chat: state.chat, last };
  if (!state.messages.length) return log.replaceChildren(state.reading ? "" : h("p.empty", {}, t("nothingSaid")));
  const before = new Map([...log.children].map((line) => [line.dataset.id, line]));
  const nodes = state.hasOlder ? [before.get("older") ?? h("button.older", { "data-id": "older", onclick: () => readOlder(log).catch(report) }, t("older"))] : [];
  let day = null;
  for (const message of state.messages) {
    const its = dayOf(message.time);
    if (its !== day) nodes.push(mark(before, `day-${its}`, its));
    day = its;
    if (message.id === state.firstNew) nodes.push(mark(before, "new", t("newFrom")));
    const old = before.get(message.id);
    nodes.push(old?.message === message ? old : lineOf(message));
  }
  arrange(log, nodes);
  for (const line of nodes) line.querySelector?.(".bubble")?.setAttribute("aria-pressed", String(line.dataset.id === state.message));
  if (state.atEnd || first) toEnd(log);
}

const mark = (before, id, text) => before.get(id) ?? h(`div.line.mark${id === "new" ? ".new" : ""}`, { "data-id": id }, h("span", {}, text));

function lineOf(message) {
  const kind = isNotice(message) ? "system" : message.mine ? "mine" : "theirs";
  const line = h(`div.line.${kind}`, { "data-id": message.id });
  line.message = message;
  const bubble = h("button.bubble", { tabindex: "-1", "aria-pressed": "false", onclick: () => choose(message) });
  if (kind === "system") bubble.append(h("span.text", {}, wordsOf(message)));
  else {
    bubble.append(h("span.who", {}, h("bdi", {}, message.mine ? `${t("bot")} ${state.session.bot.name}` : message.from), ` · ${moment(message.time, message.time)}`), ...contentOf(message));
    line.append(message.mine ? botFace() : face(message.from));
  }
  line.append(bubble);
  if (message.cause) line.append(causeButton(message));
  if (message.kind === "file" && message.media) line.append(h("a.small", { href: message.media, download: message.text || "file" }, t("download")));
  return line;
}

/** The message that the bot answers with this one, as a link to it. */
function causeButton({ cause: { kind, message, text, file, line } }) {
  const place = file && `${file}:${line}`;
  if (message) return h("button.link.small.answers", { title: t("showAnswered"), onclick: () => showMessage(message).catch(report) }, `↩ ${text.slice(0, 24) || t("system")}`);
  const words = `${t(`cause-by-${kind}`)} ${place ?? ""}`;
  if (file !== state.session.file) return h("span.small.soft.answers", {}, words);
  return h("button.link.small.answers", { title: t("openInEditor"), onclick: () => editAt(line) }, words);
}

/** Selects a message by its id and scrolls to it. */
export async function showMessage(id) {
  await choose({ id });
  document.querySelector(`.messages [data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
}

function contentOf(message) {
  const picture = message.media && ["image", "emoji"].includes(message.kind);
  const text = picture ? null : message.kind === "text" ? message.text : `${t(message.kind)} ${message.text}`.trim();
  return [
    picture && h("img", { src: message.media, alt: message.text || t(message.kind), loading: "lazy" }),
    text && h(`span.text${message.recalled ? ".recalled" : ""}`, {}, text),
    message.recalled && h("span.soft.small", {}, ` ${t("recalled")}`),
  ].filter(Boolean);
}

/** Shows the decision of the bot about a message. */
export async function choose(message) {
  state.message = message.id;
  state.why = null;
  state.editing = false;
  state.tab = "why";
  changed("message", "why", "tab", "editing");
  await readWhy(message.id);
}

export async function readWhy(id) {
  const why = await get(`/api/why?lang=${language}&message=${encodeURIComponent(id)}`).catch(() => null);
  if (state.message !== id) return;
  state.why = why;
  changed("why");
}

/** Reads older messages and keeps the visible ones in place. */
async function readOlder(log) {
  const first = state.messages[0];
  const page = await get(`/api/messages?chat=${encodeURIComponent(state.chat)}&before=${encodeURIComponent(first.id)}`);
  if (state.messages[0] !== first) return;
  const line = () => log.querySelector(`[data-id="${CSS.escape(first.id)}"]`);
  const at = line().offsetTop - log.scrollTop;
  state.messages = [...page.messages, ...state.messages];
  state.hasOlder = page.more;
  state.atEnd = false;
  changed("messages");
  requestAnimationFrame(() => {
    log.scrollTop = line().offsetTop - at;
    line().querySelector(".bubble")?.focus({ preventScroll: true });
  });
}

/** The actions of the chosen speaker, or of a new person, in this chat. */
function deeds() {
  const chat = state.chats.get(state.chat);
  const who = speaker();
  const chosen = state.messages.find((message) => message.id === state.message && !message.mine && !isNotice(message) && !message.recalled);
  const known = [...state.chats.values()].filter((one) => !one.group && !people().includes(one.name)).map((one) => one.name);
  const deed = (what, fields, more, values) => ({ label: t(what, { name: who }), act: () => act(what, fields, more, values) });
  return [
    chat.group && deed("join", [{ name: "name", label: t("name"), choices: known }], t("joinHint")),
    chat.group && deed("leave"),
    chat.group && deed("rename", [{ name: "name", label: t("name"), value: chat.name }]),
    deed("pat"),
    chosen ? deed("recallThis", null, null, { what: "recall", from: chosen.from, message: chosen.id }) : deed("recall"),
    deed("red_packet"),
    deed("friend_request", [{ name: "name", label: t("name") }, { name: "text", label: t("greeting"), required: false }]),
  ].filter(Boolean);
}

async function act(what, fields, hint, more = {}) {
  const who = speaker();
  const values = fields ? await ask(t(what, { name: who }), fields, hint) : {};
  if (!values) return;
  await post("/api/act", { what, chat: state.chat, from: who, ...values, ...more })
    .then(() => { if (what === "friend_request") toast(t("asked", values)); }, report);
}
