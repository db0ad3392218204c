// Asks the server: a token where one is wanted, the answer bit by bit, errors as a kind that has words.
const EARLY_MS = 30_000; // a token is renewed this long before it ends
const KINDS = { 400: "question", 401: "token", 403: "refused", 413: "long", 422: "question", 429: "busy" };

class Trouble extends Error {
  constructor(kind, { detail = "", wait = 0 } = {}) {
    super(kind);
    this.kind = kind;
    this.detail = detail;
    this.wait = wait; // seconds
  }
}

// Where a token comes from: a function of the page, or an address of the portal; null where none is wanted.
function tokens(give) {
  let held = null;
  return async (renew) => {
    if (!give) return null;
    const left = held?.expires_at ? Date.parse(held.expires_at) - Date.now() : Infinity;
    if (!held || renew || left < EARLY_MS) held = await given(give);
    return held.token;
  };
}

async function given(give) {
  let found;
  try {
    found = await give();
  } catch {
    throw new Trouble("token");
  }
  if (typeof found === "string") found = { token: found };
  if (typeof found?.token !== "string") throw new Trouble("token");
  return found;
}

const fetched = (address) => async () => {
  const response = await fetch(address, { method: "POST", credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
};

class Client {
  constructor(base, token) {
    this.base = base;
    this.token = token;
  }

  // The answer object; `tell(name, data)` hears of progress and statements before it.
  async ask(body, signal, tell) {
    let response = await this.post("api/v1/ask/stream", body, signal);
    if (response.status === 404 || response.status === 405) response = await this.post("api/v1/ask", body, signal);
    if (!response.ok) throw await refusal(response);
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response.json();
    for await (const [name, data] of events(response.body)) {
      if (name === "answer") return data;
      if (name === "error") throw new Trouble(kindOf(data.status, data.code), { detail: data.detail });
      tell(name, data);
    }
    throw new Trouble("lost");
  }

  // The nearest passages with their titles; an empty list where they cannot be had.
  async nearest({ question, history }, signal) {
    try {
      const response = await this.post("api/v1/search", { query: question, history, top_k: 3 }, signal);
      return response.ok ? (await response.json()).passages : [];
    } catch {
      return [];
    }
  }

  // A token that has ended is renewed once, in silence.
  async post(path, body, signal) {
    const response = await this.send(path, body, signal, false);
    return response.status === 401 && this.token ? this.send(path, body, signal, true) : response;
  }

  async send(path, body, signal, renew) {
    const token = await this.token?.(renew);
    const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    try {
      return await fetch(this.base + path, {
        method: "POST", headers, signal, body: JSON.stringify(body), mode: "cors", credentials: "omit", cache: "no-store",
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Trouble("unreachable");
    }
  }

  // The page of the article, opened at the quote.
  address({ document_id, start, end, document_sha256 }) {
    const path = document_id.split("/").map(encodeURIComponent).join("/");
    const version = document_sha256 ? `&v=${document_sha256.slice(0, 16)}` : "";
    return `${this.base}source/${path}?start=${start}&end=${end}${version}#quote-1`;
  }
}

function kindOf(status, code) {
  if (code === "busy") return "busy";
  if (status === 503) return "away";
  return KINDS[status] ?? "broken";
}

async function refusal(response) {
  const told = await response.json().catch(() => ({}));
  const wait = Number(response.headers.get("retry-after")) || 0;
  return new Trouble(kindOf(response.status, told.code), { detail: told.detail, wait });
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const lines = part.split("\n");
        const of = (name) => lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)).join("\n");
        const data = of("data");
        if (data) yield [of("event"), JSON.parse(data)];
      }
    }
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) throw new Trouble("lost");
    throw error;
  } finally {
    reader.cancel().catch(() => {});
  }
}
