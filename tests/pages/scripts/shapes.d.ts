// What the scripts get from the server and hand to each other.

/** Times in ms. */
type Span = [from: number, to: number];
/** Before `until` the wall reads `shift` ms more than the axis counts. */
type Clock = [until: number, shift: number][];

type Table = Record<string, Float64Array>;
type Tables = Record<string, Table>;

/** An element whose inside is a component's own HTML: what is asked for is there. */
interface OwnPart extends HTMLElement {
  querySelector<Found extends Element = OwnPart>(selectors: string): Found;
  pairdeskStop?: () => void;
}

/** What Streamlit calls a component with. */
interface Component<Data> {
  data: Data;
  parentElement: OwnPart;
  setTriggerValue(name: string, value: unknown): void;
}

// A column as `pages/charts/frame.py` packs it, and as it is unpacked.
interface PackedColumn {
  name: string;
  rows: number;
  decimals: number;
  keep: [first: number, last: number];
  shift: number;
  start: number;
  plain: boolean;
}

interface HeldColumn {
  codes: Float64Array;
  values: Float64Array;
}

/** What comes with a chart's tables; what draws them only where the browser has another one. */
interface Head {
  number: number;
  had: number | null;
  version: number;
  told: number;
  tables: Record<string, PackedColumn[]>;
  /** Empty where there is no bar. */
  span: Span;
  offset_ms: number;
  bar_ms: number;
  bucket_ms: number;
  candle_ms: number;
  marks_ms: number;
  clock: Clock;
  bases: Record<string, number>;
  entries: Record<string, number>;
}

type FigureHead = Head & {
  figure: { data: DrawnTrace[]; layout: Layout & { meta: ChartMeta } };
  css_variables: Record<string, string>;
};

interface Frame {
  number: number;
  head: Head | FigureHead;
  /** Which span it was asked for. */
  at?: string;
  columns: Record<string, Record<string, HeldColumn>>;
  tables: Tables;
}

/** What a trace draws of which table; `kind` says which of the rest it has. */
interface Draws {
  kind: string;
  table: string;
  column: string;
  columns: string[];
  words?: Record<number, string>;
  times: number;
  at: number;
  is: number;
  rises: boolean;
}

type DrawnTrace = Trace & { draws: Draws; fade?: number };

/** How a legend's entry reads its value. */
interface Reads {
  kind?: "band" | "volume" | "entries";
  column: string;
  decimals: number;
  plus?: boolean;
  says_signal?: boolean;
  times: number;
}

interface LegendEntry {
  key: string;
  name: string;
  panel: string;
  color: string;
  looks: string;
  hides: boolean;
  reads: Reads;
}

interface DrawnEntry extends LegendEntry {
  element: HTMLElement;
  value: HTMLElement;
  widest: number;
}

/** The strip's window in a hand: where it was taken, and what it does. */
interface Drag {
  at: number;
  span: Span;
  does: string;
  moved?: boolean;
  shown?: Span;
}

interface ChartMeta {
  legend: LegendEntry[];
  picture: { pair: string; interval: string; source: string; zone: string };
}

/** What an entry is read from; `detail` where finer rows of a part of the span are there. */
interface Seen {
  tables: Tables;
  head: Head;
  detail?: { head: Head; from: number; to: number };
}

type Filling = Pick<Trace, "x" | "y"> & { text?: string[]; customdata?: Float64Array };

interface WallTicks {
  ticks: { at: number; wall: number }[];
  step: number;
}

/** What the page says of a chart that fetches its data. */
interface StreamData {
  url: string;
  version: number;
  plotly_url: string;
  key: string;
  label: string;
  file: string;
  height: number;
}

/** A whole figure, as `live_chart` sends it. */
interface Figure {
  plotly_url: string;
  css_variables: Record<string, string>;
  height: number;
  label: string;
  figure: { data: object[]; layout: Layout };
}

interface FigurePlot extends Plot {
  pairdeskNewest?: Figure;
  pairdeskTraces: Trace[];
  pairdeskFixed: Set<string>;
  pairdeskStop?: () => void;
}

interface PillWords {
  sign: string;
  word: string;
  number: string;
  tone: string;
}

type PillAnswer = PillWords & { start: string };

interface PillData {
  pill: PillWords;
  url: string;
  follows: boolean;
  start: string;
}

interface BellAlert {
  id: number;
  kind: string;
  head: string;
  words: string;
  view: string;
  suppressed: boolean;
}

interface BellAnswer {
  newest: number;
  alerts: BellAlert[];
  silenced: string;
}

interface BellData {
  url: string;
  desk: string;
}

interface OfferedFile {
  name: string;
  label: string;
  url: string;
  disabled: boolean;
}

type FileButton = HTMLButtonElement & { pairdeskBusy?: number };

type ScanValue = string | number | null;

interface ScanColumn {
  kind: string;
  label: string;
  tip: string;
}

interface ScanRow {
  pair: [y: string, x: string];
  cells: [text: string, value: ScanValue][];
  path: number[];
}

interface ScanData {
  caption: string;
  columns: ScanColumn[];
  rows: ScanRow[];
  link: { choices: Record<string, string>; legs: string[] };
}

interface ScanState {
  data: ScanData;
  column: number;
  isDown: boolean;
  open(pair: string[]): void;
}

type DrawnRow = HTMLTableRowElement & { pairdeskPair: string[] };

interface WatchColumn {
  key: string;
  label: string;
  tip: string;
}

/** What of a watched pair's row stands until somebody changes it. */
interface WatchStanding {
  id: string;
  pair: string[]; // a basket's has its label alone
  words: string;
  interval: string;
  group: string;
  pinned: boolean;
  levels: [sell: number, buy: number];
  page: string;
  link: [name: string, value: string][];
}

type WatchValues = (string | number | null)[];

/** What moves of it, by name; all but the problem are null where there are no figures. */
interface WatchFigures {
  problem: string | null;
  zscore: number | null;
  path: string | null;
  signal: string | null;
  since: string | null;
  trade: string | null;
  half: string | null;
  pvalue: string | null;
  testsAge: number | null;
  correlation: number | null;
  coverage: number | null;
  yAge: number | null;
  xAge: number | null;
  alert: string | null;
  alertId: number | null;
  doubt: number | null;
}

interface WatchData {
  columns: WatchColumn[];
  rows: WatchStanding[];
}

interface WatchMoves {
  moves: Record<string, WatchValues>;
}

interface WatchRow {
  standing: WatchStanding;
  figures: WatchFigures;
  line: HTMLTableRowElement;
  link: HTMLAnchorElement;
  box: HTMLInputElement;
  pin: HTMLButtonElement;
  problem: HTMLTableCellElement;
  cells: Record<string, HTMLElement>;
  drawn: Record<string, string>;
}

interface WatchView {
  column: string;
  isDown: boolean;
  text: string;
  signal: string;
  by: string;
}

interface WatchState {
  view: WatchView;
  columns: WatchColumn[];
  rows: Map<string, WatchRow>;
  picked: Set<string>;
  tell(name: string, value: unknown): void;
  active?: WatchRow;
  order?: string;
  lines?: HTMLElement[];
}

interface AddressData {
  link: Record<string, string>;
  first: Record<string, string>;
  known: string[];
  steps: string[];
  own: string[];
  optional: string[];
}
