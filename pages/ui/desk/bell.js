// The bell asks the server by itself, so that an alert is told on a page that is paused or hidden
// too. What was looked at is kept in the browser for all its tabs, what a tab has told in the tab.

import { settled } from "../settled.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 5000;
const TOAST_MS = 12000;
const MOST_TOASTS = 3;
const MOST_COUNTED = 99;
const COUNT_IN_TITLE = /^\(\d+\+?\) /;
const BEEP_S = 0.25;
const REFUSED = "This browser refuses them: allow notifications from this page in its settings.";

/** What is known since the page was loaded; alerts oldest first. */
const state = {
  /** @type {BellAlert[]} */ alerts: [],
  newest: 0,
  isKnown: false,
};

// A browser that keeps nothing for us keeps it as long as the page.
/** @type {Map<string, string>} */
const unkept = new Map();

/** @type {(kind: "localStorage" | "sessionStorage", key: string) => string | null} */
function read(kind, key) {
  try {
    return globalThis[kind].getItem("pairdesk.bell." + key);
  } catch {
    return unkept.get(key) ?? null;
  }
}

/** @type {(kind: "localStorage" | "sessionStorage", key: string, value: string) => void} */
function keep(kind, key, value) {
  try {
    globalThis[kind].setItem("pairdesk.bell." + key, value);
  } catch {
    unkept.set(key, value);
  }
}

/** @type {(alerts: BellAlert[], after: number) => BellAlert[]} */
export function toTell(alerts, after) {
  return alerts.filter((each) => each.id > after && !each.suppressed);
}

/** @type {(count: number) => string} */
export function countWords(count) {
  return count > MOST_COUNTED ? `${MOST_COUNTED}+` : String(count || "");
}

/** @type {(title: string, count: number) => string} */
export function titled(title, count) {
  const plain = title.replace(COUNT_IN_TITLE, "");
  return count ? `(${countWords(count)}) ${plain}` : plain;
}

/** What is known with what came since, each once. */
/** @type {(known: BellAlert[], came: BellAlert[]) => BellAlert[]} */
export function joined(known, came) {
  const last = known.at(-1)?.id ?? 0;
  return [...known, ...came.filter((each) => each.id > last)];
}

// From the server comes the view, never where it is.
/** @type {(alert: BellAlert) => string} */
export function linkOf(alert) {
  const page = alert.view.startsWith("basket_") ? "baskets" : ".";
  const url = new URL(alert.view ? page : "alerts", document.baseURI);
  url.search = alert.view;
  return url.href;
}

function place() {
  const known = document.querySelector(".pd-toasts");
  if (known) return known;
  const made = document.createElement("div");
  made.className = "pd-toasts";
  made.setAttribute("role", "log");
  made.setAttribute("aria-label", "New alerts");
  // In the app, whose colours it has.
  (document.querySelector(".stApp") ?? document.body).append(made);
  return made;
}

/** @type {(css: string, words: string) => HTMLElement} */
function line(css, words) {
  const made = document.createElement("span");
  made.className = css;
  made.textContent = words;
  return made;
}

/** @type {(kind: string, href: string, ...lines: HTMLElement[]) => void} */
function toast(kind, href, ...lines) {
  const made = document.createElement("div");
  made.className = "pd-toast pd-toast-" + kind;
  const link = document.createElement("a");
  link.href = href;
  link.target = "_blank";
  link.append(...lines);
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  close.onclick = () => made.remove();
  made.append(link, close);
  // It stays while somebody reads it.
  const leave = () => {
    if (made.matches(":hover, :focus-within")) setTimeout(leave, TOAST_MS);
    else made.remove();
  };
  setTimeout(leave, TOAST_MS);
  place().append(made);
}

/** @type {(alerts: BellAlert[]) => void} */
function showToasts(alerts) {
  for (const each of alerts.slice(-MOST_TOASTS))
    toast(each.kind, linkOf(each), line("pd-toast-head", each.head), line("", each.words));
  const more = alerts.length - MOST_TOASTS;
  if (more > 0) {
    const href = new URL("alerts", document.baseURI).href;
    toast("more", href, line("pd-toast-head", `and ${more} more: open the Alerts page`));
  }
  const shown = [...place().children];
  for (const old of shown.slice(0, Math.max(0, shown.length - MOST_TOASTS - 1))) old.remove();
}

/** @type {AudioContext | undefined} */
let audio;

// A browser lets a page sound once somebody has clicked on it.
function wakeSound() {
  if (read("localStorage", "sound") !== "on") return;
  audio ??= new AudioContext();
  audio.resume();
}

function beep() {
  if (audio?.state !== "running") return;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 880;
  volume.gain.setValueAtTime(0.15, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + BEEP_S);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + BEEP_S);
}

