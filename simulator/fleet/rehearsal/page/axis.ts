const HOUR_MS = 3_600_000;
const TICKS_MAX = 8;

/** Whole hours, or minutes of a short scenario, that fit beside each other: ms since the beginning. */
export function timeTicks(lengthMs: number): number[] {
  const steps = [
    HOUR_MS / 12,
    HOUR_MS / 4,
    HOUR_MS / 2,
    ...[1, 2, 3, 6, 12, 24, 72, 168].map((hours) => hours * HOUR_MS),
  ];
  const step = steps.find((ms) => lengthMs / ms <= TICKS_MAX) ?? lengthMs;
  return Array.from({ length: Math.floor(lengthMs / step) + 1 }, (_, index) => index * step);
}

/** The next of 1, 2 and 5 by a power of ten that is no less. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value) ?? value;
}
