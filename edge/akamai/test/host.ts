/**
 * Runs the built bundle in a context that has what EdgeWorkers documents and nothing else. A shim, not Akamai's runtime: it holds
 * the bundle to the platform's modules and its number of sub-requests, and shows its logic; it measures neither CPU nor memory.
 */

import { webcrypto } from "node:crypto";
import { request as httpCall } from "node:http";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { build } from "esbuild";

/** Sub-requests that one handler may make in the smallest tier. */
const MOST_SUBREQUESTS = 2;
const EXTERNAL = ["http-request", "crypto", "log", "encoding"];

type Headers = Record<string, string[]>;

/** What a property does with a request: lets it pass, or answers it. */
export interface Passed {
  readonly status?: number;
  readonly headers: Headers;
  readonly body?: string;
}

/** A property with the bundle in front: its variables, and the servers that its sub-requests reach. */
export interface Property {
  readonly variables?: Readonly<Record<string, string>>;
  /** Where the platform's and the customer's hosts are, by host: the base URL of a server on the loopback. */
  readonly hosts: Readonly<Record<string, string>>;
}

interface Handlers {
  onClientRequest(request: unknown): Promise<void>;
  onClientResponse(request: unknown, response: unknown): Promise<void>;
}

/** The bundle as it is uploaded. */
export async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    entryPoints: ["src/main.ts"],
    bundle: true,
    format: "esm",
    target: "es2022",
    external: EXTERNAL,
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Loads `code` into an isolate of its own. */
export async function isolate(code: string, property: Property) {
  const clock = { offsetMs: 0 };
  const lines: Record<string, unknown>[] = [];
  const calls: string[] = [];
  let left = 0;
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  setClock(context, clock);
  const httpRequest = (url: string, options: SubRequest = {}) => {
    calls.push(url);
    left -= 1;
    return left < 0 ? Promise.reject(new Error("too many sub-requests")) : subRequest(url, options, property.hosts);
  };
  const modules: Record<string, Record<string, unknown>> = {
    "http-request": { httpRequest },
    crypto: { crypto: { subtle: webcrypto.subtle, getRandomValues: (array: Uint8Array) => webcrypto.getRandomValues(array) } },
    log: { logger: { log: (_: string, text: string) => lines.push(JSON.parse(text)) } },
    encoding: { TextEncoder },
  };
  const module = new vm.SourceTextModule(code, { context });
  await module.link((name) => provide(name, modules, context));
  await module.evaluate();
  const handlers = module.namespace as unknown as Handlers;

  /** Sends a request through the property; the origin answers with `status`. */
  async function send(headers: Headers = {}, status = 200): Promise<Passed> {
    const variables: Record<string, string> = { ...property.variables };
    let answer: Passed | undefined;
    const request = {
      getVariable: (name: string) => variables[name],
      setVariable: (name: string, value: string) => {
        variables[name] = value;
      },
      getHeader: (name: string) => headers[name.toLowerCase()],
      respondWith: (code: number, fields: Headers, body: string) => {
        if (body.length > 2_000) throw new Error("the body is too long");
        answer = { status: code, headers: fields, body };
      },
    };
    left = MOST_SUBREQUESTS;
    await handlers.onClientRequest(request);
    const fields: Headers = answer ? { ...answer.headers } : { "content-length": ["2"] };
    const response = {
      status: answer?.status ?? status,
      getHeader: (name: string) => fields[name.toLowerCase()],
      setHeader: (name: string, value: string) => {
        fields[name] = [value];
      },
    };
    left = MOST_SUBREQUESTS;
    await handlers.onClientResponse(request, response);
    return answer ?? { status, headers: fields };
  }

  const globals = () => vm.runInContext("Object.getOwnPropertyNames(globalThis)", context) as string[];
  return { send, lines, calls, clock, globals };
}

/** Lets the test move the clock that the bundle sees. */
function setClock(context: vm.Context, clock: { offsetMs: number }): void {
  const date = vm.runInContext("Date", context) as DateConstructor;
  date.now = () => Date.now() + clock.offsetMs;
}

function provide(name: string, modules: Record<string, Record<string, unknown>>, context: vm.Context): vm.Module {
  const exports = modules[name];
  if (exports === undefined) throw new Error(`the platform has no module ${name}`);
  return new vm.SyntheticModule(
    Object.keys(exports),
    function () {
      for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
    },
    { context },
  );
}

interface SubRequest {
  method?: string;
  headers?: Headers;
  body?: string;
  timeout?: number;
}

function subRequest(url: string, { method = "GET", headers = {}, body, timeout }: SubRequest, hosts: Property["hosts"]) {
  const target = new URL(url);
  const base = hosts[target.host];
  if (target.protocol !== "https:" || target.port !== "" || base === undefined) {
    return Promise.reject(new Error(`${url} is not served through the platform`));
  }
  return new Promise((resolve, reject) => {
    const call = httpCall(new URL(target.pathname + target.search, base), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      const status = response.statusCode ?? 0;
      response.on("end", () => resolve({ status, ok: status >= 200 && status < 300, text: async () => text }));
    });
    call.setTimeout(timeout ?? 5_000, () => call.destroy(new Error("the sub-request timed out")));
    call.on("error", reject);
    call.end(body);
  });
}
