/** Bounds that only a hang reaches, for machines that do other things at the same time. */
export const PATIENT = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };
