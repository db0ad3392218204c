/* One case in full. */
function titled(title, ...children) {
  return make("section", {}, make("h4", {}, title), ...children);
}

function verdictOf(code) {
  return data.verdicts[code] || { label: code.replaceAll("_", " "), meaning: "", hint: "" };
}

function badge(code) {
  return make("span", { class: `badge v-${code === "ok" ? "ok" : "wrong"}` }, verdictOf(code).label);
}

function bodyOf(item) {
  const body = make("div", { class: "case-body" });
  body.append(reasonOf(item));
  if (item.history.length) {
    const turns = item.history.map(([role, text]) => make("li", {}, make("b", {}, `${role} `), text));
    body.append(titled("Turns before the question", make("ol", { class: "turns" }, ...turns)));
  }
  const said = make("div", {}, answerOf(item, body), expectedOf(item));
  const shown = item.contexts.length ? make("div", {}, contextsOf(item)) : null;
  body.append(make("div", { class: "case-main" }, said, shown));
  body.append(retrievedOf(item));
  if (item.rejected.length) {
    const rows = item.rejected.map(([quote, reason]) => make("li", {}, `${reason}: “${quote}”`));
    body.append(titled("Quotes that were rejected", make("ul", {}, ...rows)));
  }
  body.append(scoresOf(item), make("p", { class: "here" }, make("a", { href: `#${encodeURIComponent(item.id)}` }, "Link to this case")));
  return body;
}

function reasonOf(item) {
  const box = make("div", { class: `why ${item.verdict === "ok" ? "right" : "fault"}` });
  box.append(make("p", {}, make("strong", {}, `${verdictOf(item.verdict).label}. `), item.why));
  const { hint } = verdictOf(item.verdict);
  if (hint) box.append(make("p", { class: "hint" }, make("b", {}, "What to do: "), hint));
  if (item.before && item.change !== "same") {
    const [verdict, answer, short] = item.before;
    const said = short ? `${short} — ${answer}` : answer;
    box.append(make("p", { class: "before" }, make("b", {}, `In the other run (${verdictOf(verdict).label}): `), said));
  }
  return box;
}

function answerOf(item, body) {
  const section = titled("Answer");
  if (item.short) section.append(make("p", { class: "short" }, item.short));
  if (!item.statements.length) {
    section.append(make("p", { class: "abstained" }, item.answer, item.reason ? ` (${item.reason})` : ""));
  }
  for (const [text, numbers] of item.statements) {
    const line = make("p", { class: "statement" }, `${text} `);
    numbers.forEach((number) => {
      const button = make("button", { type: "button", class: "cite", "aria-label": `Show quote ${number} in the article` }, `[${number}]`);
      button.addEventListener("click", () => showQuote(body, number));
      line.append(button, " ");
    });
    section.append(line);
  }
  if (item.unproven.length) section.append(make("p", { class: "abstained" }, `In no quote: ${item.unproven.join(", ")}`));
  return section;
}

function showQuote(body, number) {
  const found = [...body.querySelectorAll("mark[data-quotes]")].find((mark) =>
    mark.dataset.quotes.split(" ").includes(String(number)),
  );
  if (!found) return;
  found.scrollIntoView({ block: "center" });
  found.focus({ preventScroll: true });
}

function expectedOf(item) {
  const section = titled("Expected");
  if (!item.answerable) return section.append(make("p", {}, "The articles do not answer this: it should abstain.")), section;
  if (item.accepted.length) {
    const chips = item.accepted.map((answer) => make("li", {}, answer));
    section.append(make("p", { class: "label" }, "Accepted answers"), make("ul", { class: "chips" }, ...chips));
  }
  if (item.gold.length) {
    const quotes = item.gold.map(([number, quote]) =>
      make("li", {}, quote ? make("q", {}, quote) : "the whole document", make("small", {}, ` ${data.documents[number].title}`)),
    );
    section.append(make("p", { class: "label" }, "Gold evidence, all of it needed"), make("ol", { class: "gold" }, ...quotes));
  }
  return section;
}

function contextsOf(item) {
  const section = titled("In the article", legend());
  let last = -1;
  for (const [number, start, end] of item.contexts) {
    const article = data.documents[number];
    if (number !== last) section.append(make("p", { class: "source" }, make("b", {}, article.title), article.about ? ` · ${article.about}` : ""));
    last = number;
    section.append(make("blockquote", { class: "context" }, marked(number, start, end, marksOf(item, number))));
  }
  return section;
}

function marksOf(item, article) {
  const quotes = item.quotes
    .filter(([, number]) => number === article)
    .map(([label, , start, end]) => ({ start, end, kind: "quote", label: `[${label}]`, number: label }));
  const gold = item.gold
    .filter(([number]) => number === article)
    .flatMap(([, , places]) => places.map(([start, end]) => ({ start, end, kind: "gold", label: "gold" })));
  return [...quotes, ...gold];
}

function legend() {
  const sample = (kind, text) => make("mark", { class: kind }, text);
  return make("p", { class: "legend" }, sample("quote", "quoted by the answer"), " ", sample("gold", "gold evidence"), " ", sample("gold quote", "both"));
}

function retrievedOf(item) {
  const section = titled(`Retrieved: ${item.passages.length}`);
  if (!item.passages.length) return section.append(make("p", {}, "No passage was found.")), section;
  const rows = item.passages.map(([number, start, end, score, holds], at) => {
    const text = textOf(number, start, end);
    const head = make("summary", {}, make("b", {}, `${at + 1}`), ` ${score.toFixed(3)} `);
    if (holds) head.append(make("span", { class: "holds" }, "holds the evidence"), " ");
    head.append(make("span", { class: "start" }, text.slice(0, 140)));
    const whole = make("blockquote", { class: "context" }, marked(number, start, end, marksOf(item, number)));
    const about = make("p", { class: "source" }, `${data.documents[number].title}, characters ${start}–${end}`);
    return make("li", {}, make("details", {}, head, about, whole));
  });
  section.append(make("ol", { class: "passages" }, ...rows));
  return section;
}

function scoresOf(item) {
  const pairs = data.scores.map((name, at) => [name, item.values[at]]).filter(([, value]) => value != null);
  if (item.confidence != null) pairs.push(["confidence", item.confidence]);
  if (item.seconds != null) pairs.push(["seconds", item.seconds]);
  const rows = pairs.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, Number.isInteger(value) ? String(value) : value.toFixed(3))),
  );
  return titled("Scores", make("dl", { class: "values" }, ...rows));
}