// Of several tabs the first one that knows sounds.
/** @type {(desk: string, newest: number) => void} */
function sound(desk, newest) {
  if (read("localStorage", "sound") !== "on") return;
  if (Number(read("localStorage", desk + ".sounded")) >= newest) return;
  keep("localStorage", desk + ".sounded", String(newest));
  beep();
}

function mayNotify() {
  return globalThis.Notification?.permission === "granted";
}

// On the desktop only where the page is not looked at; of several tabs one shows, by the tag.
/** @type {(desk: string, alerts: BellAlert[]) => void} */
function notify(desk, alerts) {
  if (read("localStorage", "notify") !== "on" || !mayNotify() || document.hasFocus()) return;
  for (const each of alerts.slice(-MOST_TOASTS)) {
    try {
      const made = new Notification(each.head, { body: each.words, tag: `${desk}-${each.id}` });
      made.onclick = () => window.focus();
    } catch {
      return; // a phone's browser shows none from a page
    }
  }
}

/** @type {(desk: string) => void} */
function tell(desk) {
  const told = read("sessionStorage", desk + ".told");
  const fresh = told === null ? [] : toTell(state.alerts, Number(told));
  keep("sessionStorage", desk + ".told", String(state.newest));
  if (!fresh.length) return;
  showToasts(fresh);
  sound(desk, state.newest);
  notify(desk, fresh);
}

/** @type {(host: OwnPart, data: BellData) => void} */
function show(host, data) {
  // A look is the log on a page that is in sight.
  const looks = !document.hidden && document.querySelector(".pd-alert-log");
  if (looks && state.isKnown) keep("localStorage", data.desk + ".seen", String(state.newest));
  const seen = Number(read("localStorage", data.desk + ".seen"));
  const count = toTell(state.alerts, seen).length;
  const words = countWords(count);
  const sign = host.querySelector(".pd-bell-count");
  if (sign.textContent !== words) sign.textContent = words;
  host.toggleAttribute("data-rings", count > 0);
  const title = titled(document.title, count);
  if (document.title !== title) document.title = title;
}

/** @type {(data: BellData) => Promise<void>} */
async function ask(data) {
  const url = new URL(data.url, document.baseURI);
  const seen = Number(read("localStorage", data.desk + ".seen"));
  url.searchParams.set("since", String(state.isKnown ? state.newest : seen));
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(url, { cache: "no-store", signal: patience });
  if (!answer.ok) throw new Error(String(answer.status));
  /** @type {BellAnswer} */
  const came = await answer.json();
  state.alerts = joined(state.alerts, came.alerts).slice(-MOST_COUNTED - 1);
  state.newest = came.newest;
  state.isKnown = true;
  tell(data.desk);
}

/** @type {(host: OwnPart) => void} */
function offerWays(host) {
  /** @type {HTMLInputElement} */
  const sounds = host.querySelector("[name=sound]");
  /** @type {HTMLInputElement} */
  const notifies = host.querySelector("[name=notify]");
  const note = host.querySelector(".pd-bell-note");
  sounds.checked = read("localStorage", "sound") === "on";
  notifies.checked = read("localStorage", "notify") === "on" && mayNotify();
  sounds.onchange = () => {
    keep("localStorage", "sound", sounds.checked ? "on" : "off");
    wakeSound();
  };
  notifies.onchange = async () => {
    // The only place that asks: at a click.
    if (notifies.checked) await globalThis.Notification?.requestPermission();
    notifies.checked &&= mayNotify();
    note.textContent = notifies.checked || mayNotify() ? "" : REFUSED;
    keep("localStorage", "notify", notifies.checked ? "on" : "off");
  };
}

/** @type {(component: Component<BellData>) => () => void} */
function begin(component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pd-bell");
  host.pairdeskStop?.();
  offerWays(host);
  /** @type {HTMLAnchorElement} */
  const link = host.querySelector("a");
  link.onclick = (event) => {
    /** @type {HTMLElement | null} */
    const page = document.querySelector('[data-testid=stTopNavLink][href$="/alerts"]');
    if (!page) return; // folded away: then in a tab of its own
    event.preventDefault();
    page.click();
  };
  const stop = follow(host, data);
  host.pairdeskStop = stop;
  return stop;
}

export default settled(begin);

/** @type {(host: OwnPart, data: BellData) => () => void} */
function follow(host, data) {
  let isAsking = false;
  let isOver = false;
  const draw = () => show(host, data);
  const tick = async () => {
    draw();
    if (isAsking) return;
    isAsking = true;
    try {
      await ask(data);
    } catch {
      // The pill beside it says that the server does not answer.
    }
    isAsking = false;
    if (!isOver) draw();
  };
  const titles = new MutationObserver(draw);
  titles.observe(document.head, { childList: true, subtree: true, characterData: true });
  const timer = setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
  addEventListener("storage", draw);
  addEventListener("pointerdown", wakeSound);
  tick();
  return () => {
    isOver = true;
    titles.disconnect();
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
    removeEventListener("storage", draw);
    removeEventListener("pointerdown", wakeSound);
  };
}
