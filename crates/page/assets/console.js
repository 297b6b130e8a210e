// The console of a running bot.

import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { helpButton, listen } from "./help.js";
import { moment, t } from "./i18n.js";
import { logCard } from "./log.js";
import { accountCard, waitingList, whyOf } from "./pacing.js";
import { lostWords, state, when } from "./state.js";
import { announce, report, toast } from "./widgets.js";

const REFRESH = 5000;

/** Waits for a pause in the events before the changed data is read again. */
const PAUSE = 300;

export function consoleView() {
  const connection = h("span.small.lamp", { role: "status" });
  const accounts = h("div.accounts");
  const waiting = card("queues", "wide");
  const errors = card("errors");
  const chats = chatsCard();
  const rules = card("rules", "wide");
  const handlers = card("handlers", "wide");
  const log = logCard();
  when(["connection"], () => {
    const open = state.connection === "open";
    connection.textContent = open ? t("connected") : t("lost", lostWords());
    connection.className = `small lamp ${open ? "good" : "bad"}`;
  });
  /** The reports of the accounts' reloads. */
  const said = new Map();
  const reload = async (account) => {
    try {
      const { report: words } = await post("/api/reload", { account });
      said.set(account, words);
      announce(words);
      await refresh();
    } catch (error) {
      report(error);
    }
  };
  const restart = (account) => post("/api/restart", { account }).then(() => toast(t("restarted", { account }))).then(refresh).catch(report);
  const refresh = async () => {
    const [known, queues, book, called] = await Promise.all([get("/api/accounts"), get("/api/queues"), get("/api/rules"), get("/api/handlers")]);
    const many = known.length > 1;
    known.forEach(tellChange);
    draw(accounts, [known, queues, [...said]], () => known.map((account) => accountCard(account, queues.find((queue) => queue.account === account.name), said.get(account.name), { reload, restart })));
    draw(waiting.body, [queues.map(({ waiting, pace }) => [waiting, pace])], () => waitingList(queues, many));
    draw(errors.body, queues.map((queue) => queue.errors), () => errorsOf(queues, many));
    await chats.read(many);
    handlers.card.classList.toggle("hidden", !called.length);
    draw(handlers.body, called, () => handlersOf(called));
    draw(rules.body, book, () => rulesOf(book, many));
    const down = known.filter((account) => !account.online).length;
    document.title = `${down ? "⚠ " : ""}${state.session.bot.name} · Mynah`;
    log.several(many);
  };
  const read = async () => { said.clear(); await Promise.all([log.read(), refresh()]); };
  read().catch(report);
  let due = null;
  const soon = () => { due ??= setTimeout(() => { due = null; refresh().catch(() => {}); }, PAUSE); };
  setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, REFRESH);
  const on = (event) => {
    if (event.kind === "turn") log.add(event.entry);
    soon();
  };
  listen([["1", "keyFilter", () => document.querySelector("[data-key=filter]").focus()]]);
  const view = h("div.page", {},
    h("header.bar", {}, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, "Mynah"), h("span.soft", {}, t("console")), connection, h("span.grow"), helpButton()),
    h("main.console", { "aria-label": t("console") }, accounts, waiting.card, log.card, errors.card, chats.card, handlers.card, rules.card));
  return { view, on, read };
}

/** Redraws a part of the page only if its data has changed: a redraw makes a screen reader repeat it and a tap miss. */
function draw(place, shown, made) {
  const looks = JSON.stringify(shown);
  if (place.shown === looks) return;
  place.shown = looks;
  fill(place, made());
}

const conditions = new Map();

/** Announces that an account has gone offline or come back. */
function tellChange({ name, condition, online }) {
  const before = conditions.get(name);
  conditions.set(name, condition);
  if (!before || before === condition) return;
  toast(t("nowIs", { account: name, state: t(condition) }), !online);
}

function card(title, ...classes) {
  const body = h("div.live", { tabindex: "0", role: "region", "aria-label": t(title) });
  return { card: h(["section.card", ...classes].join("."), {}, h("h2", {}, t(title)), body), body };
}

/** A table; columns that are false are left out together with their cells. */
function table(columns, rows) {
  const kept = (cells) => cells.filter((_, i) => columns[i]);
  return h("table", {}, h("thead", {}, h("tr", {}, kept(columns).map((name) => h("th", { scope: "col" }, t(name))))), h("tbody", {}, rows.map((cells) => h("tr", {}, kept(cells)))));
}

const nothing = (key) => h("p.soft", {}, t(key));

