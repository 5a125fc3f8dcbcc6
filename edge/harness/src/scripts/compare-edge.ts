/** Static rates against adaptive ones, on real HTTP through the platforms' runtimes: `cargo xtask compare-edge`, see `compare/options.ts`. */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { akamai } from "../akamai/platform.ts";
import { edge } from "../bundle.ts";
import { cloudflare } from "../cloudflare.ts";
import { adaptive, perKey, perNode } from "../compare/contender.ts";
import type { PriceList } from "../compare/cost.ts";
import { measure } from "../compare/measures.ts";
import { type Options, options, traceName } from "../compare/options.ts";
import { type Case, markdown } from "../compare/report.ts";
import { type Run, run, type Terms } from "../compare/run.ts";
import { dispersion, timetable } from "../compare/timetable.ts";
import { fastly } from "../fastly/platform.ts";
import type { Platform } from "../platform.ts";

const PLATFORMS: readonly Platform[] = [cloudflare, fastly, akamai];
const CONTENDERS = [perNode, perKey, adaptive] as const;

function termsOf(file: string, asked: Options): Terms {
  const { perS, warmS, scoredS, from, nodes, buckets, intervalS, shownAfterS, capacity, burstS } = asked;
  const sustainedPerS = capacity * perS;
  return {
    timetable: timetable(file, { perS, seconds: warmS + scoredS, from, nodes, buckets }),
    nodes: Array.from({ length: nodes }, (_, i) => `node-${i}`),
    capacity: { sustainedPerS, burst: sustainedPerS * burstS },
    warmS,
    scoredS,
    intervalS,
    shownAfterS,
  };
}

async function compare(platform: Platform, trace: string, terms: Terms, { rounds, out }: Options): Promise<Case> {
  const runs = new Map<string, Run[]>(CONTENDERS.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of CONTENDERS) {
      console.error(`${platform.name}, ${trace}: ${contender.name}, round ${round} of ${rounds}`);
      const done = await run(platform, contender, terms);
      runs.get(contender.name)?.push(done);
      const head = { platform: platform.name, trace, contender: contender.name, round };
      appendFileSync(join(out, "requests.ndjson"), done.outcomes.map((o) => `${JSON.stringify({ ...head, ...o })}\n`).join(""));
    }
  }
  const { capacity, nodes, intervalS, shownAfterS, timetable } = terms;
  const results = [...runs].map(([name, all]) => ({ name, measures: measure(all), rounds: all.map((one) => measure([one])) }));
  const setting = { nodes: nodes.length, intervalS, shownAfterS, rounds, ...capacity, factor: timetable.factor };
  return { platform: platform.name, runtime: platform.runtime, trace, dispersion: dispersion(timetable, intervalS), ...setting, results };
}

/** When and on what this runs. */
function machine() {
  return { date: new Date().toISOString(), node: process.version, processors: cpus().length, loadOver15Minutes: loadavg()[2] };
}

// Whoever interrupts it wants no engine left behind.
process.once("SIGINT", () => process.exit(130));
const asked = options(process.argv.slice(2));
const platforms = asked.platforms.map((name) => {
  const found = PLATFORMS.find((platform) => platform.name === name);
  if (found === undefined) throw new Error(`--platform: ${name} is none of ${PLATFORMS.map((platform) => platform.name).join(", ")}`);
  return found;
});
const prices = JSON.parse(readFileSync(join(edge(), "../config/edge-prices.json"), "utf8")) as PriceList;
mkdirSync(asked.out, { recursive: true });
writeFileSync(join(asked.out, "requests.ndjson"), "");
const cases: Case[] = [];
for (const file of asked.files) {
  let terms: Terms;
  try {
    terms = termsOf(file, asked);
  } catch (error) {
    console.error(`${traceName(file)} is left out: ${String((error as { stderr?: string }).stderr ?? error).trim()}`);
    continue;
  }
  for (const platform of platforms) cases.push(await compare(platform, traceName(file), terms, asked));
  writeFileSync(join(asked.out, "results.json"), JSON.stringify({ ...machine(), asked, prices: prices.as_of, cases }, null, 2));
  writeFileSync(join(asked.out, "table.md"), markdown(cases, prices));
}
console.log(markdown(cases, prices));
