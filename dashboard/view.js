// Tiles, origins and tables. Whatever comes from the engine is written as text, never as markup.

const byId = (id) => document.getElementById(id);
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** A rate or a count in at most three significant digits or whole units. */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? exact.format(value) : fine.format(value);
}

function percent(share) {
  if (!Number.isFinite(share)) return "–";
  return `${share > 0 && share < 0.001 ? "<0.1" : (100 * share).toFixed(1)} %`;
}

const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The figures of the last window, over all nodes and origins. */
export function tiles({ epoch, interval_s, model, nodes, origins }) {
  const demand = sum(nodes, "demand_per_s");
  const throttled = sum(nodes, "throttled_per_s");
  const capacity = sum(origins, "sustained_per_s");
  const leased = sum(origins, "leased_per_s");
  const texts = {
    plan: epoch ? `plan ${epoch}, every ${figure(interval_s)} s` : "",
    demand: figure(demand),
    "demand-note": `per second, ${figure(sum(nodes, "forecast_per_s"))} expected next`,
    admitted: figure(sum(nodes, "admitted_per_s")),
    "admitted-note": "per second",
    throttled: percent(demand > 0 ? throttled / demand : 0),
    "throttled-note": `${figure(throttled)} per second refused`,
    leased: percent(leased / capacity),
    "leased-note": `${figure(leased)} of ${figure(capacity)} tokens/s`,
    model: model.degraded ? "naive" : "in use",
    "model-note": [model.id, model.degraded].filter(Boolean).join(": "),
  };
  for (const [id, text] of Object.entries(texts)) byId(id).textContent = text;
}

/** One card per origin: how much of its capacity and of its burst is leased, and what a token is worth. */
export function originCards(place, origins) {
  place.replaceChildren(...origins.map((origin) => {
    const card = element("div", "origin");
    card.append(element("h3", "", origin.name));
    card.append(...meter("sustained", origin.leased_per_s, origin.sustained_per_s, "tokens/s"));
    card.append(...meter("burst", origin.leased_burst, origin.burst, "tokens"));
    card.append(element("p", "note", `price of a token ${percent(origin.price)}: the chance that one more would be used`));
    return card;
  }));
}

function meter(name, value, most, unit) {
  const label = element("p", "meter-label");
  label.append(element("span", "", name), element("span", "", `${figure(value)} of ${figure(most)} ${unit}`));
  const bar = element("meter");
  bar.max = most > 0 ? most : 1;
  bar.value = value;
  bar.setAttribute("aria-label", `${name} leased`);
  return [label, bar];
}

/** One row per node: what it was offered, what it let through, what it holds. */
export function nodeTable(table, note, { nodes }) {
  const silent = nodes.filter((node) => !node.reporting).length;
  note.textContent = silent ? `${nodes.length} known, ${silent} silent` : `${nodes.length}, all reporting`;
  fill(table, nodes, [
    { name: "Node", text: (n) => n.node, heads: true },
    { name: "State", words: true, text: (n) => (n.reporting ? "reporting" : "silent"), mark: (n) => (n.reporting ? "well" : "bad") },
    { name: "Demand/s", text: (n) => figure(n.demand_per_s) },
    { name: "Admitted/s", text: (n) => figure(n.admitted_per_s) },
    { name: "Throttled/s", text: (n) => figure(n.throttled_per_s), mark: (n) => (n.throttled_per_s > 0 ? "warm" : "") },
    { name: "Forecast/s", text: (n) => figure(n.forecast_per_s) },
    { name: "Pool refill/s", text: (n) => figure(n.pool_refill_per_s) },
    { name: "Pool burst", text: (n) => figure(n.pool_capacity) },
    { name: "Lease", text: (n) => String(n.epoch) },
    { name: "Acknowledged", text: (n) => String(n.epoch_acked ?? "none"), mark: (n) => (n.epoch_acked < n.epoch ? "late" : "") },
  ]);
}

/** The busiest buckets whose node or bucket holds the filter's text. */
export function bucketTable(table, note, buckets, filter) {
  const wanted = filter.trim().toLowerCase();
  const shown = buckets.filter((b) => b.bucket.toLowerCase().includes(wanted) || b.node.toLowerCase().includes(wanted));
  note.textContent = wanted ? `${shown.length} of ${buckets.length}` : "";
  fill(table, shown, [
    { name: "Bucket", text: (b) => b.bucket, heads: true },
    { name: "Node", text: (b) => b.node, words: true },
    { name: "Demand/s", text: (b) => figure(b.demand_per_s) },
    { name: "Throttled/s", text: (b) => figure(b.throttled_per_s), mark: (b) => (b.throttled_per_s > 0 ? "warm" : "") },
    { name: "Forecast/s", text: (b) => figure(b.forecast_per_s) },
    { name: "Guaranteed/s", text: (b) => figure(b.refill_per_s) },
    { name: "Ceiling/s", text: (b) => figure(b.ceiling_per_s) },
    { name: "Bound by", text: (b) => b.bound_by, words: true },
  ]);
}

function fill(table, rows, columns) {
  const head = table.tHead ?? table.createTHead();
  if (head.rows.length === 0) {
    head.insertRow().append(...columns.map((column) => {
      const cell = element("th", column.heads || column.words ? "words" : "", column.name);
      cell.scope = "col";
      return cell;
    }));
  }
  const body = table.tBodies[0] ?? table.createTBody();
  body.replaceChildren(...rows.map((row) => tableRow(row, columns)));
  if (rows.length === 0) body.insertRow().append(Object.assign(element("td", "words note", "none"), { colSpan: columns.length }));
}

function tableRow(row, columns) {
  const line = element("tr");
  line.append(...columns.map((column) => {
    const cell = element(column.heads ? "th" : "td", column.heads || column.words ? "words" : "");
    if (column.heads) cell.scope = "row";
    const mark = column.mark?.(row);
    cell.append(mark ? element("span", `mark ${mark}`, column.text(row)) : column.text(row));
    return cell;
  }));
  return line;
}
