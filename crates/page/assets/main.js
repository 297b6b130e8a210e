// Puts the page together: the sandbox or the console, depending on the program that serves it.

import { follow, get, Refused, signIn } from "./api.js";
import { chatsColumn, open, refreshChats } from "./chats.js";
import { consoleView } from "./console.js";
import { h } from "./dom.js";
import { editorSection, toggleEditor } from "./editor.js";
import { listen } from "./help.js";
import { t } from "./i18n.js";
import { readLogin } from "./login.js";
import { begin, caused, changed, place, state, when } from "./state.js";
import { readWhy, talkColumn } from "./talk.js";
import { toolsBar } from "./tools.js";
import { whySection } from "./why.js";
import { report, toast } from "./widgets.js";

const app = document.getElementById("app");

async function start() {
  try {
    begin(await get("/api/session"));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return askForToken();
    throw error;
  }
  const names = state.session.bot.name;
  document.title = `${names} · Mynah`;
  const { on, back } = state.session.mode === "console" ? showConsole() : await showSandbox();
  follow(on, async (connection) => {
    // Only a reload removes everything that the old token gave access to.
    if (connection === "refused") return location.reload();
    const again = connection === "open" && state.connection === "lost";
    if (connection === "lost" && state.connection !== "lost") state.lostAt = Date.now();
    state.connection = connection;
    // The data on the page may be out of date: it is shown in grey.
    app.classList.toggle("stale", connection === "lost");
    changed("connection");
    if (again) await back().catch(report);
  });
  changed("connection", "session");
}

function showConsole() {
  const { view, on, read } = consoleView();
  app.replaceChildren(view);
  return { on, back: read };
}

async function showSandbox() {
  const side = h("aside.column.why", { "aria-label": t("why") }, whySection(), editorSection());
  const frame = h("div.frame", {}, toolsBar(), chatsColumn(), talkColumn(), side, tabs());
  when(["tab"], () => { frame.dataset.tab = state.tab; });
  when(["editing"], () => {
    side.firstChild.classList.toggle("hidden", state.editing);
    frame.classList.toggle("editing", state.editing);
  });
  app.replaceChildren(frame);
  listen([
    ["1", "keyChats", () => go("chats", ".chats [tabindex='0']")],
    ["2", "keyTalk", () => go("talk", ".messages")],
    ["3", "keySay", () => go("talk", "[data-key=say]")],
    ["4", "keyWhy", () => go("why", state.editing ? "[data-key=rules]" : "[data-key=why]")],
    ["5", "keyEdit", toggleEditor],
  ]);
  await refreshChats();
  const first = state.session.chat ?? state.chats.keys().next().value;
  if (first) await open(first);
  changed("tab", "editing", "session");
  return { on: onSandboxEvent, back: catchUp };
}

function go(tab, wanted) {
  state.tab = tab;
  changed("tab");
  // On a phone the column is shown with the next frame.
  requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(wanted)?.focus()));
}

/** After a lost connection: reads the missed events, and keeps the open chat, if it still exists, and the tab. */
async function catchUp() {
  begin(await get("/api/session"));
  await Promise.all([refreshChats(), readLogin()]);
  const chat = state.chats.has(state.chat) ? state.chat : state.session.chat ?? state.chats.keys().next().value;
  const { tab } = state;
  if (chat) await open(chat);
  state.tab = tab;
  changed("tab");
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
  else if (event.kind === "caused") caused(event);
  else if (event.kind === "chats") refreshChats().catch(report);
  else if (event.kind === "clock") begin({ ...state.session, now: event.now });
  else if (event.kind === "reloaded") get("/api/session").then(begin).catch(report);
  else if (event.kind === "status") readLogin().catch(report);
  else if (event.kind === "remark") toast(event.text, true);
  else if (event.kind === "decided" && [state.message, state.why?.cause?.message].includes(event.message)) readWhy(state.message);
}

function askForToken(wrong = false) {
  document.title = "Mynah";
  const input = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true, "aria-describedby": "about-token" });
  const button = h("button.main", {}, t("signIn"));
  app.replaceChildren(h("main.sign-in", {}, h("form.card.form", {
    onsubmit: (event) => {
      event.preventDefault();
      button.disabled = true;
      signIn(input.value.trim());
      get("/api/session").then(start, (error) => (error instanceof Refused ? askForToken(true) : (button.disabled = false, report(error))));
    },
  },
    h("div.row", {}, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, "Mynah"), h("span.soft", {}, t("console"))),
    h("label", {}, t("token"), input), h("p.small.soft", { id: "about-token" }, t("tokenHelp")),
    wrong && h("p.bad", { role: "alert" }, t("wrongToken")), button)));
  input.focus();
}

start().catch((error) => {
  report(error);
  app.replaceChildren(h("main.sign-in", {}, h("div.card.form", {}, h("h1", {}, "Mynah"), h("p", {}, t("failed", { why: t(error.message) })),
    h("button.main", { onclick: () => location.reload() }, t("retry")))));
});
