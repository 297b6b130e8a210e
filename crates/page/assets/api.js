// Calls to the program: small JSON calls, and one stream of events that reconnects by itself.

let token = sessionStorage.getItem("mynah-token") ?? "";

/** An error that the server answered with. */
export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

export function signIn(value) {
  token = value;
  sessionStorage.setItem("mynah-token", value);
}

async function call(method, path, body) {
  const headers = { "x-mynah": "page" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { value = null; }
  if (!answer.ok) throw new Refused(answer.status, value?.error ?? `${method} ${path}: ${answer.status}`);
  return value;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);

/**
 * Follows the stream of events. `on` gets each event; `state` gets "open" or "lost". The stream is read with fetch,
 * not EventSource, so that the token is sent in a header and never in an address.
 */
export async function follow(on, state) {
  let wait = 250;
  for (;;) {
    try {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      const answer = await fetch("/api/events", { headers });
      if (!answer.ok) throw new Refused(answer.status, "events");
      state("open");
      wait = 250;
      await read(answer.body.getReader(), on);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return state("refused");
    }
    state("lost");
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 5000);
  }
}

async function read(reader, on) {
  const decoder = new TextDecoder();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    pending += decoder.decode(value, { stream: true });
    const blocks = pending.split("\n\n");
    pending = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
      if (data) on(JSON.parse(data));
    }
  }
}
