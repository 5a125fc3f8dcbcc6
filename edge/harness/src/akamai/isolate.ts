/**
 * Runs the built bundle in a context that has what EdgeWorkers documents and nothing else. A shim of ours, not Akamai's runtime: it holds
 * the bundle to the platform's modules, to its number of sub-requests and to what a handler may take by the clock, and shows its
 * logic; it measures neither CPU nor memory. Node.js has to be started with `--experimental-vm-modules`.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { webcrypto } from "node:crypto";
import vm from "node:vm";
import { type SubRequest, subRequest } from "./sub-request.ts";

/** What EdgeWorkers documents for its smallest tier, and for answers and variables in every tier. */
export const LIMITS = {
  /** Sub-requests of one handler. */
  subRequests: 2,
  /** What one handler may take by the clock. */
  handlerMs: 4_000,
  /** Characters of the body that `respondWith` takes. */
  body: 2_000,
  /** Characters of all variables of a property together. */
  variables: 1_024,
} as const;

/** Fields by their names in lower case. */
export type Headers = Record<string, string[]>;

/** What a client gets: from the worker, or from the origin. */
export interface Answer<Body = string> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | string;
}

/** A property with the bundle in front: its variables, and the servers that its sub-requests reach. */
export interface Property {
  readonly variables?: Readonly<Record<string, string>>;
  /** Where the platform's and the customer's hosts are, by host: the base URL of a server on the loopback. */
  readonly hosts: Readonly<Record<string, string>>;
  /** Gets each line that the worker logs. */
  readonly onLog?: (line: string) => void;
  /** Gets the URL of each sub-request. */
  readonly onSubRequest?: (url: string) => void;
}

/** An isolate that has loaded the bundle. */
export interface Isolate {
  /**
   * Sends a request through the property's handlers; `origin` is asked for what they let pass.
   *
   * @throws what a handler throws, or that it did more than the platform allows.
   */
  readonly send: <Body>(headers: Headers, origin: () => Promise<Answer<Body>>) => Promise<Answer<Body>>;
  /** Moves the clock that the bundle sees. */
  readonly clock: { offsetMs: number };
  /** Names of everything global that the bundle sees. */
  readonly globals: () => readonly string[];
}

interface Handlers {
  onClientRequest(request: unknown): Promise<void>;
  onClientResponse(request: unknown, response: unknown): Promise<void>;
}

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Sub-requests that the handler under way has left. Handlers of several requests are under way at once. */
const left = new AsyncLocalStorage<{ count: number }>();

/** Loads `code` into an isolate of its own. */
export async function isolate(code: string, property: Property): Promise<Isolate> {
  const clock = { offsetMs: 0 };
  const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  setClock(context, clock);
  const module = new vm.SourceTextModule(code, { context });
  const modules = modulesOf(property);
  await module.link((name) => provide(name, modules, context));
  await module.evaluate();
  const handlers = module.namespace as unknown as Handlers;

  async function send<Body>(headers: Headers, origin: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const { request, answered } = requestOf(headers, property.variables);
    await within("onClientRequest", () => handlers.onClientRequest(request));
    const answer: Answer<Body> = answered() ?? (await origin());
    const fields: Headers = { ...answer.headers };
    await within("onClientResponse", () => handlers.onClientResponse(request, responseOf(answer.status, fields)));
    return { ...answer, headers: fields };
  }

  const globals = () => vm.runInContext("Object.getOwnPropertyNames(globalThis)", context) as string[];
  return { send, clock, globals };
}

function modulesOf({ hosts, onLog, onSubRequest }: Property): Modules {
  const httpRequest = (url: string, options: SubRequest = {}) => {
    onSubRequest?.(url);
    const handler = left.getStore();
    if (handler === undefined || handler.count < 1) return Promise.reject(new Error("too many sub-requests"));
    handler.count -= 1;
    return subRequest(url, options, hosts);
  };
  return {
    "http-request": { httpRequest },
    crypto: { crypto: { subtle: webcrypto.subtle, getRandomValues: (array: Uint8Array) => webcrypto.getRandomValues(array) } },
    log: { logger: { log: (_: string, text: string) => onLog?.(text) } },
    encoding: { TextEncoder },
  };
}

/** Runs a handler with sub-requests and time of its own. */
async function within(name: string, handler: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} took more than ${LIMITS.handlerMs} ms`)), LIMITS.handlerMs);
  });
  try {
    await left.run({ count: LIMITS.subRequests }, () => Promise.race([handler(), overdue]));
  } finally {
    clearTimeout(timer);
  }
}

/** The request as handlers see it, and the answer that they gave, if any. */
function requestOf(headers: Headers, given: Property["variables"]) {
  const variables: Record<string, string> = { ...given };
  let answer: Answer<never> | undefined;
  const request = {
    getVariable: (name: string) => variables[name],
    setVariable: (name: string, value: string) => {
      variables[name] = value;
      const size = Object.values(variables).join("").length;
      if (size > LIMITS.variables) throw new Error(`the variables have ${size} characters together`);
    },
    getHeader: (name: string) => headers[name.toLowerCase()],
    respondWith: (status: number, fields: Headers, body: string) => {
      if (body.length > LIMITS.body) throw new Error("the body is too long");
      answer = { status, headers: lowerCase(fields), body };
    },
  };
  return { request, answered: () => answer };
}

function responseOf(status: number, fields: Headers) {
  return {
    status,
    getHeader: (name: string) => fields[name.toLowerCase()],
    setHeader: (name: string, value: string) => {
      fields[name.toLowerCase()] = [value];
    },
  };
}

function lowerCase(fields: Headers): Headers {
  return Object.fromEntries(Object.entries(fields).map(([name, values]) => [name.toLowerCase(), values]));
}

function setClock(context: vm.Context, clock: { offsetMs: number }): void {
  const date = vm.runInContext("Date", context) as DateConstructor;
  date.now = () => Date.now() + clock.offsetMs;
}

function provide(name: string, modules: Modules, context: vm.Context): vm.Module {
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
