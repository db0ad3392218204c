// The interface's words, as the server put them into the page.
const words = JSON.parse(document.getElementById("bri-texts").textContent);

export const language = words.language;

export function t(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const counted = (key, count, values = {}) =>
  t(`${key}.${count === 1 ? "one" : "other"}`, { count: count.toLocaleString(language), ...values });
