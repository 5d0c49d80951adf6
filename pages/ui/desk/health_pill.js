// The health pill asks the server each second, so that its age moves without a run of the page.
// It rests while nobody looks. Where the server no longer answers, the whole page shows it: what is
// shown is old, it turns grey, and its ages count on.

import { ageWords } from "../age.js";
import { settled } from "../settled.js";

const EVERY_MS = 1000;
// A stopped process takes the question and never answers it.
const PATIENCE_MS = 3000;
const FAILURES_OF_A_DEAD_SERVER = 2;
// A page that stood still (its computer slept, its thread was busy) has heard nobody meanwhile: only
// time in which it looked counts against the server, so many looks at least.
const LOOKS_OF_PATIENCE = 2;
// So many looks the page itself may be without its connection: it reconnects by itself.
const LOOKS_DISCONNECTED = 3;
// An age that no refresh has touched for so long is counted here.
const STILL_MS = 3000;

/** @type {(host: OwnPart, told: PillWords) => void} */
function show(host, told) {
  const pill = host.querySelector(".pd-state");
  pill.className = "pd-state pd-" + told.tone;
  const { sign, word, number } = told;
  for (const [name, words] of Object.entries({ sign, word, number })) {
    const place = pill.querySelector(".pd-pill-" + name);
    if (place.textContent !== words) place.textContent = words;
  }
}

/** @type {(url: string) => Promise<PillAnswer>} */
async function ask(url) {
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// Since when each age stands on the page; one that is drawn anew is another element.
/** @type {WeakMap<HTMLElement, { age: string | undefined, since: number }>} */
const standing = new WeakMap();

function countAges() {
  const now = performance.now();
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll(".pd-age");
  for (const place of places) {
    const known = standing.get(place);
    if (!known || known.age !== place.dataset.age)
      standing.set(place, { age: place.dataset.age, since: now });
    else if (now - known.since >= STILL_MS) {
      place.textContent = ageWords(Number(known.age) + (now - known.since) / 1000);
    }
  }
}

// How many looks in a row have found the page without its own connection.
const connection = { looksLost: 0 };

function isDisconnected() {
  /** @type {HTMLElement | null} */
  const app = document.querySelector(".stApp");
  const state = app?.dataset.testConnectionState;
  const isLost = state !== undefined && state !== "CONNECTED";
  connection.looksLost = isLost ? connection.looksLost + 1 : 0;
  return connection.looksLost > LOOKS_DISCONNECTED;
}

// Streamlit's own word for it covers the figures and asks about the internet.
function closeDialog() {
  /** @type {NodeListOf<HTMLElement>} */
  const shown = document.querySelectorAll("[role=dialog]");
  for (const dialog of shown) {
    if (dialog.innerText.startsWith("Connection error")) {
      /** @type {HTMLElement | null} */
      const button = dialog.querySelector("button[aria-label=Close]");
      button?.click();
    }
  }
}

/** @type {{ deadAt: number | undefined, start: string | undefined }} */
const life = { deadAt: undefined, start: undefined };
/** @type {MutationObserver | undefined} */
let dialogs;

// A server that was started again knows nothing of this page, and may be another version.
/** @type {(start: string) => void} */
function checkStart(start) {
  life.start ??= start;
  if (life.start !== start) location.reload();
}

function strip() {
  const known = document.querySelector(".pd-dead");
  if (known) return known;
  const made = document.createElement("div");
  made.className = "pd-dead";
  made.setAttribute("role", "alert");
  // In the app, whose colours it has.
  (document.querySelector(".stApp") ?? document.body).append(made);
  return made;
}

/** @type {(isDead: boolean) => void} */
function showLife(isDead) {
  const root = document.documentElement;
  if (!isDead) {
    if (life.deadAt === undefined) return;
    life.deadAt = undefined;
    delete root.dataset.pairdesk;
    dialogs?.disconnect();
    strip().remove();
    return;
  }
  if (life.deadAt === undefined) {
    life.deadAt = performance.now();
    root.dataset.pairdesk = "dead";
    dialogs = new MutationObserver(closeDialog); // as it comes, not a second later
    dialogs.observe(document.body, { childList: true, subtree: true });
    closeDialog();
    const at = new Date().toISOString().slice(11, 19);
    strip().textContent = `Pairdesk has not answered since ${at} UTC: what is shown is old. Start it again where it ran; this page then goes on by itself.`;
  }
}

/** @type {(component: Component<PillData>) => () => void} */
function begin(component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pd-pill");
  // Called again with each change of the data: what asked before must not answer any more.
  host.pairdeskStop?.();
  checkStart(data.start);
  show(host, data.pill);
  /** @type {HTMLAnchorElement} */
  const link = host.querySelector("a");
  // The same view there, as it is when the link is taken.
  link.onclick = () => {
    link.href = new URL("feed" + location.search, document.baseURI).href;
  };
  const stop = follow(host, data);
  host.pairdeskStop = stop;
  return stop;
}

export default settled(begin);

/** @type {(host: OwnPart, data: PillData) => () => void} */
function follow(host, data) {
  const url = new URL(data.url, document.baseURI).href;
  let failures = 0;
  let looks = 0;
  let isAsking = false;
  let isOver = false;
  const told = async () => {
    const before = looks;
    try {
      const answer = await ask(url);
      failures = 0;
      checkStart(answer.start);
      return data.follows ? answer : data.pill;
    } catch (error) {
      if (error.name !== "TimeoutError") failures += 1;
      else if (looks - before >= LOOKS_OF_PATIENCE) failures += FAILURES_OF_A_DEAD_SERVER;
      else return undefined;
      return { sign: "◌", word: "OFFLINE", number: "retry " + failures, tone: "bad" };
    }
  };
  const tick = async () => {
    if (document.hidden) return;
    looks += 1;
    const isLost = isDisconnected();
    countAges();
    if (life.deadAt !== undefined) closeDialog();
    if (isAsking) return;
    isAsking = true;
    const words = await told();
    isAsking = false;
    if (isOver) return;
    showLife(failures >= FAILURES_OF_A_DEAD_SERVER || isLost);
    if (words) show(host, words);
  };
  const timer = setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
  return () => {
    isOver = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}
