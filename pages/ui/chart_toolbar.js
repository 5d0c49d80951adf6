// The buttons above the live figure.

const PNG = { format: "png", width: 1400, height: 900, scale: 2 };

class Toolbar {
  constructor(stream) {
    this.stream = stream;
    this.dragmode = "zoom";
    this.keysWords = "Arrow keys move, plus and minus zoom, Home shows all, End the latest.";
    const bar = stream.host.querySelector(".pairdesk-bar");
    this.spans = [...bar.querySelectorAll("[data-span]")];
    this.followButton = bar.querySelector(".pairdesk-follow");
    this.panButton = bar.querySelector(".pairdesk-pan");
    for (const button of this.spans) {
      button.onclick = () => {
        const spanMs = Number(button.dataset.span) * 1000;
        if (!stream.whole) return;
        if (spanMs) stream.lookBack(spanMs);
        else stream.look(null);
      };
    }
    this.followButton.onclick = () => stream.whole && stream.setFollow(!stream.follow);
    this.panButton.onclick = () => this.pan();
    bar.querySelector(".pairdesk-png").onclick = () => this.download();
  }

  pan() {
    this.dragmode = this.dragmode === "pan" ? "zoom" : "pan";
    this.panButton.setAttribute("aria-pressed", String(this.dragmode === "pan"));
    if (this.stream.plot._fullLayout) {
      this.stream.Plotly.relayout(this.stream.plot, { dragmode: this.dragmode });
    }
  }

  async download() {
    const { stream } = this;
    if (!stream.traces) return;
    const { layout } = stream.plot;
    const paper = getComputedStyle(stream.host).getPropertyValue("--st-background-color").trim() || "#fff";
    const figure = { data: stream.plot.data, layout: { ...layout, paper_bgcolor: paper } };
    await stream.Plotly.downloadImage(figure, { ...PNG, filename: stream.told.file });
  }

  // Which span is in sight, which there is data for, and whether the newest is followed.
  show() {
    const { stream } = this;
    const [first, last] = stream.whole.head.span.length ? stream.whole.head.span : [0, 0];
    const width = stream.range ? stream.range[1] - stream.range[0] : 0;
    for (const button of this.spans) {
      const spanMs = Number(button.dataset.span) * 1000;
      button.disabled = spanMs >= last - first;
      const isShown = Math.abs(spanMs - width) < 1;
      button.setAttribute("aria-pressed", String(isShown));
    }
    this.followButton.setAttribute("aria-pressed", String(stream.follow));
  }
}
