// Buttons that fetch a file and hand it to the reader. A file that cannot be had is said beside them.

import { settled } from "../settled.js";

const NO_ANSWER = "The server does not answer, so there is no file. Try again when it is back.";

/** @type {(answer: Response) => string} */
export function nameOf(answer) {
  const said = answer.headers.get("Content-Disposition") ?? "";
  const coded = /filename\*=UTF-8''([^;]+)/.exec(said);
  return coded ? decodeURIComponent(coded[1]) : "pairdesk";
}

/** @type {(content: Blob, name: string) => void} */
function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads it after the click; a minute later it has begun to.
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** @type {(url: string) => Promise<[Blob, string]>} */
async function fetched(url) {
  const asked = new URL(url, document.baseURI);
  asked.searchParams.set("page", location.href);
  let answer;
  try {
    answer = await fetch(asked, { cache: "no-store" });
  } catch {
    throw new Error(NO_ANSWER);
  }
  if (!answer.ok) throw new Error(await answer.text());
  return [await answer.blob(), nameOf(answer)];
}

/** @type {(host: OwnPart, button: FileButton, file: OfferedFile) => Promise<void>} */
async function give(host, button, file) {
  const place = host.querySelector(".pd-file-error");
  button.pairdeskBusy = (button.pairdeskBusy ?? 0) + 1;
  button.setAttribute("aria-busy", "true");
  place.textContent = "";
  try {
    save(...(await fetched(file.url)));
  } catch (error) {
    place.textContent = `${file.label}: ${error.message}`;
  }
  button.pairdeskBusy -= 1;
  if (!button.pairdeskBusy) button.removeAttribute("aria-busy");
}

// The same button stays while its file is on offer, so that nothing moves under a hand.
/** @type {(row: HTMLElement, file: OfferedFile) => FileButton} */
function buttonFor(row, file) {
  /** @type {NodeListOf<FileButton>} */
  const buttons = row.querySelectorAll(".pd-file");
  const known = [...buttons].find((each) => each.dataset.file === file.name);
  if (known) return known;
  /** @type {FileButton} */
  const button = document.createElement("button");
  button.type = "button";
  button.className = "pd-file";
  button.dataset.file = file.name;
  return button;
}

/** @type {(component: Component<{ files: OfferedFile[] }>) => void} */
function begin(component) {
  const { data, parentElement } = component;
  const host = parentElement.querySelector(".pd-files");
  const row = host.querySelector(".pd-files-row");
  const buttons = data.files.map((file) => {
    const button = buttonFor(row, file);
    if (button.textContent !== file.label) button.textContent = file.label;
    button.disabled = file.disabled;
    button.onclick = () => give(host, button, file);
    return button;
  });
  const isSame =
    buttons.length === row.children.length && buttons.every((each, i) => row.children[i] === each);
  if (!isSame) row.replaceChildren(...buttons);
}

export default settled(begin);
