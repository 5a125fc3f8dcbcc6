/** What became of one request, as a line of the log endpoint: written by sandboxes, read by the collector. */

/** See the module. */
export interface Outcome {
  /** When it was decided, milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly node: string;
  /** Epoch of the rate table that decided it, 0 while there is none. */
  readonly epoch: number;
  /** Rung of the lease ladder. */
  readonly rung: string;
  readonly bucket: string;
  readonly throttled: 0 | 1;
  readonly errors: 0 | 1;
  /** Bytes of the answer, 0 where they are not known. */
  readonly bytes: number;
}

/** The line of `outcome`. */
export function outcomeLine(outcome: Outcome): string {
  return JSON.stringify(outcome);
}

const ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Reads a line; `undefined` when it is none. */
export function parseOutcome(line: string): Outcome | undefined {
  let fields: Partial<Outcome>;
  try {
    fields = JSON.parse(line) ?? {};
  } catch {
    return undefined;
  }
  const { atMs, node, epoch, rung, bucket, throttled, errors, bytes } = fields;
  const areNumbers = [atMs, epoch, throttled, errors, bytes].every((value) => Number.isFinite(value) && (value as number) >= 0);
  const areIds = [node, rung, bucket].every((value) => typeof value === "string" && ID.test(value));
  return areNumbers && areIds ? (fields as Outcome) : undefined;
}
