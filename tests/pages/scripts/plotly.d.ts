// What plotly.js takes and gives, as far as the scripts use it. What it does not promise stands in
// `plotly_private.js`.

/** Numbers, or words for times. */
type Values = ArrayLike<any>;

interface Trace {
  uid: string;
  x: Values;
  y: Values;
  base?: Values;
  customdata?: Values;
  fillcolor?: string;
  legendgroup?: string;
  marker?: object;
  mode?: string;
  visible?: boolean | "legendonly";
  xaxis?: string;
  yaxis?: string;
}

interface Axis {
  autorange?: boolean;
  nticks?: number;
  range?: any[];
  rangemode?: string;
  title?: { text?: string; standoff?: number };
  type?: string;
}

interface Layout {
  font: { family?: string; size?: number };
  height: number;
  legend?: object;
  margin: { l: number; r: number; t: number; b: number };
  uirevision?: string;
  xaxis: Axis;
  /** All other axes, and what else a figure has. */
  [name: string]: any;
}

/** Where the panels lie, px. */
interface Box {
  l: number;
  r: number;
  t: number;
  b: number;
  w: number;
  h: number;
}

interface DrawnLayout extends Layout {
  _size: Box;
  xaxis: Axis & { range: unknown[]; r2l(edge: unknown): number };
}

type Change = Record<string, unknown>;

/** The element that the library draws in. */
interface Plot extends HTMLElement {
  data: Trace[];
  layout: Layout;
  _fullData?: Trace[];
  _fullLayout?: DrawnLayout;
  on(name: string, handler: (change: Change) => void): void;
}

interface PlotlyLibrary {
  react(plot: Plot, data: object[], layout: object, config: object): Promise<unknown>;
  relayout(plot: Plot, update: object): Promise<unknown>;
  downloadImage(figure: object, options: object): Promise<string>;
  purge(plot: Plot): void;
}

interface Window {
  Plotly?: PlotlyLibrary;
}
