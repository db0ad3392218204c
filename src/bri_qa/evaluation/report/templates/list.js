/* The list of cases: filters, order, opening, keys, addresses. Rows are made as they are needed. */
const BATCH = 50;
const byId = new Map(data.cases.map((item, at) => [item.id, Object.assign(item, { at })]));
const field = (name) => document.getElementById(`f-${name}`);
const FILTERS = ["search", "verdict", "kind", "tag", "split", "document", "answerable", "change"];
const list = document.getElementById("cases");
const more = document.getElementById("more");
let chosen = [];

const ORDERS = {
  wrong: (a, b) => (a.verdict === "ok") - (b.verdict === "ok") || a.at - b.at,
  file: (a, b) => a.at - b.at,
  sure: (a, b) => (b.confidence ?? -1) - (a.confidence ?? -1) || a.at - b.at,
  unsure: (a, b) => (a.confidence ?? 2) - (b.confidence ?? 2) || a.at - b.at,
  slow: (a, b) => (b.seconds ?? -1) - (a.seconds ?? -1) || a.at - b.at,
  id: (a, b) => (a.id < b.id ? -1 : 1),
};

function wordsOf(item) {
  item.words ??= [item.id, item.kind, ...item.tags, item.question, item.answer, item.short || "", ...item.accepted]
    .join("\n")
    .toLowerCase();
  return item.words;
}

function wanted() {
  const value = Object.fromEntries(FILTERS.map((name) => [name, field(name)?.value ?? ""]));
  const terms = value.search.toLowerCase().split(/\s+/).filter(Boolean);
  const articles = value.document.toLowerCase();
  const tests = [
    value.verdict && ((item) => (value.verdict === "!ok" ? item.verdict !== "ok" : item.verdict === value.verdict)),
    value.kind && ((item) => item.kind === value.kind),
    value.tag && ((item) => item.tags.includes(value.tag)),
    value.split && ((item) => item.split === value.split),
    articles && ((item) => item.documents.some((number) => data.documents[number].id.toLowerCase().includes(articles))),
    value.answerable && ((item) => item.answerable === (value.answerable === "yes")),
    value.change && ((item) => (item.change || "new") === value.change),
    terms.length && ((item) => terms.every((term) => wordsOf(item).includes(term))),
  ].filter(Boolean);
  return data.cases.filter((item) => tests.every((test) => test(item))).sort(ORDERS[field("order").value]);
}

function refresh() {
  chosen = wanted();
  list.replaceChildren();
  extend(BATCH);
  const wrong = chosen.filter((item) => item.verdict !== "ok").length;
  document.getElementById("count").textContent = `${chosen.length} of ${data.cases.length} cases, ${wrong} wrong`;
}

function choose() {
  refresh();
  keepAddress();
}

function extend(upTo) {
  const rows = document.createDocumentFragment();
  for (let at = list.children.length; at < Math.min(upTo, chosen.length); at += 1) rows.append(rowOf(chosen[at]));
  list.append(rows);
  more.hidden = list.children.length >= chosen.length;
  more.textContent = `Show more (${chosen.length - list.children.length} left)`;
}

function rowOf(item) {
  const facts = [item.id, item.kind, ...item.tags].join(" · ");
  const numbers = [
    item.confidence == null ? "" : `confidence ${item.confidence.toFixed(2)}`,
    item.seconds == null ? "" : `${item.seconds.toFixed(2)} s`,
  ];
  const head = make(
    "button",
    { type: "button", class: "case-head", "aria-expanded": "false" },
    badge(item.verdict),
    item.change === "improved" || item.change === "broken" ? make("span", { class: `badge ${item.change}` }, item.change) : null,
    make("span", { class: "question" }, item.question),
    make("span", { class: "facts" }, [facts, ...numbers].filter(Boolean).join(" · ")),
  );
  const row = make("li", { class: "case" }, make("h3", {}, head));
  row.dataset.id = item.id;
  head.addEventListener("click", () => toggle(row, head.getAttribute("aria-expanded") !== "true"));
  return row;
}

