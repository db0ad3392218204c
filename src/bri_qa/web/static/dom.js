// Small things that every part of the page uses.
// Below a path of another site (see docs/deploy), our addresses begin with that path.
const ROOT = document.documentElement.dataset.root ?? "";
export const rooted = (path) => (path.startsWith("/") && !path.startsWith(`${ROOT}/`) ? ROOT + path : path);

export const byId = (id) => document.getElementById(id);

export function node(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function button(className, text, pressed) {
  const made = node("button", className, text);
  made.type = "button";
  if (pressed) made.addEventListener("click", pressed);
  return made;
}

export const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let announced = "";
export function announce(text) {
  const live = byId("bri-live");
  if (!text || text === announced) return;
  announced = text;
  live.textContent = text;
}

// A request to our own server; the words of its problem are the error's message.
export async function request(address, method = "GET", body = undefined) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(rooted(address), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? String(response.status)), { status: response.status });
  }
  return response.status === 204 ? null : response.json();
}
