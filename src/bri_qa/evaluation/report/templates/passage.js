"use strict";
/* The data, elements made of it (always as text, never as HTML), and the text of articles with its marks. */
const data = JSON.parse(document.getElementById("data").textContent);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/* Offsets count code points; a JavaScript string counts UTF-16 units, which differ where a piece has surrogates. */
function prepared(piece) {
  if (!Array.isArray(piece)) return piece;
  const [start, text] = piece;
  const points = /[\ud800-\udfff]/.test(text) ? Array.from(text) : null;
  const length = points ? points.length : text.length;
  const cut = (from, to) => (points ? points.slice(from, to).join("") : text.slice(from, to));
  return { start, end: start + length, of: (from, to) => cut(from - start, to - start) };
}

function piecesOf(number, start, end) {
  const article = data.documents[number];
  article.pieces = article.pieces.map(prepared);
  return article.pieces.filter((piece) => piece.start < end && start < piece.end);
}

function textOf(number, start, end) {
  return piecesOf(number, start, end)
    .map((piece) => piece.of(Math.max(start, piece.start), Math.min(end, piece.end)))
    .join(" … ");
}

/* marks: [{start, end, kind: "quote" | "gold", label}] of one article; overlaps are shown as both. */
function marked(number, start, end, marks) {
  const part = document.createDocumentFragment();
  const named = new Set();
  for (const piece of piecesOf(number, start, end)) {
    const low = Math.max(start, piece.start);
    const high = Math.min(end, piece.end);
    if (part.childNodes.length) part.append(" … ");
    const inside = (at) => at > low && at < high;
    const cuts = [low, high, ...marks.flatMap((mark) => [mark.start, mark.end]).filter(inside)];
    const edges = [...new Set(cuts)].sort((a, b) => a - b);
    for (let at = 0; at + 1 < edges.length; at += 1) {
      part.append(...segment(piece.of(edges[at], edges[at + 1]), edges[at], edges[at + 1], marks, named));
    }
  }
  return part;
}

function segment(text, start, end, marks, named) {
  const here = marks.filter((mark) => mark.start <= start && end <= mark.end);
  if (!here.length) return [text];
  const fresh = here.filter((mark) => !named.has(mark));
  fresh.forEach((mark) => named.add(mark));
  const kinds = [...new Set(here.map((mark) => mark.kind))].sort().join(" ");
  const element = make("mark", { class: kinds, tabindex: "-1" });
  fresh.forEach((mark) => {
    element.append(make("sup", { class: mark.kind }, `${mark.label} `));
    if (mark.kind === "quote") element.dataset.quotes = `${element.dataset.quotes || ""} ${mark.number}`.trim();
  });
  element.append(text);
  return [element];
}
