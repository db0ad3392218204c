// The page's address says what is asked (filters) and where the conversation goes on (c): it can be shared and reloaded.
import { rooted } from "./dom.js";

const FILTERS = ["document", "publisher", "from", "to"];

export const conversation = () => new URLSearchParams(location.search).get("c");

export function filters(search = location.search) {
  return [...new URLSearchParams(search)].filter(([name, value]) => FILTERS.includes(name) && value);
}

function written(pairs, c) {
  const query = new URLSearchParams(pairs);
  if (c) query.set("c", c);
  return rooted(query.size ? `/?${query}` : "/");
}

export const toConversation = (c, pairs) => history.pushState(null, "", written(pairs, c));
export const nameConversation = (c) => history.replaceState(null, "", written(filters(), c));
export const setFilters = (pairs) => history.replaceState(null, "", written(pairs, conversation()));
export const begin = () => history.pushState(null, "", written(filters(), null));
