import type { Random } from "@coalmine/ports";

/** A version 4 UUID out of the cloud's own chance, so that a driven cloud gives the same ids for the same seed. */
export function uuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random.next() * 16));
  digits[12] = 4;
  digits[16] = 8 + ((digits[16] ?? 0) & 3);
  const text = digits.map((digit) => digit.toString(16)).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    "-",
  );
}
