const LEFT_OUT = "…";

/** A text on at most so many lines: broken where a line is full, and without its middle where it is longer than all of them. */
export function linesThatFit(
  text: string,
  linesMax: number,
  fits: (line: string) => boolean,
): readonly string[] {
  const characters = Array.from(text);
  for (let kept = characters.length; kept > 0; kept--) {
    const lines = broken(keptOf(characters, kept), fits);
    if (lines.length <= linesMax) return lines;
  }
  return [];
}

/** Names differ at their ends. */
function keptOf(characters: readonly string[], kept: number): readonly string[] {
  if (kept === characters.length) return characters;
  const head = Math.ceil(kept / 2);
  return [...characters.slice(0, head), LEFT_OUT, ...characters.slice(characters.length - (kept - head))];
}

function broken(characters: readonly string[], fits: (line: string) => boolean): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const character of characters) {
    if (fits(line + character)) line += character;
    else {
      lines.push(line);
      line = character;
    }
  }
  return [...lines, line].map((each) => each.trim()).filter((each) => each !== "");
}
