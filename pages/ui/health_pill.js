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
  // Called again with each change of the data: what asked before must not answer any more.
  host.pairdeskStop?.();
  show(host, data.pill);
  const link = host.querySelector("a");
  // The same view there, as it is when the link is taken.
  link.onclick = () => { link.href = new URL("feed" + location.search, document.baseURI).href; };
  if (data.url) host.pairdeskStop = follow(host, new URL(data.url, document.baseURI).href);
  return () => host.pairdeskStop?.();
}

function follow(host, url) {
  let failures = 0;
  let isAsking = false;
  let isOver = false;
  const tick = async () => {
    if (document.hidden || isAsking) return;
    isAsking = true;
    let told;
    try {
      told = await ask(url);
      failures = 0;
    } catch {
      failures += 1;
      told = { sign: "◌", word: "OFFLINE", number: "retry " + failures, tone: "bad" };
    }
    isAsking = false;
    if (!isOver) show(host, told);
  };
  const timer = setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
  return () => {
    isOver = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}
