/**
 * What the standard fonts of a PDF can show: WinAnsi, which is Latin-1 with 27 characters more.
 * @see ISO 32000-1, annex D.2
 */
const EXTRA: Readonly<Record<string, number>> = {
  "€": 0x80,
  "‚": 0x82,
  ƒ: 0x83,
  "„": 0x84,
  "…": 0x85,
  "†": 0x86,
  "‡": 0x87,
  ˆ: 0x88,
  "‰": 0x89,
  Š: 0x8a,
  "‹": 0x8b,
  Œ: 0x8c,
  Ž: 0x8e,
  "‘": 0x91,
  "’": 0x92,
  "“": 0x93,
  "”": 0x94,
  "•": 0x95,
  "–": 0x96,
  "—": 0x97,
  "˜": 0x98,
  "™": 0x99,
  š: 0x9a,
  "›": 0x9b,
  œ: 0x9c,
  ž: 0x9e,
  Ÿ: 0x9f,
};
/** Blanks and dashes that `Intl` and people write, and letters that are no base letter with a mark. */
const NEAREST: Readonly<Record<string, string>> = {
  "\u2007": "\u00a0",
  "\u2009": "\u00a0",
  "\u202f": "\u00a0",
  "\u2011": "-",
  "\u2212": "–",
  Ł: "L",
  ł: "l",
  Đ: "D",
  đ: "d",
  ı: "i",
};

/** The code of each character; of one that the fonts lack, that of its base letter, or of a question mark. */
export function winAnsi(text: string): readonly number[] {
  return Array.from(text.normalize("NFC")).map((character) => {
    const nearest = NEAREST[character] ?? character;
    return codeOf(nearest) ?? codeOf(nearest.normalize("NFD").charAt(0)) ?? 0x3f;
  });
}

/** False where something else than what was written would stand on the page. */
export function isShown(text: string): boolean {
  return Array.from(text.normalize("NFC")).every((character) => {
    const nearest = NEAREST[character];
    return codeOf(character) !== undefined || (nearest !== undefined && !/\p{L}/u.test(nearest));
  });
}

function codeOf(character: string): number | undefined {
  const code = character.codePointAt(0) ?? 0;
  const isItself = (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xff);
  return isItself ? code : EXTRA[character];
}