function rulesOf(book, many) {
  if (!book.length) return nothing("noRules");
  return table([many && "account", "rule", "hits", "lastHit"], book.map((rule) => {
    const place = `${rule.file}:${rule.line}`;
    return [h("td.text", {}, rule.account),
      h("td", {}, h("bdi.text", {}, rule.id), rule.id !== place && h("div.mono.small.soft.text", {}, place)),
      h("td.number", {}, rule.hits),
      h("td", {}, rule.last ? moment(rule.last) : "", rule.off && h("span.soft", {}, t("off")), rule.stale && h("div.warn.small", {}, t("neverFired")))];
  }));
}

/** Microseconds as milliseconds, short. */
function millis(micros) {
  return micros < 10_000 ? (micros / 1000).toFixed(1) : Math.round(micros / 1000);
}

function handlersOf(called) {
  const models = called.some(({ model }) => model);
  return table(["handler", "callsAnswered", "callsFailed", "callTime", models && "byRules", models && "overLimit"], called.map((one) =>
    [h("td", {}, h("bdi.text", {}, one.name), !one.running && h("div.warn.small", {}, t("notRunning")),
      one.starts > 1 && h("div.small.soft", {}, t("replacedTimes", { count: one.starts - 1 })), one.last_failure && h("div.small.soft.text", {}, one.last_failure)),
      h("td.number", {}, one.answered),
      h("td.number", {}, one.failed, one.timed_out > 0 && h("div.small.soft", {}, t("timedOut", { count: one.timed_out }))),
      h("td.number", {}, one.answered ? t("callTimes", { mean: millis(one.mean), longest: millis(one.longest) }) : ""),
      h("td.number", {}, one.model ? one.by_rules : ""), h("td.number", {}, one.model ? one.limited : "")]));
}

function errorsOf(queues, many) {
  const all = queues.flatMap((queue) => queue.errors.map((error) => ({ ...error, account: queue.account }))).sort((a, b) => b.time - a.time);
  if (!all.length) return nothing("noErrors");
  return h("ul.plain", {}, all.map((error) => h("li", {}, h("div.row.small.soft", {}, moment(error.time), many && h("bdi", {}, error.account)),
    h("strong", {}, t(error.kind)), h("div.row.small", {}, error.chat && h("bdi.text", {}, error.chat), error.person && h("bdi.text", {}, error.person),
      error.until > Date.now() && h("span.soft", {}, t("until", { time: moment(error.until) }))), whyOf(error))));
}

/** A search over all chats by name, each with a switch to mute it. */
function chatsCard() {
  const body = h("div.live", { tabindex: "0", role: "region", "aria-label": t("muting") });
  let severalAccounts = false;
  let asked = 0;
  const read = async (many = severalAccounts) => {
    severalAccounts = many;
    const turn = asked += 1;
    const query = search.value.trim();
    const found = await get(`/api/known-chats?query=${encodeURIComponent(query)}`);
    // A newer search has begun meanwhile: its result will follow.
    if (turn === asked) draw(body, [found, many, query], () => chatsOf(found, query, many, read));
  };
  const search = h("input", { type: "search", "aria-label": t("search"), placeholder: t("search"), "data-key": "search-chats", oninput: () => read().catch(report) });
  return { card: h("section.card", {}, h("div.row.head", {}, h("h2.grow", {}, t("muting")), search), body), read };
}

function chatsOf({ chats, total, missed }, query, many, read) {
  const unread = missed > 0 && h("p.small.warn", {}, t("missedAccounts", { n: missed }));
  if (!total) return [nothing(query ? "noChatFound" : "noChats"), unread];
  const mute = (chat) => post("/api/mute", { account: chat.account, chat: chat.id, minutes: chat.muted ? 0 : 30 })
    .then(() => { toast(t(chat.muted ? "resumed" : "mutedNow", { chat: chat.name })); return read(); }).catch(report);
  return [h("ul.plain", {}, chats.map((chat) => h("li.row", {},
    h("span.grow", {}, h("bdi.text", {}, chat.name), many && h("div.small.soft.text", {}, chat.account),
      chat.muted && h("div.small.warn", {}, `${t("mute")} · ${t("until", { time: moment(chat.until) })}`)),
    h("button.small", { "data-key": `mute-${chat.account}-${chat.id}`, "aria-label": `${t(chat.muted ? "resume" : "muteChat")}: ${chat.name}`, onclick: () => mute(chat) }, t(chat.muted ? "resume" : "muteChat"))))),
  total > chats.length && h("p.small.soft", {}, t("someChats", { shown: chats.length, total })), unread];
}