function toggle(row, open) {
  row.querySelector(".case-head").setAttribute("aria-expanded", String(open));
  const body = row.querySelector(".case-body");
  if (body) body.hidden = !open;
  else if (open) row.append(bodyOf(byId.get(row.dataset.id)));
}

function openCase(id) {
  if (!byId.has(id)) return;
  const place = () => chosen.findIndex((item) => item.id === id);
  if (place() < 0) {
    document.getElementById("filters").reset();
    refresh();
  }
  extend(Math.ceil((place() + 1) / BATCH) * BATCH);
  const row = list.children[place()];
  toggle(row, true);
  row.scrollIntoView({ block: "start" });
  row.querySelector(".case-head").focus({ preventScroll: true });
}

/* An address is a case (`#id`) or a view (`#?verdict=wrong_span&search=quay`): what is chosen, and nothing else. */
function followAddress() {
  const hash = location.hash.slice(1);
  if (hash.startsWith("?")) return showView(new URLSearchParams(hash.slice(1)));
  let id = hash;
  try {
    id = decodeURIComponent(hash);
  } catch {
    return;
  }
  openCase(id);
}

function showView(wish) {
  form.reset();
  for (const name of [...FILTERS, "order"]) {
    const control = field(name);
    if (!control || !wish.has(name)) continue;
    control.value = wish.get(name);
    if (control.value === "" && wish.get(name)) control.selectedIndex = 0; // a choice that this report does not have
  }
  refresh();
  document.getElementById("part-cases").scrollIntoView();
}

function keepAddress() {
  const view = new URLSearchParams();
  for (const name of [...FILTERS, "order"]) {
    const control = field(name);
    if (control && control.value !== (control.options?.[0].value ?? "")) view.set(name, control.value);
  }
  const hash = view.toString() ? `#?${view}` : "";
  if (hash || location.hash.startsWith("#?")) history.replaceState(null, "", hash || location.href.split("#")[0]);
}

function setFilter(name, value) {
  document.getElementById("filters").reset();
  field(name).value = value;
  choose();
  document.getElementById("part-cases").scrollIntoView();
  field(name).focus({ preventScroll: true });
}

function walk(event) {
  const head = event.target.closest?.(".case-head");
  if (!head) return;
  const rows = list.children;
  const at = [...rows].indexOf(head.closest(".case"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  if (to >= rows.length) extend(rows.length + BATCH);
  rows[Math.max(0, Math.min(to, rows.length - 1))].querySelector(".case-head").focus();
}

function fill(name, values) {
  [...new Set(values)].sort().forEach((value) => field(name).append(make("option", { value }, value)));
}

function clicked(event) {
  const setter = event.target.closest("[data-filter]");
  const link = event.target.closest("a[data-case]");
  if (setter) setFilter(setter.dataset.filter, setter.dataset.value);
  else if (link && link.hash === location.hash) openCase(link.dataset.case);
}

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").setAttribute("aria-pressed", String(dark));
}

fill("kind", data.cases.map((item) => item.kind));
fill("tag", data.cases.flatMap((item) => item.tags));
fill("split", data.cases.map((item) => item.split).filter((name) => name !== null));
field("split").parentElement.hidden = field("split").options.length < 2;
data.documents.slice(0, 500).forEach((article) => document.getElementById("documents").append(make("option", { value: article.id }, article.title)));
setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
document.getElementById("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
document.addEventListener("click", clicked);
list.addEventListener("keydown", walk);
more.addEventListener("click", () => extend(list.children.length + BATCH));
new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && extend(list.children.length + BATCH), { rootMargin: "600px" }).observe(more);
const form = document.getElementById("filters");
let timer = 0;
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(choose, 120);
});
document.getElementById("clear").addEventListener("click", () => {
  form.reset();
  choose();
});
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", followAddress);
refresh();
followAddress();
