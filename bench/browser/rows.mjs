// Figures and their limits.

/** A figure without a limit. */
export const row = (measure, value, unit = "", detail = undefined) => ({ measure, value, unit, ...(detail ? { detail } : {}) });

export const atMost = (measure, value, unit, most, detail) => ({ ...row(measure, value, unit, detail), limit: `<= ${most}`, pass: value <= most });

export const atLeast = (measure, value, unit, least, detail) => ({ ...row(measure, value, unit, detail), limit: `>= ${least}`, pass: value >= least });

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export const median = (values) => quantile(values, 0.5);

export const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
