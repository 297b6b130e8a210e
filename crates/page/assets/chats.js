// The column of chats.

import { get, post } from "./api.js";
import { arrange, h } from "./dom.js";
import { moment, t } from "./i18n.js";
import { changed, isNotice, now, state, when } from "./state.js";
import { ask, face, report, walk } from "./widgets.js";

export function chatsColumn() {
  const list = h("ul.list.scroll", { "aria-label": t("chats") });
  const search = h("input.grow", {
    type: "search", "aria-label": t("search"), placeholder: t("search"),
    oninput: () => { state.query = search.value; draw(); },
    onkeydown: (event) => { if (event.key === "ArrowDown") { event.preventDefault(); list.querySelector("button")?.focus(); } },
  });
  const rows = new Map();
  const none = h("li.soft.empty", {}, t("noSuchChats"));
  const draw = () => {
    const found = shown();
    arrange(list, found.length ? found.map((chat) => rowOf(chat, rows)) : [none]);
    // The whole list is one stop of the Tab key; the arrow keys move within it.
    const stop = list.querySelector("[aria-current]") ?? list.querySelector("button");
    for (const button of list.querySelectorAll("[tabindex='0']")) if (button !== stop) button.tabIndex = -1;
    if (stop) stop.tabIndex = 0;
  };
  walk(list, "button");
  when(["chats", "chat"], draw);
  return h("nav.column.chats", { "aria-label": t("chats") },
    h("header.row", {}, search),
    list,
    h("div.row.foot", {},
      h("button.grow", { onclick: () => create("group") }, t("newGroup")),
      h("button.grow", { onclick: () => create("person") }, t("newPerson"))));
}

function shown() {
  const query = state.query.trim().toLowerCase();
  return [...state.chats.values()]
    .filter((chat) => !query || chat.name.toLowerCase().includes(query))
    .sort((a, b) => (b.last?.time ?? 0) - (a.last?.time ?? 0));
}

/** The row of a chat: the existing one, unless something about the chat has changed. */
function rowOf(chat, rows) {
  const looks = JSON.stringify([chat.name, chat.unread, chat.last, chat.id === state.chat]);
  const known = rows.get(chat.id);
  if (known?.looks === looks) return known.element;
  const focused = known?.element.contains(document.activeElement);
  const element = row(chat);
  rows.set(chat.id, { looks, element });
  if (focused) queueMicrotask(() => element.firstChild.focus());
  return element;
}

function row(chat) {
  return h("li", {}, h("button.chat", {
    tabindex: "-1", "data-key": `chat-${chat.id}`, "aria-current": chat.id === state.chat ? "true" : null, onclick: () => open(chat.id).catch(report),
  },
    face(chat.name, chat.group),
    h("span.name", {}, h("bdi", {}, chat.name)),
    h("span.when.soft.small", {}, chat.last ? moment(chat.last.time, now()) : ""),
    h("span.last.soft.small", {}, h("bdi", {}, lastWords(chat))),
    chat.unread > 0 && h("span.badge", { "aria-label": t("unread", { n: chat.unread }) }, chat.unread > 99 ? "99+" : chat.unread)));
}

function lastWords({ last, group }) {
  if (!last) return t(group ? "group" : "private");
  const words = wordsOf(last).slice(0, 100);
  const who = last.mine ? t("bot") : group ? last.from : "";
  return who && !isNotice(last) ? `${who}: ${words}` : words;
}

/** A message in words. */
export function wordsOf({ kind, text, mine, from }) {
  if (kind === "recall") return t("recalledBy", { name: mine ? t("bot") : from });
  return text || t(kind);
}

/** Opens a chat and reads its last messages. */
export async function open(id) {
  if (state.chat !== id) state.messages = [];
  state.chat = id;
  state.message = null;
  state.why = null;
  state.tab = "talk";
  state.reading = true;
  state.hasOlder = false;
  state.below = 0;
  state.atEnd = true;
  state.firstNew = null;
  const chat = state.chats.get(id);
  const unread = chat?.unread ?? 0;
  if (chat) chat.unread = 0;
  changed("chat", "chats", "why", "tab");
  const page = await get(`/api/messages?chat=${encodeURIComponent(id)}`).finally(() => { if (state.chat === id) state.reading = false; });
  if (state.chat !== id) return;
  // Messages that arrived while the history was being read go after it.
  const read = new Set(page.messages.map((message) => message.id));
  const last = page.messages.at(-1)?.time ?? 0;
  state.messages = [...page.messages, ...state.messages.filter((message) => !read.has(message.id) && message.time >= last)];
  state.hasOlder = page.more;
  state.firstNew = unread ? state.messages.filter((message) => !isNotice(message)).at(-unread)?.id : null;
  changed("messages");
}

async function create(what) {
  const values = await ask(t(what === "group" ? "newGroup" : "newPerson"), [{ name: "name", label: t("name") }], what === "group" && t("newGroupHint"));
  if (!values?.name) return;
  try {
    const { chat } = await post("/api/act", { what, name: values.name });
    await refreshChats();
    if (chat) await open(chat);
  } catch (error) {
    report(error);
  }
}

let reading = null;
let again = false;

/** Reads the list of chats again. Calls that arrive during a reading share one more reading. */
export function refreshChats() {
  if (reading) again = true;
  reading ??= read().finally(() => {
    reading = null;
    if (again) { again = false; return refreshChats(); }
  });
  return reading;
}

/** Keeps the page's own unread counts: the sandbox counts the messages that the bot has not read. */
async function read() {
  const chats = await get("/api/chats");
  state.chats = new Map(chats.map((chat) => [chat.id, { ...chat, unread: state.chats.get(chat.id)?.unread ?? 0 }]));
  changed("chats");
}
