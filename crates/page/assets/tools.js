// The bar above the sandbox: clock, faults, login, tests.

import { get, post } from "./api.js";
import { toggleEditor } from "./editor.js";
import { h } from "./dom.js";
import { moment, t } from "./i18n.js";
import { state, when } from "./state.js";

const minute = 60_000;
const jumps = [["minute", minute], ["hour", 60 * minute], ["day", 24 * 60 * minute]];
const faults = [
  ["serverDown", { path: "webwxsync", fault: "status", value: 502, times: 5 }],
  ["slow", { path: "webwxsendmsg", fault: "delay", value: 3000, times: 5 }],
  ["tooFrequent", { path: "webwxsendmsg", fault: "retcode", value: 1205, times: 1 }],
  ["loggedOut", { path: "synccheck", fault: "retcode", value: 1101, times: 1 }],
];

export function toolsBar(report) {
  const clock = h("span.soft.small", { role: "timer", "aria-label": t("clock") });
  const connection = h("span.small", { role: "status" });
  when(["session"], () => { clock.textContent = state.session ? moment(state.session.now, 0) : ""; });
  when(["connection"], () => {
    connection.textContent = t(state.connection === "open" ? "connected" : "lost");
    connection.className = `small ${state.connection === "open" ? "soft" : "bad"}`;
  });
  return h("header.bar", {},
    h("img", { src: "/assets/icon.svg", alt: "" }), h("h1", {}, "Mynah"), h("span.soft", {}, t("sandbox")), connection,
    h("span.grow", {}), clock,
    jumps.map(([name, by]) => h("button.small", { onclick: () => post("/api/clock", { advance_ms: by }).catch(report) }, t(name))),
    faultChoice(report),
    h("button", { onclick: () => loginDialog(report) }, t("login")),
    h("button", { onclick: () => makeTest(report) }, t("makeTest")),
    h("button", { onclick: toggleEditor, "data-key": "edit" }, t("edit")));
}

function faultChoice(report) {
  const choice = h("select", { "aria-label": t("faults"), onchange: () => {
    const fault = faults.find(([name]) => name === choice.value);
    const call = fault ? post("/api/faults", fault[1]) : post("/api/faults", { clear: true });
    choice.value = "";
    call.catch(report);
  } },
    h("option", { value: "" }, t("faults")),
    faults.map(([name]) => h("option", { value: name }, t(name))),
    h("option", { value: "clear" }, t("clearFaults")));
  return choice;
}

async function loginDialog(report) {
  const login = await get("/api/login").catch(report);
  if (!login) return;
  const act = (deed) => post("/api/login", { do: deed }).then(() => dialog.close()).catch(report);
  const dialog = h("dialog", { "aria-label": t("login"), onclose: () => dialog.remove() },
    h("div.form", {},
      h("h2", {}, t("login")),
      login.qr ? h("img.qr", { src: login.qr, alt: t("qrAlt") }) : h("p", {}, t("online")),
      h("div.row", {},
        login.qr && [h("button", { onclick: () => act("scan") }, t("scan")), h("button.main", { onclick: () => act("confirm") }, t("confirm")),
          h("button", { onclick: () => act("cancel") }, t("refuse"))],
        !login.qr && h("button", { onclick: () => act("logout") }, t("logout")),
        h("button", { onclick: () => dialog.close() }, t("close")))));
  document.body.append(dialog);
  dialog.showModal();
}

async function makeTest(report) {
  if (!state.chat) return;
  const answer = await post("/api/test", { chat: state.chat }).catch(report);
  if (!answer) return;
  const dialog = h("dialog", { "aria-label": t("makeTest"), onclose: () => dialog.remove() },
    h("div.form", {},
      h("h2", {}, t("testSaved")),
      h("pre.text", { tabindex: "0" }, answer.text),
      h(`p.text${answer.passes ? "" : ".bad"}`, {}, answer.passes ? t("testPasses") : `${t("testFails")}\n${answer.report}`),
      h("div.row", {}, h("button.main", { onclick: () => dialog.close() }, t("close")))));
  document.body.append(dialog);
  dialog.showModal();
}
