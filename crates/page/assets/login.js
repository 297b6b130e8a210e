// The login of the sandbox: the QR code, and the buttons of the phone. The dialog follows the state while it is open.

import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { changed, state, when } from "./state.js";
import { closing, dialog, report } from "./widgets.js";

/** Reads the state of the login. */
export async function readLogin() {
  state.login = await get("/api/login");
  changed("login");
}

const shown = new Set();
when(["login"], () => shown.forEach((draw) => draw()));

export async function loginDialog() {
  await readLogin();
  const place = h("div.form", { "aria-live": "polite" });
  const draw = () => fill(place, stage());
  shown.add(draw);
  dialog(t("login"), (close) => [place, closing(close)], () => shown.delete(draw));
  draw();
}

function stage() {
  const { online, qr, state: stands } = state.login ?? {};
  const button = (deed, kind = "button") => h(kind, { "data-key": deed, onclick: () => phone(deed) }, t({ cancel: "refuse" }[deed] ?? deed));
  if (online) return [h("p", {}, t("loggedIn")), h("div.row", {}, button("logout"))];
  if (!qr) return h("p.soft", {}, t("noCode"));
  const scanned = stands === "scanned";
  return [h("p", {}, t(scanned ? "scannedPlayed" : "scanPlayed")), h("img.qr", { src: qr, alt: t("qrAlt") }),
    h("div.row", {}, !scanned && button("scan"), button("confirm", "button.main"), button("cancel"))];
}

const phone = (deed) => post("/api/login", { do: deed }).then(readLogin).catch(report);
