// The admin API: calls, and the stream that says what changed.

/** How long until the stream is opened again where the browser gave it up. */
const PAUSE = 2000;

async function answer(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(reason(text) || `${response.status} ${response.statusText}`);
  return text.trim() === "" ? {} : JSON.parse(text);
}

/** What the sandbox says against a call. */
function reason(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    // Not JSON: the text itself is what was said.
    return text;
  }
}

export const get = (path) => answer("GET", path);
export const post = (path, body = {}) => answer("POST", path, body);
export const put = (path, body) => answer("PUT", path, body);
export const remove = (path) => answer("DELETE", path);

/** A path of segments that may hold anything. */
export const path = (...segments) => `/${segments.map(encodeURIComponent).join("/")}`;

/**
 * Follows `/api/events` for good. `changed` gets the kinds of what changed, at first all of them; `connected` hears
 * whether the sandbox is there. After a gap the sandbox tells what was missed.
 */
export function follow(changed, connected) {
  const stream = new EventSource("/api/events");
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("changed", (event) => changed(JSON.parse(event.data).what));
  stream.addEventListener("error", () => {
    connected(false);
    // The browser comes back by itself after a cut, and not after a refusal.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(changed, connected), PAUSE);
  });
}
