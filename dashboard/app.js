// Asks the engine for its overview, tells fresh from stale, and hands the answer to the views.

import { TimeChart } from "./chart.js";
import { bucketTable, nodeTable, originCards, tiles } from "./view.js";

// Shorter than any window, so that a plan is seen soon after it is made; time may also be sped up, as in the demo.
const POLL_MS = 2000;
const TOKEN = "tidegate-token";

const byId = (id) => document.getElementById(id);

const chart = new TimeChart(byId("chart"), byId("legend"), [
  { key: "demand_per_s", name: "Demand", kind: "demand", filled: true },
  { key: "admitted_per_s", name: "Admitted", kind: "admitted" },
  { key: "leased_per_s", name: "Leased", kind: "leased" },
  { key: "forecast_per_s", name: "Forecast", kind: "forecast" },
]);

let overview = null;
let heardAt = performance.now();
let failure = null;

async function ask() {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch("/v1/overview", { headers, cache: "no-store", signal: AbortSignal.timeout(10_000) });
  byId("login").hidden = answer.status !== 401;
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  return answer.json();
}

async function poll() {
  try {
    overview = await ask();
    heardAt = performance.now();
    failure = null;
    show();
  } catch (error) {
    failure = error instanceof TypeError ? "it cannot be reached" : error.message;
  }
  showStatus();
  setTimeout(poll, POLL_MS);
}

function show() {
  tiles(overview);
  const step = overview.interval_s * 1000;
  // A forecast is for the window after the one it was made in: it is drawn where it can be compared.
  chart.show(overview.history.map((window) => ({ ...window, at: Date.parse(window.at) })), { forecast_per_s: step });
  originCards(byId("origins"), overview.origins);
  nodeTable(byId("nodes"), byId("nodes-note"), overview);
  showBuckets();
}

function showBuckets() {
  if (overview) bucketTable(byId("buckets"), byId("buckets-note"), overview.buckets, byId("filter").value);
}

/** Says in words, and by the page's colours, whether what is shown still holds. */
function showStatus() {
  const [state, words] = verdict();
  document.body.dataset.state = state;
  const status = byId("status");
  if (status.textContent !== words) status.textContent = words;
}

function verdict() {
  if (failure && !overview) return ["stale", `no answer from the engine: ${failure}`];
  if (failure) {
    const silent = Math.round((performance.now() - heardAt) / 1000);
    return ["stale", `stale: the engine has not answered for ${silent} s (${failure}); nodes go on with their leases`];
  }
  if (!overview) return ["waiting", "waiting for the engine"];
  if (!overview.issued_at) return ["waiting", "waiting for the first plan"];
  const age = (Date.parse(overview.now) - Date.parse(overview.issued_at)) / 1000;
  if (age > 3 * overview.interval_s) return ["stale", `stale: the last plan is ${Math.round(age)} s old`];
  if (overview.model.degraded) return ["degraded", "live, without the model"];
  return ["live", "live"];
}

byId("filter").addEventListener("input", showBuckets);
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, byId("token").value);
  byId("token").value = "";
  byId("login").hidden = true;
});
poll();
