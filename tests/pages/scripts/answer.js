// Answers for tests in Python: what the scripts make of what the server's own code has made.

import { ageWords } from "../../../pages/ui/age.js";
import { filledTraces } from "../../../pages/ui/chart/chart_fill.js";
import { unpacked } from "../../../pages/ui/chart/chart_tables.js";

const array = (values) => Float64Array.from(values, (value) => value ?? Number.NaN);

const columns = (table) =>
  Object.fromEntries(Object.entries(table).map(([name, values]) => [name, array(values)]));

const ANSWERS = {
  ages: (seconds) => seconds.map(ageWords),
  // Each frame over the one before it.
  frames(packed) {
    let had;
    return packed.map((text) => {
      const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      had = unpacked(bytes.buffer, had);
      return Object.fromEntries(
        Object.entries(had.tables).map(([name, table]) => [
          name,
          Object.fromEntries(Object.entries(table).map(([key, values]) => [key, [...values]])),
        ]),
      );
    });
  },
  filled({ traces, tables, bases }) {
    const read = Object.entries(tables).map(([name, table]) => [name, columns(table)]);
    return filledTraces(traces, Object.fromEntries(read), bases).map((trace) =>
      Object.fromEntries(
        Object.entries(trace).map(([name, value]) => [
          name,
          ArrayBuffer.isView(value) ? [...value] : value,
        ]),
      ),
    );
  },
};

let text = "";
for await (const piece of process.stdin) text += piece;
const { ask, of } = JSON.parse(text);
process.stdout.write(JSON.stringify(ANSWERS[ask](of)));
