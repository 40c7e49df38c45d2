import { expect, test } from "vitest";
import { counted } from "../shown/figures.ts";
import { languageOf, languages, loadTexts } from "./languages.ts";

/** What stands at each place of a language's texts; a sentence with gaps is written with a word for each. */
function sentences(texts: unknown, at = ""): [place: string, text: string][] {
  if (typeof texts === "string") return [[at, texts]];
  if (typeof texts === "function") {
    const gaps = Array.from({ length: texts.length }, (_, index) => `{${index}}`);
    // A number that is counted is an object, and every other gap a text.
    const filled = String(texts(...gaps.map((gap) => Object.assign(gap, { text: gap, isOne: false }))));
    return [[at, filled]];
  }
  return Object.entries(Object(texts) as object).flatMap(([name, part]) => sentences(part, `${at}/${name}`));
}

test("every language says each sentence of the console, with the same gaps in it", async () => {
  const places = async (language: (typeof languages)[number]) =>
    new Map(sentences(await loadTexts[language]()));
  const english = await places("en");
  expect(english.size).toBeGreaterThan(150);
  for (const language of languages) {
    const own = await places(language);
    expect([...own.keys()].sort(), language).toEqual([...english.keys()].sort());
    for (const [place, text] of own) {
      expect(text.trim(), `${language} ${place}`).not.toBe("");
      expect(gapsOf(text), `${language} ${place}`).toEqual(gapsOf(english.get(place) ?? ""));
    }
  }
});

const gapsOf = (text: string): string[] => [...new Set(text.match(/\{\d\}/g))].sort();

test("a person's first language that there is, is taken; without one it is English", () => {
  expect(languageOf(["fr-CA", "pt-BR", "de"])).toBe("pt");
  expect(languageOf(["fr"])).toBe("en");
  expect(counted(1, "de")).toEqual({ text: "1", isOne: true });
});
