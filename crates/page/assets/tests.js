// A test from the conversation: choose the first and the last message, edit it, run it, save it.

import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { language, moment, t } from "./i18n.js";
import { state } from "./state.js";
import { closing, dialog, report, toast } from "./widgets.js";

export async function testDialog() {
  const { chat } = state;
  const ask = (first, last) => get(`/api/draft-test?chat=${encodeURIComponent(chat)}${first ? `&first=${encodeURIComponent(first)}` : ""}${last ? `&last=${encodeURIComponent(last)}` : ""}`);
  const draft = await ask();
  if (!draft.lines.length) return toast(t("testEmpty"));
  const text = h("textarea.mono.test", { "aria-label": t("makeTest"), spellcheck: "false", rows: "12", value: draft.text });
  const said = h("div.form", { "aria-live": "polite" });
  const choice = (name, chosen) => h("select", { "data-key": name, onchange: () => again().catch(report) },
    draft.lines.map(({ id, time, label }) => h("option", { value: id, selected: id === chosen }, `${moment(time, Date.now(), { second: "2-digit" })} ${label.slice(0, 60)}`)));
  const first = choice("first", draft.lines[0].id);
  const last = choice("last", draft.lines.at(-1).id);
  const again = async () => { text.value = (await ask(first.value, last.value)).text; fill(said); };
  const play = async (anyway) => {
    const answer = await post("/api/test", { text: text.value, anyway, lang: language });
    fill(said, verdict(answer, () => play(true).catch(report)));
  };
  const copy = () => navigator.clipboard.writeText(text.value).then(() => toast(t("copied")), () => { text.focus(); text.select(); });
  dialog(t("makeTest"), (close) => [
    h("div.row", {}, h("label.grow", {}, t("testFrom"), first), h("label.grow", {}, t("testTo"), last)), text, said,
    closing(close, h("button", { type: "button", onclick: copy }, t("copy")), h("button.main", { type: "button", onclick: () => play(false).catch(report) }, t("playAndSave")))]);
}

/** The result of the test. A failing test can be saved too, to be made to pass later. */
function verdict({ passes, saved, report: words }, anyway) {
  if (passes && saved) return h("p.good", { role: "status" }, t("testSaved"));
  const told = t(saved ? "testSavedFailing" : "testFails");
  return [h("p.bad", { role: "status" }, told), h("pre.text", { tabindex: "0" }, words),
    !saved && h("div.row.end", {}, h("button", { type: "button", "data-key": "test-anyway", onclick: anyway }, t("testAnyway")))];
}
