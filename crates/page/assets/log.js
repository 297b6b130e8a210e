// The messages of a running bot, each with its decision.

import { get } from "./api.js";
import { arrange, h } from "./dom.js";
import { language, moment, t } from "./i18n.js";
import { askedOf, inShort, markOf, verdictOf } from "./why.js";

/** The number of entries kept. */
const KEPT = 200;

export function logCard() {
  let log = [];
  let many = false;
  const rows = new WeakMap();
  const list = h("ol.plain.log.live", { tabindex: "0", "aria-label": t("live") });
  const filter = h("input", { type: "search", "aria-label": t("filter"), placeholder: t("filter"), "data-key": "filter", oninput: () => draw() });
  const rowOf = (entry) => rows.get(entry) ?? (rows.set(entry, row(entry, many)), rows.get(entry));
  const draw = () => {
    const query = filter.value.trim().toLowerCase();
    const found = log.filter((entry) => !query || words(entry).includes(query));
    arrange(list, found.length ? found.map(rowOf) : [h("li.soft", {}, log.length ? t("nothingFound", { n: log.length }) : t("noMessages"))]);
  };
  // A flood of messages is drawn a few times a second, not once a message.
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    setTimeout(() => { due = false; draw(); }, 50);
  };
  const same = (a) => (b) => a.id === b.id && a.account === b.account;
  return {
    card: h("section.card.wide", {}, h("div.row.head", {}, h("h2.grow", {}, t("live")), filter), list),
    /** Reads the log again, also after a lost connection. */
    read: async () => { log = await get("/api/log"); draw(); },
    /** A turn ended. */
    add: (entry) => {
      const at = log.findIndex(same(entry));
      if (at >= 0) log[at] = entry;
      else log.unshift(entry);
      log.splice(KEPT);
      soon();
    },
    /** Whether entries show the name of their account. */
    several: (wanted) => {
      if (wanted === many) return;
      many = wanted;
      log = log.map((entry) => ({ ...entry }));
      draw();
    },
  };
}

const words = (entry) => [entry.account, entry.chat, entry.from, entry.text, inShort(entry.decided), ...(entry.decided?.replies ?? [])].join("\n").toLowerCase();

const ordinary = new Set(["text"]);

function row(entry, many) {
  const own = ["due", "started"].includes(entry.kind);
  const kind = ordinary.has(entry.kind) ? null : h("span.soft", {}, kindOf(entry.kind));
  const quietly = own && verdictOf(entry.decided) === "failed";
  return h("li", {},
    h("div.row.small.soft", {}, h("time", { datetime: new Date(entry.time).toISOString() }, moment(entry.time, Date.now(), { second: "2-digit" })),
      many && h("bdi.tag", {}, entry.account), entry.chat && h("bdi", {}, entry.chat), entry.from && h("bdi", {}, entry.from)),
    h("div.words", {}, kind, kind && " ", h("span.text", {}, entry.text)),
    !quietly && h("div.decision", {}, markOf(verdictOf(entry.decided)), h("div.grow", {}, h("span.text", {}, inShort(entry.decided)),
      entry.decided?.replies?.map((reply) => h("div.reply.text", {}, reply)),
      entry.decided?.fetches?.map((fetch) => h("div.text.small.soft", {}, askedOf(fetch))),
      entry.decided?.warnings?.map((warning) => h("div.text.bad", {}, `✗ ${warning[language]}`)))));
}

function kindOf(kind) {
  const key = `kind-${kind}`;
  const told = t(key);
  return told === key ? t(kind) : told;
}
