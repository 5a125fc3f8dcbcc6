/** Bounds how long something from outside may take. */

/** What did not answer in time. */
export class DeadlineExceeded extends Error {
  override readonly name = "DeadlineExceeded";
}

/** A pause that can be called off. */
export type Sleep = (ms: number) => Promise<void>;

/**
 * What `work` comes to, if that takes no longer than `ms`.
 *
 * @throws DeadlineExceeded when it takes longer; the work itself goes on and its end is ignored. Whatever `work` throws.
 */
export async function within<T>(work: Promise<T>, ms: number, sleep: Sleep, what: string): Promise<T> {
  const late = sleep(ms).then(() => {
    throw new DeadlineExceeded(`${what} did not answer within ${ms} ms`);
  });
  // Whichever loses must not surface as an unhandled rejection later.
  work.catch(() => {});
  late.catch(() => {});
  return Promise.race([work, late]);
}
