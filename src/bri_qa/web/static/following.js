// Questions that the articles answer: asked of the server once an answer is shown, and offered when they are checked.
import { button, byId, node, request } from "./dom.js";
import { submit } from "./box.js";
import { t } from "./texts.js";

const place = byId("bri-following");
let turn = 0;

export function clear() {
  turn += 1;
  place.hidden = true;
  place.replaceChildren();
}

// Before anything is asked: what the articles that were chosen (the filters' `pairs`) answer.
export function begin(pairs) {
  const chosen = pairs.filter(([key]) => key === "document").slice(0, 3);
  if (!chosen.length) return clear();
  return offer({ scope: pairs, citations: chosen.map(([, document]) => ({ document, start: 0, end: 0 })) }, [], "next.begin");
}

export async function offer(data, asked, label = "next.label") {
  clear();
  const mine = turn;
  const scope = (name) => data.scope.filter(([key]) => key === name).map(([, value]) => value);
  const body = {
    asked: asked.slice(-20),
    places: data.citations.map((item) => ({ document: item.document, start: item.start, end: item.end })),
    filters: {
      document_ids: scope("document"),
      publishers: scope("publisher"),
      published_from: scope("from")[0] ?? null,
      published_to: scope("to")[0] ?? null,
    },
  };
  const { questions } = await request("/next", "POST", body).catch(() => ({ questions: [] }));
  if (mine !== turn || !questions.length) return;
  const list = node("ul");
  for (const question of questions) {
    const item = node("li");
    item.append(button("", question, () => submit(question)));
    item.firstChild.lang = "en";
    list.append(item);
  }
  place.replaceChildren(node("p", "", t(label)), list);
  place.hidden = false;
}
