/** How long to wait after failures in a row: doubling, bounded, jittered so that workers which failed together do not return together. */

/** A random number from 0 (included) to 1 (excluded). */
export type Random = () => number;

/** `ms` moved by up to `share` of itself either way. */
export function jittered(ms: number, share: number, random: Random): number {
  return ms * (1 + share * (2 * random() - 1));
}

/** Milliseconds to wait after `failures` in a row, at least 1: half of the doubled wait for certain, the other half at random. */
export function backoffMs(failures: number, firstMs: number, mostMs: number, random: Random): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return whole / 2 + (whole / 2) * random();
}
