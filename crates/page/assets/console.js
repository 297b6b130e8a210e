// The console of a running bot.

import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { moment, t } from "./i18n.js";
import { state, when } from "./state.js";
import { inShort } from "./why.js";

const KEPT = 200;
const REFRESH = 5000;

export function consoleView(report) {
  const connection = h("span.small", { role: "status" });
  const said = h("p.small.text", { role: "status" });
  const accounts = card("accounts");
  const queues = card("queues");
  const rules = card("rules", "wide");
  const errors = card("errors");
  const live = card("live", "wide");
  when(["connection"], () => { connection.textContent = t(state.connection === "open" ? "connected" : "lost"); });
  const log = [];
  const drawLog = () => fill(live.body, table(["time", "chat", "person", "text", "decision"], log.map(logRow)));
  const refresh = async () => {
    const [known, queue, book] = await Promise.all([get("/api/accounts"), get("/api/queues"), get("/api/rules")]);
    fill(accounts.body, known.map((account) => accountView(account, report, said)));
    fill(queues.body, queue.map((one) => queueView(one, report)));
    fill(rules.body, table(["rule", "line", "hits", "lastHit"], book.map(ruleRow)));
    fill(errors.body, errorsOf(queue));
  };
  const start = async () => {
    log.push(...(await get("/api/log")));
    drawLog();
    await refresh();
  };
  start().catch(report);
  setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, REFRESH);
  const on = (event) => {
    if (event.kind === "turn") {
      const at = log.findIndex((entry) => entry.id === event.entry.id);
      if (at >= 0) log[at] = event.entry;
      else log.unshift(event.entry);
      log.splice(KEPT);
      drawLog();
    } else if (event.kind === "status" || event.kind === "reloaded") refresh().catch(report);
  };
  const view = h("div.frame", {},
    h("header.bar", {}, h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, "Mynah"), h("span.soft", {}, t("console")), connection, h("span.grow", {}), said),
    h("main.console.wide", { "aria-label": t("console") }, accounts.card, queues.card, errors.card, live.card, rules.card));
  return { view, on };
}

function card(title, ...classes) {
  const body = h("div.live", { tabindex: "0", role: "region", "aria-label": t(title) });
  return { card: h(["section.card", ...classes].join("."), {}, h("h2", {}, t(title)), body), body };
}

function table(columns, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, t(name))))), h("tbody", {}, rows));
}

function accountView(account, report, said) {
  const reload = () => post("/api/reload", { account: account.name })
    .then((answer) => { said.textContent = answer.report; }).catch(report);
  return h("div.form", {},
    h("div.row", {}, h("strong.grow", {}, account.name),
      h(`span.${account.online ? "soft" : "bad"}`, {}, account.online ? t("online") : t("offline")),
      h("button.small", { onclick: reload, "data-key": `reload-${account.name}` }, t("reload"))),
    account.detail && h("p.small.soft.text", {}, account.detail),
    account.prompt === "scan" && h("p", {}, t("scanThis")),
    account.prompt === "confirm" && h("p", {}, t("confirmOnPhone")),
    account.qr && h("img.qr", { src: account.qr, alt: t("qrAlt") }));
}

function queueView(queue, report) {
  const rows = [["waitingEvents", queue.events], ["waitingActions", queue.actions], ["sentToday", queue.sent_today],
    ["refusedActions", queue.refused], ["expiredActions", queue.expired]];
  return h("div.form", {}, h("strong", {}, queue.account),
    table(["queue", "count"], rows.map(([name, value]) => h("tr", {}, h("td", {}, t(name)), h("td", {}, value)))),
    queue.chats.map((chat) => h("div.row", {}, h("span.grow.text", {}, chat.name),
      h("button.small", {
        "data-key": `mute-${queue.account}-${chat.id}`,
        onclick: () => post("/api/mute", { account: queue.account, chat: chat.id, minutes: chat.muted ? 0 : 30 }).catch(report),
      }, t(chat.muted ? "resume" : "muteChat")))));
}

function ruleRow(rule) {
  return h("tr", {}, h("td.text", {}, rule.id), h("td.mono", {}, `${rule.file}:${rule.line}`), h("td", {}, rule.hits),
    h(`td${rule.stale ? ".warn" : ""}`, {}, rule.last ? moment(rule.last) : rule.stale ? t("neverFired") : ""));
}

function logRow(entry) {
  return h("tr", {}, h("td", {}, moment(entry.time)), h("td.text", {}, entry.chat), h("td.text", {}, entry.from), h("td.text", {}, entry.text),
    h("td.text", {}, inShort(entry.decided)));
}

function errorsOf(queues) {
  const all = queues.flatMap((queue) => queue.errors.map((error) => h("p.small.text", {}, `${moment(error.time)} ${queue.account}: ${error.text}`)));
  return all.length ? all : h("p.soft", {}, t("none"));
}
