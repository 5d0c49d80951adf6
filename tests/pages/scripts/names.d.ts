// What the scripts find on the page beside the browser's own.

interface PlotlyLibrary {
  react(plot: Element, data: object[], layout: object, config: object): Promise<unknown>;
  relayout(plot: Element, update: object): Promise<unknown>;
  downloadImage(figure: object, options: object): Promise<string>;
  purge(plot: Element): void;
}

interface Window {
  Plotly?: PlotlyLibrary;
}
