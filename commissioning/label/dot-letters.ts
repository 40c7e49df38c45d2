/**
 * Letters of 5 × 7 dots, as displays have them, for pictures of few dots. Each is five columns from the left, two
 * hexadecimal digits a column, the lowest bit on top.
 */
const GLYPHS = `
0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649552250 0005030000
001c224100 0041221c00 14083e0814 08083e0808 0050300000 0808080808 0060600000 2010080402
3e5149453e 00427f4000 4261514946 2141454b31 1814127f10 2745454539 3c4a494930 0171090503
3649494936 064949291e 0036360000 0056360000 0814224100 1414141414 0041221408 0201510906
324979413e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090901 3e4149497a
7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f020c027f 7f0408107f 3e4141413e
7f09090906 3e4151215e 7f09192946 4649494931 01017f0101 3f4040403f 1f2040201f 3f4038403f
6314081463 0708700807 6151494543 007f414100 0204081020 0041417f00 0402010204 4040404040
0001020400 2054545478 7f48444438 3844444420 384444487f 3854545418 087e090102 0c5252523e
7f08040478 00447d4000 2040443d00 7f10284400 00417f4000 7c04180478 7c08040478 3844444438
7c14141408 081414187c 7c08040408 4854545420 043f444020 3c4040207c 1c2040201c 3c4030403c
4428102844 0c5050503c 4464544c44 0008364100 00007f0000 0041360800 0804080810`
  .trim()
  .split(/\s+/);
const SPECIAL: Readonly<Record<string, string>> = {
  ß: "7e014a4a34",
  ı: "00447c4000",
  "…": "4000400040",
  "°": "0006090906",
  º: "0006090906",
  ª: "000a0d0d0f",
  "·": "0000181800",
  "–": "0808080808",
};
/** In the two rows above the letter; the cedilla is a dot in the row below it. */
const MARKS: Readonly<Record<string, string>> = {
  "\u0300": "0001020000",
  "\u0301": "0000020100",
  "\u0302": "0002010200",
  "\u0303": "0201020100",
  "\u0308": "0003000300",
  "\u030a": "0002030200",
};
const CEDILLA = "\u0327";
export const LETTER_DOTS = { width: 5, pitch: 6, mark: 2, capital: 7, below: 1 } as const;
/** With the marks above it and the cedilla below. */
const HEIGHT = LETTER_DOTS.mark + LETTER_DOTS.capital + LETTER_DOTS.below;

/** A letter's five columns, each a number whose lowest bit is the topmost of ten dots. */
export function lettersColumns(character: string): readonly number[] {
  const [base = "?", ...marks] = SPECIAL[character] === undefined ? character.normalize("NFD") : character;
  const isDotless = base === "i" && marks.some((mark) => MARKS[mark] !== undefined);
  const columns = columnsOf(glyphOf(isDotless ? "ı" : base)).map((column) => column << LETTER_DOTS.mark);
  for (const mark of marks)
    for (const [index, dots] of columnsOf(MARKS[mark] ?? "0000000000").entries())
      columns[index] = (columns[index] ?? 0) | dots;
  if (marks.includes(CEDILLA)) columns[2] = (columns[2] ?? 0) | (1 << (HEIGHT - 1));
  return columns;
}

function glyphOf(character: string): string {
  return (
    SPECIAL[character] ?? GLYPHS[character.charCodeAt(0) - 0x20] ?? GLYPHS["?".charCodeAt(0) - 0x20] ?? ""
  );
}

function columnsOf(glyph: string): number[] {
  return (glyph.match(/../g) ?? []).map((column) => Number.parseInt(column, 16));
}
