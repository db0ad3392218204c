// While an answer is awaited: is the server there, and is it the one that was asked? A server that was started anew
// knows nothing of the question, so the page is loaded anew, and the question comes back into the box.
import { announce, byId, rooted } from "./dom.js";
import { t } from "./texts.js";

const EVERY = 3000; // milliseconds
const PATIENCE = 8000;

let server = null;
let timer = 0;
let away = false;

async function which() {
  const response = await fetch(rooted("/gradio_api/app_id"), { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()).app_id;
}

which().then((id) => (server = id), () => {});

async function look() {
  try {
    const now = await which();
    if (away || (server !== null && now !== server)) return location.reload();
    server = now;
  } catch {
    away = true;
    byId("bri-trouble").textContent = t("offline");
    announce(t("offline"));
  }
  timer = setTimeout(look, EVERY);
}

// `awaiting`: an answer is under way.
export function watch(awaiting) {
  if (awaiting && !timer) timer = setTimeout(look, EVERY);
  if (!awaiting && timer && !away) {
    clearTimeout(timer);
    timer = 0;
  }
}
