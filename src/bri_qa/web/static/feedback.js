// Thumbs on an answer or on one of its quotes. What was given is shown pressed; pressing it again takes it back.
import { announce, request } from "./dom.js";
import { complaint } from "./dialog.js";
import { t } from "./texts.js";

const OF_ANSWER = ["wrong", "incomplete", "not_asked", "out_of_date", "should_have_abstained", "other"];
const OF_ABSTENTION = ["should_have_answered", "not_asked", "other"];
const OF_QUOTE = ["quote_does_not_support", "out_of_date", "other"];

export const given = (data, citation = null) => data.feedback.find((one) => one.citation === citation)?.rating ?? null;

function remember(data, citation, rating) {
  data.feedback = data.feedback.filter((one) => one.citation !== citation);
  if (rating) data.feedback.push({ citation, rating });
}

async function withdraw(data, citation) {
  const query = new URLSearchParams({ entry: data.entry });
  if (citation !== null) query.set("citation", String(citation));
  await request(`/api/v1/feedback?${query}`, "DELETE");
}

// True when something has changed. `rating` is "up" or "down".
export async function rate(data, rating, citation = null) {
  let more = {};
  if (rating === "down" && given(data, citation) !== "down") {
    const title = citation === null ? t("feedback.title") : t("feedback.title.quote", { number: citation });
    more = await complaint(title, citation !== null ? OF_QUOTE : data.abstained ? OF_ABSTENTION : OF_ANSWER);
    if (!more) return false;
  }
  const before = given(data, citation);
  try {
    if (before === rating) {
      await withdraw(data, citation);
      remember(data, citation, null);
      announce(t("feedback.withdrawn"));
    } else {
      await request("/api/v1/feedback", "PUT", { entry: data.entry, citation, rating, ...more });
      remember(data, citation, rating);
      announce(t("feedback.thanks"));
    }
  } catch {
    announce(t("feedback.failed"));
    return false;
  }
  return true;
}

export function showThumbs(up, down, rating) {
  for (const [thumb, name] of [[up, "up"], [down, "down"]]) {
    const pressed = String(rating === name);
    if (thumb && thumb.getAttribute("aria-pressed") !== pressed) thumb.setAttribute("aria-pressed", pressed);
  }
}
