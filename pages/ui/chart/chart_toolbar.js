// The buttons above the live figure.

import { spanOfWords, wallWords } from "./chart_span.js";
import { isDrawn } from "./plotly_private.js";

const PNG = { format: "png", width: 1400, height: 900, scale: 2 };
const PNG_TOP_PX = 74;

/** @type {(words: string) => string} */
export function fileWords(words) {
  return words.replace(/[^A-Za-z0-9._+-]+/g, "-").replace(/^-+|-+$/g, "");
}

/** @import { Stream } from "./chart_stream.js" */

export class Toolbar {
  /** @param {Stream} stream */
  constructor(stream) {
    this.stream = stream;
    this.dragmode = "zoom";
    this.keysWords =
      "Arrow keys move, plus and minus zoom, Home shows all, End the latest, Shift with an arrow key reads values.";
    const bar = stream.host.querySelector(".pairdesk-bar");
    this.wholeButton = bar.querySelector(".pairdesk-whole");
    this.followButton = bar.querySelector(".pairdesk-follow");
    this.panButton = bar.querySelector(".pairdesk-pan");
    this.fullButton = bar.querySelector(".pairdesk-full");
    this.wholeButton.onclick = () => stream.whole && stream.look(null);
    this.followButton.onclick = () => stream.whole && stream.setFollow(!stream.follow);
    this.panButton.onclick = () => this.pan();
    this.fullButton.onclick = () => this.fill();
    this.fullButton.hidden = !document.fullscreenEnabled;
    bar.querySelector(".pairdesk-png").onclick = () => {
      this.download().catch((error) =>
        stream.say(`The picture could not be made: ${error.message}`),
      );
    };
    stream.listen(document, "fullscreenchange", () => this.filled());
  }

  pan() {
    this.dragmode = this.dragmode === "pan" ? "zoom" : "pan";
    this.panButton.setAttribute("aria-pressed", String(this.dragmode === "pan"));
    if (isDrawn(this.stream.plot)) {
      this.stream.Plotly?.relayout(this.stream.plot, { dragmode: this.dragmode });
    }
  }

  isFull() {
    return document.fullscreenElement === this.stream.host;
  }

  fill() {
    const change = this.isFull() ? document.exitFullscreen() : this.stream.host.requestFullscreen();
    change.catch((error) => this.stream.say(`The screen could not be filled: ${error.message}`));
  }

  // Also by Esc, which the browser itself takes.
  filled() {
    this.fullButton.setAttribute("aria-pressed", String(this.isFull()));
    this.stream.resize();
  }

  async download() {
    const { stream } = this;
    await stream.drawn; // a click on a figure that is still to come is not lost
    const css = getComputedStyle(stream.host);
    const paper = css.getPropertyValue("--st-background-color").trim() || "#fff";
    const layout = {
      ...stream.plot.layout,
      ...stream.pictureLayout,
      paper_bgcolor: paper,
      title: {
        text: this.title(),
        x: 0.01,
        xanchor: "left",
        y: 0.985,
        yanchor: "top",
        font: { size: 15 },
      },
      margin: { ...stream.plot.layout.margin, t: PNG_TOP_PX },
      showlegend: true,
    };
    await stream.Plotly?.downloadImage(
      { data: stream.plot.data, layout },
      { ...PNG, filename: this.fileName() },
    );
  }

  // What a picture that has left the page still says: the library reads a "<" as markup.
  title() {
    const { pair, interval, source, zone } = this.stream.meta.picture;
    const seen = this.stream.seen();
    const span = seen && `${spanOfWords(seen, this.stream.clock())} ${zone}`;
    return [pair, interval, span, source]
      .filter(Boolean)
      .join(" · ")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;");
  }

  fileName() {
    const { source, zone } = this.stream.meta.picture;
    const span = (this.stream.seen() ?? []).map((edge) =>
      wallWords(edge, this.stream.clock()).replaceAll(/[-:]/g, "").replace(" ", "-"),
    );
    return [this.stream.told.file, ...span, zone, source].filter(Boolean).map(fileWords).join("_");
  }

  // Whether all is in sight, and whether the newest is followed.
  show() {
    this.wholeButton.setAttribute("aria-pressed", String(!this.stream.range));
    this.followButton.setAttribute("aria-pressed", String(this.stream.follow));
  }
}
