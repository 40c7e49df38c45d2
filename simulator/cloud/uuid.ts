import type { Random } from "@coalmine/ports";

const WORD = 2 ** 32;

/** A version 4 UUID out of the cloud's own chance, so that a driven cloud gives the same ids for the same seed. */
export function uuid(random: Random): string {
  const word = (): string =>
    Math.floor(random.next() * WORD)
      .toString(16)
      .padStart(8, "0");
  const [first, second, third, fourth] = [word(), word(), word(), word()];
  const variant = (8 + (Number.parseInt(third.charAt(0), 16) & 3)).toString(16);
  return `${first}-${second.slice(0, 4)}-4${second.slice(5)}-${variant}${third.slice(1, 4)}-${third.slice(4)}${fourth}`;
}
