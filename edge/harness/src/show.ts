/** The time that a store takes to show what it has acknowledged. */

/** Does `write` when it is to be seen. */
export type Show = (write: () => unknown) => unknown;

/** Shows writes `ms` after they are acknowledged, in their order; 0 for before. */
export function shownAfter(ms: number): Show {
  if (ms === 0) return (write) => write();
  return (write) => void setTimeout(write, ms).unref();
}
