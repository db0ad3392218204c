// The filters: shown above the question box, each with a way to remove it. The address holds them.
import * as address from "./address.js";
import { announce, byId, rooted } from "./dom.js";

const place = byId("bri-scope");
let tell = () => {};

// `then` is called when the reader has changed the filters.
export function changed(then) {
  tell = then;
}

export async function show() {
  const query = new URLSearchParams(address.filters());
  try {
    const response = await fetch(rooted(`/scope?${query}`));
    if (!response.ok || String(query) !== String(new URLSearchParams(address.filters()))) return;
    place.innerHTML = await response.text(); // escaped by our server
    announce(place.innerText.replace(/\s+/g, " "));
  } catch {
    // without the server nothing can be asked either, and that is said where it is asked
  }
}

export function set(search) {
  address.setFilters(address.filters(search));
  tell();
  return show();
}

place.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  set(new URL(link.href).search).then(() => document.querySelector("#bri-box textarea")?.focus());
});
