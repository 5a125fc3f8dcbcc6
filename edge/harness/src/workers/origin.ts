/** An origin that answers at once. */

export default {
  fetch: () => new Response("ok", { headers: { "content-length": "2" } }),
};
