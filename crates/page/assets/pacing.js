// The state of the accounts, their sending limits, and the queues of the chats.

import { h } from "./dom.js";
import { lasting, mistakesOf, moment, t } from "./i18n.js";

const clock = (millis) => moment(millis, Date.now(), { second: "2-digit" });

/** An account: its state, the step that a person has to do, and the rest of its limits. */
export function accountCard(account, queue, said, { reload, restart }) {
  const kind = { online: "good", ended: "bad", not_started: "bad", offline: "bad" }[account.condition] ?? "warn";
  const hint = { starting: "startingHint", offline: "offlineHint", ended: "endedHint", not_started: "notStartedHint" }[account.condition];
  return h("section.card.form", { "aria-label": `${t("account")} ${account.name}` },
    h("div.row", {}, h("h2.grow.text", {}, account.name), h(`span.lamp.${kind}`, {}, t(account.condition))),
    account.node !== undefined && h("p.small", {}, account.node ? t("onNode", { node: account.node }) : t("onNoNode")),
    account.rejected_rules && rejected(account.rejected_rules),
    account.rejected_settings && rejected(account.rejected_settings, "rejectedSettings"),
    account.since && h("p.small.soft", {}, t("since", { time: moment(account.since) })),
    whyOf(account),
    hint && account.node === undefined && h("p.small.soft", {}, t(hint)),
    account.prompt === "scan" && h("p", {}, h("strong", {}, t("scanThis"))),
    account.prompt === "confirm" && h("p", {}, h("strong", {}, t("confirmOnPhone"))),
    account.qr && h("img.qr", { src: account.qr, alt: t("qrAlt") }),
    account.names.length > 0 && people(account.names),
    queue && [numbers(queue), queue.pace && limits(queue.pace)],
    account.node !== "" && h("div.row", {},
      h("button.small", { onclick: () => reload(account.name), "data-key": `reload-${account.name}` }, t("reload")),
      account.restart && h("button.small", { onclick: () => restart(account.name), "data-key": `restart-${account.name}` }, t("restart"))),
    said && h("p.small.text.said", {}, said));
}

/** The people whom the names of the rule file mean, and why. */
function people(names) {
  return h("div", {}, h("p.small.soft", {}, t("whoIsMeant")), h("ul.plain", {}, names.map((name) => h("li.small", {},
    h("bdi.text", {}, name.name), " ", h("span.soft", {}, name.keys.map((key) => t(`names_${key}`)).join(" · ")),
    h(`div.${name.by === "remark" ? "good" : "warn"}`, {}, meaning(name))))));
}

function meaning({ by, bound, friends }) {
  if (by === "remark") return t("byRemark");
  if (by === "nickname") return t(bound ? "byNickname" : "byNicknameSoon");
  if (friends > 1) return t("namesSeveral", { n: friends });
  return bound ? t("namesBound", { person: bound }) : t("namesNobody");
}

/** Why something failed: a sentence, and folded behind it the words of the program or the service. */
export function whyOf({ cause, detail }) {
  if (!detail) return null;
  if (!cause) return h("p.small.bad.text", {}, detail);
  return h("details.small.bad", {}, h("summary", {}, t(cause)), h("div.mono.soft.text", {}, detail));
}

/** A file that was saved with mistakes: where, since when, and what is in use meanwhile. */
export function rejected({ file, line, mistakes, since, report }, words = "rejectedRules") {
  const told = t(words, { place: `${file}:${line}`, mistakes: mistakesOf(mistakes), time: clock(since) });
  return h("div.bad.small.rejected", { role: "alert" }, h("strong.text", {}, told),
    report && h("details", {}, h("summary", {}, t("showMistakes")), h("pre.text", {}, report)));
}

function numbers(queue) {
  const rows = [["waitingEvents", queue.events], ["waitingActions", queue.actions], ["sentToday", queue.sent_today], ["refusedActions", queue.refused], ["expiredActions", queue.expired]];
  return h("dl.numbers", {}, rows.map(([name, value]) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value))));
}

function limits(pace) {
  const { account, day, per_chat: each, pause } = pace;
  return h("div.form", {},
    pause && h("p.warn.small", {}, t("pausedUntil", { time: clock(pause) })),
    [account, day].map((one) => one && limit(one)),
    each && h("p.small.soft", {}, t("perChatPace", { n: each.count, time: lasting(each.per) })),
    !account && !day && !each && h("p.small.soft", {}, t("unlimited")));
}

function limit({ used, count, per, free_at: freeAt }) {
  const label = t("perTime", { time: lasting(per) });
  return h("div.limit", {},
    h("span.row.small", {}, h("span.grow", {}, label), h(`span.${freeAt ? "warn" : "soft"}`, {}, `${used} / ${count}`, freeAt && ` · ${t("freeAt", { time: clock(freeAt) })}`)),
    h("progress", { value: used, max: count, "aria-label": label }));
}

/** The queues of the chats: since when they wait, until when, and why. */
export function waitingList(queues, many) {
  const all = queues.flatMap((queue) => queue.waiting.map((one) => ({ ...one, queue }))).sort((a, b) => a.since - b.since);
  if (!all.length) return h("p.soft", {}, t("nothingWaits"));
  return h("ul.plain.pairs", {}, all.map((one) => h("li", {},
    h("div.row", {}, many && h("bdi.tag.small", {}, one.queue.account), h("bdi.text", {}, one.name), h("span.soft", {}, t("waitingCount", { n: one.actions, time: clock(one.since) }))),
    h("div", {}, one.until > Date.now() && h("strong", {}, `${t("earliest", { time: clock(one.until) })} · `), t(because(one))))));
}

function because({ until, queue: { pace } }) {
  const now = Date.now();
  if (!pace?.open) return "becauseOffline";
  if (pace.pause > now) return "becausePause";
  if (pace.day?.free_at > now) return "becauseDay";
  if (pace.account?.free_at > now) return "becauseAccount";
  return until > now ? "becausePace" : "becauseNow";
}
