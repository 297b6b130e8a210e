// Puts the page together: the sandbox or the console, whichever this binary serves.

import { follow, get, Refused, signIn } from "./api.js";
import { chatsColumn, open, refreshChats } from "./chats.js";
import { consoleView } from "./console.js";
import { h } from "./dom.js";
import { editorSection } from "./editor.js";
import { language, t } from "./i18n.js";
import { changed, place, state, when } from "./state.js";
import { talkColumn } from "./talk.js";
import { toolsBar } from "./tools.js";
import { whySection } from "./why.js";

const app = document.getElementById("app");

function report(error) {
  const line = h("p.bad", { role: "alert" }, t("failed", { why: error.message }));
  const place = h("dialog", { open: true, "aria-label": t("errors") }, line, h("button", { onclick: () => place.remove() }, t("close")));
  document.body.append(place);
  setTimeout(() => place.remove(), 8000);
}

async function start() {
  try {
    state.session = await get("/api/session");
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return askForToken();
    throw error;
  }
  document.title = `${state.session.bot.name} · Mynah`;
  const on = state.session.mode === "console" ? showConsole() : await showSandbox();
  follow(on, async (connection) => {
    if (connection === "refused") return askForToken();
    const back = connection === "open" && state.connection === "lost";
    state.connection = connection;
    changed("connection");
    if (back) await catchUp().catch(report);
  });
  changed("connection", "session");
}

/** After a lost connection: reads what was missed. */
async function catchUp() {
  state.session = await get("/api/session");
  changed("session");
  if (state.session.mode !== "sandbox") return;
  await refreshChats();
  const chat = state.chats.has(state.chat) ? state.chat : state.chats.keys().next().value;
  if (chat) await open(chat);
}

function showConsole() {
  const { view, on } = consoleView(report);
  app.replaceChildren(view);
  return on;
}

async function showSandbox() {
  const side = h("aside.column.why", { "aria-label": t("why") }, whySection(), editorSection(report));
  const frame = h("div.frame", {}, toolsBar(report), chatsColumn(report), talkColumn(report), side, tabs());
  when(["tab"], () => { frame.dataset.tab = state.tab; });
  when(["editing"], () => { side.firstChild.classList.toggle("hidden", state.editing); });
  app.replaceChildren(frame);
  await refreshChats();
  const first = state.session.chat ?? state.chats.keys().next().value;
  if (first) await open(first);
  changed("tab", "editing", "session");
  return onSandboxEvent;
}

function tabs() {
  const buttons = ["chats", "talk", "why"].map((name) => h("button", {
    onclick: () => { state.tab = name; changed("tab"); }, "data-tab": name,
  }, t(name)));
  when(["tab"], () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tab === state.tab))));
  return h("div.tabs", {}, buttons);
}

function onSandboxEvent(event) {
  if (event.kind === "message") place(event.message);
  else if (event.kind === "chats") refreshChats().catch(report);
  else if (event.kind === "clock") { state.session.now = event.now; changed("session"); }
  else if (event.kind === "decided" && event.message === state.message) {
    get(`/api/why?lang=${language}&message=${encodeURIComponent(event.message)}`).then((why) => { state.why = why; changed("why"); }).catch(report);
  }
}

function askForToken(wrong = false) {
  const input = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true });
  app.replaceChildren(h("main.card.sign-in", {}, h("form.form", {
    onsubmit: (event) => { event.preventDefault(); signIn(input.value.trim()); get("/api/session").then(start, () => askForToken(true)); },
  },
    h("h1", {}, "Mynah"), h("label", {}, t("token"), input), h("p.small.soft", {}, t("tokenHelp")),
    wrong && h("p.bad", { role: "alert" }, t("wrongToken")), h("button.main", {}, t("signIn")))));
  input.focus();
}

start().catch(report);
