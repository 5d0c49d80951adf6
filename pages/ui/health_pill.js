// The health pill asks the server each second, so that its age moves without a run of the page.
// It rests while nobody looks, and says so when the server itself no longer answers.

const EVERY_MS = 1000;
const PATIENCE_MS = 4000;

function show(host, told) {
  const pill = host.querySelector(".pd-state");
  pill.className = "pd-state pd-" + told.tone;
  for (const name of ["sign", "word", "number"]) {
    const place = pill.querySelector(".pd-pill-" + name);
    if (place.textContent !== told[name]) place.textContent = told[name];
  }
}

async function ask(url) {
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

export default function (component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pd-pill");
  show(host, data.pill);
  if (!data.url) return undefined;
  const url = new URL(data.url, document.baseURI).href;
  let failures = 0;
  let isAsking = false;
  const tick = async () => {
    if (document.hidden || isAsking) return;
    isAsking = true;
    try {
      show(host, await ask(url));
      failures = 0;
    } catch {
      failures += 1;
      show(host, { sign: "◌", word: "OFFLINE", number: "retry " + failures, tone: "bad" });
    }
    isAsking = false;
  };
  const timer = setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}
