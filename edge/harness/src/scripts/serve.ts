/**
 * Runs the worker on workerd until it is told to stop: `npm run serve -w @tidegate/harness -- FOLDER [VARIABLE=VALUE…]`.
 *
 * Prints one line of JSON once it answers: the URLs of the worker and of the KV front, its token and its namespaces. EDGE_PORT and
 * KV_PORT choose the ports; the variable ORIGIN names an origin, without one a worker answers.
 */

import { KV_TOKEN, NAMESPACES, start } from "../runtime.ts";

const [persist, ...assignments] = process.argv.slice(2);
if (persist === undefined) throw new Error("usage: npm run serve -w @tidegate/harness -- FOLDER [VARIABLE=VALUE…]");
const vars = Object.fromEntries(assignments.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]));
const ports = { edge: Number(process.env.EDGE_PORT ?? 0), kv: Number(process.env.KV_PORT ?? 0) };
const runtime = await start({ persist, vars, ports, ...(vars.ORIGIN === undefined ? {} : { origin: vars.ORIGIN }) });
console.log(JSON.stringify({ edge: runtime.edge, kv: runtime.kv, token: KV_TOKEN, namespaces: NAMESPACES }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void runtime.stop().then(() => process.exit(0)));
