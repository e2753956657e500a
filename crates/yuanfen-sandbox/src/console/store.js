// What the page knows of the sandbox, and how it learns of changes.

import * as api from "./api.js";

/** How many entries of each log are asked for at once. */
const PAGE = 200;
/** Most entries that the page asks for at all: what is older is found by number. */
const MOST = 1000;

const limits = { orders: PAGE, exchanges: PAGE, notices: PAGE };

const SOURCES = {
  state: () => "/api/state",
  orders: () => `/api/orders?limit=${limits.orders}`,
  exchanges: () => `/api/exchanges?limit=${limits.exchanges}`,
  notices: () => `/api/notices?limit=${limits.notices}`,
  faults: () => "/api/faults",
  settings: () => "/api/settings",
  scenarios: () => "/api/scenarios",
  bills: () => "/api/bills",
  words: () => "/console/words.json",
};

/** Which sources each kind of change touches. */
const TOUCHED = {
  orders: ["orders", "bills"],
  exchanges: ["exchanges"],
  notices: ["notices"],
  faults: ["faults", "state"],
  clock: ["state", "orders", "bills"],
  settings: ["settings", "state"],
};

/** What was read last, by source. A source that was never read is absent. */
export const data = {};
/** When each source was read, in this machine's milliseconds. */
export const readAt = {};
/** `connecting`, `connected` or `lost`. */
export const link = { is: "connecting" };
/** Why a source could not be read, by source. */
export const failures = {};

/** What the reader looks at in detail, by path. */
const looked = new Map();
const loading = new Map();
let redraw = () => {};

export function onChange(handler) {
  redraw = handler;
}

/** Draws again after something that only the page knows has changed, such as a filter. */
export const changed = () => redraw("page");

/** Reads a source. A change while it is being read makes it be read once more, so the last state is never missed. */
export function load(name) {
  const running = loading.get(name);
  if (running) {
    running.again = true;
    return running.done;
  }
  const run = { again: false };
  run.done = (async () => {
    do {
      run.again = false;
      try {
        const value = await api.get(SOURCES[name]());
        data[name] = value;
        readAt[name] = Date.now();
        delete failures[name];
      } catch (error) {
        failures[name] = error.message;
      }
      redraw(name);
    } while (run.again);
    loading.delete(name);
  })();
  loading.set(name, run);
  return run.done;
}

const loadAll = () => Promise.all(Object.keys(SOURCES).map(load));

/** Asks for more of a log than before. */
export function loadMore(name) {
  limits[name] = Math.min(limits[name] + PAGE, MOST);
  return load(name);
}

/** Whether there may be more of a log than was read, and the page may ask for it. */
export const mayHaveMore = (name) => (data[name]?.length ?? 0) >= limits[name] && limits[name] < MOST;

/** What is at `path`, read once and again whenever something changes, until the reader goes elsewhere. */
export function look(path) {
  if (!looked.has(path)) {
    looked.set(path, { value: undefined, failure: undefined });
    void lookAgain(path);
  }
  return looked.get(path);
}

async function lookAgain(path) {
  let found = {};
  try {
    found = { value: await api.get(path), failure: undefined };
  } catch (error) {
    found = { failure: error.message };
  }
  // The reader may have gone on in the meantime.
  if (looked.has(path)) {
    looked.set(path, { ...looked.get(path), ...found });
    redraw("detail");
  }
}

/** The reader goes elsewhere. */
export const lookAway = () => looked.clear();

/** Reads all there is, and then follows what changes for good. */
export function start() {
  void loadAll();
  api.follow(
    (what) => {
      for (const name of new Set(what.flatMap((kind) => TOUCHED[kind] ?? []))) void load(name);
      for (const path of looked.keys()) void lookAgain(path);
    },
    (is) => {
      // Another sandbox may be there now: nothing that was read before holds.
      if (is && link.is === "lost") void loadAll();
      link.is = is ? "connected" : "lost";
      redraw("link");
    },
  );
}
