/** Forwards every request and decides nothing: what any worker in front of an origin costs, and so the bound of the comparison. */

interface Env {
  readonly ORIGIN_SERVICE: Fetcher;
}

export default {
  fetch: (request: Request, env: Env): Promise<Response> => env.ORIGIN_SERVICE.fetch(request),
};
