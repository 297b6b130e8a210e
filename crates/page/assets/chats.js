// The column of chats.

import { get, post } from "./api.js";
import { arrange, ask, h } from "./dom.js";
import { moment, t } from "./i18n.js";
import { changed, state, when } from "./state.js";

export function chatsColumn(report) {
  const list = h("ul.list.scroll", { "aria-label": t("chats") });
  const search = h("input.grow", {
    type: "search", "aria-label": t("search"), placeholder: t("search"),
    oninput: () => { state.query = search.value; draw(); },
  });
  const rows = new Map();
  const draw = () => arrange(list, shown().map((chat) => rowOf(chat, rows)));
  when(["chats", "chat"], draw);
  return h("nav.column.chats", { "aria-label": t("chats") },
    h("header.row", {}, search),
    list,
    h("div.row.say", {},
      h("button", { onclick: () => create("group", report) }, t("newGroup")),
      h("button", { onclick: () => create("person", report) }, t("newPerson"))));
}

function shown() {
  const query = state.query.trim().toLowerCase();
  return [...state.chats.values()]
    .filter((chat) => !query || chat.name.toLowerCase().includes(query))
    .sort((a, b) => (b.last?.time ?? 0) - (a.last?.time ?? 0));
}

/** The row of a chat: the one that stands there already, unless something about it has changed. */
function rowOf(chat, rows) {
  const looks = JSON.stringify([chat.name, chat.unread, chat.last, chat.id === state.chat]);
  const known = rows.get(chat.id);
  if (known?.looks === looks) return known.element;
  const element = row(chat);
  rows.set(chat.id, { looks, element });
  return element;
}

function row(chat) {
  return h("li", {}, h("button.chat", {
    "data-key": `chat-${chat.id}`, "aria-current": chat.id === state.chat ? "true" : null, onclick: () => open(chat.id),
  },
    h("span.row", {},
      h("span.name.grow", {}, chat.name),
      chat.unread > 0 && h("span.badge", { "aria-label": t("unread", { n: chat.unread }) }, chat.unread),
      chat.last && h("span.soft.small", {}, moment(chat.last.time))),
    h("span.last.soft.small", {}, chat.last?.text || t(chat.last ? chat.last.kind ?? "text" : chat.group ? "group" : "private"))));
}

/** Opens a chat and reads its last messages. */
export async function open(id) {
  state.chat = id;
  state.message = null;
  state.why = null;
  state.tab = "talk";
  const chat = state.chats.get(id);
  if (chat) chat.unread = 0;
  changed("chat", "chats", "why", "tab");
  const page = await get(`/api/messages?chat=${encodeURIComponent(id)}`);
  if (state.chat !== id) return;
  state.messages = page.messages;
  state.hasOlder = page.more;
  changed("messages");
}

async function create(what, report) {
  const title = t(what === "group" ? "newGroup" : "newPerson");
  const values = await ask(title, [{ name: "name", label: t("name") }], { ok: t("ok"), cancel: t("cancel") });
  if (!values) return;
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

/** Reads the list of chats again. Calls that come while it is read are served together by one more reading. */
export function refreshChats() {
  if (reading) again = true;
  reading ??= read().finally(() => {
    reading = null;
    if (again) { again = false; return refreshChats(); }
  });
  return reading;
}

async function read() {
  const chats = await get("/api/chats");
  state.chats = new Map(chats.map((chat) => [chat.id, { ...chat, unread: chat.id === state.chat ? 0 : chat.unread }]));
  changed("chats");
}
